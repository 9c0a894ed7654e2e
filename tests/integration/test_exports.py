"""A sweep taken into other tools: what stands in their files, read by readers of our own; hostile names; none, one
and only failed runs; what is refused. Where SWEEPD_EXPORT_PYTHON names a Python with them, the tools read too."""
import csv
import json
import math
import os
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import foreign  # noqa: E402
from sweepd import Daemon  # noqa: E402
from tap import Skip, check, equal, run  # noqa: E402

HOSTILE = "<script>alert('x')</script> \"night\", ]]> &amp; =1+1 % / \\ ? 学习"
LONG = "x" * 10000
PARAMETERS = {"lr": {"min": 0.001, "max": 1.0, "distribution": "log_uniform_values"}, "layers": {"min": 1, "max": 8},
              "kind": {"values": ["<b>cnn</b>", "\"mlp\", 2"]}, "amp": {"values": [True, False]}, "fixed": {"value": 3}}
# Names that a program may report; those that mean a column of the curve are not among them.
NAMES = ("a/b", "a", "../../up", "/abs", "x//y", "..", "_step", "<script>", "quote \" ' \\", "验证/学习", "💥", "=SUM(1)", "a.b")
FORMS = ("optuna", "csv", "tensorboard", "wandb", "mlflow")
NO_NUMBER = {2: "nan", 3: "+inf", 4: "-inf"}


def points(lr, count=6):
    return [{"epoch": e, "train_loss": lr + 1 / e, "val_loss": lr + 1.25 / e, "score": -lr - 1 / e,
             "odd": NO_NUMBER.get(e, e), **{n: e + i for i, n in enumerate(NAMES)}} for e in range(1, count + 1)]


def sweep_of(d, runs, metric="val_loss", goal="minimize", name=HOSTILE):
    return d.submit({"name": name, "task": {"client": {}}, "method": "random", "run_cap": max(runs, 1), "epochs": 12,
                     "metric": {"name": metric, "goal": goal}, "parameters": PARAMETERS, "repeat_share": 0})


def carry_out(d, sweep, results):
    """A run for each; a result that is None: not ended."""
    c = d.connect()
    for result in results:
        asked = c.call("ask", sweep=sweep)
        lease = {"run": asked["run"], "lease": asked["lease"]}
        if result is None or result["status"] == "completed":
            c.call("report", **lease, points=points(asked["params"]["lr"]))
        if result is not None:
            c.call("tell", **lease, result=result)
    return c  # its leases end with nobody


DONE = {"status": "completed"}
FAILED = {"status": "failed", "error": "exited", "text": HOSTILE + "\n" + LONG}


def export(d, sweep, form, name, *options):
    path = os.path.join(d.home, name)
    done = d.ctl("export", str(sweep), "--" + form, path, *options)
    return path, done


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


def all_runs(d, sweep):
    return d.call("runs", sweep=sweep, limit=1000)["runs"]


# --- one form each -------------------------------------------------------------------------------------------------

def test_csv():
    with Daemon(workers=1) as d:
        sweep = sweep_of(d, 3)
        carry_out(d, sweep, [DONE, FAILED, DONE])
        path, done = export(d, sweep, "csv", "night.csv")
        equal(done.returncode, 0, done.stderr)
        runs, table = all_runs(d, sweep), rows_of(path)
        equal([int(r["run_id"]) for r in table], [r["run_id"] for r in runs], "runs")
        equal([r["metric_value_state"] for r in table], ["ok", "missing", "ok"], "states")
        equal([float(r["metric_value"]) for r in table if r["metric_value"]],
              [r["metric_value"] for r in runs if r["metric_value"] is not None], "to the bit")
        equal(table[1]["metric_value"], "", "missing is empty")
        equal(table[1]["error_text"], runs[1]["error_text"], "a text with quotes, commas and line ends")
        equal([(float(r["params.lr"]), r["params.kind"], r["params.amp"]) for r in table],
              [(r["params"]["lr"], r["params"]["kind"], json.dumps(r["params"]["amp"])) for r in runs], "parameters")
        curves = rows_of(os.path.join(d.home, "night-curves.csv"))
        first = {(int(r["point"]), r["metric"]): r for r in curves if int(r["run_id"]) == runs[0]["run_id"]}
        equal({name for _, name in first}, {"train_loss", "val_loss", "score", "odd", *NAMES}, "series")
        equal([first[e, "odd"]["value_state"] for e in range(1, 7)], ["ok", "nan", "+inf", "-inf", "ok", "ok"])
        equal([first[e, "odd"]["value"] for e in (2, 3, 4)], ["", "", ""], "no number is empty")
        equal(float(first[5, "val_loss"]["value"]), runs[0]["params"]["lr"] + 1.25 / 5, "a value")
        check("exists" in export(d, sweep, "csv", "night.csv")[1].stderr, "not over another")
        equal(export(d, sweep, "csv", "night.csv", "--force")[1].returncode, 0, "but with --force")
        os.remove(path)
        check("night-curves.csv exists" in export(d, sweep, "csv", "night.csv")[1].stderr, "nor over the other")
        check(not os.path.exists(path), "both or none")
        equal(sorted(n for n in os.listdir(d.home) if n.startswith("night")), ["night-curves.csv"], "nothing is left")


def test_tensorboard():
    with Daemon(workers=1) as d:
        sweep = sweep_of(d, 3)
        carry_out(d, sweep, [DONE, FAILED, DONE])
        path, done = export(d, sweep, "tensorboard", "board")
        equal(done.returncode, 0, done.stderr)
        runs, files = all_runs(d, sweep), foreign.files_under(path)
        equal([os.path.dirname(f) for f in files], [""] + [f"run-{r['run_id']:04}" for r in runs], "a folder a run")
        _, told = foreign.scalars(os.path.join(path, files[0]))
        experiment = foreign.field(told["_hparams_/experiment"], 2)
        equal(foreign.field(experiment, 6).decode(), HOSTILE, "the experiment's name")
        names = [foreign.field(v, 1).decode() for n, v in foreign.fields(experiment) if n == 4]
        equal(names, list(PARAMETERS), "hyperparameters")
        metrics = [foreign.field(v, 1, 2).decode() for n, v in foreign.fields(experiment) if n == 5]
        equal(metrics, ["best/val_loss", "val_loss"], "metrics")
        series, told = foreign.scalars(os.path.join(path, files[1]))
        equal(set(series), {"epoch", "train_loss", "val_loss", "score", "odd", "best/val_loss", *NAMES}, "tags")
        equal([s for s, _ in series["val_loss"]], [1, 2, 3, 4, 5, 6], "steps")
        check(abs(series["val_loss"][2][1] - runs[0]["params"]["lr"] - 1.25 / 3) < 1e-6, "a value")
        check(math.isnan(series["odd"][1][1]) and series["odd"][2][1] == math.inf, "no numbers")
        start = foreign.field(told["_hparams_/session_start_info"], 3)
        equal({foreign.field(v, 1).decode() for n, v in foreign.fields(start) if n == 1}, set(runs[0]["params"]))
        states = [foreign.field(foreign.scalars(os.path.join(path, f))[1]["_hparams_/session_end_info"], 4, 1)
                  for f in files[1:]]
        equal(states, [1, 2, 1], "success and failure")
        labelled = json.loads(d.ctl("label", os.path.join(path, files[1]), "--json").stdout)
        check(labelled["points"] == 6, f"our reader reads it: {labelled}")


def test_wandb():
    with Daemon(workers=1) as d:
        sweep = sweep_of(d, 2)
        carry_out(d, sweep, [DONE, FAILED])
        path, done = export(d, sweep, "wandb", "offline")
        equal(done.returncode, 0, done.stderr)
        runs, files = all_runs(d, sweep), foreign.files_under(path)
        equal(len({os.path.basename(f) for f in files}), 2, "a file a run")
        by_name = {}
        for name in files:
            records = list(foreign.wandb_records(os.path.join(path, name)))
            equal([foreign.field(r, 1) for r in records], list(range(1, len(records) + 1)), "numbered")
            record = [r for r in records if foreign.field(r, 17) is not None]
            equal(len(record), 1, "a run record")
            by_name[foreign.field(record[0], 17, 8).decode()] = name, records
        name, records = by_name[f"run {runs[0]['run_id']}"]
        config = {foreign.field(v, 1).decode(): json.loads(foreign.field(v, 16))
                  for n, v in foreign.fields(foreign.field(records[1], 17, 4)) if n == 1}
        equal(config, runs[0]["params"], "config")
        history = [r for r in records if foreign.field(r, 2) is not None]
        rows = [{foreign.field(v, 2).decode(): json.loads(foreign.field(v, 16))
                 for n, v in foreign.fields(foreign.field(r, 2)) if n == 1} for r in history]
        equal([r["_step"] for r in rows], [1, 2, 3, 4, 5, 6], "steps")
        equal(rows[4]["val_loss"], runs[0]["params"]["lr"] + 1.25 / 5, "to the bit")
        check(math.isnan(rows[1]["odd"]) and rows[2]["odd"] == math.inf, "no numbers")
        equal(rows[0]["reported/_step"], 1 + NAMES.index("_step"), "a name that is W&B's own")
        exits = {n: [foreign.field(r, 18, 1) for r in records if foreign.field(r, 18) is not None]
                 for n, (_, records) in by_name.items()}
        equal(exits, {f"run {runs[0]['run_id']}": [0], f"run {runs[1]['run_id']}": [1]}, "exit codes")
        labelled = json.loads(d.ctl("label", os.path.join(path, name), "--json").stdout)
        check(labelled["points"] == 6, f"our reader reads it: {labelled}")
        equal(foreign.files_under(export(d, sweep, "wandb", "again")[0]), files, "the same names each time")


def test_mlflow():
    with Daemon(workers=1) as d:
        sweep = sweep_of(d, 2)
        carry_out(d, sweep, [DONE, FAILED])
        path, done = export(d, sweep, "mlflow", "mlruns")
        equal(done.returncode, 0, done.stderr)
        files = foreign.files_under(path)
        check(f"{sweep}/meta.yaml" in files, "the experiment")
        check(all(os.path.realpath(os.path.join(path, f)).startswith(os.path.realpath(path) + "/") for f in files))
        runs = all_runs(d, sweep)
        folders = {}
        for name in files:
            parts = name.split("/")
            if len(parts) == 3 and parts[2] == "meta.yaml":
                with open(os.path.join(path, name), encoding="ascii") as f:
                    text = f.read()
                folders[text.split('run_name: "')[1].split('"')[0]] = os.path.join(path, sweep_folder(parts)), text
        equal(sorted(folders), sorted(f"run {r['run_id']}" for r in runs), "runs")
        equal([folders[f"run {r['run_id']}"][1].split("status: ")[1].split("\n")[0] for r in runs], ["3", "4"], "states")
        folder = folders[f"run {runs[0]['run_id']}"][0]
        with open(os.path.join(folder, "params", "kind"), encoding="utf-8") as f:
            equal(f.read(), runs[0]["params"]["kind"], "a parameter")
        with open(os.path.join(folder, "metrics", "val_loss"), encoding="ascii") as f:
            rows = [line.split(" ") for line in f.read().splitlines()]
        equal([(float(v), int(s)) for _, v, s in rows],
              [(runs[0]["params"]["lr"] + 1.25 / e, e) for e in range(1, 7)], "to the bit")
        with open(os.path.join(folder, "metrics", "odd"), encoding="ascii") as f:
            equal([line.split(" ")[1] for line in f.read().splitlines()][1:4], ["nan", "inf", "-inf"], "no numbers")
        equal(len(foreign.files_under(os.path.join(folder, "metrics"))), 4 + 2 + len(NAMES), "no two in one file")
        labelled = json.loads(d.ctl("label", os.path.join(folder, "metrics", "val_loss"), "--json").stdout)
        check(labelled["points"] == 6, f"our reader reads it: {labelled}")


def sweep_folder(parts):
    return "/".join(parts[:2])


def test_named_metric():
    """A metric of the program's own is what ranks, and what every form shows of a run."""
    with Daemon(workers=1) as d:
        sweep = sweep_of(d, 2, metric="score", goal="maximize")
        carry_out(d, sweep, [DONE, DONE])
        path, _ = export(d, sweep, "optuna", "study.db")
        runs = all_runs(d, sweep)
        with sqlite3.connect(path) as db:
            equal(db.execute("SELECT count(*) FROM trial_intermediate_values").fetchone()[0], 12, "its points")
            values = db.execute("SELECT intermediate_value FROM trial_intermediate_values WHERE trial_id = 1 "
                                "ORDER BY step").fetchall()
            equal([v for v, in values], [-runs[0]["params"]["lr"] - 1 / e for e in range(1, 7)], "its values")
        db.close()


# --- all forms -----------------------------------------------------------------------------------------------------

def test_all_forms():
    """Of sweeps without runs, with one, with none that is whole, and one that goes on; several at once; as JSON."""
    with Daemon(workers=1) as d:
        none, failed, one = sweep_of(d, 1, name=" "), sweep_of(d, 2), sweep_of(d, 1, name="é" * 63)
        carry_out(d, failed, [FAILED, FAILED])
        carry_out(d, one, [DONE])
        open_sweep = sweep_of(d, 3, name="../../etc")
        keep = carry_out(d, open_sweep, [DONE, None])
        for number, sweep in enumerate((none, failed, one, open_sweep)):
            options = [o for form in FORMS for o in ("--" + form, os.path.join(d.home, f"{form}-{number}"))]
            done = d.ctl("export", str(sweep), "--json", *options)
            equal(done.returncode, 0, done.stderr)
            said = json.loads(done.stdout)
            equal([e["form"] for e in said["exports"]], list(FORMS), "forms")
            equal((said["runs"], said["failed"]), [(len(all_runs(d, sweep)), 2 if sweep == failed else 0)][0], "counted")
        keep.close()


def test_refusals():
    with Daemon(workers=1) as d:
        sweep = sweep_of(d, 1)
        carry_out(d, sweep, [DONE])
        folder = os.path.join(d.home, "there")
        os.mkdir(folder)
        for form in ("optuna", "csv"):
            for options in ((), ("--force",)):
                done = export(d, sweep, form, "there", *options)[1]
                equal(done.returncode, 1, form)
                check("is a folder" in done.stderr and "--force" not in done.stderr, f"{form}: {done.stderr}")
        equal(os.listdir(folder), [], "nothing is left")
        for form in ("tensorboard", "wandb", "mlflow"):
            equal(export(d, sweep, form, "there/")[1].returncode, 0, f"{form}: an empty folder is taken")
            done = export(d, sweep, form, "there", "--force")[1]
            check(done.returncode == 1 and "not empty" in done.stderr, f"{form}: {done.stderr}")
            subprocess.run(["rm", "-r", folder], check=True)
            with open(folder, "w", encoding="utf-8"):
                pass
            check("no folder" in export(d, sweep, form, "there")[1].stderr, "a file of that name")
            os.remove(folder)
            os.mkdir(folder)
            check("create" in export(d, sweep, form, "no/such/place")[1].stderr, "no folder around it")
        equal(sorted(n for n in os.listdir(d.home) if n.endswith(".tmp")), [], "nothing is left")
        equal(export(d, 77, "wandb", "x")[1].returncode, 1, "no such sweep")
        check("-o" in d.ctl("export", str(sweep), "--csv", "a", "-o", "b").stderr, "what is of a run")


# --- the tools themselves ------------------------------------------------------------------------------------------

def test_tools_read_them():
    python = os.environ.get("SWEEPD_EXPORT_PYTHON")
    if not python:
        raise Skip("SWEEPD_EXPORT_PYTHON names no Python with tensorboard, mlflow, wandb, optuna")
    reader = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib", "read_exports.py")
    with Daemon(workers=1) as d:
        for number, results in enumerate(([DONE, FAILED, DONE, DONE], [FAILED, FAILED], [], [DONE])):
            sweep = sweep_of(d, len(results))
            carry_out(d, sweep, results)
            for form in FORMS:
                equal(export(d, sweep, form, f"{form}-{number}")[1].returncode, 0, form)
            told = {"paths": {f: os.path.join(d.home, f"{f}-{number}") for f in FORMS}, "runs": all_runs(d, sweep),
                    "sweep": d.call("show", sweep=sweep)["sweep"], "home": d.home}
            done = subprocess.run([python, "-B", reader], input=json.dumps(told), capture_output=True, text=True,
                                  env={**os.environ, "HOME": d.home}, timeout=240)
            for line in done.stdout.splitlines():
                print("#", number, line)
            equal(done.returncode, 0, f"{done.stdout}\n{done.stderr[-3000:]}")


if __name__ == "__main__":
    run(test_csv, test_tensorboard, test_wandb, test_mlflow, test_named_metric, test_all_forms, test_refusals,
        test_tools_read_them)
