"""What a power cut leaves: every file as it was last synced, every folder with the names that it
had when it was last synced; what came later is there or not, as the seed says.

tests/crash/shim.c, preloaded into the daemon and its workers, keeps what is durable.
"""
import os
import shutil
import stat
import subprocess

from sweepd import BUILD, WORKER

SHIM = os.path.join(BUILD, "tests", "crash", "crash_shim.so")


def preloaded_worker(folder, environment, start=None):
    """A worker program that is preloaded, whatever the daemon gives it of its environment: at every
    start, or at that one alone, counted from 1."""
    path = os.path.join(folder, "preloaded-worker")
    exports = "".join(f"export {k}='{v}'\n" for k, v in environment.items())
    if start:
        exports = (f"n=1\nwhile ! mkdir '{folder}/start-'$n 2>/dev/null; do n=$((n+1)); done\n"
                   f"if [ $n = {start} ]; then\n{exports}fi\n")
    with open(path, "w", encoding="utf-8") as f:
        f.write(f'#!/bin/sh\n{exports}exec "{WORKER}" "$@"\n')
    os.chmod(path, 0o755)
    return path


def keys_below(folder):
    """{path: key} of everything below, and of the folder itself."""
    out = subprocess.run(["find", folder, "-exec", "stat", "--printf", "%i-%.9W %n\\n", "{}", "+"],
                         capture_output=True, text=True, check=True).stdout
    return {path: key for key, path in (line.split(" ", 1) for line in out.splitlines())}


class Disk:
    """The folder `root`, whose own name is durable, and what of it would survive."""

    def __init__(self, root, durable):
        self.root, self.durable = root, durable
        os.makedirs(durable)

    def environment(self, programs="sweepd:sweep-worker"):
        """Without Landlock: the shim writes where a worker may not."""
        return {"LD_PRELOAD": SHIM, "SHIM_PROGRAM": programs, "SHIM_DURABLE": self.durable,
                "SWEEPD_SANDBOX_ABI": "0"}

    def names(self, key):
        path = os.path.join(self.durable, key + ".names")
        if not os.path.exists(path):
            return {}
        with open(path, encoding="utf-8") as f:
            return {name: k for k, name in (line.rstrip("\n").split(" ", 1) for line in f)}

    def write_file(self, key, current, to, rng):
        """Its synced bytes; what was written since is there whole, in part or not at all."""
        kept = os.path.join(self.durable, key)
        synced = open(kept, "rb").read() if os.path.exists(kept) else b""
        fate = rng.choice(["synced", "all", "part"])
        if fate != "synced" and current and os.path.exists(current):
            whole = open(current, "rb").read()
            if fate == "all":
                synced = whole
            elif whole.startswith(synced):
                synced = whole[:rng.randint(len(synced), len(whole))]
        with open(to, "wb") as f:
            f.write(synced)

    def write_folder(self, path, key, keys, to, rng):
        os.makedirs(to)
        if path and os.path.isdir(path):
            os.chmod(to, stat.S_IMODE(os.stat(path).st_mode))
        now = {os.path.basename(p): k for p, k in keys.items() if os.path.dirname(p) == path}
        synced = self.names(key)
        for name in sorted(now.keys() | synced.keys()):
            chosen = synced.get(name) if synced.get(name) == now.get(name) or rng.random() < 0.5 \
                else now.get(name)
            if chosen is None or name.endswith("-shm"):
                continue
            current = os.path.join(path, name) if now.get(name) == chosen else \
                next((p for p, k in keys.items() if k == chosen), None)
            out = os.path.join(to, name)
            if os.path.exists(os.path.join(self.durable, chosen + ".names")) or \
                    (current and os.path.isdir(current)):
                self.write_folder(current or "", chosen, keys, out, rng)
            else:
                self.write_file(chosen, current, out, rng)
                os.chmod(out, 0o600)

    def cut(self, rng):
        """Every process that writes below root is dead: the disk as the next boot finds it. What is
        durable begins anew from there."""
        keys = keys_below(self.root)
        after = self.root + ".after"
        self.write_folder(self.root, keys[self.root], keys, after, rng)
        shutil.rmtree(self.root)
        os.rename(after, self.root)
        shutil.rmtree(self.durable)
        os.makedirs(self.durable)
        for path, key in keys_below(self.root).items():
            kept = os.path.join(self.durable, key)
            if os.path.isdir(path):
                with open(kept + ".names", "w", encoding="utf-8") as f:
                    below = keys_below(path)
                    f.writelines(f"{k} {os.path.basename(p)}\n" for p, k in below.items()
                                 if os.path.dirname(p) == path and p != path)
            else:
                shutil.copyfile(path, kept)
