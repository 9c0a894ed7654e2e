"""Sweeps in the middle of their runs, and held there: what a test then does meets each worker alive,
however long this process or another one had to wait for a processor."""
import contextlib
import os
import signal

from sweepd import Daemon, RpcError, state_of
from tap import until

TRIES = 50


def pids(d):
    """The workers that the database knows, by their runs."""
    return [int(h) for h, in d.sql("SELECT handle FROM runs WHERE handle IS NOT NULL ORDER BY id")]


def has_result(d, run_id):
    with open(f"{d.db}.runs/{run_id}/run.jsonl", "rb") as f:
        return b'"type":"result"' in f.read()


def stop_worker(d, pid):
    """Whether it stands still now; False: it is dead."""
    if not d.is_worker(pid):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
    until(lambda: state_of(pid) in "TtZX", "a worker is stopped")
    return d.is_worker(pid)


def hold(d, sweep, runs=1, points=3):
    """Stops the workers of the sweep's first runs, each when so many of its points are stored.
    False: one was over before it could be stopped. One that has died is waited for: the daemon
    starts another."""
    waiting = [r for r, in d.sql("SELECT id FROM runs WHERE sweep_id = ? ORDER BY number LIMIT ?",
                                 sweep, runs)]
    over = []

    def hold_run(run_id):
        (status, handle, stored), = d.sql(
            "SELECT status, handle, ifnull((SELECT max(point) FROM curves WHERE run_id = id), 0)"
            " FROM runs WHERE id = ?", run_id)
        if status not in ("queued", "running"):
            over.append(run_id)
        elif handle is not None and stored >= points and stop_worker(d, int(handle)):
            d.held.append(int(handle))
            waiting.remove(run_id)
            if has_result(d, run_id):
                over.append(run_id)

    def all_held():
        for run_id in list(waiting):
            hold_run(run_id)
        return over or not waiting
    until(all_held, f"{points} points of {runs} runs")
    return not over


def submit_held(d, spec, runs=1, points=3):
    """A sweep of which that many runs are held. One that was too fast is cancelled."""
    for _ in range(TRIES):
        sweep = d.submit(spec)
        if hold(d, sweep, runs, points):
            return sweep
        d.go_on()
        with contextlib.suppress(RpcError):  # it has ended
            d.call("cancel", sweep=sweep)
    raise AssertionError("no run could be held in its middle")


@contextlib.contextmanager
def midway(spec, runs=1, points=3, **daemon):
    """A daemon and its only sweep, of which that many runs are held; go_on() lets them train on.
    It begins anew where a run was over before this process came to stop it."""
    for _ in range(TRIES):
        with Daemon(**{"workers": runs, **daemon}) as d:
            sweep = d.submit(spec)
            if hold(d, sweep, runs, points):
                yield d, sweep
                return
    raise AssertionError("no run could be held in its middle")
