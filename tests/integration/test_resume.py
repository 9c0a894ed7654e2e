"""Runs that go on: pause and resume, the daemon's end and start, and replay of what is stored."""
import functools
import json
import os
import signal
import sqlite3
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from golden import without_sanitizers  # noqa: E402
from held import midway  # noqa: E402
from sweepd import WORKER, Daemon, make_data, slow_spec, small_spec, undisturbed  # noqa: E402
from tap import check, equal, run, until  # noqa: E402

SLOW_HOME = tempfile.TemporaryDirectory(prefix="sweepd-data-")


def start_lines(d, run_id):
    with open(f"{d.db}.runs/{run_id}/run.jsonl", encoding="utf-8") as f:
        lines = [json.loads(x) for x in f if x.endswith("\n")]  # the last one may be half there
    return [x for x in lines if x["type"] == "start"]


def resumed(d, run_id):
    """Where its workers went on from, in order."""
    return [x["resumed_point"] for x in start_lines(d, run_id)]


def statuses(d):
    return [s for s, in d.sql("SELECT status FROM runs ORDER BY number")]


def points(d):
    return d.sql("SELECT count(*) FROM curves")[0][0]


@functools.cache
def slow_data():
    """One folder for all tests: it is a part of what a sweep is, and so of `undisturbed`."""
    return make_data(SLOW_HOME.name, samples=1000)


def expect_undisturbed(d, sweep, spec):
    equal(d.wait(sweep)["status"], "completed")
    equal(d.sql("SELECT * FROM events WHERE kind='nondeterminism'"), [], "nondeterminism")
    left = [f for _, _, files in os.walk(d.db + ".runs") for f in files
            if f.startswith("checkpoint")]
    equal(left, [], "checkpoints of ended runs")
    equal(d.canonical(), undisturbed(spec), "canonical_content")


def test_pause_and_resume():
    with tempfile.TemporaryDirectory(prefix="sweepd-data-") as home:
        spec = slow_spec(slow_data(), run_cap=3)
        with midway(spec, runs=2) as (d, sweep):
            watch = d.connect()
            watch.call("watch", sweep=sweep)
            equal(d.call("pause", sweep=sweep)["status"], "paused")
            d.let_end()
            until(lambda: statuses(d) == ["paused", "paused", "queued"], "paused runs")
            while json.loads(watch.line())["method"] != "run_paused":
                pass
            watch.close()
            equal(d.call("status")["running"], 0, "slots are free")
            equal(d.sql("SELECT handle FROM runs WHERE handle IS NOT NULL"), [], "no workers")
            check(os.path.exists(f"{d.db}.runs/1/checkpoint"), "a checkpoint is there")
            other = d.submit(small_spec(make_data(home), method="random", run_cap=1, name="other"))
            equal(d.wait(other)["status"], "completed", "another sweep runs meanwhile")
            d.call("delete", sweep=other)
            d.stop()
            d.start()
            equal(statuses(d), ["paused", "paused", "queued"], "through a restart")
            equal(d.call("status")["queued"], 1)
            before = d.sql("SELECT run_id, max(point) FROM curves GROUP BY run_id ORDER BY run_id")
            d.call("resume", sweep=sweep)
            expect_undisturbed(d, sweep, spec)
            for run_id, point in before:
                check(point > 0, "it had begun")
                equal(resumed(d, run_id), [0, point], f"run {run_id} goes on behind its points")
            equal(resumed(d, 3), [0])
            equal(d.sql("SELECT DISTINCT attempts FROM runs"), [(0,)], "attempts")


def test_pause_twice_and_cancel():
    with Daemon(workers=1) as d:
        sweep = d.submit(slow_spec(slow_data(), run_cap=2, epochs=6000))
        for _ in range(2):
            before = points(d)
            until(lambda: points(d) > before + 1, "points")
            d.ctl("pause", sweep, check=0)
            until(lambda: statuses(d)[0] == "paused", "a paused run")
            d.ctl("resume", sweep, check=0)
        until(lambda: statuses(d)[0] == "running", "running again")
        begun = resumed(d, 1)  # once: a worker may be writing the next
        check(begun[0] == 0 and sorted(begun) == begun, begun)
        d.ctl("pause", sweep, check=0)
        until(lambda: statuses(d)[0] == "paused", "a paused run")
        d.ctl("cancel", sweep, check=0)
        equal(statuses(d), ["cancelled", "cancelled"])
        until(lambda: not os.path.exists(f"{d.db}.runs/1/checkpoint"), "its checkpoint is removed")
        d.ctl("delete", sweep, check=0)
        until(lambda: os.listdir(d.db + ".runs") == [], "its folders are removed")


@without_sanitizers
def test_shutdown_and_start():
    spec = slow_spec(slow_data(), run_cap=3)
    with midway(spec, runs=2) as (d, sweep):
        d.stop()
        equal(statuses(d), ["queued"] * 3)
        d.start()
        expect_undisturbed(d, sweep, spec)
        check(resumed(d, 1)[1] > 0 and resumed(d, 2)[1] > 0, "both went on")


def test_a_worker_stopped_by_somebody_else():
    """The machine's own end signals every process: no run fails by it."""
    spec = slow_spec(slow_data(), run_cap=1)
    with midway(spec) as (d, sweep):
        os.kill(start_lines(d, 1)[0]["pid"], signal.SIGTERM)
        d.go_on()
        expect_undisturbed(d, sweep, spec)
        check(resumed(d, 1)[1] > 0, "it went on")


def test_a_worker_that_cannot_go_on():
    """Its checkpoint is no good: from the beginning, to the same bits."""
    spec = slow_spec(slow_data(), run_cap=1)
    with midway(spec, arguments=["--checkpoint-seconds", "0"]) as (d, sweep):
        d.stop()
        with open(f"{d.db}.runs/1/checkpoint", "r+b") as f:
            f.seek(-200, os.SEEK_END)
            f.write(b"x" * 8)
        with open(f"{d.db}.runs/1/run.jsonl", "ab") as f:
            f.write(b'{"type":"point","poi')  # as a power cut leaves it
        d.start()
        expect_undisturbed(d, sweep, spec)
        equal(resumed(d, 1), [0, 0])
        check("starts anew" in d.ctl("log", 1, check=0).stdout, "it says why")


def test_a_worker_that_claims_points():
    with tempfile.TemporaryDirectory(prefix="sweepd-") as home:
        fake = os.path.join(home, "fake-worker")
        with open(fake, "w", encoding="utf-8") as f:
            f.write(f"""#!/bin/sh
case "$1" in --*) exec {WORKER} "$@";; esac
echo '{{"type":"start","version":1,"pid":'$$',"core":"","blas":"","parameters":0,"resumed_point":3}}'
echo '{{"type":"point","point":4,"epoch":4,"train_loss":0.5,"val_loss":0.5}}'
echo '{{"type":"result","status":"completed","error":"","text":"","seconds":1}}'
""")
        os.chmod(fake, 0o755)
        with Daemon(arguments=["--worker-program", fake]) as d:
            sweep = d.submit(small_spec(make_data(home), method="random", run_cap=1))
            equal(d.wait(sweep)["status"], "held")
            error, text = d.sql("SELECT error_class, error_text FROM runs")[0]
            equal(error, "protocol_error")
            check("only 0 were reported" in text, text)


def test_replay():
    with Daemon(workers=1) as d:
        d.ctl("submit", "-", text=json.dumps(small_spec(make_data(d.home), method="random",
                                                        run_cap=2)), check=0)
        d.ctl("wait", 1, check=0)
        equal(d.ctl("replay", 1, check=0).stdout, "run 1: all 6 points are the same, to the bit\n")
        folder = set(os.listdir(d.db + ".runs/1"))
        told = json.loads(d.ctl("replay", 1, "--json", check=0).stdout)
        equal((told["same"], told["points"], told["compared"], told["difference"]),
              (True, 6, 6, None))
        equal(told["core"]["now"], told["core"]["stored"])
        equal(set(os.listdir(d.db + ".runs/1")), folder, "nothing is left in its folder")
        equal(d.sql("SELECT count(*) FROM curves"), [(12,)], "nothing is stored")

        d.stop()
        with sqlite3.connect(d.db) as db:
            db.execute("UPDATE curves SET val_loss=val_loss+1 WHERE run_id=1 AND point=3")
            db.execute("DELETE FROM curves WHERE run_id=2 AND point=6")
        db.close()
        d.start()
        stored = d.sql("SELECT val_loss FROM curves WHERE run_id=1 AND point=3")[0][0]
        said = d.ctl("replay", 1, check=1).stdout
        check(said.startswith("run 1 differs first at point 3 (epoch 3): val_loss ") and
              f"{stored} stored" in said, said)
        told = json.loads(d.ctl("replay", 1, "--json", check=1).stdout)["difference"]
        equal((told["point"], told["column"], told["stored"]), (3, "val_loss", stored))
        check(abs(told["now"] + 1 - stored) < 1e-12, told)
        equal(d.ctl("replay", 2, check=1).stdout,
              "run 2 differs first at point 6: 5 points stored, 6 now\n")

        refused = d.ctl("replay", 1, "--worker-program", "/bin/false", check=1)
        check("ended with status 1" in refused.stderr, refused.stderr)
        equal(d.ctl("replay", 9).returncode, 1, "no such run")
        with open(d.db + ".runs/2/config.json", "w", encoding="utf-8") as f:
            f.write("{")
        equal(d.ctl("replay", 2).returncode, 1, "no configuration")


def test_replay_of_runs_that_did_not_end():
    with midway(slow_spec(slow_data(), run_cap=2)) as (d, sweep):
        d.call("pause", sweep=sweep)
        d.let_end()
        until(lambda: statuses(d)[0] == "paused", "a paused run")
        equal(d.ctl("replay", 1, check=0).stdout,
              f"run 1: all {points(d)} points are the same, to the bit\n")
        check("not been started" in d.ctl("replay", 2, check=1).stderr, "a queued run")
        d.call("cancel", sweep=sweep)


if __name__ == "__main__":
    run(test_pause_and_resume, test_pause_twice_and_cancel, test_shutdown_and_start,
        test_a_worker_stopped_by_somebody_else, test_a_worker_that_cannot_go_on,
        test_a_worker_that_claims_points, test_replay, test_replay_of_runs_that_did_not_end)
