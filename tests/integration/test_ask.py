"""Runs that clients carry out: they ask, report and tell. Typed parameters, parallel clients, a kill of
the daemon, rungs, and what is refused."""
import json
import os
import random
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon, RpcError, make_data, small_spec  # noqa: E402
from tap import check, equal, run  # noqa: E402

PARAMETERS = {"lr": {"min": 0.001, "max": 1.0, "distribution": "log_uniform_values"},
              "layers": {"min": 1, "max": 8}, "kind": {"values": ["cnn", "mlp"]},
              "amp": {"values": [True, False]}}


def client_spec(**more):
    return {"name": "asked", "task": {"client": {}}, "method": "random", "run_cap": 12, "epochs": 4,
            "metric": {"name": "score", "goal": "maximize"}, "parameters": PARAMETERS, **more}


def score(params, epoch):
    """A curve that its parameters alone decide."""
    return params["layers"] - abs(params["lr"] - 0.1) - 1 / epoch + (params["kind"] == "cnn")


def refused(error, key, call, *arguments, **params):
    try:
        reply = call(*arguments, **params)
    except RpcError as e:
        equal((e.data["error"], e.data["key"]), (error, key), e.message)
        return e.message
    raise AssertionError(f"not refused: {params}: {reply}")


class Study:
    """A client that carries runs out, as many at a time as it likes."""

    def __init__(self, d, sweep):
        self.d, self.sweep, self.connection = d, sweep, d.connect()

    def ask(self):
        reply = self.connection.call("ask", sweep=self.sweep)
        return reply if reply["run"] is not None else None

    def report(self, asked, *points):
        return self.connection.call("report", run=asked["run"], lease=asked["lease"],
                                    points=list(points))

    def tell(self, asked, **result):
        return self.connection.call("tell", run=asked["run"], lease=asked["lease"], result=result)

    def carry_out(self, asked, first=1):
        """Its epochs one by one, as far as the answers let it."""
        for epoch in range(first, asked["epochs"] + 1):
            answer = self.report(asked, {"epoch": epoch, "score": score(asked["params"], epoch)})
            if answer["verdict"] != "go_on":
                return answer["verdict"]
        self.tell(asked)
        return "completed"


def carried_out(spec):
    """canonical_content of the sweep by one client, one run after the other."""
    with Daemon(workers=1) as d:
        study = Study(d, d.submit(spec))
        while asked := study.ask():
            study.carry_out(asked)
        equal(d.wait(study.sweep)["status"], "completed")
        return d.canonical()


def test_a_sweep_by_clients():
    """Four of them, their runs in and out of turn: the same content as by one."""
    spec = client_spec()
    with Daemon(workers=1) as d:
        sweep = d.submit(spec)
        clients = [Study(d, sweep) for _ in range(4)]
        while asked := [(c, a) for c in clients if (a := c.ask())]:
            equal(d.call("status")["leased"], len(asked))
            for client, one in reversed(asked):
                client.carry_out(one)
        equal(d.wait(sweep)["status"], "completed")
        rows = d.sql("SELECT params, metric_value, status, seconds FROM runs ORDER BY number")
        equal(len(rows), 12, "exactly run_cap")
        equal({status for _, _, status, _ in rows}, {"completed"})
        equal(clients[0].connection.call("ask", sweep=sweep),
              {"sweep": sweep, "run": None, "status": "completed"})
        best = d.call("best", sweep=sweep)["runs"][0]
        equal(best["metric_value"], max(value for _, value, _, _ in rows))
        equal(d.canonical(), carried_out(spec), "content")


def test_parameters_are_typed():
    with Daemon(workers=1) as d:
        study = Study(d, d.submit(client_spec(method="grid", run_cap=2, parameters={
            "n": {"values": [2, 4]}, "x": {"value": 0.5}, "kind": {"value": "a b"},
            "amp": {"value": False}}, seed="18446744073709551615")))
        asked = study.ask()
        equal(asked["params"], {"n": 2, "x": 0.5, "kind": "a b", "amp": False})
        check(isinstance(asked["params"]["n"], int), "an integer")
        equal((asked["kind"], asked["number"], asked["epochs"], asked["until_epoch"], asked["seed"]),
              ("search", 0, 4, 4, "18446744073709551615"))
        study.tell(asked, value=1)
        equal(d.sql("SELECT epoch, val_loss FROM curves"), [(4.0, None)], "its one point")
        equal(d.sql("SELECT name, value FROM metrics"), [("score", 1.0)])


def test_columns_by_their_names():
    with Daemon(workers=1) as d:
        study = Study(d, d.submit(client_spec(metric={"name": "val_loss", "goal": "minimize"})))
        asked = study.ask()
        study.report(asked, {"step": 10, "loss": 2, "val_loss": 3, "lr": 0.1, "f1": "nan"},
                     {"step": 20, "loss": 1, "val_loss": "+inf", "none": None})
        study.tell(asked)
        equal(d.sql("SELECT epoch, train_loss, val_loss, learning_rate FROM curves"),
              [(10.0, 2.0, 3.0, 0.1), (20.0, 1.0, float("inf"), None)])
        equal(d.sql("SELECT metric_value, best_epoch FROM runs WHERE status = 'completed'"),
              [(3.0, 10.0)])


def test_a_kill_of_the_daemon():
    """A client goes on with what it has, where the daemon has stopped listening."""
    spec = client_spec(run_cap=4)
    with Daemon(workers=1) as d:
        study = Study(d, d.submit(spec))
        one, two = study.ask(), study.ask()
        study.report(one, *({"epoch": e, "score": score(one["params"], e)} for e in (1, 2)))
        d.kill()
        d.start()
        study = Study(d, study.sweep)
        three = study.ask()
        check(three["run"] not in (one["run"], two["run"]), "theirs stay theirs")
        equal(study.carry_out(one, first=3), "completed")
        for asked in two, three, study.ask():
            equal(study.carry_out(asked), "completed")
        equal(study.ask(), None)
        equal(d.wait(study.sweep)["status"], "completed")
        equal(d.canonical(), carried_out(spec), "content")
        equal(d.sql("SELECT kind FROM events WHERE kind IN ('run_lost', 'nondeterminism')"), [])


def test_sigterm_leaves_leases():
    """The daemon ends without waiting for clients, and they find their runs again."""
    with Daemon(workers=1) as d:
        study = Study(d, d.submit(client_spec(run_cap=1)))
        asked = study.ask()
        study.connection.close()
        d.stop()
        d.start()
        study = Study(d, study.sweep)
        equal(study.carry_out(asked), "completed")
        equal(d.wait(study.sweep)["status"], "completed")


def test_rungs():
    """Runs are held against those before them, whoever is quicker."""
    spec = client_spec(run_cap=9, early_terminate={
        "type": "median", "min_iter": 1, "every": 1, "startup": 2, "lag": 2})
    expected = carried_out(spec)
    with Daemon(workers=1) as d:
        sweep = d.submit(spec)
        client = Study(d, sweep)
        going = {}  # what was asked, by run, and the next epoch
        while True:
            while len(going) < 3 and (asked := client.ask()):
                going[asked["run"]] = [asked, 1]
            if not going:
                break
            for asked, epoch in list(going.values())[::-1]:  # the latest first: it has to wait
                point = {"epoch": epoch, "score": score(asked["params"], epoch)}
                answer = client.report(asked, point)
                while answer["verdict"] == "go_on" and answer["points"] < asked["epochs"]:
                    epoch = answer["points"] + 1
                    point = {"epoch": epoch, "score": score(asked["params"], epoch)}
                    answer = client.report(asked, point)
                if answer["verdict"] == "go_on":
                    client.tell(asked)
                if answer["verdict"] == "wait":  # with the point of the rung
                    going[asked["run"]][1] = epoch + 1
                else:
                    del going[asked["run"]]
        equal(d.wait(sweep)["status"], "completed")
        check(d.sql("SELECT 1 FROM runs WHERE status = 'stopped'"), "some are stopped")
        equal(d.canonical(), expected, "content")


def test_what_is_refused():
    with Daemon(workers=1) as d:
        study = Study(d, d.submit(client_spec(run_cap=2)))
        c, asked = study.connection, study.ask()
        run_id, lease = asked["run"], asked["lease"]
        refused("not_found", "$.sweep", c.call, "ask", sweep=99)
        refused("not_found", "", c.call, "tell", run=99, lease=lease)
        refused("wrong_state", "$.lease", c.call, "report", run=run_id, lease="other")
        refused("wrong_state", "$.lease", c.call, "tell", run=run_id + 1, lease=lease)
        refused("missing_key", "$.result.value", c.call, "tell", run=run_id, lease=lease)
        for points, error, key in [
                ([{"score": 1}], "missing_key", "$.points[0].epoch"),
                ([{"epoch": 0, "score": 1}], "invalid_value", "$.points[0].epoch"),
                ([{"epoch": 1, "score": 1}, {"epoch": 1, "score": 2}], "invalid_value",
                 "$.points[1].epoch"),
                ([{"epoch": 1, "score": "good"}], "wrong_type", "$.points[0].score"),
                ([{"epoch": 1}], "limit_exceeded", "$.points[0]"),
                ([7], "wrong_type", "$.points[0]"),
                ([{"epoch": e + 1, "score": 1} for e in range(1001)], "limit_exceeded",
                 "$.points")]:
            refused(error, key, c.call, "report", run=run_id, lease=lease, points=points)
        equal(d.sql("SELECT count(*) FROM curves"), [(0,)], "nothing is half done")
        for result, error, key in [
                ({"status": "paused"}, "invalid_value", "$.result.status"),
                ({"status": "failed", "error": "hung"}, "invalid_value", "$.result.error"),
                ({"error": "exited"}, "invalid_value", "$.result.error"),
                ({"value": "good"}, "wrong_type", "$.result.value"),
                ({"vaule": 1}, "unknown_key", "$.result")]:
            refused(error, key, c.call, "tell", run=run_id, lease=lease, result=result)
        study.tell(asked, status="failed", error="out_of_memory", text="CUDA out of memory")
        equal(d.sql("SELECT status, error_class, error_text FROM runs WHERE id = ?", run_id),
              [("failed", "out_of_memory", "CUDA out of memory")])
        refused("wrong_state", "run", c.call, "tell", run=run_id, lease=lease)
        other = study.ask()
        study.tell(other, value="nan")
        equal(d.sql("SELECT status, metric_value FROM runs WHERE id = ?", other["run"]),
              [("completed", "nan")])


def test_what_failed_is_never_the_best():
    """Nor what was cancelled, however good it looked before: in no view, text or export."""
    with Daemon(workers=1) as d:
        study = Study(d, d.submit(client_spec(run_cap=3, epochs=4)))
        failed, done, cancelled = study.ask(), study.ask(), study.ask()
        study.report(failed, {"epoch": 1, "score": 99})
        study.tell(failed, status="failed", error="out_of_memory", text="too large")
        study.tell(done, value=1)
        study.report(cancelled, {"epoch": 1, "score": 50})
        d.call("cancel", sweep=study.sweep)
        d.wait(study.sweep)
        best, sweep = done["run"], str(study.sweep)
        equal(d.sql("SELECT id, status, metric_value FROM runs ORDER BY id"),
              [(failed["run"], "failed", 99.0), (best, "completed", 1.0),
               (cancelled["run"], "cancelled", 50.0)])
        row = d.call("show", sweep=study.sweep)["sweep"]
        equal((row["best_run"], row["best"]), (best, 1.0))
        equal([r["run_id"] for r in d.call("best", sweep=study.sweep)["runs"]], [best])
        equal(d.sql("SELECT run_id FROM best_runs"), [(best,)])
        equal(d.sql("SELECT best_run, best FROM sweep_overview"), [(best, 1.0)])
        equal(json.loads(d.ctl("--json", "morning", sweep).stdout)["sweeps"][0]["winner"]["run"],
              best)
        order = json.loads(d.ctl("--json", "runs", sweep, "--sort", "metric").stdout)["runs"]
        equal([r["run_id"] for r in order], [best, failed["run"], cancelled["run"]])
        page = os.path.join(d.home, "report.html")
        d.ctl("report", sweep, "-o", page)
        text = open(page, encoding="utf-8").read()
        data = json.loads(re.search(r'id="data"[^>]*>(.*?)</script>', text, re.S).group(1))
        equal({r[0]: r[4] for r in data["sweeps"][0]["runs"]},
              {failed["run"]: None, best: 1, cancelled["run"]: None})
        folder = os.path.join(d.home, "mlruns")
        d.ctl("export", sweep, "--mlflow", folder)
        ranked = [p for p, _, names in os.walk(folder) if "score" in names and p.endswith("best")]
        equal(len(ranked), 1, "one run has a best value")
        check(f"{best}" in open(os.path.join(os.path.dirname(os.path.dirname(ranked[0])), "tags",
                                             "sweepd.run_id")).read(), "the completed one")


def test_other_seeds_along_the_way():
    """Three instalments of 22 come before the end, by four clients as by one: the best mean of two
    seeds or more is known at a half, and it wins whose mean is best, not who was lucky once."""
    spec = client_spec(run_cap=200, repeat_share=0.3, epochs=1, parameters={"x": {"min": 0.0, "max": 1.0}})

    def luck(asked):
        return random.Random(f"{asked['params']['x']} {asked['seed']}").uniform(-0.2, 0.2)

    def carry_out(clients):
        half = None
        while asked := [(c, a) for c in clients if (a := c.ask())]:
            for client, one in reversed(asked):
                client.tell(one, value=-abs(one["params"]["x"] - 0.3) + luck(one))
            if half is None and asked[-1][1]["number"] > 110:
                half = d.sql("SELECT count(*) FROM best_configurations WHERE repetitions > 1")[0][0]
        equal(d.wait(clients[0].sweep)["status"], "completed")
        return half, d.canonical()
    with Daemon(workers=1) as d:
        sweep = d.submit(spec)
        half, content = carry_out([Study(d, sweep) for _ in range(4)])
        check(half >= 4, f"{half} configurations have two seeds at a half")
        rows = d.sql("SELECT number, kind, stage FROM runs ORDER BY number")
        equal(len(rows), 200)
        along = [n for n, kind, stage in rows if (kind, stage) == ("repeat", "contenders")]
        equal((len(along), sum(stage == "finalists" for _, _, stage in rows)), (22, 38))
        check(along[0] < 50 and along[-1] < 140, along)
        (x, mean, seeds), = d.sql("SELECT params ->> 'x', mean, repetitions FROM best_configurations WHERE rank = 1")
        top = d.sql("SELECT max(mean) FROM best_configurations WHERE repetitions > 1")[0][0]
        lucky = d.sql("SELECT max(metric_value) FROM runs")[0][0]
        check(seeds > 1 and mean == top and lucky > mean, (x, mean, seeds, top, lucky))
        equal(d.sql("SELECT count(DISTINCT seed) FROM runs WHERE params ->> 'x' = ?", x), [(seeds,)])
    with Daemon(workers=1) as d:
        equal(carry_out([Study(d, d.submit(spec))])[1], content, "content")


def test_other_tasks():
    """ask is for clients' sweeps; and such a sweep has nothing of the trainer's."""
    with Daemon(workers=1) as d:
        sweep = d.submit(small_spec(make_data(d.home)))
        message = refused("wrong_state", "", d.call, "ask", sweep=sweep)
        check("trainer" in message, message)
        refused("unknown_key", "$.data", d.call, "submit", spec=client_spec(data={"path": "x"}))
        refused("invalid_value", "$.task.client", d.call, "submit",
                spec=client_spec(task={"client": {"x": 1}}))
        d.call("cancel", sweep=sweep)


run(test_a_sweep_by_clients, test_parameters_are_typed, test_columns_by_their_names,
    test_a_kill_of_the_daemon, test_sigterm_leaves_leases, test_rungs, test_what_is_refused,
    test_what_failed_is_never_the_best, test_other_seeds_along_the_way, test_other_tasks)
