"""Sweeps in the middle of their runs, and held there: what a test then does meets each worker alive,
however long this process or another one had to wait for a processor."""
import contextlib
import os
import signal

from sweepd import Daemon, is_alive, state_of
from tap import until

TRIES = 20


def pids(d):
    """The workers that the database knows, by their runs."""
    return [int(h) for h, in d.sql("SELECT handle FROM runs WHERE handle IS NOT NULL ORDER BY id")]


def stop_worker(d, run_id, pid):
    """Whether it stands still now, and had not come to its end."""
    try:
        os.kill(pid, signal.SIGSTOP)
    except ProcessLookupError:
        return False
    until(lambda: state_of(pid) in "TtZX", "a worker is stopped")
    d.held.append(pid)
    with open(f"{d.db}.runs/{run_id}/run.jsonl", "rb") as f:
        return is_alive(pid) and b'"type":"result"' not in f.read()


def hold(d, sweep, runs=1, points=3):
    """Stops the workers of the sweep's first runs, each when so many of its points are stored.
    False: one was over before it could be stopped."""
    waiting = [r for r, in d.sql("SELECT id FROM runs WHERE sweep_id = ? ORDER BY number LIMIT ?",
                                 sweep, runs)]
    over = []

    def all_held():
        for run_id in list(waiting):
            (status, handle, stored), = d.sql(
                "SELECT status, handle, (SELECT max(point) FROM curves WHERE run_id = id)"
                " FROM runs WHERE id = ?", run_id)
            if status not in ("queued", "running"):
                over.append(run_id)
            elif handle is not None and (stored or 0) >= points:
                waiting.remove(run_id)
                if not stop_worker(d, run_id, int(handle)):
                    over.append(run_id)
        return over or not waiting
    until(all_held, f"{points} points of {runs} runs")
    return not over


@contextlib.contextmanager
def midway(spec, runs=1, points=3, **daemon):
    """A daemon and its sweep, of which that many runs are held (see hold); go_on() lets them train
    on. It begins anew where a run was over before this process came to stop it."""
    for _ in range(TRIES):
        with Daemon(**{"workers": runs, **daemon}) as d:
            sweep = d.submit(spec)
            if hold(d, sweep, runs, points):
                yield d, sweep
                return
    raise AssertionError("no run could be held in its middle")
