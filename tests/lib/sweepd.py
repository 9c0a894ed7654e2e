"""The real programs in a folder of their own: start, kill and talk to a daemon.

BUILD (environment, set by meson) is the build directory. Nothing sleeps for luck: a daemon is up
when its ready line is there, a sweep has ended when `wait` says so.
"""
import contextlib
import functools
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

from tap import until

BUILD = os.environ["BUILD"]
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SWEEPD = os.path.join(BUILD, "daemon", "sweepd")
SWEEPCTL = os.path.join(BUILD, "client", "sweepctl")
WORKER = os.path.join(BUILD, "worker", "sweep-worker")
TIMEOUT_SECONDS = 240  # only where something never comes


class RpcError(Exception):
    def __init__(self, error):
        super().__init__(json.dumps(error))
        self.code = error["code"]
        self.message = error["message"]
        self.data = error.get("data") or {}


class Connection:
    """One client of the socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(TIMEOUT_SECONDS)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")
        self.next_id = 0
        self.notifications = []

    def send(self, data):
        self.socket.sendall(data)

    def line(self):
        """The next line as bytes, b"" at the end."""
        return self.file.readline()

    def call(self, method, **params):
        self.next_id += 1
        request = {"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}
        self.send(json.dumps(request).encode() + b"\n")
        while True:
            line = self.line()
            if not line:
                raise EOFError(f"connection closed during {method}")
            message = json.loads(line)
            if message.get("id") == self.next_id:
                break
            self.notifications.append(message)
        if "error" in message:
            raise RpcError(message["error"])
        return message["result"]

    def close(self):
        self.file.close()
        self.socket.close()


def state_of(pid):
    """Its letter in proc(5); X where there is none any more."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0]
    except OSError:  # also between the opening and the reading
        return "X"


def is_alive(pid):
    """Neither gone nor a zombie that waits for its parent."""
    return state_of(pid) not in "ZX"


def is_told_to_end(pid):
    """A SIGTERM waits for it, or it has ended."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as f:
            pending = next(line for line in f if line.startswith("ShdPnd:"))
    except (OSError, StopIteration):
        return True
    return bool(int(pending.split()[1], 16) >> (signal.SIGTERM - 1) & 1) or not is_alive(pid)


class Daemon:
    """A daemon on a database of its own. Use as a context manager."""

    def __init__(self, workers=2, home=None, arguments=(), environment=None):
        self.own_home = home is None
        self.home = home or tempfile.mkdtemp(prefix="sweepd-")
        self.db = os.path.join(self.home, "state", "sweeps.db")
        self.socket = os.path.join(self.home, "run", "sock")
        self.log_path = os.path.join(self.home, "daemon.log")
        self.workers = workers
        self.arguments = list(arguments)
        # Beside other loads a test's worker has its share of the processor.
        self.environment = {**os.environ, "SWEEPD_WORKER_NICE": "0", **self.directories(),
                            **(environment or {})}
        for name in ("SWEEPD_DB", "SWEEPD_SOCKET", "SWEEPD_WORKERS", "SWEEPD_WORKER"):
            self.environment.pop(name, None)
        self.process = None
        self.held = []  # workers that are stopped, see held.py

    def directories(self):
        base = self.home
        return {
            "HOME": base,
            "XDG_STATE_HOME": base + "/xdg-state",
            "XDG_CACHE_HOME": os.environ.get("TEST_CACHE", base + "/cache"),
            "XDG_RUNTIME_DIR": base + "/xdg-run",
        }

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        try:
            self.stop()
        finally:
            self.go_on()
            self.signal_workers(signal.SIGKILL)  # programs that cannot resume outlive the daemon
            if self.own_home and exc[0] is None:
                shutil.rmtree(self.home, ignore_errors=True)
            elif exc[0] is not None:
                self.show_log()

    def show_log(self):
        with open(self.log_path, errors="replace") as f:
            for line in f.read().splitlines()[-40:]:
                print("# daemon:", line)

    def start(self):
        log_start = os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [SWEEPD, "--db", self.db, "--socket", self.socket, "--workers", str(self.workers)]
                + self.arguments,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment)
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while True:
            with open(self.log_path, "rb") as f:
                f.seek(log_start)
                if b" ready: socket " in f.read():
                    return self
            if self.process.poll() is not None:
                raise RuntimeError(f"sweepd ended with {self.process.returncode} before ready")
            if time.monotonic() > deadline:
                raise TimeoutError("no ready line")
            time.sleep(0.01)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def is_worker(self, pid):
        """Whether that process lives, and its command line names a folder of the database's runs:
        numbers are given again, and that of a worker which has ended may be a stranger's."""
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                return (self.db + ".runs/").encode() in f.read()  # a zombie has none
        except OSError:
            return False

    def worker_pids(self):
        return [int(n) for n in os.listdir("/proc") if n.isdigit() and self.is_worker(n)]

    def signal_workers(self, number):
        """To every worker, and to what has been started with its words."""
        for pid in self.worker_pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def go_on(self):
        """The workers that are held train on."""
        for pid in self.held:
            if self.is_worker(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        self.held = []

    def let_end(self):
        """The workers that are held go on when they have been told to end: none trains a step more,
        each leaves a checkpoint."""
        for pid in self.held:
            until(lambda: self.process.poll() is not None or is_told_to_end(pid),
                  "a worker is told to end")
        self.go_on()

    def stop(self):
        """SIGTERM; the daemon must end by itself with status 0."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        self.let_end()
        try:
            status = self.process.wait(TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"sweepd did not end within {TIMEOUT_SECONDS} s of SIGTERM")
        if status != 0:
            raise AssertionError(f"sweepd ended with status {status}")

    def connect(self):
        return Connection(self.socket)

    def listens(self):
        """The name of a socket is there a moment before it can be connected to."""
        try:
            self.connect().close()
        except OSError:
            return False
        return True

    def call(self, method, **params):
        connection = self.connect()
        try:
            return connection.call(method, **params)
        finally:
            connection.close()

    def ctl(self, *arguments, check=None, text=None):
        """sweepctl with these arguments; check: the exit status it must have."""
        done = subprocess.run([SWEEPCTL, "--socket", self.socket, *map(str, arguments)],
                              input=text, capture_output=True, text=True, env=self.environment,
                              timeout=TIMEOUT_SECONDS)
        if check is not None and done.returncode != check:
            raise AssertionError(
                f"sweepctl {arguments}: exit {done.returncode}, asked {check}\n"
                f"{done.stdout}\n{done.stderr}")
        return done

    def submit(self, spec):
        return self.call("submit", spec=spec)["sweep"]

    def wait(self, sweep):
        return self.call("wait", sweep=sweep)

    def sql(self, query, *arguments):
        """Rows, read the way a person does it: another process's connection, read-only."""
        db = sqlite3.connect(f"file:{self.db}?mode=ro", uri=True, timeout=0)
        try:
            return db.execute(query, arguments).fetchall()
        finally:
            db.close()

    def canonical(self, sweep=None):
        """canonical_content of the database (of one sweep) as rows."""
        return self.sql("SELECT * FROM canonical_content")


def make_data(home, samples=400, features=64, classes=4, seed=1):
    """A small learnable data set in the IDX layout; returns its folder."""
    folder = os.path.join(home, f"data-{samples}-{features}-{classes}-{seed}")
    subprocess.run([sys.executable, os.path.join(SOURCE, "tests", "lib", "make_idx.py"), folder,
                    "--samples", str(samples), "--features", str(features),
                    "--classes", str(classes), "--seed", str(seed), "--test", "50"], check=True,
                   stdout=subprocess.DEVNULL)
    return folder


def small_spec(folder, **changes):
    """A sweep that trains in milliseconds."""
    spec = {
        "name": "small", "method": "coarse_to_fine",
        "metric": {"name": "val_loss", "goal": "minimize"},
        "data": {"path": folder, "format": "idx", "validation": 100},
        "model": {"type": "mlp", "width": 16, "activation": "relu"},
        "parameters": {
            "learning_rate": {"min": 0.001, "max": 0.1, "distribution": "log_uniform_values"},
            "batch_size": {"values": [8, 32]},
            "optimizer": {"values": ["adam", "rmsprop", "momentum", "sgd"]},
            "depth": {"min": 1, "max": 3},
        },
        "epochs": 6, "run_cap": 20, "seed": 110, "repeat_share": 0,
    }
    spec.update(changes)
    return {k: v for k, v in spec.items() if v is not None}


def slow_spec(folder, **changes):
    """A sweep whose runs take one to two seconds each, so that there is time to disturb them. The
    batches are large so that the time is BLAS's: steps are what a sanitizer makes slow."""
    return small_spec(folder, **{"method": "random", "epochs": 60,
                                 "model": {"type": "mlp", "width": 256, "activation": "relu"},
                                 "parameters": {"learning_rate": {"values": [0.01, 0.003, 0.001]},
                                                "depth": {"values": [2, 3]}},
                                 "train": {"batch_size": 64}, **changes})


@functools.cache
def content_of(spec):
    with Daemon(workers=2) as d:
        ended = d.wait(d.submit(json.loads(spec)))
        if ended["status"] != "completed":
            raise AssertionError(f"undisturbed, it ended as {ended}")
        return d.canonical()


def undisturbed(spec):
    """canonical_content of a sweep that nobody disturbs; asked again, it is not trained again."""
    return content_of(json.dumps(spec))
