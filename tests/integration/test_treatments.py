"""Sick runs are treated, explained and compared with their parents, by the programs themselves."""
import json
import os
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon, RpcError, make_data  # noqa: E402
from tap import check, equal, run  # noqa: E402


def overfitting_spec(data, **more):
    """Far too large a net on few samples."""
    return {"name": "few", "data": data,
            "model": {"width": 256},
            "parameters": {"learning_rate": {"min": 0.001, "max": 0.1,
                                             "distribution": "log_uniform_values"},
                           "optimizer": {"values": ["adam", "sgd"]},
                           "depth": {"min": 1, "max": 3}},
            "epochs": 24, "run_cap": 24, "seed": 3, "repeat_share": 0, **more}


def noise(home):
    """200 rows whose class has nothing to do with their numbers: all that is learnt is by heart."""
    path = os.path.join(home, "noise.csv")
    state = 1
    with open(path, "w", encoding="utf-8") as f:
        for _ in range(200):
            row = []
            for _ in range(9):
                state = (1103515245 * state + 12345) % 2 ** 31
                row.append(state / 2 ** 30 - 1)
            f.write(",".join(f"{v:.4f}" for v in row[:8]) + f",{int(row[8] > 0)}\n")
    return {"path": path, "format": "csv", "validation": 80, "task": "classification"}


def advice_agrees(d, sweep):
    """best, run, explain and the view say the same remedy, which the run has not already."""
    seen = dict(d.sql("SELECT run_id, remedy FROM best_runs WHERE sweep_id = ?", sweep))
    for row in d.call("best", sweep=sweep, limit=100)["runs"]:
        told = d.call("explain", run=row["run_id"])
        remedies = told["remedies"]
        first = remedies[0] if remedies else None
        text = first and first["does"] + (f" ({first['guide_ref']})" if first["guide_ref"] else "")
        equal(row["remedy"], text, f"remedy of run {row['run_id']}")
        equal(seen[row["run_id"]], text, "and in the view")
        equal(d.call("run", run=row["run_id"])["run"]["remedy"], text, "and of the run")
        names = [r["remedy"] for r in remedies]
        check(row["treated_with"] not in names, f"{row['treated_with']} is not advised again")
        settings = d.call("run", run=row["run_id"])["run"]["settings"]
        check("l2" not in names or settings["train"]["l2"] == 0, "nor l2 where there is l2")
        check(row["cause"] != "unknown", "'unknown' is no cause")


def test_a_sweep_treats_its_sick_runs():
    with Daemon(workers=2) as d:
        sweep = d.submit(overfitting_spec(noise(d.home)))
        equal(d.wait(sweep)["status"], "completed", "status")
        runs = d.sql("SELECT kind, count(*) FROM runs GROUP BY kind")
        kinds = dict(runs)
        equal(sum(kinds.values()), 24, "run_cap bounds runs of whatever kind")
        check(0 < kinds.get("treatment", 0) <= 4, f"a fifth at most: {kinds}")
        rows = d.sql(
            "SELECT r.remedy, r.guide_ref, r.treats_pattern, r.cured, r.change, r.seed = p.seed, "
            "r.metric_value, p.metric_value, r.settings <> p.settings OR r.epochs <> p.epochs, "
            "l.pattern FROM runs AS r JOIN runs AS p ON p.id = r.parent_id "
            "LEFT JOIN labels AS l ON l.run_id = p.id WHERE r.kind = 'treatment'")
        equal(len(rows), kinds["treatment"], "each has a parent")
        for remedy, _, pattern, cured, change, same_seed, mine, its, differs, label in rows:
            check(remedy and differs and same_seed, f"one change, the same seed: {remedy}")
            equal(pattern, label, "it answers the parent's label")
            check(cured in (0, 1), "an outcome")
            check(change is None or abs(change - (mine - its) / abs(its)) < 1e-9, "change")
        tried = d.sql("SELECT sum(tried) FROM remedy_effects")[0][0]
        equal(tried, kinds["treatment"], "remedy_effects counts them")
        labelled = d.sql("SELECT count(*) FROM labels WHERE facts IS NULL")[0][0]
        equal(labelled, 0, "every ended run has its facts")
        advice_agrees(d, sweep)


def test_treat_false():
    with Daemon(workers=2) as d:
        d.wait(d.submit(overfitting_spec(noise(d.home), treat=False)))
        equal(d.sql("SELECT DISTINCT kind FROM runs"), [("search",)], "kinds")


def test_what_one_sweep_taught_is_frozen_in_the_next():
    with Daemon(workers=2) as d:
        data = noise(d.home)
        d.wait(d.submit(overfitting_spec(data)))
        second = d.submit(overfitting_spec(data))
        prior = json.loads(d.sql("SELECT remedy_prior FROM sweeps WHERE id = ?", second)[0][0])
        effects = d.sql("SELECT pattern, cause, remedy, tried, cured FROM remedy_effects AS e "
                        "WHERE EXISTS (SELECT 1 FROM runs WHERE sweep_id = 1)")
        known = {(p["pattern"], p["cause"], p["remedy"]) for p in prior}
        check(known and known <= {tuple(e[:3]) for e in effects}, f"{known}")
        d.wait(second)
        again = json.loads(d.sql("SELECT remedy_prior FROM sweeps WHERE id = ?", second)[0][0])
        equal(prior, again, "frozen at submit")


def test_treat_and_explain_by_hand():
    with Daemon(workers=2) as d:
        d.wait(d.submit(overfitting_spec(noise(d.home), method="grid", run_cap=1,
                                         parameters={"depth": {"values": [3]}})))
        told = json.loads(d.ctl("explain", 1, "--json", check=0).stdout)
        check(told["label"]["pattern"] and told["label"]["evidence"]["sentence"], "explained")
        equal(told["treatments"], [], "nothing was tried yet")
        reply = json.loads(d.ctl("treat", 1, "--remedy", "l2", "--json", check=0).stdout)
        equal(reply["parent"], 1, "parent")
        equal(d.wait(reply["sweep"])["status"], "completed", "status of the treatment's sweep")
        row = d.sql("SELECT kind, parent_id, remedy, params, cured IS NULL, metric_value "
                    "FROM runs WHERE id = ?", reply["run"])[0]
        equal(row[:3], ("treatment", 1, "l2"), "the row")
        check("train.l2" in json.loads(row[3]), f"the parameters say what changed: {row[3]}")
        equal(row[4], 0, "an outcome")
        told = json.loads(d.ctl("explain", 1, "--json", check=0).stdout)
        equal([t["run_id"] for t in told["treatments"]], [reply["run"]], "what was tried")
        next_one = json.loads(d.ctl("treat", 1, "--json", check=0).stdout)
        check(next_one["remedy"] != "l2", "another one next")
        text = d.ctl("explain", 1, check=0).stdout
        for word in ("why, the likeliest first", "what was tried", "l2"):
            check(word in text, f"{word} in:\n{text}")


def test_refusals():
    with Daemon(workers=1) as d:
        folder = make_data(d.home, samples=200)
        data = {"path": folder, "format": "idx", "limit": 160, "validation": 80}
        d.wait(d.submit(overfitting_spec(data, method="grid", treat=False, run_cap=1,
                                         parameters={"depth": {"values": [3]}})))
        check("did you mean batch_norm?" in d.ctl("treat", 1, "--remedy", "batch_nrm",
                                                  check=1).stderr, "near miss")
        check("$.remedy" in d.ctl("treat", 1, "--remedy", "no_dropout", check=1).stderr,
              "nothing to change")
        check("there is no run 99" in d.ctl("treat", 99, check=1).stderr, "no such run")
        try:
            d.submit(overfitting_spec(data, method="grid", treats={"run": 1, "remedy": "l2"},
                                      parameters={"depth": {"values": [3]}}))
            check(False, "treats is for method treat alone")
        except RpcError as e:
            equal(e.data["key"], "$.treats", "key")
        for key, value in (("treat", 1), ("treat_share", 0.9), ("treat_share", "nan")):
            try:
                d.submit(overfitting_spec(data, **{key: value}))
                check(False, f"{key} {value} was accepted")
            except RpcError as e:
                equal(e.data["key"], f"$.{key}", "key")
        with open(os.path.join(folder, "train-labels-idx1-ubyte"), "r+b") as f:
            f.seek(8)
            first = f.read(1)
            f.seek(8)
            f.write(bytes([(first[0] + 1) % 4]))
        check("the data has changed" in d.ctl("treat", 1, check=1).stderr, "other data")


def test_relabel():
    """Labels of older rules are made those of this version, to the byte; open sweeps are left."""
    with Daemon(workers=2) as d:
        data = noise(d.home)
        first = d.submit(overfitting_spec(data))
        d.wait(first)
        d.wait(d.submit(overfitting_spec(data, seed=4)))
        everything = ("SELECT run_id, pattern, runner_up, confidence, tags, evidence, cause, causes, "
                      "facts, classifier_version FROM labels ORDER BY 1")
        want, outcomes = d.sql(everything), d.sql("SELECT id, cured FROM runs ORDER BY 1")
        d.stop()
        with sqlite3.connect(d.db) as db:
            db.execute("UPDATE labels SET pattern = 'diverging', tags = 'spike', evidence = '{}', "
                       "cause = NULL, causes = NULL, classifier_version = 1 WHERE run_id % 2 = 0")
            db.execute("UPDATE labels SET facts = NULL, classifier_version = 1 WHERE run_id % 3 = 0")
            db.execute("UPDATE runs SET cured = 1 - cured WHERE kind = 'treatment'")
        db.close()
        d.start()
        open_one = d.submit(overfitting_spec(data, epochs=100000))
        only = json.loads(d.ctl("relabel", first, "--json", check=0).stdout)
        equal(only["looked"], 24, "the runs of one sweep")
        reply = json.loads(d.ctl("relabel", "--json", check=0).stdout)
        equal(reply["looked"], 48, "the runs of ended sweeps")
        check(reply["changed"] >= 12, f"changed: {reply}")
        check(all(m["from"] == "diverging" for m in reply["moved"]), f"{reply['moved']}")
        again = json.loads(d.ctl("relabel", "--json", check=0).stdout)
        equal((again["changed"], again["moved"]), (0, []), "nothing is left to change")
        d.call("cancel", sweep=open_one)
        seen = [row for row in d.sql(everything) if row[0] <= 48]
        for a, b in zip(want, seen):
            known = 6 if a[0] % 3 == 0 else len(a)  # the network's size is known by the facts alone
            equal(b[:known], a[:known], "the label as it was")
            check(b[8], "facts")
        equal([r for r in d.sql("SELECT id, cured FROM runs ORDER BY 1") if r[0] <= 48], outcomes,
              "outcomes follow the labels")
        check("labels changed" in d.ctl("relabel", check=0).stdout, "for people")
        check("there is no sweep 99" in d.ctl("relabel", 99, check=1).stderr, "no such sweep")


def test_held_data_is_accepted_once():
    """A person who resumed a sweep in spite of its data is not asked again."""
    with Daemon(workers=2) as d:
        path = os.path.join(d.home, "holes.csv")
        with open(path, "w", encoding="utf-8") as f:
            for i in range(120):
                f.write(f"{'nan' if i % 5 == 0 else i % 7},{i % 3},{i % 2}\n")
        sweep = d.submit({"name": "holes", "method": "grid",
                          "data": {"path": path, "format": "csv", "validation": 20,
                                   "task": "classification"},
                          "parameters": {"learning_rate": {"values": [0.1, 0.01, 0.001, 0.0001]}},
                          "epochs": 8})
        equal(d.wait(sweep)["status"], "held", "held at submit")
        d.call("resume", sweep=sweep)
        reason = d.wait(sweep)["reason"]    # NaN stops every run: held again, but not for the data
        check("no run completed" in reason, reason)
        equal(d.sql("SELECT count(*) FROM findings WHERE kind = 'data_at_fault'")[0][0], 0,
              "no second hold for the data")
        causes = d.sql("SELECT DISTINCT cause FROM labels")
        equal(causes, [("nan_in_input",)], "causes")


def test_what_the_runs_say_of_the_range():
    with Daemon(workers=2) as d:
        rates = [0.001, 0.01, 0.03, 1e4, 1e5, 1e6]
        sweep = d.submit({"name": "wide", "method": "grid", "data": noise(d.home),
                          "parameters": {"learning_rate": {"values": rates},
                                         "optimizer": {"value": "sgd"}},
                          "epochs": 8, "seed": 3})
        equal(d.wait(sweep)["status"], "completed", "status")
        rows = d.sql("SELECT setting, from_value, to_value, runs, guide_ref, sentence "
                     "FROM range_edits WHERE sweep_id = ? AND kind = 'cut_above'", sweep)
        equal(len(rows), 1, "one cut")
        setting, old, new, runs, guide, sentence = rows[0]
        equal((setting, json.loads(old), json.loads(new), guide),
              ("learning_rate", 1e6, 0.03, "G4.5"), "the edit")
        seen = d.sql("SELECT id FROM runs WHERE learning_rate >= 1e4 ORDER BY id")
        equal(json.loads(runs), [r[0] for r in seen], "its evidence")
        check("3 of 3 runs" in sentence and "diverge" in sentence, sentence)
        shown = json.loads(d.ctl("show", sweep, "--json", check=0).stdout)["range_edits"]
        check("cut_above" in [e["kind"] for e in shown], f"shown: {shown}")
        check("0.03" in d.ctl("show", sweep, check=0).stdout, "for people, too")


if __name__ == "__main__":
    run(test_a_sweep_treats_its_sick_runs, test_treat_false,
        test_what_one_sweep_taught_is_frozen_in_the_next, test_treat_and_explain_by_hand,
        test_refusals, test_relabel,
        test_held_data_is_accepted_once, test_what_the_runs_say_of_the_range)
