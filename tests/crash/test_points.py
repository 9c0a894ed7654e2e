"""A death of the daemon or of a worker around every call that makes something durable, and between
fork and exec; and calls that fail for a while. The night ends as if nothing had been."""
import errno
import os
import random
import signal
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from golden import is_sanitized  # noqa: E402
from power import SHIM, preloaded_worker  # noqa: E402
from sweepd import TIMEOUT_SECONDS, WORKER, Daemon, RpcError, make_data, small_spec  # noqa: E402
from tap import Skip, check, equal, equal_rows, run  # noqa: E402

POINTS = int(os.environ.get("CRASH_POINTS", "2"))  # of each call
# In order, at the point; without memory: at the start, later
ENDS = (0, -signal.SIGKILL, 1, os.EX_OSERR)
CALLS = ["fsync", "fdatasync", "rename", "write", "ftruncate", "unlink", "open"]


class Night:
    """One small sweep, and what an undisturbed one stores."""

    def __init__(self, home):
        self.home = home
        self.deaths = os.path.join(home, "deaths")
        self.spec = small_spec(make_data(home, samples=300), method="random", run_cap=4, epochs=6)
        with Daemon(workers=1) as d:
            equal(d.wait(d.submit(self.spec))["status"], "completed")
            self.content = d.canonical()

    def died(self):
        return os.path.getsize(self.deaths) if os.path.exists(self.deaths) else 0

    def disturbed(self, program, shim, start=None):
        """Runs the sweep with the shim set so in that program, of the worker in that start alone
        (1 prepares the data)."""
        execs = shim.get("SHIM_KILL", "").startswith("exec:")
        shim = {"LD_PRELOAD": SHIM, "SHIM_PROGRAM": program, "SHIM_DEATHS": self.deaths, **shim}
        with tempfile.TemporaryDirectory(dir=self.home) as folder:
            arguments = ["--checkpoint-seconds", "0"]
            if execs:
                arguments += ["--worker-program", WORKER]  # each worker is started by exec
            elif start:
                arguments += ["--worker-program", preloaded_worker(folder, shim, start)]
            d = Daemon(workers=1, home=folder, arguments=arguments,
                       environment={} if start else shim)
            try:
                self.go(d)
                equal_rows(d.canonical(), self.content, "canonical_content")
                equal(d.sql("SELECT * FROM events WHERE kind='nondeterminism'"), [])
            except BaseException:
                d.show_log()
                raise
            finally:
                if d.process and d.process.poll() is None:
                    d.kill()

    def go(self, d):
        for _ in range(3):
            try:
                d.start()
                equal(d.wait(self.submit(d))["status"], "completed")
                if d.process.poll() is None:
                    d.process.send_signal(signal.SIGTERM)
                check(d.process.wait(TIMEOUT_SECONDS) in ENDS, f"ended with {d.process.returncode}")
                if d.process.returncode == 0:
                    return
            except (EOFError, OSError, RuntimeError):
                d.process.wait(TIMEOUT_SECONDS)  # it died at the point
            check(d.process.returncode in ENDS, f"ended with {d.process.returncode}")
            for name in ("LD_PRELOAD", "SHIM_KILL", "SHIM_FAIL"):
                d.environment.pop(name, None)
        raise AssertionError("it died more than once")

    def submit(self, d):
        """A submit that was cut off is in or not; one whose data could not be prepared is not."""
        for _ in range(2):
            stored = d.sql("SELECT id FROM sweeps")
            if stored:
                return stored[0][0]
            try:
                return d.submit(self.spec)
            except RpcError:
                continue
        return d.submit(self.spec)


def points(rng, call, program="sweepd"):
    """Early ones are where everything begins; the later the rarer. A worker makes fewer calls."""
    often, seldom = (9, 2 if call == "sendmsg" else 5) if program == "sweepd" else (5, 2)
    return sorted({int(2 ** (rng.random() * (often if call in ("write", "open") else seldom)))
                   for _ in range(POINTS)})


def each_point(program, calls, seed, starts=(None,)):
    if is_sanitized():
        raise Skip("a preloaded shim and a sanitizer do not go together")
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="sweepd-points-") as home:
        night = Night(home)
        for call in calls:
            for n in points(rng, call, program):
                value = f"{call}:{n}:{rng.choice(['before', 'after'])}"
                start = rng.choice(starts)
                try:
                    night.disturbed(program, {"SHIM_KILL": value}, start)
                except BaseException as e:
                    raise AssertionError(f"{program}, start {start}, killed at {value}") from e
        print(f"# {night.died()} deaths of {program}", flush=True)
        check(night.died() > 0, "it died at no point")


def test_the_daemon_dies_around_each_call():
    each_point("sweepd", CALLS, 21)


def test_the_daemon_dies_between_fork_and_exec():
    each_point("sweepd", ["exec"], 22)


def test_the_daemon_dies_around_asking_for_a_fork():
    each_point("sweepd", ["sendmsg"], 26)


def test_a_worker_dies_around_each_call():
    each_point("sweep-worker", CALLS, 23, starts=(1, 2, 3))


def test_the_disk_is_full_for_a_while():
    """Each write of the daemon in turn, and what follows: it waits, and goes on by itself."""
    if is_sanitized():
        raise Skip("a preloaded shim and a sanitizer do not go together")
    rng = random.Random(24)
    with tempfile.TemporaryDirectory(prefix="sweepd-points-") as home:
        night = Night(home)
        for n in points(rng, "write"):
            value = f"write:{n + 40}:4:{errno.ENOSPC}"
            try:
                night.disturbed("sweepd", {"SHIM_FAIL": value})
            except BaseException as e:
                raise AssertionError(f"no room at {value}") from e


def test_an_allocation_fails():
    """In the daemon, and where the data is prepared: an answer, or an end like any other."""
    if is_sanitized():
        raise Skip("a preloaded shim and a sanitizer do not go together")
    rng = random.Random(25)
    with tempfile.TemporaryDirectory(prefix="sweepd-points-") as home:
        night = Night(home)
        for program, start in (("sweepd", None), ("sweep-worker", 1)):
            for _ in range(2 * POINTS):
                value = f"alloc:{int(2 ** rng.uniform(3, 14))}:1:{errno.ENOMEM}"
                try:
                    night.disturbed(program, {"SHIM_FAIL": value}, start)
                except BaseException as e:
                    raise AssertionError(f"{program}: {value}") from e


if __name__ == "__main__":
    run(test_the_daemon_dies_around_each_call, test_the_daemon_dies_between_fork_and_exec,
        test_the_daemon_dies_around_asking_for_a_fork,
        test_a_worker_dies_around_each_call, test_the_disk_is_full_for_a_while,
        test_an_allocation_fails)
