"""Rungs: a run that pauses at the end of its budget and goes on has the bits of one that never did,
whatever it trains, through kills and lost checkpoints; and what the daemon makes of it."""
import fcntl
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from golden import without_sanitizers  # noqa: E402
from sweepd import WORKER, Daemon, make_data, slow_spec, small_spec, undisturbed  # noqa: E402
from tap import check, equal, run, until  # noqa: E402
from test_night import hours_from_now  # noqa: E402
from test_resume import resumed, slow_data  # noqa: E402
from test_trainer import make_sequences, make_table  # noqa: E402

EPOCHS = 8
RUNGS = (2, 3, 6, EPOCHS)
F_SETPIPE_SZ = getattr(fcntl, "F_SETPIPE_SZ", 1031)


# --- a run folder without a daemon ---------------------------------------------------------------

class Folder:
    def __init__(self, home, name, config):
        self.path = os.path.join(home, name)
        os.mkdir(self.path)
        self.environment = dict(os.environ, HOME=home, XDG_CACHE_HOME=os.environ.get(
            "TEST_CACHE", os.path.join(home, "cache")))
        self.config = {"version": 1, "epochs": EPOCHS, "seed": "5", "checkpoint_seconds": 1e9,
                       "weights": self.file("best.safetensors"),
                       "checkpoint": self.file("checkpoint"), **config}

    def file(self, name):
        return os.path.join(self.path, name)

    def start(self, until_epoch, stdout):
        config = dict(self.config)
        if until_epoch:
            config["until_epoch"] = until_epoch
        with open(self.file("config.json"), "w", encoding="utf-8") as f:
            json.dump(config, f)
        with open(self.file("stderr"), "ab") as err:
            return subprocess.Popen([WORKER, self.file("config.json")], stdin=subprocess.DEVNULL,
                                    stdout=stdout, stderr=err, env=self.environment)

    def go(self, until_epoch=None):
        """Appends to run.jsonl as it is; the last line."""
        with open(self.file("run.jsonl"), "ab") as out:
            status = self.start(until_epoch, out).wait()
        with open(self.file("stderr"), encoding="utf-8") as f:
            equal(status, 0, f.read())
        return self.lines()[-1]

    def kill_at(self, until_epoch, points):
        """kill -9 once so many points are out; the pipe is small, so it cannot have ended."""
        reader, writer = os.pipe()
        fcntl.fcntl(writer, F_SETPIPE_SZ, 4096)
        worker = self.start(until_epoch, writer)
        os.close(writer)
        with os.fdopen(reader, "rb") as f, open(self.file("run.jsonl"), "ab") as out:
            seen = 0
            while seen < points:
                line = f.readline()
                check(line, "it ended by itself")
                out.write(line)
                seen += json.loads(line)["type"] == "point"
            worker.kill()
            equal(worker.wait(), -signal.SIGKILL, "it was killed")
            for line in f:
                if line.endswith(b"\n"):
                    out.write(line)

    def lines(self):
        with open(self.file("run.jsonl"), encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def starts(self):
        return [x["resumed_point"] for x in self.lines() if x["type"] == "start"]

    def curve(self):
        """Points and what layers showed at them; those that came again must be the same."""
        out = {}
        for line in self.lines():
            if line["type"] in ("point", "layers"):
                line.pop("seconds", None)
                equal(out.setdefault((line["type"], line["point"]), line), line, "came again")
        return out

    def weights(self):
        with open(self.file("best.safetensors"), "rb") as f:
            return f.read()


def result_of(line):
    return {k: v for k, v in line.items() if k != "seconds"}


def expect_same(folder, whole, what):
    equal(sorted(folder.curve()), sorted(whole.curve()), f"{what}: points")
    equal(folder.curve(), whole.curve(), f"{what}: curve")
    equal(result_of(folder.lines()[-1]), result_of(whole.lines()[-1]), f"{what}: result")
    check(folder.weights() == whole.weights(), f"{what}: best weights")


def configurations(home):
    """Name → config: models, optimizers, schedules and ends of every sort."""
    images = {"path": make_data(home), "format": "idx", "validation": 100}
    sequences, table = os.path.join(home, "s.npz"), os.path.join(home, "t.csv")
    make_sequences(sequences)
    make_table(table, 300, 2)
    steps = {"path": sequences, "format": "npz", "validation": 60}
    rows = {"path": table, "format": "csv", "validation": 80, "target": "target"}
    conv = [{"type": "conv2d", "channels": 4, "activation": "relu"}, {"type": "batch_norm"},
            {"type": "max_pool"}, {"type": "flatten"}]
    return {
        "dropout, adam, cosine": {
            "data": images, "model": {"depth": 2, "width": 24},
            "train": {"optimizer": "adam", "schedule": "cosine", "warmup_epochs": 2.5,
                      "points_per_epoch": 3, "dropout": 0.3}},
        "batch norm, momentum, one cycle": {
            "data": images, "model": {"type": "sequential", "layers": conv},
            "train": {"optimizer": "momentum", "schedule": "one_cycle", "learning_rate": 0.05}},
        "lstm, rmsprop, plateau": {
            "data": steps, "model": {"type": "lstm", "width": 8, "depth": 1},
            "train": {"optimizer": "rmsprop", "schedule": "plateau", "schedule_epochs": 1,
                      "batch_size": 16, "learning_rate": 0.05}},
        "early stopping, adadelta, step": {
            "data": images, "model": {"depth": 1, "normalization": "batch"},
            "train": {"optimizer": "adadelta", "schedule": "step", "schedule_epochs": 2,
                      "patience": 4, "min_delta": 100, "l2": 0.01, "clip": "global_norm"}},
        "regression, adamw, exponential": {
            "data": rows, "model": {"depth": 2, "width": 16, "normalization": "layer"},
            "metric": {"name": "val_r2", "goal": "maximize"},
            "train": {"optimizer": "adamw", "schedule": "exponential", "learning_rate": 0.01,
                      "train_loss_eval": True}},
    }


def each(test, **train):
    """With every configuration, its name, and the folder of a run that nothing disturbed."""
    with tempfile.TemporaryDirectory(prefix="sweepd-rungs-") as home:
        for number, (name, config) in enumerate(configurations(home).items()):
            config["train"].update(train)
            whole = Folder(home, f"whole-{number}", config)
            whole.go()
            test(name, whole, lambda kind, **more: Folder(home, f"{kind}-{number}",
                                                          {**config, **more}))


# --- the worker ----------------------------------------------------------------------------------

def test_three_rungs():
    def climb(name, whole, folder):
        f = folder("rungs")
        end = result_of(whole.lines()[-1])
        stops = end["status"] == "stopped"
        equal(stops, name.startswith("early"), name)
        for rung in RUNGS:
            last = f.go(rung)
            if last["status"] != "paused":
                break
            equal((last["epoch"], last["error"], last["text"]), (rung, "", ""), name)
            equal(max(x["epoch"] for x in f.lines() if x["type"] == "point"), rung, name)
            check(os.path.exists(f.file("checkpoint")), name)
            check(f.weights(), f"{name}: best weights so far")
        equal(rung, 6 if stops else EPOCHS, f"{name}: where it ended")
        starts = f.starts()
        check(starts[0] == 0 and all(a < b for a, b in zip(starts, starts[1:])), starts)
        expect_same(f, whole, name)
    each(climb)


def test_a_rung_that_was_reached():
    """Asked again, it says the same at once; a lower one too."""
    def ask_again(name, whole, folder):
        f = folder("again")
        first, curve, weights = f.go(3), f.curve(), f.weights()
        os.remove(f.file("best.safetensors"))  # as the daemon does before each attempt
        equal(result_of(f.go(3)), result_of(first), name)
        equal(result_of(f.go(2)), result_of(first), name)
        equal(f.curve(), curve, name)
        check(f.weights() == weights, f"{name}: best weights")
        f.go()
        expect_same(f, whole, name)
    each(ask_again)


def test_lost_and_damaged_checkpoints():
    def lose(name, whole, folder):
        f = folder("lost")
        f.go(2)
        os.remove(f.file("checkpoint"))
        f.go(3)
        with open(f.file("checkpoint"), "r+b") as file:
            file.seek(-200, os.SEEK_END)
            file.write(b"x" * 8)
        f.go()
        equal(f.starts(), [0, 0, 0], name)
        expect_same(f, whole, name)
    each(lose)


def test_killed_within_a_rung():
    """kill -9: from the rung before, or from the last epoch's end, to the same bits."""
    def kill(name, whole, folder):
        for seconds, points in ((1e9, 45), (0, 110)):
            f = folder(f"killed-{points}", checkpoint_seconds=seconds)
            f.go(2)
            rung = f.lines()[-2]["point"]
            f.kill_at(6, points)
            check(f.lines()[-1]["type"] != "result", f"{name}: within the rung")
            last = f.go(6)
            equal(last["status"] == "paused", not name.startswith("early"), name)
            if last["status"] == "paused":
                f.go()
            equal(f.starts()[:2], [0, rung], name)
            equal(f.starts()[2] > rung, seconds == 0, f"{name}: {f.starts()}")
            expect_same(f, whole, name)
    each(kill, points_per_epoch=1000, batch_size=4)


def test_bad_budgets():
    with tempfile.TemporaryDirectory(prefix="sweepd-rungs-") as home:
        images = {"path": make_data(home), "format": "idx", "validation": 100}
        for value in (0, -1, EPOCHS + 1, 1.5, "two"):
            f = Folder(home, f"bad-{value}", {"data": images, "until_epoch": value})
            with open(f.file("run.jsonl"), "ab") as out:
                equal(f.start(None, out).wait(), 1)
            last = f.lines()[-1]
            equal((last["status"], last["error"]), ("failed", "config_error"))
            check("$.until_epoch" in last["text"] and f"from 1 to {EPOCHS}" in last["text"], last)


# --- the daemon ----------------------------------------------------------------------------------

def set_run(d, number, **columns):
    """In the database, while no daemon holds it: what a stopping rule decides."""
    with sqlite3.connect(d.db) as db:
        for name, value in columns.items():
            db.execute(f"UPDATE runs SET {name} = ? WHERE number = ?", (value, number))
    db.close()


def promote(d, number, until_epoch):
    d.stop()
    set_run(d, number, until_epoch=until_epoch, paused_by=None, status="queued")
    d.start()


def at_rung(d, number, epoch):
    return d.sql("SELECT 1 FROM runs WHERE number = ? AND status = 'paused' AND paused_by = 'rung' "
                 "AND until_epoch = ?", number, epoch) != []


@without_sanitizers
def test_daemon_through_rungs():
    """Through restarts, kill -9 in a rung and a folder that is lost: the same content."""
    spec = slow_spec(slow_data(), run_cap=2)
    with Daemon(workers=1, arguments=["--active-hours", hours_from_now(2, 3)]) as d:
        sweep = d.submit(spec)
        d.stop()
        for number in (0, 1):
            set_run(d, number, until_epoch=5)
        d.arguments = []
        d.start()
        until(lambda: at_rung(d, 0, 5) and at_rung(d, 1, 5), "both at their rung")
        equal(d.call("status")["running"], 0, "slots are free")
        check(os.path.exists(f"{d.db}.runs/1/best.safetensors"), "weights so far")
        equal(d.sql("SELECT detail FROM events WHERE kind = 'run_paused' AND detail LIKE 'rung%'"
                    ), [("rung at epoch 5",)] * 2)
        d.call("pause", sweep=sweep)
        d.call("resume", sweep=sweep)
        before = resumed(d, 1), resumed(d, 2)
        d.stop()
        d.start()
        until(lambda: d.call("status")["running"] == 0, "folders are read")
        check(at_rung(d, 0, 5) and at_rung(d, 1, 5), "through a person's resume and a restart")
        equal((resumed(d, 1), resumed(d, 2)), before, "nothing was started")
        promote(d, 0, 40)
        until(lambda: d.sql("SELECT 1 FROM curves WHERE run_id = 1 AND point > 6"), "goes on")
        d.kill()
        d.start()
        until(lambda: at_rung(d, 0, 40), "the next rung")
        equal(resumed(d, 1)[-1], 5)
        os.remove(f"{d.db}.runs/2/checkpoint")
        promote(d, 1, None)
        promote(d, 0, None)
        equal(d.wait(sweep)["status"], "completed")
        equal(resumed(d, 1)[-1], 40)
        equal(resumed(d, 2)[0], 0)
        equal(d.sql("SELECT * FROM events WHERE kind = 'nondeterminism'"), [])
        equal(d.canonical(), undisturbed(spec), "canonical_content")


FAKE = """#!/bin/sh
case "$1" in --*) exec {worker} "$@";; esac
echo '{{"type":"start","version":1,"pid":'$$',"core":"","blas":"","parameters":0}}'
echo '{{"type":"point","point":1,"epoch":1,"train_loss":0.5,"val_loss":0.5}}'
echo '{{"type":"result","status":"paused","epoch":1,"seconds":1}}'
{more}
"""
GOES_ON = """echo '{"type":"start","version":1,"pid":1,"parameters":0,"resumed_point":1}'
echo '{"type":"point","point":2,"epoch":2,"train_loss":0.5,"val_loss":0.5}'
echo '{"type":"result","status":"completed","seconds":1}'"""


def fake_run(more):
    """Status and text of a run whose worker says these lines behind a paused result."""
    with tempfile.TemporaryDirectory(prefix="sweepd-") as home:
        fake = os.path.join(home, "fake-worker")
        with open(fake, "w", encoding="utf-8") as f:
            f.write(FAKE.format(worker=WORKER, more=more))
        os.chmod(fake, 0o755)
        with Daemon(arguments=["--worker-program", fake]) as d:
            d.wait(d.submit(small_spec(make_data(home), method="random", run_cap=1)))
            return d.sql("SELECT status, error_class, error_text FROM runs")[0]


def test_what_may_follow_a_rung():
    equal(fake_run(GOES_ON)[0], "completed", "a start goes on behind a rung")
    for more, text in (("", "paused at epoch 1, but was to go on to epoch 6"),
                       (GOES_ON.split("\n", 1)[1], "a line follows the result"),
                       (GOES_ON + "\n" + GOES_ON, "a line follows the result")):
        status, error, said = fake_run(more)
        equal((status, error), ("failed", "protocol_error"), said)
        check(text in said, said)


def promoted(workers, kill=False, **more):
    """The sweep's content."""
    rule = {"type": "successive_halving", "eta": 2, "lag": 7, "promote": True, "audit": 0.2}
    with Daemon(workers=workers) as d:
        spec = small_spec(make_data(d.home), **{"method": "random", "run_cap": 16, "epochs": 6,
                                                "early_terminate": rule, **more})
        sweep = d.submit(spec)
        if kill:
            until(lambda: d.sql("SELECT 1 FROM decisions WHERE kind = 'promoted'"), "one goes on")
            d.kill()
            d.start()
        equal(d.wait(sweep)["status"], "completed")
        ends = dict(d.sql("SELECT status, count(*) FROM runs GROUP BY status"))
        check(set(ends) == {"completed", "stopped"} and sum(ends.values()) == 16, ends)
        row = d.sql("SELECT stopped, audited, audited_ended, epochs_saved > 0 FROM stopping_audit")
        equal(row[0][:2], (ends["stopped"], row[0][2]), "stopping_audit")
        equal(row[0][3], 1)
        shown = d.call("show", sweep=sweep)["stopping"]
        equal((shown[0]["rule"], shown[0]["stopped"]), ("successive_halving", ends["stopped"]))
        equal(d.sql("SELECT * FROM events WHERE kind = 'nondeterminism'"), [])
        return [x[2:] for x in d.sql("SELECT * FROM canonical_content")]


@without_sanitizers
def test_promotion():
    """Through a real daemon: the same at any number of workers, and through kill -9."""
    alone = promoted(1)
    equal(promoted(2), alone)
    equal(promoted(2, kill=True), alone)
    alone = promoted(1, method="tpe", lag=3)
    equal(promoted(2, kill=True, method="tpe", lag=3), alone)


def kill_when_ended(d, *counts):
    """kill -9 and a start each time that so many runs have ended."""
    for count in counts:
        until(lambda: d.sql("SELECT count(*) FROM runs WHERE ended_at NOT NULL")[0][0] >= count,
              f"{count} runs have ended")
        d.kill()
        d.start()


def staged(workers, kill=False):
    """The content of a search in stages, each with rungs of its own."""
    with Daemon(workers=workers) as d:
        spec = small_spec(make_data(d.home), epochs=18, run_cap=30)
        plan = d.call("submit", spec=spec, dry_run=True)
        said = {s["stage"]: s["what"] for s in plan["stages"]}
        check("at epoch 2, 6 the best 1 / 3 go on" in said["coarse"], said)
        check("at epoch 6 the best 1 / 3 go on" in said["fine"], said)
        check("at epoch 2, 6 one of each goes on" in said["optimizers"], said)
        sweep = d.submit(spec)
        if kill:
            kill_when_ended(d, 4, 16)
        equal(d.wait(sweep)["status"], "completed")
        equal(d.call("replay", sweep=sweep)["difference"], None)
        equal(d.sql("SELECT count(*) FROM runs")[0][0], 30)
        rows = d.sql("SELECT params ->> 'optimizer', max(epoch), count(DISTINCT id) FROM runs "
                     "JOIN curves ON run_id = id WHERE kind = 'search' GROUP BY 1")
        equal(sorted(r[0] for r in rows), ["adam", "momentum", "rmsprop", "sgd"])
        equal({r[1] for r in rows}, {18.0}, "each has an honest try")
        trained = d.sql("SELECT sum(n) FROM (SELECT max(epoch) AS n FROM curves GROUP BY run_id)")
        check(trained[0][0] < 0.7 * 30 * 18, f"{trained[0][0]} epochs")
        equal(d.sql("SELECT 1 FROM runs t JOIN runs p ON p.id = t.parent_id "
                    "WHERE t.kind = 'treatment' AND p.status = 'stopped'"), [])
        return [x[2:] for x in d.sql("SELECT * FROM canonical_content")]


@without_sanitizers
def test_stages():
    alone = staged(1)
    equal(staged(2), alone)
    equal(staged(7, kill=True), alone)


def bred(workers, kill=False):
    """The content of a sweep whose runs are children of those that rungs have sorted."""
    with Daemon(workers=workers) as d:
        spec = small_spec(make_data(d.home), method="dehb", run_cap=48, lag=6, epochs=9)
        sweep = d.submit(spec)
        if kill:
            kill_when_ended(d, 12, 32)
        equal(d.wait(sweep)["status"], "completed")
        equal(d.call("replay", sweep=sweep)["difference"], None)
        children, = d.sql("SELECT count(*) FROM runs WHERE reason LIKE 'child of three%'")[0]
        check(children >= 12, f"{children} were bred")
        equal(d.sql("SELECT * FROM events WHERE kind = 'nondeterminism'"), [])
        return [x[2:] for x in d.sql("SELECT * FROM canonical_content")]


@without_sanitizers
def test_evolution():
    """Decided from what ended at rungs: the same at 1, 2 and 7 workers, and through kill -9."""
    alone = bred(1)
    equal(bred(7), alone)
    equal(bred(2, kill=True), alone)


if __name__ == "__main__":
    run(test_three_rungs, test_a_rung_that_was_reached, test_lost_and_damaged_checkpoints,
        test_killed_within_a_rung, test_bad_budgets, test_daemon_through_rungs,
        test_what_may_follow_a_rung, test_promotion, test_stages, test_evolution)
