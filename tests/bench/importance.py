#!/usr/bin/env python3
"""sweepctl importance beside Optuna's own numbers for the same finished runs.

    BUILD=build VENV/bin/python tests/bench/importance.py [RUNS] [SEED]

of a virtual environment with Optuna 5 and scikit-learn. A client asks a daemon of its own for RUNS
configurations and tells what a formula makes of them; the same runs are given to Optuna as finished
trials. Prints a line of JSON for each space and method: both answers as shares, and the largest
difference. fANOVA rests on random forests, so Optuna is asked with ten seeds: its own spread is what
the difference is to be held against. Ours measures a logarithmic range by its logarithm; Optuna's
measures it as it is, so its trials get the logarithm as the parameter.
"""
import json
import math
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import optuna  # noqa: E402
from optuna.distributions import (CategoricalDistribution, FloatDistribution,  # noqa: E402
                                  IntDistribution)
from sweepd import Daemon  # noqa: E402

UNIT = {"min": 0.0, "max": 1.0, "distribution": "uniform"}
LR = {"min": 1e-4, "max": 1.0, "distribution": "log_uniform_values"}
SPACES = {
    "sum": ({"x": UNIT, "y": UNIT, "z": UNIT},
            lambda p: 4 * p["x"] + 2 * p["y"] + p["z"]),
    "trainer": ({"lr": LR, "layers": {"min": 1, "max": 8},
                 "kind": {"values": ["cnn", "mlp", "lstm"]}, "dropout": {"min": 0.0, "max": 0.9}},
                lambda p: (math.log10(p["lr"]) + 2) ** 2 + 0.1 * p["layers"]
                + {"cnn": 0, "mlp": 0.4, "lstm": 0.7}[p["kind"]] + (p["dropout"] - 0.3) ** 2),
    "valley": ({"a": {"min": -2.0, "max": 2.0, "distribution": "uniform"},
                "b": {"min": -1.0, "max": 3.0, "distribution": "uniform"},
                "batch": {"values": [16, 32, 64, 128]}},
               lambda p: (1 - p["a"]) ** 2 + 100 * (p["b"] - p["a"] ** 2) ** 2 + p["batch"] / 16),
}


def carry_out(d, parameters, formula, runs, seed):
    sweep = d.submit({"name": "importance", "task": {"client": {}}, "method": "random",
                      "run_cap": runs, "epochs": 1, "metric": {"name": "cost", "goal": "minimize"},
                      "parameters": parameters, "repeat_share": 0, "seed": seed})
    c = d.connect()
    while (asked := c.call("ask", sweep=sweep))["run"] is not None:
        c.call("report", run=asked["run"], lease=asked["lease"],
               points=[{"epoch": 1, "cost": formula(asked["params"])}])
        c.call("tell", run=asked["run"], lease=asked["lease"], result={})
    d.wait(sweep)
    return sweep


def ours(d, sweep, method):
    begin = time.monotonic()
    told = json.loads(d.ctl("importance", sweep, "--method", method, "--json", check=0).stdout)
    return ({r["parameter"]: r["importance"] for r in told["importances"]},
            time.monotonic() - begin)


def is_log(p):
    return p.get("distribution") == "log_uniform_values"


def distribution(p, logarithm):
    if "values" in p:
        return CategoricalDistribution(p["values"])
    if isinstance(p["min"], int):
        return IntDistribution(p["min"], p["max"])
    if logarithm and is_log(p):
        return FloatDistribution(math.log(p["min"]), math.log(p["max"]))
    return FloatDistribution(p["min"], p["max"], log=is_log(p))


def study_of(d, sweep, parameters, logarithm):
    study = optuna.create_study()
    distributions = {n: distribution(p, logarithm) for n, p in parameters.items()}
    for params, cost in d.sql("SELECT params, metric_value FROM runs WHERE sweep_id = ? "
                              "ORDER BY number", sweep):
        params = json.loads(params)
        for name, p in parameters.items():
            if logarithm and is_log(p):
                params[name] = math.log(params[name])
        study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions,
                                                  value=cost))
    return study


def theirs(study, evaluator):
    begin = time.monotonic()
    told = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return told, time.monotonic() - begin


def compare(d, sweep, name, parameters, runs):
    told, seconds = ours(d, sweep, "pedanova")
    own, own_seconds = theirs(study_of(d, sweep, parameters, False),
                              optuna.importance.PedAnovaImportanceEvaluator())
    yield {"space": name, "runs": runs, "method": "pedanova", "ours": told, "optuna": own,
           "largest_difference": max(abs(told[n] - own[n]) for n in own),
           "seconds": seconds, "optuna_seconds": own_seconds}
    told, seconds = ours(d, sweep, "fanova")
    study = study_of(d, sweep, parameters, True)
    all_own = [theirs(study, optuna.importance.FanovaImportanceEvaluator(seed=s)) for s in range(10)]
    mean = {n: statistics.mean(o[n] for o, _ in all_own) for n in told}
    spread = max(statistics.stdev(o[n] for o, _ in all_own) for n in told)
    yield {"space": name, "runs": runs, "method": "fanova", "ours": told, "optuna": mean,
           "largest_difference": max(abs(told[n] - mean[n]) for n in mean),
           "optuna_largest_sd": spread, "seconds": seconds,
           "optuna_seconds": statistics.mean(s for _, s in all_own)}


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with Daemon(workers=1) as d:
        for name, (parameters, formula) in SPACES.items():
            sweep = carry_out(d, parameters, formula, runs, seed)
            for row in compare(d, sweep, name, parameters, runs):
                print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
