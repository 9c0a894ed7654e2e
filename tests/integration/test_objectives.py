"""Several objectives through the real programs: the same whatever the number of workers and a kill, a
front that is one by the definition, programs and clients that report values, and what people see."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon, RpcError, make_data, small_spec  # noqa: E402
from tap import check, equal, run  # noqa: E402

SPACE = {"learning_rate": {"min": 0.01, "max": 0.3, "distribution": "log_uniform_values"},
         "depth": {"min": 1, "max": 3}, "width": {"values": [4, 8, 16, 32, 64]}}


def own_spec(data, objectives, method="tpe", **more):
    return small_spec(data, method=method, epochs=4, run_cap=20, parameters=SPACE, treat=False,
                      metric=None, objectives=objectives, model={"type": "mlp"},
                      **{"repeat_share": 0.2, "lag": 6 if method in ("tpe", "gp") else None, **more})


def content(d):
    """But for the specification, which names a folder of its own."""
    return [row[2:] for row in d.canonical()]


def dominates(a, b):
    return all(x <= y for x, y in zip(a, b)) and a != b


def front_by_definition(d, sweep, signs):
    """By the means over their seeds: (root's number, means), the best first."""
    values = {}
    for root, number, text in d.sql(
            "SELECT iif(r.kind='repeat', r.parent_id, r.id), r.number, r.objectives FROM runs AS r "
            "WHERE r.sweep_id=? AND r.status='completed' ORDER BY r.number", sweep):
        costs = [1e300 if v is None else v * s for v, s in zip(json.loads(text), signs)]
        values.setdefault(root, (number, []))[1].append(costs)
    means = {n: ([sum(c) / len(c) for c in zip(*seeds)], len(seeds) < 2)
             for n, seeds in values.values()}
    return sorted(((single, costs[0], n) for n, (costs, single) in means.items()
                   if not any(q <= single and dominates(other, costs)
                              for other, q in means.values())))


def same_front(d, sweep, signs):
    wanted = [n for _, _, n in front_by_definition(d, sweep, signs)]
    front = d.call("best", sweep=sweep)["front"]
    equal([row["number"] for row in front], wanted, "the front")
    equal([row["rank"] for row in front], list(range(1, len(wanted) + 1)))
    return front


def weights_are_the_fronts(d, sweep, front):
    """Of each configuration on it one run's, its best; beside them no more than three in all."""
    kept = {run for run, in d.sql("SELECT id FROM runs WHERE sweep_id=?", sweep)
            if os.path.exists(os.path.join(d.db + ".runs", str(run), "best.safetensors"))}
    wanted = {row["run_id"] for row in front}
    check(len(wanted) <= 16 and wanted <= kept and len(kept) == max(len(wanted), 3),
          f"{sorted(kept)} have weights, the front is {sorted(wanted)}")


def test_the_same_at_any_number_of_workers_and_through_a_kill():
    contents = []
    for workers in (1, 2, 7):
        with Daemon(workers=workers) as d:
            data = make_data(d.home)
            sweep = d.submit(own_spec(data, ["val_loss", "parameters", "val_acc"], "gp",
                                      early_terminate={"type": "median", "startup": 3, "lag": 3}))
            if workers == 2:
                d.kill()
                d.start()
            equal(d.wait(sweep)["status"], "completed")
            contents.append(content(d))
            front = same_front(d, sweep, [1, 1, -1])
            weights_are_the_fronts(d, sweep, front)
            if workers != 2:
                continue
            for row in front:
                equal(list(row["objectives"]), ["val_loss", "parameters", "val_acc"])
            # weights that are drawn anew stand in the reasons; what was stopped was so by its front
            reasons = [r for r, in d.sql("SELECT reason FROM decisions WHERE kind='proposed'")]
            check(sum(r.startswith("weighing ") for r in reasons) > 2, reasons)
            stops = [r for r, in d.sql("SELECT stop_reason FROM runs WHERE status='stopped'")]
            check(stops and all(r.startswith("by front: ") for r in stops), stops)
            for detail, in d.sql("SELECT detail FROM decisions WHERE kind='stopped'"):
                equal(len(json.loads(detail)["further"]), 2)
            stage = d.sql("SELECT count(*) FROM runs WHERE stage='finalists'")[0][0]
            equal(stage, 4, "other seeds of the front")
            equal(d.call("replay", sweep=sweep)["difference"], None)
            # the value at the best epoch of the curve
            for run_id, text, acc in d.sql(
                    "SELECT r.id, r.objectives, c.val_acc FROM runs AS r JOIN curves AS c ON "
                    "c.run_id=r.id AND c.epoch=r.best_epoch WHERE r.objectives IS NOT NULL"):
                equal(json.loads(text)[2], acc, run_id)
            shown = d.ctl("best", sweep, check=0).stdout
            check("the front: " in shown and "parameters" in shown, shown)
            check("the front" in d.ctl("show", sweep, check=0).stdout)
            check("front" in d.ctl("morning", sweep, check=0).stdout)
            first, worst = front[0]["run_id"], d.sql(
                "SELECT id FROM runs WHERE status='completed' ORDER BY rank_key DESC")[0][0]
            check("val_loss=" in d.ctl("explain", first, check=0).stdout)
            by = d.call("explain", run=worst)["bettered_by"]
            check(by is None or by != worst)
            svg = d.ctl("plot", "pareto", sweep, check=0).stdout
            check("<svg" in svg and "parameters" in svg)
            equal(svg.count('class="best"'), 3, "a front for each pair")
            svg = d.ctl("plot", "pareto", sweep, "--x", "parameters", "--y", "val_acc", check=0).stdout
            check(svg.count('class="best"') == 1 and ">val_acc<" in svg and ">val_loss<" not in svg, "two of them")
            said = d.ctl("plot", "pareto", sweep, "--x", "width")
            check(said.returncode == 2 and "val_acc" in said.stderr, said.stderr)
            path = os.path.join(d.home, "front.html")
            d.ctl("report", sweep, "-o", path, check=0)
            with open(path, encoding="utf-8") as f:
                check("betters these in all objectives" in f.read(), "the front as a table")
    check(len(contents[0]) > 0, "there is content")
    check(contents[0] == contents[1], "content with 2 workers and a kill")
    check(contents[0] == contents[2], "content with 7 workers")


def test_time_is_an_objective():
    """Not the same a second time: said at submit, and replay goes by what is stored."""
    with Daemon() as d:
        data = make_data(d.home)
        spec = own_spec(data, ["val_loss", "seconds"],
                        early_terminate={"type": "successive_halving", "lag": 2})
        reply = d.call("submit", spec=spec)
        check(any("are measured" in n for n in reply["notes"]), reply)
        sweep = reply["sweep"]
        equal(d.wait(sweep)["status"], "completed")
        same_front(d, sweep, [1, 1])
        check(all(v > 0 for v, in d.sql(
            "SELECT value FROM run_objectives WHERE name='seconds'")))
        equal(d.call("replay", sweep=sweep)["difference"], None)


PROGRAM = """import json, os, sys
values = dict(word[2:].split("=") for word in sys.argv[1:])
x = float(values["x"])
for epoch in (1, 2, 3):
    point = {"epoch": epoch, "loss": x + 1 / epoch}
    if epoch == 1 and x < 1.9:
        point["latency"] = 10 - 4 * x
    os.write(int(os.environ["SWEEPD_METRICS_FD"]), (json.dumps(point) + "\\n").encode())
"""


def test_a_program_reports_what_it_likes():
    with Daemon() as d:
        path = os.path.join(d.home, "train.py")
        with open(path, "w", encoding="utf-8") as f:
            f.write(PROGRAM)
        sweep = d.submit({"task": {"command": [sys.executable, path, "${args}"]},
                          "parameters": {"x": {"values": [0.5, 1.0, 1.5, 2.0]}}, "method": "grid",
                          "epochs": 3, "objectives": [{"name": "loss", "goal": "minimize"},
                                                      "latency"]})
        equal(d.wait(sweep)["status"], "completed")
        front = same_front(d, sweep, [1, 1])
        # nobody knows the latency of 2.0: it ranks last in that
        equal([(row["params"]["x"], row["objectives"]["latency"]) for row in front],
              [(0.5, 8), (1, 6), (1.5, 4)])
        equal(d.sql("SELECT value_state FROM run_objectives WHERE name='latency' AND value IS NULL"),
              [("missing",)])
        missing = d.sql("SELECT detail FROM events WHERE kind='objective_missing'")
        check(len(missing) == 1 and "latency" in missing[0][0], missing)


def refused(key, call, **params):
    try:
        call(**params)
    except RpcError as e:
        equal(e.data["key"], key, e.message)
        return e.message
    raise AssertionError(f"not refused: {params}")


def test_clients_tell_several_values():
    spec = {"task": {"client": {}}, "method": "tpe", "run_cap": 14, "epochs": 2, "lag": 2,
            "repeat_share": 0, "parameters": {"x": {"min": 0.0, "max": 1.0}},
            "objectives": [{"name": "loss", "goal": "minimize"},
                           {"name": "fair", "goal": "maximize"}, "memory"]}
    contents = []
    for kills in (False, True):
        with Daemon() as d:
            sweep = d.submit(spec)
            for i in range(14):
                r = d.call("ask", sweep=sweep)
                held = {"run": r["run"], "lease": r["lease"]}
                x = r["params"]["x"]
                if i == 0:
                    said = refused("$.result.values", lambda **p: d.call("tell", **p), **held,
                                   result={"value": 1})
                    check("fair" in said and "memory" not in said, said)
                    refused("$.result.values", lambda **p: d.call("tell", **p), **held,
                            result={"values": {"loss": 1, "fiar": 2, "memory": 3}})
                    refused("$.result.values", lambda **p: d.call("tell", **p), **held,
                            result={"values": [1, 2]})
                d.call("report", **held, points=[{"epoch": 1, "loss": x * x + 1, "memory": 5 - x},
                                                 {"epoch": 2, "loss": x * x + 2, "fair": 3}])
                if kills and i in (1, 7, 8):
                    d.kill()
                    d.start()
                # the memory is that of the best epoch, though it was told again
                result = ({"values": [x * x + 1.5, x, 9]} if i % 2 else
                          {"values": {"fair": x, "memory": 9}} if i % 3 else
                          {"value": x * x + 1.5, "values": {"fair": x}})
                d.call("tell", **held, result=result)
            equal(d.wait(sweep)["status"], "completed")
            rows = d.sql("SELECT params, objectives FROM runs ORDER BY number")
            for params, objectives in rows:
                x = json.loads(params)["x"]
                equal(json.loads(objectives), [x * x + 1, x, 5 - x])
            contents.append(content(d))
            same_front(d, sweep, [1, -1, 1])
    check(contents[0] == contents[1], "content through kills")


def test_promotion_and_earlier_sweeps():
    """Who goes on is decided by fronts, and a second search begins with what the first has come
    to: the same at any number of workers, and replay finds no difference."""
    contents = []
    for workers in (1, 7):
        with Daemon(workers=workers) as d:
            data = make_data(d.home)
            first = d.submit(own_spec(data, ["val_loss", "val_acc", "flop"], "random"))
            equal(d.wait(first)["status"], "completed")
            reply = d.call("submit", spec=own_spec(
                data, ["val_loss", "flop"], warm_start=[first], early_terminate={
                    "type": "successive_halving", "promote": True, "lag": 6, "eta": 2}))
            check(any("20 of 20 runs are known from the start" in n for n in reply["notes"]), reply)
            second = reply["sweep"]
            equal(d.wait(second)["status"], "completed")
            contents.append(content(d))
            promoted = [r for r, in d.sql(
                "SELECT reason FROM decisions WHERE kind='promoted' AND sweep_id=?", second)]
            check(promoted and all(r.startswith("by place among the fronts: ") for r in promoted),
                  promoted)
            reasons = d.sql("SELECT reason FROM decisions WHERE kind='proposed' AND sweep_id=? "
                            "ORDER BY id LIMIT 1", second)
            check("earlier sweeps" in reasons[0][0], reasons)
            equal(d.call("replay", sweep=second)["difference"], None)
    check(contents[0] and contents[0] == contents[1], "content with 7 workers")


def test_exports_have_all_directions():
    with Daemon() as d:
        import sqlite3
        data = make_data(d.home)
        sweep = d.submit(own_spec(data, ["val_loss", "parameters", "val_acc"], method="random") |
                         {"run_cap": 5, "epochs": 2, "repeat_share": 0})
        equal(d.wait(sweep)["status"], "completed")
        path = os.path.join(d.home, "study.db")
        d.ctl("export", sweep, "--optuna", path, check=0)
        db = sqlite3.connect(path)
        equal(db.execute("SELECT direction, objective FROM study_directions ORDER BY 2").fetchall(),
              [("MINIMIZE", 0), ("MINIMIZE", 1), ("MAXIMIZE", 2)])
        equal(db.execute("SELECT count(*), count(value) FROM trial_values").fetchall(), [(15, 15)])
        db.close()


if __name__ == "__main__":
    run(test_the_same_at_any_number_of_workers_and_through_a_kill, test_time_is_an_objective,
        test_promotion_and_earlier_sweeps, test_a_program_reports_what_it_likes, test_clients_tell_several_values,
        test_exports_have_all_directions)
