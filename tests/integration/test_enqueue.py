"""Runs that a person asks for: trained with those values in any open sweep, counted, there after
a kill; and what is refused. Programs wait at a gate, so that their sweep is open as long as the
test needs it."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon, RpcError, make_data, small_spec  # noqa: E402
from tap import check, equal, run  # noqa: E402

PROGRAM = """#!/bin/sh
read line < "$(dirname "$0")/gate"
echo '{"loss": 1}' >&$SWEEPD_METRICS_FD
echo "$@"
"""
PARAMETERS = {"lr": {"min": 0.25, "max": 1.0}, "layers": {"values": [2, 4, 8]},
              "kind": {"values": ["cnn", "mlp"]}, "amp": {"values": [True, False]},
              "tag": {"value": "x y"}}
OWN = {"lr": 0.625, "layers": 4, "kind": "mlp", "amp": False, "tag": "x y"}
WORDS = "--lr=0.625 --layers=4 --kind=mlp --amp=false --tag=x y\n"


def install(home, name="program"):
    path = os.path.join(home, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(PROGRAM)
    os.chmod(path, 0o700)
    return path


def command_spec(path, **more):
    """A grid of one run, and room for others."""
    return {"name": "asked", "task": {"command": [path, "${args}"]}, "epochs": 1, "run_cap": 3,
            "metric": {"name": "loss", "goal": "minimize"}, "method": "grid",
            "parameters": {name: {"value": v} for name, v in OWN.items()}, **more}


def close_gate(home):
    os.mkfifo(os.path.join(home, "gate"))


def open_gate(home):
    """For one program, which is there already or comes; and for all that follow it."""
    path = os.path.join(home, "gate")
    with open(path, "w", encoding="utf-8") as f:
        os.unlink(path)
        with open(path, "w", encoding="utf-8") as always:
            always.write("go\n")
        f.write("go\n")


def refused(d, error, key, sweep, params):
    before = d.sql("SELECT count(*) FROM runs")
    try:
        reply = d.call("enqueue", sweep=sweep, params=params)
    except RpcError as e:
        equal((e.data["error"], e.data["key"]), (error, key), e.message)
        equal(d.sql("SELECT count(*) FROM runs"), before, params)
        return e
    raise AssertionError(f"{params}: {reply}")


def trained(d, run_id, words=WORDS):
    equal(d.sql("SELECT kind, stage, status, json(params) FROM runs WHERE id = ?", run_id),
          [("search", "enqueued", "completed", json.dumps(OWN, separators=(",", ":")))])
    equal(d.sql("SELECT kind FROM decisions WHERE run_id = ?", run_id), [("enqueued",)])
    equal(d.call("log", run=run_id)["text"], words)


def test_in_a_running_sweep():
    """Twice the same values, within run_cap; then not even before its end."""
    with Daemon(workers=1) as d:
        close_gate(d.home)
        sweep = d.submit(command_spec(install(d.home)))
        equal(d.call("enqueue", sweep=sweep, params=OWN), {"sweep": sweep, "run": 2})
        equal(d.call("enqueue", sweep=sweep, params=OWN), {"sweep": sweep, "run": 3})
        e = refused(d, "wrong_state", "", sweep, OWN)
        check("run_cap" in e.message and "3" in e.message, e.message)
        open_gate(d.home)
        equal(d.wait(sweep)["status"], "completed")
        trained(d, 2)
        trained(d, 3)
        equal(d.sql("SELECT status, count(*) FROM runs GROUP BY status"), [("completed", 3)])
        e = refused(d, "wrong_state", "", sweep, OWN)
        check("has ended" in e.message and "paused" in e.message, e.message)
        equal(refused(d, "not_found", "$.sweep", 99, OWN).data["value"], "99")


def test_in_sweeps_that_wait():
    """Queued behind another, paused, held: there after a kill right behind the reply, and trained
    with the rest of the sweep."""
    with Daemon(workers=1) as d:
        close_gate(d.home)
        path = install(d.home)
        held = d.submit(command_spec(path + "-not-there"))
        equal(d.wait(held)["status"], "held")
        paused = d.submit(command_spec(path))
        d.call("pause", sweep=paused)
        queued = d.submit(command_spec(path, after=paused))
        equal(d.sql("SELECT status FROM sweeps ORDER BY id"), [("held",), ("paused",), ("queued",)])
        runs = []
        for sweep in (held, paused, queued):
            runs.append(d.call("enqueue", sweep=sweep, params=OWN)["run"])
            d.kill()
            d.start()
            equal(d.sql("SELECT sweep_id, status, json(params) FROM runs WHERE id = ?", runs[-1]),
                  [(sweep, "queued", json.dumps(OWN, separators=(",", ":")))])
        install(d.home, "program-not-there")
        d.call("resume", sweep=held)
        d.call("resume", sweep=paused)
        open_gate(d.home)
        for sweep, run_id in zip((held, paused, queued), runs):
            equal(d.wait(sweep)["status"], "completed")
            trained(d, run_id)


def test_a_trainer_begins_with_those_values():
    """Of a search in stages, which then has fewer of its own."""
    with Daemon() as d:
        data = make_data(d.home)
        first = d.submit(small_spec(data))
        values = {"learning_rate": 0.0625, "batch_size": 8, "optimizer": "sgd", "depth": 2}
        asked = d.call("enqueue", sweep=first, params=values)["run"]
        equal(d.wait(first)["status"], "completed")
        equal(d.sql("SELECT status, json(params) FROM runs WHERE id = ?", asked),
              [("completed", json.dumps(values, separators=(",", ":")))])
        equal(d.sql("SELECT count(*) FROM runs"), [(20,)])
        with open(f"{d.db}.runs/{asked}/config.json", encoding="utf-8") as f:
            config = json.load(f)
        equal((config["train"]["learning_rate"], config["train"]["batch_size"],
               config["train"]["optimizer"], config["model"]["depth"]), (0.0625, 8, "sgd", 2))
        equal(d.sql("SELECT DISTINCT learning_rate FROM curves WHERE run_id = ?", asked),
              [(0.0625,)])


BAD = [
    ("invalid_value", "$.lr", {"lr": 1.5}, "from 0.25 to 1"),
    ("invalid_value", "$.lr", {"lr": -1e-9}, "from 0.25 to 1"),
    ("invalid_value", "$.layers", {"layers": 3}, "one of 2, 4, 8"),
    ("invalid_value", "$.kind", {"kind": "mpl"}, "mlp"),
    ("invalid_value", "$.tag", {"tag": "x"}, "x y"),
    ("wrong_type", "$.lr", {"lr": "0.5"}, "a number"),
    ("wrong_type", "$.lr", {"lr": "nan"}, "a number"),
    ("wrong_type", "$.lr", {"lr": None}, "a number"),
    ("wrong_type", "$.lr", {"lr": [0.5]}, "a number"),
    ("wrong_type", "$.kind", {"kind": 1}, "cnn"),
    ("wrong_type", "$.amp", {"amp": 0}, "true or false"),
    ("unknown_key", "$.layer", {"layer": 4}, "layers"),
]


def test_what_is_refused():
    with Daemon(workers=1) as d:
        close_gate(d.home)
        sweep = d.submit(command_spec(install(d.home), method="coarse_to_fine", run_cap=12,
                                      parameters=PARAMETERS))
        for error, key, change, allowed in BAD:
            e = refused(d, error, key, sweep, {**OWN, **change})
            check(allowed in e.data["allowed"], f"{change}: {e.message}")
            check(key in e.message or key[2:] in e.message, e.message)
        for name in OWN:
            others = {k: v for k, v in OWN.items() if k != name}
            refused(d, "missing_key", f"$.{name}", sweep, others)
        refused(d, "missing_key", "$.lr", sweep, {})
        refused(d, "wrong_type", "$.params", sweep, [1])
        for text in ("NaN", "1e999", "-Infinity"):
            c = d.connect()
            c.send(b'{"jsonrpc":"2.0","id":1,"method":"enqueue",'
                   b'"params":{"sweep":%d,"params":{"lr":%s}}}\n' % (sweep, text.encode()))
            equal(json.loads(c.line())["error"]["data"]["error"], "parse_error", text)
            c.close()
        for params, key in (({"sweep": sweep}, "$.params"), ({"params": OWN}, "$.sweep")):
            try:
                d.call("enqueue", **params)
                check(False, params)
            except RpcError as e:
                equal((e.data["error"], e.data["key"]), ("missing_key", key))
        d.call("enqueue", sweep=sweep, params={**OWN, "lr": 1, "layers": 8.0})
        equal(d.sql("SELECT json(params) FROM runs WHERE stage = 'enqueued'"),
              [('{"lr":1,"layers":8,"kind":"mlp","amp":false,"tag":"x y"}',)])
        d.call("cancel", sweep=sweep)


def test_by_the_client():
    with Daemon(workers=1) as d:
        close_gate(d.home)
        sweep = d.submit(command_spec(install(d.home), method="coarse_to_fine", run_cap=12,
                                      parameters={**PARAMETERS,
                                                  "n": {"values": ["1", "[2]", "null"]}}))
        words = [f"{k}={v if isinstance(v, str) else json.dumps(v)}" for k, v in OWN.items()]
        out = d.ctl("enqueue", sweep, *words, 'n="1"', check=0).stdout
        run_id = int(out.split()[1].rstrip(","))
        equal(out, f"run {run_id}, in sweep {sweep}\n")
        reply = d.ctl("enqueue", "--json", sweep, *words, "n=[2]", check=0).stdout
        equal(json.loads(reply), {"sweep": sweep, "run": run_id + 1})
        d.ctl("enqueue", sweep, *words, "n=null", check=0)
        equal([json.loads(p) for p, in d.sql("SELECT params FROM runs WHERE stage = 'enqueued'")],
              [{**OWN, "n": n} for n in ("1", "[2]", "null")])
        for words, status, says in (
                ([*words, "n=1"], 1, '$.n: got 1; allowed: one of'),
                ([*words[1:], 'n="1"', "lr=1e999"], 1, '$.lr: got "1e999"; allowed: a number'),
                ([*words[1:], 'n="1"', "lr=nan"], 1, '$.lr: got "nan"; allowed: a number'),
                ([*words[1:], 'n="1"', "lr="], 1, '$.lr: got ""; allowed: a number'),
                ([*words[1:], 'n="1"', "lr=0.1"], 1, "$.lr: got 0.1; allowed: from 0.25 to 1"),
                ([*words, 'n="1"', "lr=0.5"], 2, "got lr=0.5; allowed: one value of a parameter"),
                ([*words, "lrr=0.5"], 1, "$.lrr: unknown; did you mean lr?"),
                (["lr"], 2, "enqueue: got lr; allowed: NAME=VALUE"), (["=1"], 2, "NAME=VALUE"),
                ([], 1, "$.lr: missing; wanted: a value of every swept parameter")):
            done = d.ctl("enqueue", sweep, *words, check=status)
            check(says in done.stderr, f"{words}: {done.stderr}")
        done = d.ctl("enqueue", 99, "lr=1", check=1)
        check("99" in done.stderr, done.stderr)
        d.call("cancel", sweep=sweep)


if __name__ == "__main__":
    run(test_in_a_running_sweep, test_in_sweeps_that_wait, test_a_trainer_begins_with_those_values,
        test_what_is_refused, test_by_the_client)
