"""Sweeps over programs of one's own: a real specification, a real daemon, scripts of sh and Python.
What is stored of them, every search method, kills, pauses, and what is refused or fails."""
import json
import os
import select
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from golden import is_sanitized  # noqa: E402
from sweepd import TIMEOUT_SECONDS, Daemon, RpcError, make_data, small_spec  # noqa: E402
from tap import check, equal, run  # noqa: E402

TELL = f"#!{sys.executable} -SE" + """
import json, math, os, signal, sys
out = os.fdopen(int(os.environ["SWEEPD_METRICS_FD"]), "w", 1)
params = json.loads(os.environ["SWEEPD_PARAMS"])
epochs = int(os.environ["SWEEPD_EPOCHS"])
def tell(**metrics):
    out.write(json.dumps(metrics) + "\\n")
"""
LEARNS = TELL + """
print("with", json.dumps(params, sort_keys=True))
far = sum(abs(math.log10(v) + 2) for v in params.values() if type(v) is float)
for epoch in range(1, epochs + 1):
    tell(epoch=epoch, **{"train/loss": 2 / epoch, "val/loss": 1 / epoch + far, "far": -far})
"""
# Waits at the gate in its third epoch, until it is let through; each attempt has other bits.
WAITS = TELL + """
home = os.path.dirname(sys.argv[0])
{}
with open(home + "/attempts", "a+") as f:
    f.write(os.environ["SWEEPD_RUN_ID"] + "\\n")
    f.seek(0)
    attempt = f.read().split().count(os.environ["SWEEPD_RUN_ID"])
for epoch in range(1, 7):
    tell(epoch=epoch, loss=attempt + 1 / epoch)
    if epoch == 2:
        open(home + "/gate").read()
with open(home + "/ends", "a") as f:
    f.write(os.environ["SWEEPD_RUN_ID"] + "\\n")
"""
SHELL = """#!/bin/sh
epoch=1
while [ $epoch -le $SWEEPD_EPOCHS ]; do
    echo "{\\"epoch\\": $epoch, \\"val_loss\\": 0.$epoch, \\"words\\": $#}" >&$SWEEPD_METRICS_FD
    epoch=$((epoch + 1))
done
for word in "$@"; do echo "<$word>"; done
"""
PARAMETERS = {"lr": {"min": 1e-4, "max": 0.1, "distribution": "log_uniform_values"},
              "kind of net": {"values": ["cnn", "m l p"]}, "amp": {"values": [True, False]},
              "layers": {"values": [2, 4]}, "tag": {"value": "x"}, "half": {"value": 0.5}}


class Home(tempfile.TemporaryDirectory):
    """Scripts, at a place that does not depend on the daemon's."""

    def __init__(self):
        super().__init__(prefix="sweepd-programs-")

    def __enter__(self):
        self.path = os.path.realpath(super().__enter__())
        return self

    def file(self, name):
        return os.path.join(self.path, name)

    def script(self, text, name="program", mode=0o700):
        with open(self.file(name), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.file(name), mode)
        return self.file(name)

    def open_gate(self):
        """For those that wait there, and for all that follow."""
        with open(self.file("gate"), "w", encoding="utf-8"):
            self.script("", "open")
            os.replace(self.file("open"), self.file("gate"))


def command_spec(program, *words, **more):
    spec = {"name": "own", "task": {"command": [program, *(words or ["${args}"])]},
            "metric": {"name": "val/loss", "goal": "minimize"}, "method": "random", "run_cap": 6,
            "epochs": 6, "parameters": PARAMETERS, "seed": 3, "repeat_share": 0, **more}
    return {k: v for k, v in spec.items() if v is not None}


def waiting_spec(program, runs=1, **more):
    return command_spec(program, **{"metric": {"name": "loss", "goal": "minimize"}, "method": "grid",
                                    "run_cap": None, "parameters": {"n": {"values": [*range(runs)]}},
                                    **more})


def completed(d, sweep):
    equal(d.wait(sweep)["status"], "completed", d.sql("SELECT error_text FROM runs"))


def until(d, query, wanted):
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while (seen := d.sql(query)) != wanted:
        check(time.monotonic() < deadline, f"{query}: {seen}, not {wanted}")
        time.sleep(0.01)


def at_gate(d, run_id=1, but=0):
    """(supervisor, program) of the run, another supervisor than `but`, once the program is in its
    third epoch: the first has been written then."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    path, lines = f"{d.db}.runs/{run_id}/run.jsonl", []
    while True:
        if os.path.exists(path):
            with open(path, encoding="utf-8") as f:
                lines = f.read().splitlines()
        if len(lines) == 2 and (pid := json.loads(lines[0])["pid"]) != but:
            with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as f:
                return pid, int(f.read())
        check(time.monotonic() < deadline, f"{lines}: not at the gate")
        time.sleep(0.01)


def ended(pid):
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([fd], [], [], TIMEOUT_SECONDS)[0])
    finally:
        os.close(fd)


def test_what_is_stored():
    with Home() as home, Daemon() as d:
        sweep = d.submit(command_spec(home.script(LEARNS)))
        completed(d, sweep)
        equal(d.sql("SELECT status, count(*) FROM runs GROUP BY status"), [("completed", 6)])
        equal(d.sql("SELECT count(*) FROM curves WHERE train_loss = 2 / epoch"), [(36,)])
        equal(d.sql("SELECT name, count(*) FROM metrics GROUP BY name"),
              [("far", 36), ("train/loss", 36), ("val/loss", 36)])
        equal(d.sql("SELECT count(*) FROM metrics m JOIN curves c USING (run_id, point) "
                    "WHERE name = 'val/loss' AND value = val_loss"), [(36,)])
        equal(d.sql("SELECT DISTINCT pattern FROM labels GROUP BY pattern"), [("learning",)])
        equal(d.sql("SELECT count(*) FROM labels"), [(6,)])
        for run_id, params in d.sql("SELECT id, params FROM runs"):
            params = json.loads(params)
            equal(list(params), list(PARAMETERS))
            equal((params["tag"], params["half"], type(params["amp"])), ("x", 0.5, bool))
            equal(d.call("log", run=run_id)["text"],
                  f"with {json.dumps(params, sort_keys=True)}\n")
        far = {n: v for n, v in d.sql("SELECT r.number, m.value FROM metrics m JOIN runs r "
                                      "ON r.id = m.run_id WHERE name = 'far' AND point = 1")}
        best = sorted(far, key=lambda n: -far[n])
        equal([n for n, in d.sql("SELECT number FROM best_runs ORDER BY rank")], best)
        rows = d.call("best", sweep=sweep)["runs"]
        equal([r["params"] for r in rows],
              [json.loads(d.sql("SELECT params FROM runs WHERE number = ?", n)[0][0]) for n in best])
        # the same runs, ranked by another name, the other way round
        other = d.submit(command_spec(home.file("program"), name="other",
                                      metric={"name": "far", "goal": "maximize"}))
        completed(d, other)
        equal([n for n, in d.sql("SELECT number FROM best_runs WHERE sweep_id = ? ORDER BY rank",
                                 other)], best)
        equal(d.sql("SELECT DISTINCT best_epoch FROM best_runs WHERE sweep_id = ?", other), [(1,)])
        d.call("delete", sweep=sweep)
        d.call("delete", sweep=other)
        equal(d.sql("SELECT count(*) FROM metrics"), [(0,)])


def test_a_shell_script_and_its_words():
    with Home() as home, Daemon() as d:
        parameters = {"depth": {"values": [3]}, "train.momentum": {"value": 0.25},
                      "data": {"value": "a b"}, "optimizer": {"values": ["own"]},
                      "learning_rate": {"value": False}}
        home.script(SHELL)
        task = {"directory": home.path, "command": [
            "./program", "${args}", "${args_no_hyphens}", "${args_json}", "a${epochs}-${seed}",
            "$${seed}", "${run_dir}/x"]}
        sweep = d.submit(command_spec("", task=task, method="grid", run_cap=None, epochs=3, seed=9,
                                      metric={"name": "val_loss", "goal": "maximize"},
                                      parameters=parameters))
        completed(d, sweep)
        words = ["depth=3", "train.momentum=0.25", "data=a b", "optimizer=own", "learning_rate=false"]
        equal(d.call("log", run=1)["text"].splitlines(),
              [f"<--{w}>" for w in words] + [f"<{w}>" for w in words] +
              ['<{"depth":3,"train.momentum":0.25,"data":"a b","optimizer":"own",'
               '"learning_rate":false}>', "<a3-9>", "<${seed}>", f"<{d.db}.runs/1/x>"])
        equal(d.sql("SELECT metric_value, best_epoch, val_loss FROM runs"), [(0.3, 3, 0.3)])
        equal(d.sql("SELECT DISTINCT value FROM metrics WHERE name = 'words'"), [(14,)])


METHODS = [
    ({"method": "random"}, 6), ({"method": "sobol"}, 6), ({"method": "tpe", "run_cap": 30}, 30),
    ({"method": "gp", "run_cap": 20}, 20), ({"method": "cmaes", "run_cap": 30}, 30),
    ({"method": "auto", "run_cap": 30}, 30),
    ({"method": "grid", "run_cap": None,
      "parameters": {**PARAMETERS, "lr": {"values": [0.1, 0.01]}}}, 16),
    ({"method": "coarse_to_fine", "run_cap": 16,
      "parameters": {"step": {"min": 1e-4, "max": 0.1, "distribution": "log_uniform_values",
                              "role": "learning_rate"},
                     "n": {"values": [1, 2, 4]}, "amp": {"values": [True, False]}}}, 16),
]


def test_same_content_with_any_number_of_workers():
    with Home() as home:
        program, seen = home.script(LEARNS), []
        for workers in (1, 7) if is_sanitized() else (1, 2, 7):
            with Daemon(workers=workers) as d:
                for changes, runs in METHODS:
                    sweep = d.submit(command_spec(program, name=changes["method"], **changes))
                    completed(d, sweep)
                    equal(d.sql("SELECT count(*), count(DISTINCT number) FROM runs WHERE sweep_id = ? "
                                "AND status = 'completed'", sweep), [(runs, runs)], changes["method"])
                equal(d.sql("SELECT count(*) FROM events WHERE kind IN ('nondeterminism', 'refused')"),
                      [(0,)])
                equal(d.sql("SELECT stage, min(number) FROM runs WHERE sweep_id = ? GROUP BY stage "
                            "ORDER BY 2 LIMIT 2", sweep), [("coarse", 0), ("fine", 6)])
                (reason,), = d.sql("SELECT reason FROM decisions WHERE kind = 'picked'")
                shown = d.call("show", sweep=len(METHODS) - 2)["sweep"]
                check("method gp: " + shown["picked"] == reason, reason)
                seen.append(d.canonical())
        equal(len(seen[0]), 6 * sum(runs for _, runs in METHODS))
        check(all(x == seen[0] for x in seen), "canonical_content differs")


def test_other_seeds_along_the_way():
    """A program is told its run's seed; some of the last runs come before the end."""
    with Home() as home, Daemon(workers=2) as d:
        program = home.script("#!/bin/sh\necho \"loss=0.$((SWEEPD_SEED % 1000 + 1000))\"\n")
        sweep = d.submit(command_spec(program, metric={"name": "loss", "goal": "minimize"}, run_cap=200, epochs=1,
                                      repeat_share=0.3, parameters={"x": {"min": 0.0, "max": 1.0}}))
        completed(d, sweep)
        equal(dict(d.sql("SELECT stage, count(*) FROM runs GROUP BY stage")),
              {"random": 140, "contenders": 22, "finalists": 38})
        first, last = d.sql("SELECT min(number), max(number) FROM runs WHERE stage = 'contenders'")[0]
        check(first < 50 and last < 140, (first, last))
        equal(d.sql("SELECT count(*) FROM runs WHERE metric_value != CAST(printf('0.%d', seed % 1000 + 1000) AS REAL)"),
              [(0,)])
        equal(d.sql("SELECT count(*) FROM runs AS r JOIN runs AS p ON p.id = r.parent_id "
                    "WHERE r.params != p.params OR r.seed = p.seed"), [(0,)])


def test_killed_and_paused():
    """One run, adopted, then begun anew twice: its points are those of its last attempt alone."""
    with Home() as home, Daemon(workers=1) as d:
        os.mkfifo(home.file("gate"))
        sweep = d.submit(waiting_spec(home.script(WAITS.format("")), curves=None))
        at_gate(d)
        until(d, "SELECT max(point), count(*) FROM curves", [(1, 1)])
        d.kill()
        d.start()
        until(d, "SELECT count(*) FROM events WHERE kind = 'run_adopted'", [(1,)])
        equal(d.sql("SELECT status FROM runs"), [("running",)])
        equal(d.sql("SELECT count(*) FROM metrics"), [(1,)])
        supervisor, program = at_gate(d)
        os.kill(supervisor, signal.SIGKILL)
        check(ended(program), "the program dies with it")
        second, _ = at_gate(d, but=supervisor)
        until(d, "SELECT value FROM metrics", [(3.0,)])
        d.call("pause", sweep=sweep)
        until(d, "SELECT status, paused_by FROM runs", [("paused", "person")])
        check(ended(second), "the supervisor has ended")
        d.call("resume", sweep=sweep)
        at_gate(d, but=second)
        home.open_gate()
        completed(d, sweep)
        equal(d.sql("SELECT point, value FROM metrics ORDER BY point"),
              [(k, 3 + 1 / k) for k in range(1, 7)])
        equal(d.sql("SELECT count(*), max(point) FROM curves"), [(6, 6)])
        equal(d.sql("SELECT status, metric_value, best_epoch FROM runs"), [("completed", 3 + 1 / 6, 6)])
        equal(d.sql("SELECT count(*) FROM events WHERE kind IN ('nondeterminism', 'refused')"), [(0,)])


def test_an_orderly_end_leaves_it_running():
    """It cannot resume: the daemon ends at once, the program does not, and the next daemon has it."""
    with Home() as home, Daemon(workers=1) as d:
        os.mkfifo(home.file("gate"))
        sweep = d.submit(waiting_spec(home.script(WAITS.format("")), curves=None))
        supervisor, _ = at_gate(d)
        until(d, "SELECT max(point), count(*) FROM curves", [(1, 1)])
        equal(d.call("shutdown"), {"stopping": True, "running": 1, "left": 1})
        equal(d.process.wait(), 0)
        check(supervisor in d.worker_pids(), "it lives")
        d.start()
        until(d, "SELECT count(*) FROM events WHERE kind = 'run_adopted'", [(1,)])
        home.open_gate()
        completed(d, sweep)
        equal(d.sql("SELECT count(*) FROM events WHERE kind = 'run_started'"), [(1,)])
        equal(d.sql("SELECT count(*) FROM events WHERE kind IN ('nondeterminism', 'refused')"), [(0,)])


def test_no_run_is_lost_or_twice():
    """Supervisors and the daemon are killed: every run ends once."""
    with Home() as home, Daemon(workers=2) as d:
        os.mkfifo(home.file("gate"))
        sweep = d.submit(waiting_spec(home.script(WAITS.format("")), runs=5))
        first, second = at_gate(d, 1), at_gate(d, 2)
        d.kill()
        os.kill(first[0], signal.SIGKILL)
        check(ended(first[1]), "the program dies with it")
        d.start()
        again = at_gate(d, 1, but=first[0])
        equal(at_gate(d, 2), second)
        os.kill(second[0], signal.SIGKILL)
        check(ended(second[1]), "the program dies with it")
        at_gate(d, 2, but=second[0])
        equal(at_gate(d, 1), again)
        home.open_gate()
        completed(d, sweep)
        with open(home.file("ends"), encoding="utf-8") as f:
            equal(sorted(f.read().split()), ["1", "2", "3", "4", "5"])
        with open(home.file("attempts"), encoding="utf-8") as f:
            equal(sorted(f.read().split()), ["1", "1", "2", "2", "3", "4", "5"])
        equal(d.sql("SELECT number, status, (SELECT count(*) FROM curves WHERE run_id = id) "
                    "FROM runs ORDER BY number"), [(n, "completed", 6) for n in range(5)])


def test_cancel_ends_a_program_that_ignores_it():
    with Home() as home, Daemon(workers=2) as d:
        os.mkfifo(home.file("gate"))
        deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
        spec = waiting_spec(home.script(WAITS.format(deaf)), runs=2)
        spec["task"]["grace_seconds"] = 0.5
        sweep = d.submit(spec)
        pids = [pid for k in (1, 2) for pid in at_gate(d, k)]
        d.call("cancel", run=1)
        d.call("cancel", sweep=sweep)
        check(all(ended(pid) for pid in pids), "supervisors and programs are gone")
        until(d, "SELECT status, count(*) FROM runs WHERE ended_at NOT NULL GROUP BY status",
              [("cancelled", 2)])
        equal(d.wait(sweep)["status"], "cancelled")


def refused(d, spec, key, *says):
    try:
        d.submit(spec)
    except RpcError as e:
        equal(e.data["key"], key, e.message)
        for text in says:
            check(text in e.message, e.message)
        equal(d.sql("SELECT count(*) FROM sweeps"), [(0,)], "a refusal leaves nothing behind")
        return
    raise AssertionError(f"accepted: {spec}")


def test_what_is_refused():
    with Home() as home, Daemon() as d:
        path = home.script(LEARNS)
        data = {"path": make_data(home.path), "format": "idx", "validation": 100}
        good = command_spec(path)
        for key in ("data", "model", "train"):
            refused(d, {**good, key: data if key == "data" else {}}, f"$.{key}", "a program has its own")
        refused(d, {**good, "start_from": 1}, "$.start_from")
        refused(d, {**good, "treat": True}, "$.treat")
        refused(d, {**good, "task": {"command": [path], "environment": {"A=": "x"}}},
                '$.task.environment["A="]', "without a '='")
        refused(d, {**good, "task": {"command": [path], "environment": {"A": 1}}},
                "$.task.environment.A", "a string, or null")
        refused(d, {**good, "task": {"command": [path], "base_environment": {"A": None}}},
                "$.task.base_environment.A", "a string")
        refused(d, {**good, "task": {"command": [path], "grace_seconds": -1}},
                "$.task.grace_seconds", "from 0 to 86400")
        refused(d, {**good, "task": {"command": [path, "${arg}"]}}, "$.task.command[1]",
                "did you mean ${args}?")
        refused(d, {**good, "task": {"comand": [path]}}, "$.task.comand", "did you mean command?")
        refused(d, {**good, "task": {"container": [path]}}, "$.task.container", "trainer, command")
        refused(d, {**good, "task": {}}, "$.task", "trainer, command")
        refused(d, {**good, "task": {"command": [path], "trainer": {}}}, "$.task.command",
                "trainer is there already")
        refused(d, {**small_spec(data["path"]), "task": {"trainer": {}, "command": [path]}},
                "$.task.command", "trainer is there already")
        refused(d, {**good, "task": {"command": path}}, "$.task.command", "a list of strings")
        refused(d, {**good, "task": {"command": [path], "directory": "here"}}, "$.task.directory")
        refused(d, {**good, "metric": {"name": "x"}}, "$.metric.goal")
        refused(d, {**good, "parameters": {"a": {"values": [1, "x"]}}}, "$.parameters.a.values[1]")
        refused(d, {**good, "parameters": {"a": {"values": [{}]}}}, "$.parameters.a.values[0]")
        refused(d, {**small_spec(data["path"]), "metric": {"name": "val/cost", "goal": "minimize"}},
                "$.metric.name", "val_loss")


FAILING = [
    ("metric", {"metric": {"name": "val/los", "goal": "minimize"}}, "exited",
     ['"val/los"', "never reported", "train/loss, val/loss, far"]),
    ("not there", {"task": {"command": ["/no/such/program"]}}, "config_error", ["/no/such/program"]),
    ("no word", {"task": {"command": ["no-such-program-of-ours"]}}, "config_error",
     ["no-such-program-of-ours", "PATH"]),
    ("not executable", {"task": {"command": ["text"]}}, "config_error", ["text", "Permission denied"]),
    ("no folder", {"task": {"command": ["program"], "directory": "/no/such/folder"}}, "config_error",
     ["/no/such/folder"]),
]


def test_what_fails_is_held_and_the_others_go_on():
    with Home() as home, Daemon(workers=1) as d:
        path = home.script(LEARNS)
        home.script("text", "text", 0o600)
        sweeps = {}
        for name, changes, _, _ in FAILING:
            spec = command_spec(path, name=name, **{"run_cap": 2, **changes})
            if name == "not executable":
                spec["task"] = {"command": [home.file("text")]}
            sweeps[name] = d.submit(spec)
        good = d.submit(command_spec(path))
        completed(d, good)
        for name, _, error, texts in FAILING:
            reply = d.wait(sweeps[name])
            equal(reply["status"], "held", name)
            check(f"2 failed (2 {error})" in reply["reason"], reply["reason"])
            for text, in d.sql("SELECT error_text FROM runs WHERE sweep_id = ?", sweeps[name]):
                check(all(t in text for t in texts), f"{name}: {text}")
            equal(d.sql("SELECT DISTINCT status, error_class FROM runs WHERE sweep_id = ?",
                        sweeps[name]), [("failed", error)])


def test_every_verb_answers():
    with Home() as home, Daemon() as d:
        sweep = d.submit(command_spec(home.script(LEARNS)))
        completed(d, sweep)
        params = json.loads(d.sql("SELECT params FROM runs WHERE id = 1")[0][0])
        shown = 'kind of net="m l p"' if " " in params["kind of net"] else "kind of net=cnn"
        for verb, status, says in (
                (["run", 1], 0, [shown, "tag=x", "val/loss"]), (["best"], 0, ["parameters", "tag=x"]),
                (["show", sweep], 0, ["val/loss", "learning"]), (["log", 1], 0, ["with {"]),
                (["curve", 1], 0, ["\n6,"]),
                (["explain", 1], 0, ["learning", f"sweepctl enqueue {sweep} NAME=VALUE"]),
                (["treat", 1], 1, ["run 1", "no remedy is known"]),
                (["export", 1, "-o", home.file("out")], 1, ["run 1", f"{d.db}.runs/1"]),
                (["replay", 1], 1, ["run 1", "sweepctl enqueue"])):
            done = d.ctl(*verb, check=status)
            for text in says:
                check(text in done.stdout + done.stderr, f"{verb}: {done.stdout}{done.stderr}")
            if status == 0 and verb[0] not in ("log", "curve"):
                json.loads(d.ctl(*verb, "--json", check=0).stdout)
        check("samples" not in d.ctl("show", sweep).stdout, "it has no data")
        check(not os.path.exists(home.file("out")))
        done = d.ctl("submit", "-", "--watch", text=json.dumps(command_spec(home.file("program"))),
                     check=0)
        query = next(x for x in done.stdout.splitlines() if x.strip().startswith("sqlite3"))
        check("params" in query and "metric_value" in query, query)


if __name__ == "__main__":
    run(test_what_is_stored, test_a_shell_script_and_its_words,
        test_same_content_with_any_number_of_workers, test_other_seeds_along_the_way, test_killed_and_paused, test_an_orderly_end_leaves_it_running,
        test_no_run_is_lost_or_twice, test_cancel_ends_a_program_that_ignores_it,
        test_what_is_refused, test_what_fails_is_held_and_the_others_go_on, test_every_verb_answers)
