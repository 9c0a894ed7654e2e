"""Everything at once for a while: submits, cancels, pauses, enqueues, watchers that read and that
do not, kills of daemon and workers, and readers of the database. Nothing is lost, nothing grows.

SOAK_SECONDS (8) is how long; docs/testing.md has the long one.
"""
import json
import multiprocessing
import os
import random
import signal
import socket
import sqlite3
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon, RpcError, make_data, small_spec  # noqa: E402
from tap import check, equal, run  # noqa: E402

SECONDS = float(os.environ.get("SOAK_SECONDS", "8"))
READERS = 8
OPEN_MAX = 12  # sweeps at a time
WATCHERS_MAX = 8


def read_on(db, stop, failures):
    """A person with sqlite3 and no patience: timeout 0. After a kill the first reader recovers the
    WAL, and the others are told that it is locked."""
    while not stop.is_set():
        begin = time.monotonic()
        try:
            c = sqlite3.connect(f"file:{db}?mode=ro", uri=True, timeout=0)
            c.execute("SELECT * FROM best_runs LIMIT 10").fetchall()
            c.execute("SELECT count(*) FROM curves").fetchall()
            c.close()
        except sqlite3.OperationalError as e:
            failures.put((begin, time.monotonic(), str(e)))
        time.sleep(0.01)


class Soak:
    def __init__(self, d, data, seed):
        self.d, self.data, self.rng = d, data, random.Random(seed)
        self.told, self.gone = [], set()  # sweeps that were acknowledged, and deleted since
        self.watchers, self.samples, self.recoveries = [], [], []
        self.kills = {"daemon": 0, "workers": 0}

    def spec(self):
        r = self.rng
        return small_spec(self.data, method=r.choice(["random", "sobol", "coarse_to_fine"]),
                          run_cap=r.randint(9, 14), epochs=r.randint(1, 6), seed=r.randint(0, 99))

    def open_sweeps(self):
        return [r for r, in self.d.sql("SELECT id FROM sweeps WHERE status IN "
                                       "('queued', 'running', 'paused', 'held')")]

    def one(self):
        ids = self.open_sweeps()
        return self.rng.choice(ids) if ids else None

    def submit(self):
        if len(self.open_sweeps()) < OPEN_MAX:
            self.told.append(self.d.submit(self.spec()))

    def change(self, verb):
        sweep = self.one()
        if sweep:
            self.d.call(verb, sweep=sweep)

    def enqueue(self):
        sweep = self.one()
        if sweep:
            self.d.call("enqueue", sweep=sweep, params={"learning_rate": 0.01, "batch_size": 32,
                                                        "optimizer": "adam", "depth": 2})

    def cancel_run(self):
        rows = self.d.sql("SELECT id FROM runs WHERE status IN ('queued', 'running')")
        if rows:
            self.d.call("cancel", run=self.rng.choice(rows)[0])

    def delete(self):
        rows = self.d.sql("SELECT id FROM sweeps WHERE status = 'cancelled'")
        if rows:
            sweep = self.rng.choice(rows)[0]
            self.d.call("delete", sweep=sweep)
            self.gone.add(sweep)

    def watch(self):
        if len(self.watchers) >= WATCHERS_MAX:
            self.watchers.pop(self.rng.randrange(len(self.watchers))).close()
        w = socket.socket(socket.AF_UNIX)
        w.connect(self.d.socket)
        w.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "watch"}).encode() + b"\n")
        self.watchers.append(w)  # it reads now and then, or never

    def read_watchers(self):
        for w in self.watchers[::2]:
            w.setblocking(False)
            try:
                while w.recv(65536):
                    pass
            except OSError:
                pass

    def kill_workers(self):
        self.d.signal_workers(signal.SIGKILL)
        self.kills["workers"] += 1

    def kill_daemon(self):
        if self.kills["daemon"] % 2 == 0:
            self.kill_workers()
        begin = time.monotonic()
        self.d.kill()
        self.d.start()
        self.kills["daemon"] += 1
        self.recoveries.append((begin, time.monotonic()))

    def step(self):
        actions = [(self.submit, 30), (lambda: self.change("cancel"), 4),
                   (lambda: self.change("pause"), 8), (lambda: self.change("resume"), 12),
                   (self.enqueue, 8), (self.cancel_run, 4), (self.delete, 2), (self.watch, 4),
                   (self.read_watchers, 8), (self.kill_workers, 4)]
        act = self.rng.choices([a for a, _ in actions], [w for _, w in actions])[0]
        try:
            act()
        except RpcError:
            pass  # a sweep that has ended meanwhile, an enqueue that is refused

    def sample(self):
        pid = self.d.process.pid
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            kib = next(int(x.split()[1]) for x in f if x.startswith("VmRSS"))
        self.samples.append((time.monotonic(), kib, len(os.listdir(f"/proc/{pid}/fd"))))

    def go(self):
        """Kills of the daemon in the first half, one at least; memory is looked at in the second."""
        begin = time.monotonic()
        next_kill, next_sample = begin + 1, begin + SECONDS / 2
        while time.monotonic() < begin + SECONDS:
            self.step()
            now = time.monotonic()
            if now > next_kill and (now < begin + SECONDS / 2 or self.kills["daemon"] == 0):
                self.kill_daemon()
                next_kill = now + self.rng.random() * max(2, SECONDS / 60)
            if now > next_sample:
                self.sample()
                next_sample = now + max(0.2, SECONDS / 400)
            time.sleep(0.01)
        if self.kills["daemon"] == 0:  # a step took all the time that there was
            self.kill_daemon()
        self.sample()

    def end(self):
        for w in self.watchers:
            w.close()
        for sweep in self.open_sweeps():
            try:
                self.d.call("resume", sweep=sweep)
            except RpcError:
                pass
        for sweep in self.open_sweeps():
            status = self.d.wait(sweep)["status"]
            if status == "held":
                self.d.call("cancel", sweep=sweep)

    def slope(self, samples):
        """KiB a minute, by least squares."""
        t = [(s[0] - samples[0][0]) / 60 for s in samples]
        m = [s[1] for s in samples]
        mt, mm = sum(t) / len(t), sum(m) / len(m)
        square = sum((x - mt) ** 2 for x in t)
        return sum((x - mt) * (y - mm) for x, y in zip(t, m)) / square if square else 0.0

    def memory(self):
        """What fills at first (caches, a sanitizer's quarantine) is told apart from what goes on."""
        half = len(self.samples) // 2
        parts = [p for p in (self.samples[:half], self.samples[half:]) if p]
        return ", then ".join(f"{p[0][1]} to {p[-1][1]} KiB ({self.slope(p):+.0f} KiB/min)"
                              for p in parts)


def test_soak():
    with tempfile.TemporaryDirectory(prefix="sweepd-data-") as home:
        data = make_data(home, samples=200)
        with Daemon(workers=2, arguments=["--checkpoint-seconds", "0"]) as d:
            soak = Soak(d, data, int(os.environ.get("CRASH_SEED", "5")))
            soak.submit()
            stop, failures = multiprocessing.Event(), multiprocessing.Queue()
            readers = [multiprocessing.Process(target=read_on, args=(d.db, stop, failures))
                       for _ in range(READERS)]
            for r in readers:
                r.start()
            try:
                soak.go()
                soak.end()
            finally:
                stop.set()
                for r in readers:
                    r.join()
            locked = []
            while not failures.empty():
                asked, told, why = failures.get()
                if not any(asked <= end + 1 and told >= begin for begin, end in soak.recoveries):
                    locked.append(why)
            print(f"# {len(soak.told)} sweeps, kills {soak.kills}; memory "
                  f"{soak.memory()}; descriptors "
                  f"{soak.samples[0][2]} to {soak.samples[-1][2]}", flush=True)
            equal(locked, [], "errors of readers")
            stored = {r for r, in d.sql("SELECT id FROM sweeps")}
            equal(set(soak.told) - stored - soak.gone, set(), "sweeps lost")
            equal(d.sql("SELECT id, status FROM runs WHERE status IN "
                        "('queued', 'running', 'paused')"), [], "runs that never ended")
            equal(d.sql("SELECT count(*) FROM events WHERE kind = 'nondeterminism'"), [(0,)])
            check(soak.kills["daemon"] > 0 and soak.kills["workers"] > 0, "nobody was killed")
            d.stop()
            with open(d.log_path, errors="replace", encoding="utf-8") as f:
                check("Sanitizer" not in f.read(), "a sanitizer spoke")


if __name__ == "__main__":
    run(test_soak)
