"""What other programs have searched becomes a sweep that has ended: Optuna's database, MLflow's, tables of runs; once
and whole, or not at all. Files of strangers. Where SWEEPD_EXPORT_PYTHON names a Python with them, files of theirs."""
import contextlib
import csv
import json
import os
import random
import select
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon, RpcError  # noqa: E402
from tap import Skip, check, equal, run  # noqa: E402
from test_exports import DONE, FAILED, HOSTILE, all_runs, carry_out, export, sweep_of  # noqa: E402

SPEC = {"name": "history", "method": "by_hand", "task": {"client": {}}, "metric": {"name": "score", "goal": "maximize"},
        "parameters": {"lr": {"min": 0.0, "max": 1.0, "distribution": "uniform"}}, "epochs": 3, "run_cap": 2,
        "repeat_share": 0}
RUNS = [{"params": {"lr": 0.5}, "status": "completed", "reason": HOSTILE, "started": 1700000000000000,
         "ended": 1700000009000000, "points": [{"epoch": 1, "score": 0.25}, {"epoch": 2, "score": 0.75}]},
        {"params": {"lr": 1.0}, "status": "failed", "text": "by design"}]


def sweeps(d):
    return d.call("list")["sweeps"]


def imported(d, path, *options, status=0):
    done = d.ctl("import", path, "--json", *options)
    equal(done.returncode, status, done.stdout + done.stderr)
    return json.loads(done.stdout)


def refused(call, name, words=""):
    try:
        call()
    except RpcError as e:
        equal(e.data["error"], name, e.message)
        check(words in e.message, e.message)
        return
    raise AssertionError(f"taken, where {name} was asked")


# --- files ---------------------------------------------------------------------------------------------------------

def test_there_and_back():
    """Exported and imported: the same runs with the same labels; the same file again is the same sweep."""
    with Daemon(workers=1) as d:
        sweep = sweep_of(d, 4)
        carry_out(d, sweep, [DONE, FAILED, DONE, DONE])
        path, _ = export(d, sweep, "optuna", "night.db")
        first = imported(d, path)
        equal((first["runs"], first["existing"]), (4, False), "new")
        equal(imported(d, path), {"sweep": first["sweep"], "existing": True}, "the same again")
        d.stop()
        d.start()
        equal(imported(d, path), {"sweep": first["sweep"], "existing": True}, "after a restart")
        show = d.call("show", sweep=first["sweep"])["sweep"]
        equal((show["status"], show["method"], show["name"]), ("completed", "by_hand", HOSTILE), "a sweep that has ended")
        ours, theirs = all_runs(d, sweep), all_runs(d, first["sweep"])
        for a, b in zip(ours, theirs):
            for key in ("params", "metric_value", "status", "best_epoch", "started_at", "ended_at", "number"):
                equal(b[key], a[key], key)
            equal(b["label"] is None, a["status"] == "failed" and b["label"] is None, "a label of each curve")
        best = d.call("best", sweep=first["sweep"])["runs"][0]["number"]
        equal(best, d.call("best", sweep=sweep)["runs"][0]["number"], "the same wins")
        points = [[p["val_loss"] for p in d.call("curve", run=r[0]["run_id"])["points"]] for r in (ours, theirs)]
        equal(points[1], points[0], "its curve")
        events = [e["kind"] for e in d.call("events", sweep=first["sweep"])["events"]]
        equal(events, ["submitted", "imported", "sweep_completed"], "events of the sweep alone")
        path, _ = export(d, sweep, "csv", "night.csv")
        table = imported(d, path)
        equal([r["metric_value"] for r in all_runs(d, table["sweep"])], [r["metric_value"] for r in ours], "of a table")
        equal([r["params"] for r in all_runs(d, table["sweep"])], [r["params"] for r in ours], "parameters")


def test_tables():
    """As W&B's page and others give them: what is a parameter, what the metric, is said, and can be said."""
    with Daemon(workers=1) as d:
        path = os.path.join(d.home, "wandb.csv")
        with open(path, "w", newline="", encoding="utf-8") as f:
            rows = csv.writer(f)
            rows.writerow(["Name", "State", "Notes", "Runtime", "lr", "layers", "opt", "flag", "val_loss", "accuracy"])
            for i in range(30):
                rows.writerow([f"run <{i}>", "crashed" if i == 3 else "running" if i == 4 else "finished", "-,\"", 12,
                               0.001 * 1.3 ** i, i % 4 + 1, ("adam", "s\"g\"d")[i % 2], i % 2 == 0,
                               "" if i == 5 else "NaN" if i == 6 else 1 / (i + 1), i / 30])
        done = d.ctl("import", path)
        equal(done.returncode, 0, done.stderr)
        check("columns lr, layers, opt, flag (--parameters" in done.stdout, done.stdout)
        check("ranked by column val_loss (--metric" in done.stdout, done.stdout)
        check("minimized, by its name" in done.stdout and "1 rows of runs that have not ended" in done.stdout, done.stdout)
        runs = all_runs(d, 1)
        equal([r["status"] for r in runs].count("failed"), 2, "crashed, and without a value")
        equal(runs[0]["params"], {"lr": 0.001, "layers": 1, "opt": "adam", "flag": True}, "values")
        equal([r["metric_value"] for r in runs if r["metric_value"] == "nan"], ["nan"], "no number is one")
        spec = d.call("show", sweep=1)["sweep"]["spec"]["parameters"]
        equal(spec["lr"]["distribution"], "log_uniform_values", "a wide range")
        other = imported(d, path, "--metric", "accuracy", "--parameters", "lr,opt")
        show = d.call("show", sweep=other["sweep"])["sweep"]
        equal((show["metric"], show["goal"], list(show["spec"]["parameters"])), ("accuracy", "maximize", ["lr", "opt"]))
        equal(imported(d, path, "--metric", "val_loss", "--goal", "maximize")["existing"], False, "another question")
        for wish in (("--metric", "none"), ("--goal", "up")):
            check(wish[0] in imported(d, path, *wish, status=1)["error"]["message"], wish)


def make_mlflow(path, experiments=1):
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript(
            "CREATE TABLE experiments(experiment_id INTEGER PRIMARY KEY, name TEXT);"
            "CREATE TABLE runs(run_uuid TEXT, experiment_id INTEGER, status TEXT, start_time BIGINT, end_time BIGINT,"
            " lifecycle_stage TEXT); CREATE TABLE params(\"key\" TEXT, value TEXT, run_uuid TEXT);"
            "CREATE TABLE metrics(\"key\" TEXT, value REAL, timestamp BIGINT, run_uuid TEXT, step BIGINT, is_nan INTEGER);"
            "CREATE TABLE latest_metrics(\"key\" TEXT);")
        for e in range(experiments):
            db.execute("INSERT INTO experiments VALUES(?, ?)", (e, f"exp {e}"))
            for i in range(4):
                run_id = f"{e}-{i}"
                db.execute("INSERT INTO runs VALUES(?,?,?,?,?,'active')",
                           (run_id, e, ("FINISHED", "FAILED", "KILLED", "RUNNING")[i], 1700000000000 + i, 1700000001000))
                db.executemany("INSERT INTO params VALUES(?,?,?)", [("lr", str(0.1 * (i + 1)), run_id), ("o", "adam", run_id)])
                db.executemany("INSERT INTO metrics VALUES(?,?,?,?,?,?)", [
                    (k, v / (s + 1), 0, run_id, s, k == "odd" and s == 1) for k, v in (("val_loss", 2), ("odd", 1))
                    for s in range(3)])
        db.commit()


def test_mlflow():
    with Daemon(workers=1) as d:
        path = os.path.join(d.home, "mlflow.db")
        make_mlflow(path)
        first = imported(d, path)
        runs = all_runs(d, first["sweep"])
        equal([r["status"] for r in runs], ["completed", "failed", "stopped"], "the running one is left out")
        equal(runs[0]["metric_value"], 2 / 3, "ranked by val_loss")
        equal(runs[2]["params"], {"lr": 0.1 * 3, "o": "adam"}, "parameters")
        curve = d.call("curve", run=runs[0]["run_id"], metrics=True)
        equal([m["value"] for m in curve["metrics"] if m["name"] == "odd"], [1, "nan", 1 / 3], "no number is one")
        several = os.path.join(d.home, "several.db")
        make_mlflow(several, 2)
        check("exp 0, exp 1" in imported(d, several, status=1)["error"]["message"], "which of several")
        equal(d.call("show", sweep=imported(d, several, "--study", "exp 1")["sweep"])["sweep"]["name"], "exp 1", "that one")


# --- the verb ------------------------------------------------------------------------------------------------------

def test_in_parts():
    """Nothing is there before the end, and nothing stays of what does not come to it."""
    with Daemon(workers=1) as d:
        half = d.connect()
        half.call("import", id="a", sweep={"spec": SPEC, "source": "a test"})
        equal(half.call("import", id="a", runs=RUNS), {"id": "a", "runs": 2, "points": 2}, "staged")
        equal(sweeps(d), [], "nothing yet")
        refused(lambda: d.call("import", id="a", runs=RUNS), "wrong_state")  # of another client
        half.close()
        equal(sweeps(d), [], "gone with its client")
        c = d.connect()
        c.call("import", id="a", sweep={"spec": SPEC, "source": "a test"})
        c.call("import", id="a", runs=RUNS[:1])
        c.call("import", id="a", points=[{"epoch": 3, "score": 0.5}])
        c.call("import", id="a", runs=RUNS[1:])
        d.kill()
        d.start()
        equal(sweeps(d), [], "gone with its daemon")
        c, other = d.connect(), d.connect()
        for each in (c, other):
            each.call("import", id="a", sweep={"spec": SPEC, "source": "a test"})
            each.call("import", id="a", runs=RUNS)
        done = c.call("import", id="a", end=True)
        equal((done["runs"], done["existing"]), (2, False), "whole")
        equal(other.call("import", id="a", end=True), {"sweep": done["sweep"], "existing": True}, "two at once are one")
        equal(c.call("import", id="a", sweep={"spec": SPEC, "source": "a test"}),
              {"sweep": done["sweep"], "existing": True}, "said at its beginning")
        runs = all_runs(d, done["sweep"])
        equal([(r["status"], r["metric_value"], r["seconds"]) for r in runs], [("completed", 0.75, 9), ("failed", None, 0)])
        equal(runs[0]["started_at"], "2023-11-14 22:13:20.000", "when it was")
        check(runs[1]["error_text"] == "by design" and runs[0]["reason"].startswith("<script>"), runs)
        d.kill()
        d.start()
        equal(all_runs(d, done["sweep"]), runs, "durable")
        refused(lambda: d.call("extend", sweep=done["sweep"], runs=1), "wrong_state")
        refused(lambda: d.call("replay", sweep=done["sweep"]), "wrong_state", "was imported")
        equal(d.call("relabel", sweep=done["sweep"])["changed"], 0, "judged as it would be again")


def send(c, method, **params):
    """Without waiting for the answer; its id."""
    c.next_id += 1
    c.send(json.dumps({"jsonrpc": "2.0", "id": c.next_id, "method": method, "params": params}).encode() + b"\n")
    return c.next_id


def has_answer(c):
    return bool(select.select([c.socket], [], [], 0)[0])


def test_others_are_served_meanwhile():
    """Labels are made beside the loop: sweeps are submitted and shown before the import has come to its end, which
    others who send the same wait for too."""
    curve = [{"epoch": e, "train_loss": 1 / e, "val_loss": 1.1 / e + e / 50} for e in range(1, 61)]
    runs = [{"params": {"lr": i / 200}, "status": "completed", "points": curve} for i in range(200)]
    spec = {**SPEC, "metric": {"name": "val_loss"}, "epochs": 60, "run_cap": 200}
    asked = {"name": "meanwhile", "task": {"client": {}}, "method": "random", "run_cap": 1, "epochs": 1, "repeat_share": 0,
             "metric": {"name": "val_loss"}, "parameters": SPEC["parameters"]}
    with Daemon(workers=1) as d:
        both, other = [d.connect(), d.connect()], d.connect()
        for c in both:
            c.call("import", id="m", sweep={"spec": spec, "source": "a test"})
            for i in range(0, 200, 100):
                c.call("import", id="m", runs=runs[i:i + 100])
        for c in both:
            send(c, "import", id="m", end=True)
        again = d.connect()  # one that was not answered in time
        for name in ("one", "two"):
            sweep = other.call("submit", spec={**asked, "name": name})["sweep"]
        refused(lambda: other.call("submit", spec=asked, id="m"), "busy", "under way")
        equal(other.call("show", sweep=sweep)["sweep"]["status"], "queued", "there")
        send(again, "import", id="m", end=True)
        check(not has_answer(both[0]) and not has_answer(both[1]), "the import is not at its end")
        answers = [json.loads(c.line())["result"] for c in both]
        equal(json.loads(again.line())["result"], {"sweep": answers[0]["sweep"], "existing": True}, "asked again")
        equal(sorted(a["existing"] for a in answers), [False, True], "it is one sweep")
        equal(answers[0]["sweep"], answers[1]["sweep"], "the same")
        check(answers[0]["sweep"] < sweep, "which was there first")
        equal(d.call("status")["trouble"], "", "the daemon is well")
        labels = {r["label"] for r in all_runs(d, answers[0]["sweep"])}
        check(len(labels) == 1 and None not in labels, labels)
        c = both[0]
        c.call("import", id="n", sweep={"spec": {**spec, "name": "at the end"}, "source": "a test"})
        c.call("import", id="n", runs=runs[:100])
        send(c, "import", id="n", end=True)
        other.call("status")
        d.stop()
        d.start()
        whole = [s["run_cap"] for s in sweeps(d) if s["name"] == "at the end"]
        check(whole in ([], [200]), "whole, or not there")


def test_many_failed():
    """What failed elsewhere holds nothing here."""
    with Daemon(workers=1) as d:
        c = d.connect()
        c.call("import", id="f", sweep={"spec": {**SPEC, "run_cap": 40}, "source": "a test"})
        c.call("import", id="f", runs=[RUNS[1]] * 40)
        sweep = c.call("import", id="f", end=True)["sweep"]
        show = d.call("show", sweep=sweep)["sweep"]
        equal((show["status"], show["failed"]), ("completed", 40), "completed")


def test_what_is_refused():
    with Daemon(workers=1) as d:
        c = d.connect()

        def begin(**members):
            return c.call("import", id="r", sweep={"spec": {**SPEC, **members}, "source": "a test"})

        refused(lambda: c.call("import", id="r", end=True), "wrong_state")
        refused(lambda: c.call("import", id="", end=True), "invalid_value")
        refused(lambda: c.call("import", id="r", end=True, runs=[]), "invalid_value")
        refused(lambda: c.call("import", id="r", sweep={"spec": SPEC}), "missing_key")
        refused(lambda: c.call("import", id="r", sweep={"source": "x"}), "missing_key")
        refused(lambda: begin(method="random"), "invalid_value", "by_hand")
        refused(lambda: begin(task={"command": ["/bin/true"]}), "invalid_value")
        refused(lambda: begin(parameters={"lr": {"min": 3, "max": 1}}), "invalid_value")
        begin()
        refused(lambda: c.call("import", id="r", end=True), "wrong_state", "no runs")
        for bad in ({"params": {"lr": 7}}, {"params": {}}, {"params": {"lr": "x"}}, {"params": 3}, {"status": "running"},
                    {"status": 3}, {"started": "now"}, {"ended": -1}, {"text": 3}, {"points": 3}, {"points": [3]},
                    {"points": [{"epoch": 0, "a": 1}]}, {"points": [{"epoch": 1}]}, {"points": [{"a": 1}]},
                    {"points": [{"epoch": 2, "a": 1}, {"epoch": 2, "a": 1}]}, {"points": [{"epoch": 1, "a": "b"}]}):
            begin()
            c.call("import", id="r", runs=RUNS)
            try:
                c.call("import", id="r", runs=[{**RUNS[0], **bad}])
                raise AssertionError(f"taken: {bad}")
            except RpcError as e:
                check(e.data["error"] in ("invalid_value", "wrong_type", "missing_key", "limit_exceeded"), e)
            refused(lambda: c.call("import", id="r", end=True), "wrong_state")  # nothing is left of it
        begin()
        refused(lambda: c.call("import", id="r", points=[{"epoch": 1, "a": 1}]), "wrong_state", "runs first")
        begin()
        refused(lambda: [c.call("import", id="r", runs=[RUNS[1]] * 5000) for _ in range(3)], "limit_exceeded", "10000")
        equal(sweeps(d), [], "none of them is a sweep")
        equal(d.call("status")["trouble"], "", "the daemon is well")


# --- files of strangers --------------------------------------------------------------------------------------------

def test_strange_files():
    with Daemon(workers=1) as d:
        sweep = sweep_of(d, 2)
        carry_out(d, sweep, [DONE, FAILED])
        path, _ = export(d, sweep, "optuna", "night.db")
        with open(path, "rb") as f:
            whole = f.read()
        strange = os.path.join(d.home, "strange")
        draw = random.Random(1)

        def tried(data, what):
            with open(strange, "wb") as out:
                out.write(data)
            done = d.ctl("import", strange)
            check(done.returncode in (0, 1), f"{what}: {done.returncode} {done.stderr}")
            check(done.returncode == 0 or done.stderr.startswith("sweepctl: "), f"{what}: {done.stderr}")

        for data in (b"", b"\0" * 100, b"a,b\n", b"lr,val_loss\n", b"lr,val_loss\n\"", b"x\n" * 1000, b",,,\n,,,\n",
                     b"lr,lr,val_loss\n1,2,3\n", b"lr,val_loss\n" + b"1," * 10000 + b"\n", b"lr,val_loss\n\xff\xfe,1\n"):
            tried(data, data[:20])
        for cut in range(0, len(whole), 4096):
            tried(whole[:cut + 100], f"cut at {cut}")
        for n in range(40):
            data = bytearray(whole)
            for _ in range(1 + n):
                data[draw.randrange(100, len(data))] = draw.randrange(256)
            tried(bytes(data), f"changed {n}")
        with open(strange, "wb") as f:
            f.write(whole)
        for sql in ("UPDATE trials SET number = 'x', datetime_start = '" + "9" * 1000 + "', datetime_complete = -1",
                    "UPDATE trial_params SET distribution_json = '{\"attributes\":{\"low\":\"a\",\"high\":[]}}'",
                    "UPDATE trial_params SET distribution_json = '['", "UPDATE trial_values SET value_type = 'NAN'",
                    "UPDATE trial_params SET param_name = hex(randomblob(20000))",
                    "UPDATE trial_intermediate_values SET step = -9223372036854775807 + step",
                    "UPDATE studies SET study_name = ''", "UPDATE study_system_attributes SET value_json = '[\"a\nb\"]'",
                    "UPDATE study_directions SET direction = 7", "DELETE FROM trial_params", "DELETE FROM trials",
                    "DROP TABLE trial_values", "INSERT INTO study_directions VALUES(9,'MINIMIZE',1,1)"):
            with contextlib.closing(sqlite3.connect(strange)) as db:
                db.executescript(sql + ";")
            done = d.ctl("import", strange)
            check(done.returncode in (0, 1), f"{sql}: {done.returncode} {done.stderr}")
        for sql, words in (("INSERT INTO trial_params SELECT 100000 + value, 1, 'p' || value, 1.0, '{}' FROM n", "parameters"),
                           ("INSERT INTO trials SELECT 100000 + value, value, 1, 'COMPLETE', NULL, NULL FROM n", "runs")):
            with open(strange, "wb") as f:
                f.write(whole)
            with contextlib.closing(sqlite3.connect(strange)) as db:
                db.execute("CREATE TABLE n(value)")
                db.executemany("INSERT INTO n VALUES(?)", ((i,) for i in range(20000)))
                db.execute(sql)
                db.commit()
            done = d.ctl("import", strange)
            check(done.returncode == 1 and f"more than 10{'24' if words == 'parameters' else '000'} {words}" in done.stderr,
                  f"so many {words} are not kept in memory: {done.stderr}")
        equal(d.ctl("import", d.home).returncode, 1, "a folder")
        equal(d.ctl("import", os.path.join(d.home, "none")).returncode, 1, "no file")
        equal(d.call("status")["trouble"], "", "the daemon is well")


def test_files_of_the_tools():
    python = os.environ.get("SWEEPD_EXPORT_PYTHON")
    if not python:
        raise Skip("SWEEPD_EXPORT_PYTHON names no Python with optuna and mlflow")
    maker = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib", "make_foreign.py")
    with Daemon(workers=1) as d:
        done = subprocess.run([python, "-B", maker, d.home], capture_output=True, text=True, timeout=280,
                              env={**os.environ, "HOME": d.home}, check=True)
        told = dict(line.split(" ", 1) for line in done.stdout.splitlines())
        number, best = told["optuna"].split()
        sweep = imported(d, os.path.join(d.home, "optuna.db"))["sweep"]
        show = d.call("show", sweep=sweep)["sweep"]
        equal(show["best"], float(best), "Optuna's best value")
        equal(d.call("best", sweep=sweep)["runs"][0]["reason"] if "reason" in d.call("best", sweep=sweep)["runs"][0]
              else all_runs(d, sweep)[int(number)]["reason"], f"trial {number} of study n <b>1</b>", "its best trial")
        if os.path.exists(os.path.join(d.home, "mlflow.db")):
            sweep = imported(d, os.path.join(d.home, "mlflow.db"))["sweep"]
            equal(d.call("show", sweep=sweep)["sweep"]["best"], float(told["mlflow"].split()[-1]), "MLflow's")


if __name__ == "__main__":
    run(test_there_and_back, test_tables, test_mlflow, test_in_parts, test_others_are_served_meanwhile, test_many_failed, test_what_is_refused,
        test_strange_files, test_files_of_the_tools)
