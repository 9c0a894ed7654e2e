"""Golden sweeps through kill -9 of workers and daemon come to the stored content, to the bit."""
import contextlib
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from golden import (  # noqa: E402
    SWEEPS, Data, compare, load_expectation, run_sweep, without_sanitizers)
from held import TRIES  # noqa: E402
from tap import check, run  # noqa: E402

# Whom each kill takes.
VICTIMS = ["workers", "daemon", "both", "daemon", "workers", "both"]
LEAST = 2  # kills of each sweep that must have come while it ran


class Killer:
    """Kills whenever so many of the points that the sweep will have are stored: by progress, not by
    the clock. first: which of the victims it begins with."""

    def __init__(self, points, first):
        self.points = points
        self.victims = VICTIMS[first:] + VICTIMS[:first]
        self.kills = {victim: 0 for victim in VICTIMS}

    def reached(self, d, target):
        """False: the sweep has ended before anybody saw it."""
        while d.sql("SELECT count(*) FROM curves")[0][0] < target:
            if d.sql("SELECT status FROM sweeps") == [("completed",)]:
                return False
            time.sleep(0.001)
        return d.sql("SELECT status FROM sweeps") == [("running",)]

    def kill(self, d, victim):
        stored = set(d.sql("SELECT * FROM curves"))
        pids = [int(h) for h, in d.sql("SELECT handle FROM runs WHERE handle IS NOT NULL")]
        if victim != "workers":
            d.kill()
        if victim != "daemon":
            for pid in filter(d.is_worker, pids):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if victim != "workers":
            d.start()
        check(stored <= set(d.sql("SELECT * FROM curves")), "points lost by a kill")
        self.kills[victim] += 1

    def __call__(self, d):
        for i, victim in enumerate(self.victims, 1):
            if not self.reached(d, max(1, self.points * i // (len(VICTIMS) + 1))):
                return
            self.kill(d, victim)


@without_sanitizers
def test_golden_sweeps_through_kills():
    expectation = load_expectation("sweeps")
    contents, kills = {}, {}
    with Data() as folder:
        for index, name in enumerate(SWEEPS):
            points = sum(x.get("points", 0) for x in expectation[name])
            # Every other sweep goes on from checkpoints, the others train their runs again.
            arguments = ["--checkpoint-seconds", "0"] if index % 2 else []
            for again in range(TRIES):  # it may be over before anybody looks
                killer = Killer(points, index % len(VICTIMS))
                contents[name] = run_sweep(name, folder, 2, killer, arguments)
                for victim, count in killer.kills.items():
                    kills[victim] = kills.get(victim, 0) + count
                if sum(killer.kills.values()) >= LEAST:
                    break
                compare(expectation, {name: contents[name]})
    print(f"# kills while a sweep ran: {kills}", flush=True)
    check(sum(kills.values()) >= LEAST * len(SWEEPS) and all(kills.values()), "too few kills")
    compare(expectation, contents)


if __name__ == "__main__":
    run(test_golden_sweeps_through_kills)
