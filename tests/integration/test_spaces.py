"""Conditional parameters, constraints and distributions through the real programs: what runs have
and have not, whatever the method, the number of workers and a kill."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon, RpcError, make_data, small_spec  # noqa: E402
from tap import check, equal, run  # noqa: E402

# momentum stands before the optimizer on which it rests
CONDITIONAL = {
    "train.momentum": {"values": [0.5, 0.8], "condition": {"optimizer": ["momentum", "nesterov"]}},
    "optimizer": {"values": ["adam", "momentum"]},
    "depth": {"min": 1, "max": 3},
    "width": {"values": [8, 16, 32]},
}
CONSTRAINTS = ["depth * width <= 48", "optimizer == 'adam' or depth < 3"]


def allowed(p):
    return p["depth"] * p["width"] <= 48 and (p["optimizer"] == "adam" or p["depth"] < 3)


def sound(params):
    """A condition holds exactly where its parameter is there, and the constraints do."""
    for p in params:
        equal("train.momentum" in p, p["optimizer"] == "momentum", p)
        check(allowed(p), p)
    equal(len({json.dumps(p, sort_keys=True) for p in params}), len(params), "none twice")


def params_of(d, sweep):
    return [json.loads(p) for p, in
            d.sql("SELECT params FROM runs WHERE sweep_id=? AND kind='search' ORDER BY number",
                  sweep)]


def spec_of(data, method, **more):
    return small_spec(data, method=method, epochs=2, parameters=CONDITIONAL,
                      constraints=CONSTRAINTS, treat=False, model={"type": "mlp"}, **more)


def test_a_grid_has_what_is_allowed_once():
    with Daemon() as d:
        data = make_data(d.home)
        sweep = d.submit(spec_of(data, "grid", run_cap=None))
        equal(d.wait(sweep)["status"], "completed")
        params = params_of(d, sweep)
        sound(params)
        # adam: 8 of the 9 depths and widths; momentum: 6, twice
        equal(len(params), sum(d_ * w <= 48 for d_ in (1, 2, 3) for w in (8, 16, 32)) +
              2 * sum(d_ * w <= 48 for d_ in (1, 2) for w in (8, 16, 32)), "runs")
        best = d.call("best", sweep=sweep, limit=100)["runs"]
        for row in best:
            p = row["params"]
            equal("train.momentum" in p, p["optimizer"] == "momentum", "in best too")
        # an absent setting is the trainer's default
        for run_id, text in d.sql("SELECT id, params FROM runs WHERE sweep_id=?", sweep):
            settings = json.loads(d.sql("SELECT settings FROM runs WHERE id=?", run_id)[0][0])
            equal(settings["train"]["momentum"], json.loads(text).get("train.momentum", 0.9))
        # the spec of one run alone, which has no conditions any more
        spec = json.loads(d.ctl("best", sweep, "--spec", check=0).stdout)
        equal({k: v["values"][0] for k, v in spec["parameters"].items()}, best[0]["params"])
        again = d.submit(spec)
        equal(d.wait(again)["status"], "completed")
        equal(d.call("best", sweep=again)["runs"][0]["metric_value"], best[0]["metric_value"])
        # one of them treated: a sweep of its own, without this one's space
        treated = d.call("treat", run=best[0]["run_id"], remedy="learning_rate_down")
        equal(d.wait(treated["sweep"])["status"], "completed")
        equal(d.call("show", sweep=treated["sweep"])["sweep"]["spec"].get("constraints"), None)


def test_methods_keep_to_the_space():
    with Daemon() as d:
        data = make_data(d.home)
        for method, runs in (("random", 12), ("sobol", 12), ("coarse_to_fine", 10), ("tpe", 14),
                             ("cmaes", 12)):
            sweep = d.submit(spec_of(data, method, run_cap=runs, repeat=False, repeat_share=0))
            equal(d.wait(sweep)["status"], "completed", method)
            params = params_of(d, sweep)
            equal(len(params), runs, method)
            sound(params)
            seen = d.call("runs", sweep=sweep, limit=100)["runs"]
            equal([r["params"] for r in sorted(seen, key=lambda r: r["number"])], params, "told")


def test_seeds_and_rungs_keep_what_is_absent():
    """Repeats have their configuration's values, stopped runs their own, and views say no others."""
    with Daemon() as d:
        data = make_data(d.home)
        sweep = d.submit(spec_of(data, "tpe", run_cap=16, repeat_share=0.25, lag=2) | {
            "epochs": 4, "early_terminate": {"type": "median", "min_iter": 1, "every": 1}})
        equal(d.wait(sweep)["status"], "completed")
        rows = [(n, kind, json.loads(p)) for n, kind, p in d.sql(
            "SELECT number, kind, params FROM runs WHERE sweep_id=? ORDER BY number", sweep)]
        repeats = [p for _, kind, p in rows if kind == "repeat"]
        check(repeats, "there are repeats")
        sound([p for _, kind, p in rows if kind == "search"])
        for p in repeats:
            check(p in [q for _, kind, q in rows if kind == "search"], p)
        for text, in d.sql("SELECT params FROM best_configurations WHERE sweep_id=?", sweep):
            p = json.loads(text)
            equal("train.momentum" in p, p["optimizer"] == "momentum", p)


def test_asked_for_by_a_client():
    with Daemon() as d:
        sweep = d.submit({
            "task": {"client": {}}, "method": "tpe", "epochs": 1, "run_cap": 8, "repeat_share": 0,
            "metric": {"name": "loss", "goal": "minimize"}, "constraints": ["kernel < 5 or n == 1"],
            "parameters": {"kind": {"values": ["cnn", "mlp"]}, "n": {"min": 1, "max": 3},
                           "kernel": {"values": [3, 5], "condition": {"kind": "cnn"}}}})
        for _ in range(8):
            r = d.call("ask", sweep=sweep)
            p = r["params"]
            equal("kernel" in p, p["kind"] == "cnn", p)
            check(p.get("kernel", 3) < 5 or p["n"] == 1, p)
            d.call("tell", run=r["run"], lease=r["lease"],
                   result={"status": "completed", "value": p["n"]})
        equal(d.wait(sweep)["status"], "completed")


def test_as_many_workers_as_one_likes():
    """The same content with one worker, with two, and through a kill."""
    contents = []
    for workers in (1, 2):
        with Daemon(workers=workers) as d:
            data = make_data(d.home)
            sweep = d.submit(spec_of(data, "coarse_to_fine", run_cap=12, repeat=False))
            if workers == 2:
                d.kill()
                d.start()
            equal(d.wait(sweep)["status"], "completed")
            contents.append([row[1:] for row in d.sql(
                "SELECT sweep, number, kind, stage, params, status, label, cause, point, "
                "train_loss, val_loss FROM canonical_content")])
    check(len(contents[0]) > 0, "there is content")
    equal(contents[0], contents[1], "canonical content")


def test_enqueue_knows_what_is_absent():
    with Daemon() as d:
        data = make_data(d.home)
        sweep = d.submit(spec_of(data, "random", run_cap=20, repeat=False))
        d.call("pause", sweep=sweep)
        for params, key in (
                ({"optimizer": "adam", "depth": 1, "width": 8, "train.momentum": 0.5},
                 '$["train.momentum"]'),
                ({"optimizer": "momentum", "depth": 1, "width": 8}, '$["train.momentum"]'),
                ({"optimizer": "adam", "depth": 3, "width": 32}, "$")):
            try:
                d.call("enqueue", sweep=sweep, params=params)
                raise AssertionError(f"{params} was taken")
            except RpcError as e:
                equal(e.data["key"], key, (params, e.data))
        own = {"optimizer": "adam", "depth": 2, "width": 16}
        run_id = d.call("enqueue", sweep=sweep, params=own)["run"]
        equal(json.loads(d.sql("SELECT params FROM runs WHERE id=?", run_id)[0][0]), own)
        d.call("resume", sweep=sweep)
        equal(d.wait(sweep)["status"], "completed")
        for p in params_of(d, sweep):
            check(allowed(p), p)


PROGRAM = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/words"
echo '{"loss": 1}' >&$SWEEPD_METRICS_FD
"""


def test_a_program_is_not_given_what_is_absent():
    with Daemon(workers=1) as d:
        path = os.path.join(d.home, "program")
        with open(path, "w", encoding="utf-8") as f:
            f.write(PROGRAM)
        os.chmod(path, 0o700)
        spec = {
            "task": {"command": [path, "${args}"]}, "method": "grid", "epochs": 1,
            "metric": {"name": "loss", "goal": "minimize"},
            "parameters": {"kind": {"values": ["cnn", "mlp"]},
                           "net": {"parameters": {"kernel": {"values": [3, 5], "condition":
                                                             {"kind": "cnn"}}}},
                           "layers": {"min": 1, "max": 2}},
            "constraints": ["net.kernel < 5 or layers == 1"]}
        equal(d.call("submit", spec=spec, dry_run=True)["runs"], 5)
        sweep = d.submit(spec)
        equal(d.wait(sweep)["status"], "completed")
        with open(os.path.join(d.home, "words"), encoding="utf-8") as f:
            words = sorted(f.read().splitlines())
        equal(words, ["--kind=cnn --net.kernel=3 --layers=1", "--kind=cnn --net.kernel=3 --layers=2",
                      "--kind=cnn --net.kernel=5 --layers=1", "--kind=mlp --layers=1",
                      "--kind=mlp --layers=2"])


def test_what_cannot_be_is_refused_at_submit():
    with Daemon() as d:
        data = make_data(d.home)
        for changes, part in (
                ({"constraints": ["depth * width > 1000"]}, "none of the"),
                ({"constraints": ["depth * widht > 1"]}, "column 9"),
                ({"parameters": {**CONDITIONAL, "dropout": {"values": [0.1], "condition":
                                                            {"depth": {"min": 4}}}}},
                 "a condition that can hold")):
            try:
                d.submit(spec_of(data, "grid", **{"run_cap": None}) | changes)
                raise AssertionError(f"{changes} was taken")
            except RpcError as e:
                check(part in e.message, e.message)


def test_a_network_that_no_run_has_is_not_refused():
    """Constraints leave out what would not fit into memory."""
    with Daemon() as d:
        data = make_data(d.home)
        spec = small_spec(data, method="random", epochs=1, run_cap=2, repeat=False,
                          model={"type": "mlp"}, constraints=["depth * width < 2000"],
                          parameters={"depth": {"values": [1, 200]},
                                      "width": {"values": [8, 65536]}})
        equal(d.wait(d.submit(spec))["status"], "completed")


if __name__ == "__main__":
    run(test_a_grid_has_what_is_allowed_once, test_methods_keep_to_the_space,
        test_seeds_and_rungs_keep_what_is_absent, test_asked_for_by_a_client,
        test_as_many_workers_as_one_likes, test_enqueue_knows_what_is_absent,
        test_a_program_is_not_given_what_is_absent, test_what_cannot_be_is_refused_at_submit,
        test_a_network_that_no_run_has_is_not_refused)
