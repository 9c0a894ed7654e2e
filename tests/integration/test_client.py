"""Every verb of sweepctl against the real daemon, as a table and as JSON."""
import contextlib
import csv
import io
import json
import os
import re
import sqlite3
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import SOURCE, SWEEPCTL, Daemon, make_data, small_spec  # noqa: E402
from tap import check, equal, run  # noqa: E402


def test_verbs():
    with Daemon() as d:
        spec = json.dumps(small_spec(make_data(d.home)))
        dry = json.loads(d.ctl("submit", "-", "--dry-run", "--json", text=spec, check=0).stdout)
        equal(sum(s["runs"] for s in dry["stages"]), 20, "runs in the dry run")
        check(dry["estimated_seconds"] > 0, "estimated time")
        equal(d.sql("SELECT count(*) FROM sweeps"), [(0,)], "a dry run stores nothing")
        out = json.loads(d.ctl("--json", "submit", "-", text=spec, check=0).stdout)
        equal(out["sweep"], 1)
        d.ctl("wait", 1, check=0)
        best_run = d.sql("SELECT run_id FROM best_runs WHERE rank=1")[0][0]
        for verb in (["list"], ["show", 1], ["best"], ["best", 1, "-n", 3], ["run", best_run],
                     ["data"], ["status"]):
            text = d.ctl(*verb, check=0).stdout
            check(text.strip() and "\x1b" not in text, f"{verb}: plain text when piped")
            json.loads(d.ctl(*verb, "--json", check=0).stdout)
        rows = json.loads(d.ctl("best", 1, "-n", 3, "--json", check=0).stdout)["runs"]
        equal([r["rank"] for r in rows], [1, 2, 3])
        points = list(csv.DictReader(io.StringIO(d.ctl("curve", best_run, check=0).stdout)))
        equal(len(points), 6)
        seen = d.sql("SELECT val_loss FROM curves WHERE run_id=? ORDER BY point", best_run)
        equal([float(p["val_loss"]) for p in points], [v for v, in seen], "the curve, exactly")
        check("has no log" in d.ctl("log", best_run, check=0).stderr, "and why")


def test_watch_until_the_end():
    with Daemon() as d:
        spec = json.dumps(small_spec(make_data(d.home)))
        done = d.ctl("submit", "-", "--watch", text=spec, check=0)
        check("sqlite3" in done.stdout, "ends with the sqlite3 command")
        command = next(x for x in done.stdout.splitlines() if x.strip().startswith("sqlite3"))
        table = subprocess.run(command, shell=True, capture_output=True, text=True)
        equal(table.returncode, 0, table.stderr)
        equal(len(table.stdout.splitlines()), 10, "that command prints the ten best runs")


def test_winner_of_several_seeds():
    """The last share goes to other seeds of the best few; the winner is the best mean, and the
    weights of its best run are there."""
    with Daemon() as d:
        data = make_data(d.home)
        d.ctl("submit", "-", text=json.dumps(small_spec(data, method="random", repeat_share=None)),
              check=0)
        d.ctl("wait", 1, check=0)
        equal(d.sql("SELECT kind, count(*) FROM runs GROUP BY kind ORDER BY kind"),
              [("repeat", 3), ("search", 17)])
        seeds = d.sql("SELECT coalesce(parent_id, id), avg(val_loss), group_concat(id) FROM runs "
                      "GROUP BY 1 HAVING count(*) > 1 ORDER BY 2")
        reply = json.loads(d.ctl("best", "--json", check=0).stdout)
        first = reply["configurations"][0]
        equal(len(reply["configurations"]), 2)
        check(abs(first["mean"] - seeds[0][1]) < 1e-12 and first["sd"] > 0, first)
        equal(sorted(first["runs"]), sorted(int(i) for i in seeds[0][2].split(",")))
        check(first["run_id"] in first["runs"], first)
        text = d.ctl("best", check=0).stdout
        word = f"winner: run {first['run_id']}, mean "
        check(word in text and f"over {first['repetitions']} seeds" in text, text)
        check(word in d.ctl("show", 1, check=0).stdout, "show says so too")
        d.ctl("export", first["run_id"], "-o", os.path.join(d.home, "best.safetensors"), check=0)
        kept = [r for r, in d.sql("SELECT id FROM runs")
                if os.path.exists(f"{d.db}.runs/{r}/best.safetensors")]
        equal(len(kept), 3, "runs that kept their weights")
        d.ctl("submit", "-", text=json.dumps(small_spec(data, method="random", run_cap=2,
                                                        name="few")), check=0)
        d.ctl("wait", 2, check=0)
        check("from one seed alone" in d.ctl("best", 2, check=0).stdout, "a lucky seed, perhaps")


def content(d, run):
    """What a run showed, to the bit; the clock's column is no part of it."""
    columns = [r[1] for r in d.sql("PRAGMA table_info(curves)")
               if r[1] not in ("run_id", "seconds")]
    return d.sql(f"SELECT {','.join(columns)} FROM curves WHERE run_id=? ORDER BY point", run)


def again(d, *words):
    """Submits what `best --spec` prints; the run that came of it."""
    spec = d.ctl("best", *words, "--spec", check=0).stdout
    sweep = json.loads(d.ctl("submit", "-", "--json", text=spec, check=0).stdout)["sweep"]
    d.ctl("wait", sweep, check=0)
    runs = d.sql("SELECT id FROM runs WHERE sweep_id=?", sweep)
    equal(len(runs), 1, "exactly one run")
    return runs[0][0]


def test_best_again():
    """A spec of exactly one run: of the search, of another seed, and of a treatment."""
    with Daemon() as d:
        data = make_data(d.home)
        d.ctl("submit", "-", text=json.dumps(small_spec(
            data, run_cap=24, repeat_share=0.2, treat=True,
            early_terminate={"type": "median", "min_iter": 2})), check=0)
        d.ctl("wait", 1, check=0)
        kinds = {k: i for k, i in d.sql("SELECT kind, max(id) FROM runs WHERE status='completed' "
                                        "AND coalesce(settings ->> '$.start_from', 0) = 0 "
                                        "GROUP BY kind")}
        check({"search", "repeat"} <= set(kinds), kinds)
        for run in (json.loads(d.ctl("best", 1, "--json", check=0).stdout)["configurations"][0]
                    ["run_id"], *kinds.values()):
            copy = again(d, 1, "--run", run)
            equal(content(d, copy), content(d, run), f"the curve of run {run}")
            equal(*(d.sql("SELECT settings, seed, epochs FROM runs WHERE id=?", i)
                    for i in (copy, run)), "what it trained with")
        first = json.loads(d.ctl("best", 1, "--json", check=0).stdout)["configurations"][0]
        equal(content(d, again(d, 1)), content(d, first["run_id"]), "the winner's by default")
        text = d.ctl("best", 1, check=0).stdout
        check("again: sweepctl best 1 --spec | sweepctl submit -" in text, text)
        refused = d.ctl("best", 1, "--run", 1)
        check(refused.returncode == 2 and "--spec" in refused.stderr, refused.stderr)


def test_best_again_conditional():
    """A parameter that is not there, weighted choices and a constraint."""
    with Daemon() as d:
        spec = small_spec(make_data(d.home), method="random", run_cap=12, epochs=3, model={}, parameters={
            "optimizer": {"values": ["sgd", "momentum"], "probabilities": [0.5, 0.5]},
            "learning_rate": {"min": 0.001, "max": 0.1, "distribution": "log_uniform_values"},
            "train.momentum": {"min": 0.5, "max": 0.9, "condition": {"optimizer": "momentum"}},
            "depth": {"values": [1, 2]}, "width": {"values": [8, 16]}},
            constraints=["depth * width <= 16"])
        d.ctl("submit", "-", text=json.dumps(spec), check=0)
        d.ctl("wait", 1, check=0)
        for optimizer in ("sgd", "momentum"):
            run = d.sql("SELECT max(id) FROM runs WHERE sweep_id=1 AND optimizer=?", optimizer)[0][0]
            equal(content(d, again(d, 1, "--run", run)), content(d, run), optimizer)


def test_morning():
    """The page of a search and of a program that fails, as text and as JSON."""
    with Daemon() as d:
        refused = d.ctl("morning")
        check(refused.returncode == 1 and "there is no sweep yet" in refused.stderr, refused.stderr)
        d.ctl("submit", "-", text=json.dumps(small_spec(
            make_data(d.home), method="random", run_cap=16, epochs=24, treat=True, parameters={
                "learning_rate": {"values": [30, 0.1, 0.01, 0.001]},
                "dropout": {"values": [0, 0.8]}})), check=0)
        d.ctl("wait", 1, check=0)
        words = "printf 'no such \\033[2Jlayer %s' $1; exit 1"
        d.ctl("submit", "-", text=json.dumps(
            {"name": "fails", "task": {"command": ["/bin/sh", "-c", words, "x", "${args}"]},
             "metric": {"name": "loss", "goal": "minimize"}, "method": "grid", "epochs": 1,
             "parameters": {"k": {"values": [1, 2]}}}), check=0)
        d.ctl("wait", 2)
        reply = json.loads(d.ctl("--json", "morning", check=0).stdout)["sweeps"]
        equal([p["sweep"]["id"] for p in reply], [1, 2], "all of the night")
        first = json.loads(d.ctl("best", 1, "--json", check=0).stdout)["configurations"][0]
        equal(reply[0]["winner"]["run"], first["run_id"])
        equal(reply[0]["winner"]["mean"], first["mean"])
        check(reply[0]["sure"]["standard_errors"] > 0, reply[0]["sure"])
        seen = {(w["label"], w["cause"]): w["runs"] for w in reply[0]["wrong"]}
        asked = {(p, c): n for p, c, n in d.sql(
            "SELECT label, cause, count(*) FROM run_overview WHERE sweep_id=1 AND label NOT IN "
            "('learning', 'converged', 'too_short') GROUP BY 1, 2")}
        equal(seen, asked, "what went wrong")
        total = d.sql("SELECT sum(seconds) FROM runs WHERE sweep_id=1")[0][0]
        check(abs(reply[0]["cost"]["seconds"] - total) < 1e-6, reply[0]["cost"])
        check("joules" not in reply[0]["cost"] or os.path.exists("/sys/class/powercap"), "nothing measured, nothing said")
        shares = reply[0]["importance"]["importances"]
        equal({s["parameter"] for s in shares}, {"learning_rate", "dropout"})
        check(abs(sum(s["importance"] for s in shares) - 1) < 1e-9, shares)
        failures = reply[1]["failures"]
        equal([(f["error"], f["runs"]) for f in failures], [("exited", 2)])
        check("layer" in failures[0]["last_words"] and reply[1]["winner"] is None, reply[1])
        text = d.ctl("morning", check=0).stdout
        check("\x1b" not in text, "what a run wrote obeys nobody")
        for word in ("winner ", "how sure ", "went wrong ", "failed ", "cost ",
                     "sweepctl best 1 --spec | sweepctl submit -"):
            check(f"\n{word}" in text or word in text and word.startswith("sweepctl"), word)
        equal(len(json.loads(d.ctl("--json", "morning", 2, check=0).stdout)["sweeps"]), 1)
        d.stop()
        with contextlib.closing(sqlite3.connect(d.db)) as db, db:
            db.execute("UPDATE runs SET joules=iif(number > 0, 2250, NULL) WHERE sweep_id=1")
        d.start()
        runs = len(d.sql("SELECT id FROM runs WHERE sweep_id=1 AND number > 0"))
        cost = json.loads(d.ctl("--json", "morning", 1, check=0).stdout)["sweeps"][0]["cost"]
        equal(cost["joules"], 2250.0 * runs)
        check(re.search(r"; [0-9.]+ Wh", d.ctl("morning", 1, check=0).stdout), "energy")


def test_best_again_program():
    """Of a program the parameters and the seed."""
    with Daemon() as d:
        command = ["/bin/sh", "-c", "echo '{\"loss\": '$1'}' >&$SWEEPD_METRICS_FD", "x", "${seed}"]
        d.ctl("submit", "-", text=json.dumps(
            {"task": {"command": command}, "metric": {"name": "loss", "goal": "minimize"},
             "method": "random", "run_cap": 8, "repeat_share": 0.5, "epochs": 3, "seed": 5,
             "parameters": {"a b": {"values": ["x\"y", "ü"]}, "k": {"min": 1, "max": 4},
                            "on": {"values": [True, False]}}}), check=0)
        d.ctl("wait", 1, check=0)
        run = d.sql("SELECT max(id) FROM runs WHERE kind='repeat'")[0][0]
        copy = again(d, "--run", run)
        equal(*(d.sql("SELECT params, seed, epochs FROM runs WHERE id=?", i) for i in (copy, run)))
        equal(*(d.sql("SELECT name, value FROM metrics WHERE run_id=?", i) for i in (copy, run)))


def test_export():
    """The best weights, byte for byte, and a module that names the same tensors."""
    with Daemon() as d:
        d.ctl("submit", "-", text=json.dumps(small_spec(make_data(d.home))), check=0)
        d.ctl("wait", 1, check=0)
        ranks = [run_id for run_id, in d.sql("SELECT run_id FROM best_runs ORDER BY rank")]
        out, module = os.path.join(d.home, "best.safetensors"), os.path.join(d.home, "net.py")
        d.ctl("export", ranks[0], "-o", out, check=0)
        kept = f"{d.db}.runs/{ranks[0]}/best.safetensors"
        with open(out, "rb") as a, open(kept, "rb") as b:
            data = a.read()
            equal(data, b.read(), "a copy of the kept file")
        header = json.loads(data[8:8 + struct.unpack("<Q", data[:8])[0]])
        names = [n for n in header if n != "__metadata__"]
        check("0.weight" in names and header["__metadata__"]["outputs"] == "4", header)

        again = d.ctl("export", ranks[0], "-o", out, "--torch-module", module)
        check(again.returncode == 1 and "--force" in again.stderr, again.stderr)
        check(not os.path.exists(module), "both files or none")
        told = json.loads(d.ctl("export", ranks[0], "-o", out, "--torch-module", module, "--force",
                                "--json", check=0).stdout)
        equal(told, {"run": ranks[0], "file": out, "bytes": len(data), "torch_module": module,
                     "onnx": None})
        with open(module) as f:
            source = f.read()
        compile(source, module, "exec")
        for name in names:
            place, kind = name.split(".")[0], len(header[name]["shape"])
            check(kind == 1 or re.search(rf"nn.Linear\(.*# {place}$", source, re.M), name)

        refused = d.ctl("export", ranks[-1], "-o", os.path.join(d.home, "no"))
        equal(refused.returncode, 1)
        check(", ".join(str(r) for r in ranks[:3]) in refused.stderr, refused.stderr)
        equal(d.ctl("export", ranks[0]).returncode, 2, "without -o")
        for damaged, word in ((data[:-4], "tensors end"), (data[:20], "cut short"),
                              (data + b"x", "tensors end"), (b"", "cut short")):
            with open(kept, "wb") as f:
                f.write(damaged)
            refused = d.ctl("export", ranks[0], "-o", os.path.join(d.home, "no"))
            check(refused.returncode == 1 and word in refused.stderr and kept in refused.stderr,
                  refused.stderr)
        left = [f for f in os.listdir(d.home) if ".tmp" in f or f == "no"]
        check(not left, left)


def test_label_without_a_daemon():
    folder = os.path.join(SOURCE, "tests", "golden", "curves")
    files = sorted(f for f in os.listdir(folder) if f.endswith(".csv"))
    check(len(files) > 10, "curves are there")
    for name in files[:10]:
        done = subprocess.run([SWEEPCTL, "label", os.path.join(folder, name), "--json"],
                              capture_output=True, text=True)
        equal(done.returncode, 0, done.stderr)
        label = json.loads(done.stdout)
        for key in ("pattern", "confidence", "runner_up", "evidence", "tags", "timeline", "notes"):
            check(key in label, f"{name}: {key}")
    done = subprocess.run([SWEEPCTL, "label", os.path.join(folder, files[0])],
                          capture_output=True, text=True)
    check(done.returncode == 0 and label["pattern"], done.stderr)
    done = subprocess.run([SWEEPCTL, "label", "/nowhere.csv"], capture_output=True, text=True)
    check(done.returncode in (1, 2) and "/nowhere.csv" in done.stderr, done.stderr)


if __name__ == "__main__":
    run(test_verbs, test_watch_until_the_end, test_winner_of_several_seeds, test_best_again,
        test_best_again_conditional, test_best_again_program, test_morning, test_export,
        test_label_without_a_daemon)
