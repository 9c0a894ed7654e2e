"""What a search says of itself: importance of the parameters, why a sweep and a run are as they are."""
import contextlib
import json
import os
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon, make_data, small_spec  # noqa: E402
from tap import check, equal, run  # noqa: E402

PARAMETERS = {"lr": {"min": 0.0001, "max": 1.0, "distribution": "log_uniform_values"},
              "layers": {"min": 1, "max": 6}, "kind": {"values": ["cnn", "mlp"]},
              "idle": {"min": 0.0, "max": 1.0, "distribution": "uniform"}}


def client_spec(**more):
    return {"name": "asked", "task": {"client": {}}, "method": "random", "run_cap": 60, "epochs": 2,
            "metric": {"name": "score", "goal": "maximize"}, "parameters": PARAMETERS,
            "repeat_share": 0, "seed": 3, **more}


def score(params):
    """The learning rate decides most, the kind some, `idle` nothing."""
    off = abs(params["lr"] - 0.01) if params["lr"] > 0.01 else abs(0.01 - params["lr"]) * 100
    return -min(off, 3) + 0.3 * (params["kind"] == "cnn") + 0.01 * params["layers"]


def carry_out(d, sweep, of=score):
    c = d.connect()
    while (asked := c.call("ask", sweep=sweep))["run"] is not None:
        for epoch in range(1, asked["epochs"] + 1):
            answer = c.call("report", run=asked["run"], lease=asked["lease"],
                            points=[{"epoch": epoch, "score": of(asked["params"])}])
            if answer["verdict"] != "go_on":
                break
        else:
            c.call("tell", run=asked["run"], lease=asked["lease"], result={})
    c.close()


def test_importance():
    with Daemon(workers=1) as d:
        sweep = d.submit(client_spec())
        early = d.ctl("importance", sweep, check=1)
        check("needs 2" in early.stderr, early.stderr)
        carry_out(d, sweep)
        equal(d.wait(sweep)["status"], "completed")
        for method in ("pedanova", "fanova"):
            told = json.loads(d.ctl("importance", sweep, "--method", method, "--json",
                                    check=0).stdout)
            equal((told["sweep"], told["method"], told["runs"], told["metric"]),
                  (sweep, method, 60, "score"))
            rows = told["importances"]
            equal(rows[0]["parameter"], "lr", method)
            equal(sorted(r["parameter"] for r in rows), sorted(PARAMETERS))
            check(abs(sum(r["importance"] for r in rows) - 1) < 1e-9, "shares")
            equal([r["raw"] for r in rows], sorted((r["raw"] for r in rows), reverse=True))
        table = d.ctl("importance", sweep, check=0).stdout
        check("best tenth" in table and "lr" in table and "by 60 runs" in table, table)
        refused = d.ctl("importance", sweep, "--method", "shap", check=2)
        check("got shap; allowed: pedanova or fanova" in refused.stderr, refused.stderr)
        by_view = d.sql("SELECT rank, parameter, importance FROM importances WHERE sweep_id = ?",
                        sweep)
        by_verb = json.loads(d.ctl("importance", sweep, "--json", check=0).stdout)["importances"]
        equal(by_view, [(i + 1, r["parameter"], r["importance"]) for i, r in enumerate(by_verb)])


def test_explain():
    """A run that a rule stopped, and the sweep as a whole."""
    rule = {"type": "median", "min_iter": 1, "startup": 3, "lag": 1}
    spec = client_spec(method="tpe", run_cap=30, repeat_share=0.2, early_terminate=rule, lag=2)
    with Daemon(workers=1) as d:
        sweep = d.submit(spec)
        carry_out(d, sweep)
        equal(d.wait(sweep)["status"], "completed")
        stopped, = d.sql("SELECT run_id, reason FROM decisions WHERE kind = 'stopped' "
                         "ORDER BY id LIMIT 1")
        told = d.ctl("explain", stopped[0], check=0).stdout
        for word in ("proposed", "paused", "stopped", "rung at epoch 1"):
            check(word in told, f"{word}: {told}")
        kinds = [x["kind"] for x in json.loads(
            d.ctl("explain", stopped[0], "--json", check=0).stdout)["decisions"]]
        equal(kinds, ["proposed", "paused", "stopped"])
        told = json.loads(d.ctl("explain", "--sweep", sweep, "--json", check=0).stdout)
        counts = {(g["stage"], g["kind"]): g["times"] for g in told["decided"]}
        equal(counts["tpe", "proposed"], 24)
        equal(counts["finalists", "repeated"], 6)
        equal(sum(n for (_, kind), n in counts.items() if kind == "stopped"),
              d.sql("SELECT count(*) FROM runs WHERE status = 'stopped'")[0][0])
        check(told["best"][0]["kind"] in ("proposed", "repeated"), told["best"])
        equal(told["sweep"]["importances"][0]["parameter"], "lr")
        text = d.ctl("explain", "--sweep", sweep, check=0).stdout
        for word in ("tpe: completed", "winner", "what was decided about runs", "finalists",
                     "what stopping did", "as it came about", "best tenth"):
            check(word in text, f"{word}: {text}")
        equal(len(d.call("decisions", sweep=sweep, limit=7)["decisions"]), 7)
        check("either RUN or --sweep" in d.ctl("explain", check=2).stderr, "neither")
        check("no sweep" in d.ctl("explain", "--sweep", 99, check=1).stderr
              or "99" in d.ctl("explain", "--sweep", 99, check=1).stderr, "unknown")


def altered(d, statement, *arguments):
    """A row changed by hand, as nobody should; d is stopped and started for it."""
    d.stop()
    with contextlib.closing(sqlite3.connect(d.db)) as db:
        db.execute(statement, arguments)
        db.commit()
    d.start()


def replayed(d, sweep, check_status):
    told = json.loads(d.ctl("replay", "--sweep", sweep, "--json", check=check_status).stdout)
    return told["difference"] or told


def test_replay():
    """Proposals that learn, a rule that stops, finalists: made again without a difference, and what
    was altered by hand is found and named."""
    rule = {"type": "median", "min_iter": 1, "startup": 3, "lag": 1}
    spec = client_spec(method="tpe", run_cap=30, repeat_share=0.2, early_terminate=rule, lag=2)
    with Daemon(workers=1) as d:
        sweep = d.submit(spec)
        carry_out(d, sweep)
        equal(d.wait(sweep)["status"], "completed")
        told = replayed(d, sweep, 0)
        equal(told["runs"], 30)
        equal(told["decisions"], d.sql("SELECT count(*) FROM decisions")[0][0])
        text = d.ctl("replay", "--sweep", sweep, check=0).stdout
        check("decisions are the same" in text, text)
        decision, run_id, reason = d.sql("SELECT id, run_id, reason FROM decisions "
                                         "WHERE kind = 'stopped' ORDER BY id LIMIT 1")[0]
        altered(d, "UPDATE decisions SET reason = 'because' WHERE id = ?", decision)
        found = replayed(d, sweep, 1)
        equal((found["decision"], found["run"], found["what"]), (decision, run_id, "decision"))
        check("because" in found["stored"] and reason in found["again"], found)
        text = d.ctl("replay", "--sweep", sweep, check=1).stdout
        check(f"differs first in decision {decision} of run {run_id}" in text, text)
        altered(d, "UPDATE decisions SET reason = ? WHERE id = ?", reason, decision)
        replayed(d, sweep, 0)
        best, value = d.sql("SELECT id, metric_value FROM runs WHERE status = 'completed' ORDER BY metric_value DESC "
                      "LIMIT 1")[0]
        altered(d, "UPDATE runs SET metric_value = metric_value + 1 WHERE id = ?", best)
        found = replayed(d, sweep, 1)
        equal((found["run"], found["what"]), (best, "metric_value"))
        altered(d, "UPDATE runs SET metric_value = ? WHERE id = ?", value, best)
        last, last_run = d.sql("SELECT id, run_id FROM decisions ORDER BY id DESC LIMIT 1")[0]
        altered(d, "DELETE FROM decisions WHERE id = ?", last)
        equal(replayed(d, sweep, 1)["run"], last_run, "a decision that is gone")


def test_replay_of_a_trainer():
    """Rungs, treatments and runs of a person, by two workers; failed runs and cancelled ones."""
    rule = {"type": "successive_halving", "min_iter": 1, "eta": 2, "lag": 2}
    with Daemon(workers=2) as d:
        data = make_data(d.home)
        for more in ({"method": "tpe", "early_terminate": rule, "lag": 2},
                     {"method": "coarse_to_fine", "treat": True}):
            sweep = d.submit(small_spec(data, epochs=4, run_cap=16, **more))
            equal(d.wait(sweep)["status"], "completed")
            told = replayed(d, sweep, 0)
            equal(told["runs"], d.sql("SELECT count(*) FROM runs WHERE sweep_id = ?", sweep)[0][0])
            equal(told["decisions"],
                  d.sql("SELECT count(*) FROM decisions WHERE sweep_id = ?", sweep)[0][0])


def test_replay_of_every_method():
    few = {"lr": {"values": [0.1, 0.01]}, "layers": {"min": 1, "max": 6},
           "kind": {"values": ["cnn", "mlp"]}}
    with Daemon(workers=1) as d:
        for method in ("random", "sobol", "grid", "cmaes", "gp", "auto"):
            spec = client_spec(method=method, run_cap=24)
            sweep = d.submit({**spec, "parameters": few} if method == "grid" else spec)
            carry_out(d, sweep)
            equal(d.wait(sweep)["status"], "completed")
            equal(replayed(d, sweep, 0)["runs"], 24, method)


def test_replay_of_what_people_did():
    """Enqueued, cancelled, failed, and a sweep that was cut off."""
    with Daemon(workers=1) as d:
        sweep = d.submit(client_spec(method="tpe", run_cap=14, lag=1))
        c = d.connect()
        for i in range(9):
            asked = c.call("ask", sweep=sweep)
            if i == 2:
                c.call("tell", run=asked["run"], lease=asked["lease"],
                       result={"status": "failed", "error": "exited", "text": "no"})
                continue
            if i == 4:
                c.call("cancel", run=asked["run"])
                continue
            if i == 5:
                c.call("enqueue", sweep=sweep,
                       params={"lr": 0.01, "layers": 3, "kind": "mlp", "idle": 0.5})
            c.call("report", run=asked["run"], lease=asked["lease"],
                   points=[{"epoch": e, "score": score(asked["params"])} for e in (1, 2)])
            c.call("tell", run=asked["run"], lease=asked["lease"], result={})
        replayed(d, sweep, 0)
        d.call("cancel", sweep=sweep)
        replayed(d, sweep, 0)
        check("either RUN or --sweep" in d.ctl("replay", check=2).stderr, "neither")


if __name__ == "__main__":
    run(test_importance, test_explain, test_replay, test_replay_of_a_trainer,
        test_replay_of_every_method, test_replay_of_what_people_did)
