"""What a search says of itself: importance of the parameters."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon  # noqa: E402
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
        c.call("report", run=asked["run"], lease=asked["lease"],
               points=[{"epoch": e, "score": of(asked["params"])} for e in (1, 2)])
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


if __name__ == "__main__":
    run(test_importance)
