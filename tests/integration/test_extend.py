"""Sweeps that are extended: while they run and after they have ended, by more runs and wider ranges,
through a kill, beside others who end and delete them; and what is refused."""
import json
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon, RpcError, make_data, small_spec  # noqa: E402
from tap import check, equal, run  # noqa: E402


def spec_of(data, **more):
    return small_spec(data, **{"method": "random", "epochs": 2, "treat": False, "repeat_share": 0,
                               "model": {"type": "mlp"}, "run_cap": 6,
                               "parameters": {"depth": {"min": 1, "max": 2},
                                              "width": {"min": 4, "max": 64},
                                              "optimizer": {"values": ["adam", "sgd"]}}} | more)


def refused(d, key, part, **params):
    try:
        d.call("extend", **params)
    except RpcError as e:
        equal(e.data.get("key", ""), key, e.message)
        check(part in e.message, e.message)
        return
    raise AssertionError(f"{params} was taken")


def content(d):
    return d.sql("SELECT number, kind, stage, params, status, label, point, train_loss, val_loss "
                 "FROM canonical_content ORDER BY number, point")


def rows(d, sweep):
    return [(n, json.loads(p)) for n, p in d.sql(
        "SELECT number, params FROM runs WHERE sweep_id=? ORDER BY number", sweep)]


def test_an_ended_sweep_goes_on():
    with Daemon() as d:
        data = make_data(d.home)
        sweep = d.submit(spec_of(data))
        equal(d.wait(sweep)["status"], "completed")
        before = content(d)
        reply = d.call("extend", sweep=sweep, runs=20,
                       parameters={"depth": {"max": 4}, "optimizer": {"values": ["rmsprop"]}})
        equal(reply, {"sweep": sweep, "run_cap": 26, "runs": 6, "status": "queued"})
        equal(d.wait(sweep)["status"], "completed")
        runs = rows(d, sweep)
        equal([n for n, _ in runs], list(range(26)))
        equal(len({json.dumps(p) for _, p in runs}), 26, "none twice")
        check(before and content(d)[:len(before)] == before, "what was there stays")
        check(any(p["depth"] > 2 for _, p in runs[6:]), "deeper ones")
        check(any(p["optimizer"] == "rmsprop" for _, p in runs[6:]), "the new optimizer")
        (text, detail), = d.sql("SELECT reason, detail FROM decisions WHERE sweep_id=? AND "
                                "kind='extended'", sweep)
        told = json.loads(detail)
        former = told.pop("former")
        equal(told, {"from": 6, "ended": True, "run_cap": 26, "parameters":
                     {"depth": {"max": 4}, "optimizer": {"values": ["rmsprop"]}}})
        equal((former["run_cap"], former["parameters"]["depth"]["max"]), (6, 2))
        check("run_cap 26 instead of 6" in text, text)
        equal(d.call("show", sweep=sweep)["sweep"]["spec"]["parameters"]["depth"]["max"], 4)
        equal(d.sql("SELECT count(*) FROM events WHERE sweep_id=? AND kind='extended'",
                    sweep)[0][0], 1)
        replayed = d.call("replay", sweep=sweep)
        equal((replayed["runs"], replayed["difference"]), (26, None))


def test_the_same_through_a_kill():
    contents = []
    for kill in (False, True):
        with Daemon(workers=2) as d:
            data = make_data(d.home)
            sweep = d.submit(spec_of(data, method="tpe", lag=2))
            equal(d.wait(sweep)["status"], "completed")
            d.call("extend", sweep=sweep, run_cap=20, parameters={"depth": {"max": 3}})
            if kill:
                d.kill()
                d.start()
            equal(d.wait(sweep)["status"], "completed")
            contents.append(content(d))
    check(len(contents[0]) > 0, "there is content")
    equal(contents[0], contents[1])


def test_a_running_sweep_and_one_that_was_cancelled():
    with Daemon() as d:
        data = make_data(d.home)
        first = d.submit(spec_of(data, run_cap=4))
        equal(d.call("extend", sweep=first, runs=4)["run_cap"], 8)
        equal(d.wait(first)["status"], "completed")
        equal(len(rows(d, first)), 8)
        other = d.submit(spec_of(data, run_cap=100000, epochs=1000))
        second = d.submit(spec_of(data, run_cap=4, epochs=1, after=other))
        d.call("cancel", sweep=second)
        reply = d.call("extend", sweep=second, runs=3)
        equal((reply["run_cap"], reply["status"]), (7, "queued"))
        d.call("cancel", sweep=other)
        equal(d.wait(second)["status"], "completed")
        equal([n for n, _ in rows(d, second)], list(range(7)))


def test_many_at_once():
    """Each counts once, whoever of them finds it ended."""
    with Daemon() as d:
        data = make_data(d.home)
        sweep = d.submit(spec_of(data, run_cap=2, epochs=1))
        equal(d.wait(sweep)["status"], "completed")
        failures = []

        def extend():
            try:
                c = d.connect()
                c.call("extend", sweep=sweep, runs=3)
                c.close()
            except Exception as e:  # noqa: BLE001
                failures.append(e)

        threads = [threading.Thread(target=extend) for _ in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        equal(failures, [])
        equal(d.wait(sweep)["status"], "completed")
        equal([n for n, _ in rows(d, sweep)], list(range(20)))


def test_what_is_refused():
    with Daemon() as d:
        data = make_data(d.home)
        sweep = d.submit(spec_of(data))
        equal(d.wait(sweep)["status"], "completed")
        refused(d, "", "nothing is asked for", sweep=sweep)
        refused(d, "$.run_cap", "above 6", sweep=sweep, run_cap=6)
        refused(d, "$.parameters.width.max", "at least 64", sweep=sweep,
                parameters={"width": {"max": 32}})
        refused(d, "$.parameters.depht", "depth", sweep=sweep, parameters={"depht": {"max": 3}})
        refused(d, "$.sweep", "a sweep that exists", sweep=99, runs=1)
        equal(d.call("show", sweep=sweep)["sweep"]["status"], "completed")
        # a network of those that the range allows then does not fit into memory
        try:
            d.call("extend", sweep=sweep, parameters={"width": {"max": 65536},
                                                      "depth": {"max": 256}})
            raise AssertionError("taken")
        except RpcError as e:
            check("the network needs" in e.message, e.message)
        with open(os.path.join(data, os.listdir(data)[0]), "ab") as f:
            f.write(b"more")
        try:
            d.call("extend", sweep=sweep, parameters={"width": {"max": 65}})
            raise AssertionError("taken")
        except RpcError as e:
            check(e.message, e.message)
        equal(d.call("show", sweep=sweep)["sweep"]["status"], "completed")
        equal(len(rows(d, sweep)), 6)


def test_from_the_command_line():
    with Daemon() as d:
        data = make_data(d.home)
        sweep = d.submit(spec_of(data))
        d.wait(sweep)
        out = d.ctl("extend", sweep, "--runs", 4, "depth=..3", "width=2..100",
                    "optimizer=rmsprop,momentum", check=0).stdout
        check("of 10 runs" in out, out)
        d.ctl("extend", sweep, check=2)
        d.ctl("extend", sweep, "depth", check=2)
        d.ctl("extend", sweep, "depth=..2", check=1)
        equal(d.wait(sweep)["status"], "completed")
        p = d.call("show", sweep=sweep)["sweep"]["spec"]["parameters"]
        equal((p["depth"]["min"], p["depth"]["max"]), (1, 3))
        equal((p["width"]["min"], p["width"]["max"]), (2, 100))
        equal(p["optimizer"]["values"], ["adam", "sgd", "rmsprop", "momentum"])


if __name__ == "__main__":
    run(test_an_ended_sweep_goes_on, test_the_same_through_a_kill,
        test_a_running_sweep_and_one_that_was_cancelled, test_many_at_once, test_what_is_refused,
        test_from_the_command_line)
