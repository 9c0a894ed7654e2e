"""kill -9 of the daemon, again and again: nothing is lost, nothing is trained twice at once, and
what is stored is what an undisturbed sweep stores."""
import functools
import json
import os
import random
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from golden import is_sanitized, without_sanitizers  # noqa: E402
from held import TRIES, hold, midway  # noqa: E402
from sweepd import Daemon, make_data, slow_spec, small_spec, undisturbed  # noqa: E402
from tap import check, equal, equal_rows, run, until  # noqa: E402

KILLS = 5
SLOW = is_sanitized()
RANDOM_KILLS = int(os.environ.get("CRASH_KILLS", "6" if SLOW else "16"))
RANDOM_RUNS = 10 if SLOW else 50
AT_ONCE = 10 if SLOW else 30
HOME = tempfile.TemporaryDirectory(prefix="sweepd-data-")


def large_batches(spec):
    """The time is BLAS's: steps are what a sanitizer makes slow."""
    spec["parameters"]["batch_size"] = {"values": [64, 128]}
    return spec


@functools.cache
def data(samples):
    """One folder for all tests: it is a part of what a sweep is, and so of `undisturbed`."""
    return make_data(HOME.name, samples=samples)


def coarse_to_fine_spec():
    """20 runs in four stages, each some hundredths of a second."""
    return large_batches(small_spec(data(800), model={"width": 128}, epochs=24))


def done_runs(d):
    return d.sql("SELECT count(*) FROM runs WHERE ended_at NOT NULL")[0][0]


def killed(spec, workers, seed):
    """The same sweep with KILLS kills spread over it; what was stored before each kill must
    still be there after it."""
    rng = random.Random(seed)
    with Daemon(workers=workers) as d:
        d.submit(spec)
        for kill in range(KILLS):
            target = (kill + 1) * 3
            while done_runs(d) < target:
                time.sleep(0.002)
            time.sleep(rng.random() * 0.05)
            before = set(d.sql("SELECT run_id, point, train_loss, val_loss FROM curves"))
            ended = set(d.sql("SELECT id, status, metric_value FROM runs WHERE ended_at NOT NULL"))
            d.kill()
            d.start()
            after = set(d.sql("SELECT run_id, point, train_loss, val_loss FROM curves"))
            check(before <= after, f"points lost: {sorted(before - after)[:3]}")
            check(ended <= set(d.sql("SELECT id, status, metric_value FROM runs")), "runs lost")
        equal(d.wait(1)["status"], "completed")
        equal(d.sql("SELECT * FROM events WHERE kind='nondeterminism'"), [], "nondeterminism")
        return d.canonical()


@without_sanitizers
def test_five_kills_with_two_workers():
    spec = coarse_to_fine_spec()
    equal_rows(killed(spec, 2, seed=1), undisturbed(spec), "canonical_content")


@without_sanitizers
def test_five_kills_with_one_worker():
    spec = coarse_to_fine_spec()
    equal_rows(killed(spec, 1, seed=2), undisturbed(spec), "canonical_content")


def kill_one(d, victim):
    if victim in ("workers", "both"):
        d.signal_workers(signal.SIGKILL)
    if victim == "stopped":  # a while, as a debugger or a laptop's lid does it
        d.signal_workers(signal.SIGSTOP)
    if victim != "workers":
        d.kill()
        d.start()
    if victim == "stopped":
        d.signal_workers(signal.SIGCONT)


def test_kills_at_random_moments():
    """CRASH_KILLS of them (16) over a sweep of 50 runs, fewer where a sanitizer makes them slow;
    docs/testing.md has the long one."""
    rng = random.Random(int(os.environ.get("CRASH_SEED", "6")))
    victims = ["daemon", "workers", "both", "stopped"]
    done = dict.fromkeys(victims, 0)
    spec = large_batches(small_spec(data(800), method="random", run_cap=RANDOM_RUNS, epochs=24,
                                    model={"width": 128}))
    with Daemon(workers=2, arguments=["--checkpoint-seconds", "0"]) as d:
        sweep = d.submit(spec)
        for kill in range(RANDOM_KILLS):
            target = (kill + 1) * RANDOM_RUNS * 24 // (RANDOM_KILLS + 10)
            while d.sql("SELECT count(*) FROM curves")[0][0] < target:
                time.sleep(0.002)
            time.sleep(rng.random() * 0.03)
            victim = rng.choice(victims)
            kill_one(d, victim)
            done[victim] += 1
        equal(d.wait(sweep)["status"], "completed")
        equal(d.sql("SELECT * FROM events WHERE kind='nondeterminism'"), [], "nondeterminism")
        print(f"# kills: {done}", flush=True)
        seen = d.canonical()
    equal_rows(seen, undisturbed(spec), "canonical_content")


@without_sanitizers
def test_running_workers_are_adopted():
    with midway(slow_spec(data(800), run_cap=2), runs=2) as (d, sweep):
        handles = d.sql("SELECT id, handle FROM runs ORDER BY id")
        d.kill()
        for _, handle in handles:
            check(d.is_worker(handle), "workers outlive the daemon")
        d.start()
        equal(d.sql("SELECT id, handle FROM runs WHERE status='running' ORDER BY id"), handles,
              "the same processes go on")
        d.go_on()
        equal(d.wait(sweep)["status"], "completed")
        equal(d.sql("SELECT count(*) FROM curves"), [(120,)], "points")


def test_workers_that_ended_while_the_daemon_was_dead():
    with midway(slow_spec(data(800), run_cap=2, epochs=20), runs=2) as (d, sweep):
        started = d.sql("SELECT id, started_at FROM runs ORDER BY id")
        d.kill()
        d.go_on()
        until(lambda: not d.worker_pids(), "workers end by themselves")
        d.start()
        equal(d.wait(sweep)["status"], "completed")
        equal(d.sql("SELECT id, started_at FROM runs WHERE status='completed' ORDER BY id"),
              started, "read from their folders, not trained again")


def test_a_cancelled_worker_does_not_outlive_the_daemon_unseen():
    """kill -9 between the cancel's commit and the worker's end: the next daemon ends it."""
    with midway(slow_spec(data(800), run_cap=1)) as (d, sweep):
        d.call("cancel", sweep=sweep)  # TERM cannot end it, for it is stopped; KILL after 5 s can
        d.kill()
        check(d.worker_pids(), "it outlives the daemon")
        d.start()
        until(lambda: not d.worker_pids(), "the worker is ended")
        equal(d.sql("SELECT status FROM runs"), [("cancelled",)])


@without_sanitizers
def test_workers_killed_with_the_daemon():
    """A power cut, as far as processes can show it."""
    spec = slow_spec(data(800), run_cap=2)
    with midway(spec, runs=2) as (d, sweep):
        d.kill()
        d.signal_workers(signal.SIGKILL)
        d.start()
        equal(d.wait(sweep)["status"], "completed")
        equal(d.sql("SELECT * FROM events WHERE kind='nondeterminism'"), [])
        seen = d.canonical()
    equal_rows(seen, undisturbed(spec), "canonical_content")


def kill_held(d, with_daemon):
    if with_daemon:
        d.kill()
    for pid in d.held:
        os.kill(pid, signal.SIGKILL)
    d.held = []
    if with_daemon:
        d.start()
    return True


def expect_resumed(folder, points):
    with open(f"{folder}/run.jsonl", encoding="utf-8") as f:
        lines = [json.loads(line) for line in f]
    starts = [x["resumed_point"] for x in lines if x["type"] == "start"]
    check(len(starts) > 2 and starts[-1] > 0, f"{folder}: it went on: {starts}")
    again = sum(x["type"] == "point" for x in lines) - points
    check(again < 4 * len(starts), f"{folder}: {again} points trained twice")
    equal(sorted(os.listdir(folder)),
          ["best.safetensors", "config.json", "identity.json", "run.jsonl", "stderr"])


@without_sanitizers
def test_killed_workers_go_on_from_their_checkpoints():
    """Workers alone, and workers with the daemon, at any moment: also while one is written."""
    spec = slow_spec(data(800), run_cap=2)
    for _ in range(TRIES):
        with midway(spec, runs=2, points=8, arguments=["--checkpoint-seconds", "0"]) as (d, sweep):
            often = all(kill_held(d, kill % 2) and hold(d, sweep, 2, points=8 * kill)
                        for kill in range(2, 7))
            d.go_on()
            equal(d.wait(sweep)["status"], "completed")
            equal(d.sql("SELECT * FROM events WHERE kind='nondeterminism'"), [])
            equal_rows(d.canonical(), undisturbed(spec), "canonical_content")
            if often:
                for run_id in (1, 2):
                    expect_resumed(f"{d.db}.runs/{run_id}", 60)
                return
    raise AssertionError("a run always ended before it was killed")


@without_sanitizers
def test_a_start_follows_a_kill_at_once():
    """Many times, while workers are being started, and not even the killed daemon's end is waited
    for: it, or a child that it had forked, may have its files for a moment."""
    spec = small_spec(data(150), method="random", epochs=1, run_cap=5000)
    rng = random.Random(4)
    with Daemon(workers=4) as d:
        d.submit(spec)
        for kill in range(AT_ONCE):
            target = done_runs(d) + 2
            while done_runs(d) < target:
                time.sleep(0.001)
            time.sleep(rng.random() * 0.01)
            d.process.send_signal(signal.SIGKILL)
            killed_process = d.process
            if kill % 5 == 0:  # in place of the one that is to be the last
                d.ctl("start", "--db", d.db, "--workers", 4, check=0)
                pid = d.call("status")["pid"]
                os.kill(pid, signal.SIGKILL)
                check(pid != killed_process.pid, "a new one")
            d.start()
            killed_process.wait()
        equal(d.call("status")["pid"], d.process.pid, "the last one answers")
        equal(d.sql("SELECT * FROM events WHERE kind='nondeterminism'"), [])


if __name__ == "__main__":
    run(test_five_kills_with_two_workers, test_five_kills_with_one_worker,
        test_kills_at_random_moments,
        test_running_workers_are_adopted, test_workers_that_ended_while_the_daemon_was_dead,
        test_a_cancelled_worker_does_not_outlive_the_daemon_unseen,
        test_workers_killed_with_the_daemon, test_killed_workers_go_on_from_their_checkpoints,
        test_a_start_follows_a_kill_at_once)
