"""What workers may do and know: of the daemon's environment, of the machine's time and memory; and
what a service manager is told."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import (BUILD, SWEEPD, TIMEOUT_SECONDS, WORKER, Daemon, make_data,  # noqa: E402
                    slow_spec)
from tap import Skip, check, equal, run, until  # noqa: E402

SECRETS = {"AWS_SECRET_ACCESS_KEY": "hunter2", "LC_TIME": "C", "SWEEPD_WORKER_NICE": "19"}


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def environ_of(pid):
    with open(f"/proc/{pid}/environ", "rb") as f:
        return {x.split(b"=", 1)[0].decode() for x in f.read().split(b"\0") if x}


def first_line(path):
    with open(path, encoding="utf-8") as f:
        return f.readline().strip()


def whole_lines(path):
    with open(path, encoding="utf-8") as f:
        return f.read().count("\n")


def checks():
    done = subprocess.run([WORKER, "--check"], capture_output=True, text=True, check=False)
    return {x["check"]: x for x in map(json.loads, done.stdout.splitlines())}


def test_check():
    found = checks()
    equal(list(found), ["blas", "sandbox", "worker_limits", "cache"])
    for line in found.values():
        equal(sorted(line), ["check", "mend", "ok", "says"])
        equal(line["ok"], line["mend"] is None, line["check"])
    equal(found["blas"]["ok"], True)
    masked = subprocess.run([WORKER, "--check"], capture_output=True, text=True, check=False,
                            env={**os.environ, "SWEEPD_SANDBOX_ABI": "0"})
    line = json.loads(masked.stdout.splitlines()[1])
    check(not line["ok"] and "no Landlock" in line["says"] and "writing other files" in
          line["says"].split("not refused: ")[1], line["says"])
    equal(masked.returncode, 1)


def test_a_worker_that_trains():
    with tempfile.TemporaryDirectory(prefix="sweepd-data-") as home, \
            Daemon(workers=1, environment=SECRETS) as d:
        sweep = d.submit(slow_spec(make_data(home), run_cap=1, epochs=6000))
        lines = f"{d.db}.runs/1/run.jsonl"
        until(lambda: os.path.exists(lines) and whole_lines(lines), "its first line")
        pid = json.loads(first_line(lines))["pid"]
        known = environ_of(pid)
        check("AWS_SECRET_ACCESS_KEY" not in known, known)
        check({"PATH", "HOME", "LC_TIME", "XDG_CACHE_HOME", "OPENBLAS_NUM_THREADS"} <= known, known)
        status = status_of(pid)
        equal(status["NoNewPrivs"], "1")
        says = checks()["sandbox"]["says"]
        equal(status["Seccomp"], "0" if "no seccomp" in says else "2", says)
        equal(os.getpriority(os.PRIO_PROCESS, pid), 19)
        equal(first_line(f"/proc/{pid}/oom_score_adj"), "500")
        equal(first_line(f"/proc/{d.process.pid}/oom_score_adj"),
              first_line("/proc/self/oom_score_adj"), "the daemon's")
        group = f"/proc/{pid}/autogroup"
        if os.path.exists(group) and first_line(group):
            check(first_line(group).endswith("nice 19"), first_line(group))
        with open(f"/proc/{pid}/limits", encoding="utf-8") as f:
            limits = f.read()
        check(re.search(r"Max core file size +0 +0 ", limits), limits)
        d.call("cancel", sweep=sweep)


def test_data_and_cache_behind_links():
    """By hand, with whatever of Landlock the kernel has: all that a run needs is allowed."""
    with tempfile.TemporaryDirectory(prefix="sweepd-") as home:
        data, linked = make_data(home), os.path.join(home, "linked")
        os.mkdir(linked)
        for name in os.listdir(data):
            os.symlink(os.path.join(data, name), os.path.join(linked, name))
        os.mkdir(os.path.join(home, "elsewhere"))
        os.symlink(os.path.join(home, "elsewhere"), os.path.join(home, "cache"))
        config = os.path.join(home, "config.json")
        with open(config, "w", encoding="utf-8") as f:
            json.dump({"data": {"path": linked, "format": "idx", "validation": 100},
                       "model": {"depth": 1, "width": 8}, "epochs": 2,
                       "weights": os.path.join(home, "new", "folder", "best.safetensors"),
                       "checkpoint": os.path.join(home, "checkpoint"), "checkpoint_seconds": 0}, f)
        told = set()
        for abi in ("0", "1", "2", "3", "4", "6", "99"):
            shutil.rmtree(os.path.join(home, "elsewhere", "sweepd"), ignore_errors=True)
            done = subprocess.run([WORKER, config], capture_output=True, text=True, check=False,
                                  env={**os.environ, "SWEEPD_SANDBOX_ABI": abi,
                                       "XDG_CACHE_HOME": os.path.join(home, "cache")})
            equal((done.returncode, done.stderr), (0, ""), f"ABI {abi}")
            told.add(tuple(x["val_loss"] for x in map(json.loads, done.stdout.splitlines())
                           if x["type"] == "point"))
            os.remove(os.path.join(home, "checkpoint"))
            os.remove(os.path.join(home, "new", "folder", "best.safetensors"))
        equal(len(told), 1, "the same bits")


def test_a_program():
    """The user's own: all of the environment, and what it likes but new privileges."""
    with Daemon(workers=1, environment=SECRETS) as d:
        script = ("test \"$AWS_SECRET_ACCESS_KEY\" = hunter2 && test \"$(ulimit -c)\" = 0 && "
                  "grep -q '^NoNewPrivs:.*1' /proc/self/status && touch outside && "
                  "echo '{\"loss\": 1}' >&$SWEEPD_METRICS_FD")
        sweep = d.submit({"task": {"command": ["/bin/sh", "-c", script], "directory": d.home},
                          "metric": {"name": "loss", "goal": "minimize"}, "method": "random",
                          "parameters": {"x": {"min": 0, "max": 1}}, "run_cap": 1, "seed": 1})
        equal(d.wait(sweep)["status"], "completed", d.sql("SELECT error_text FROM runs"))
        check(os.path.exists(os.path.join(d.home, "outside")), "it writes where it likes")


def test_refusals():
    for value in ("20", "-1", "x", ""):
        done = subprocess.run([SWEEPD, "--worker-nice", value], capture_output=True, text=True,
                              check=False)
        equal(done.returncode, 2)
        check("--worker-nice" in done.stderr and "0 to 19" in done.stderr, done.stderr)


def message(listener, word):
    """Until the manager is told that."""
    while True:
        said = listener.recv(1024).decode()
        if said == word:
            return


def test_a_service_manager():
    """Type=notify with a watchdog, and a socket that is there before the daemon."""
    with tempfile.TemporaryDirectory(prefix="sweepd-") as home:
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.settimeout(TIMEOUT_SECONDS)
        manager.bind(os.path.join(home, "notify"))
        path = os.path.join(home, "sock")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen(8)
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(TIMEOUT_SECONDS)
        client.connect(path)  # before there is a daemon
        client.sendall(b'{"jsonrpc":"2.0","id":1,"method":"status"}\n')
        pid = os.fork()
        if pid == 0:
            os.dup2(listener.fileno(), 3)
            os.set_inheritable(3, True)
            log = os.open(os.path.join(home, "log"), os.O_WRONLY | os.O_CREAT, 0o600)
            os.dup2(log, 2)
            os.execve(SWEEPD, [SWEEPD, "--db", os.path.join(home, "sweeps.db"), "--socket", path],
                      {**os.environ, "NOTIFY_SOCKET": os.path.join(home, "notify"),
                       "WATCHDOG_USEC": "300000", "WATCHDOG_PID": str(os.getpid()),
                       "LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())})
        listener.close()
        message(manager, "READY=1")
        message(manager, "WATCHDOG=1")
        message(manager, "WATCHDOG=1")
        equal(json.loads(client.makefile().readline())["id"], 1)
        os.kill(pid, signal.SIGTERM)
        message(manager, "STOPPING=1")
        equal(os.waitpid(pid, 0)[1], 0)
        check(os.path.exists(path), "the socket is the manager's")


def test_units():
    """What systemd itself says of the shipped units."""
    tool = shutil.which("systemd-analyze")
    if tool is None:
        raise Skip("systemd-analyze is not installed")
    with tempfile.TemporaryDirectory(prefix="sweepd-") as home:
        unit = os.path.join(home, "sweepd.service")
        with open(os.path.join(BUILD, "dist", "sweepd-system.service"), encoding="utf-8") as f:
            text = f.read()
        with open(unit, "w", encoding="utf-8") as f:
            f.write(text)
        said = subprocess.run([tool, "security", "--offline=true", "--no-pager", unit],
                              capture_output=True, text=True, check=False).stdout
        level = re.search(r"exposure level for sweepd.service: ([0-9.]+)", said)
        if level is None:
            raise Skip("this systemd-analyze judges no files")
        check(float(level[1]) <= 2.0, level[0])


if __name__ == "__main__":
    run(test_check, test_a_worker_that_trains, test_data_and_cache_behind_links, test_a_program, test_refusals,
        test_a_service_manager, test_units)
