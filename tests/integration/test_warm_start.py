"""A search that begins with what earlier sweeps came to: said at submit, fixed then, replayed."""
import json
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon, RpcError  # noqa: E402
from tap import check, equal, run  # noqa: E402

SPEC = {"name": "asked", "task": {"client": {}}, "method": "tpe", "run_cap": 14, "epochs": 2,
        "metric": {"name": "score", "goal": "maximize"}, "repeat_share": 0,
        "parameters": {"lr": {"min": 0.0001, "max": 1.0, "distribution": "log_uniform_values"},
                       "kind": {"values": ["a", "b"]}}}


def carry_out(d, sweep):
    """Every run of it, by a formula: best at lr 0.01 and kind b."""
    while True:
        given = d.call("ask", sweep=sweep)
        if not given.get("run"):
            break
        p = given["params"]
        score = -abs(math.log10(p["lr"]) + 2) + (p["kind"] == "b")
        d.call("tell", run=given["run"], lease=given["lease"], result={"value": score})
    equal(d.sql(f"SELECT status FROM sweeps WHERE id = {sweep}"), [("completed",)])


def warmed(d, sweep):
    return [r[0] for r in d.sql("SELECT reason FROM decisions WHERE kind = 'warmed' "
                                f"AND sweep_id = {sweep} ORDER BY id")]


def test_begins_with_what_is_known():
    with Daemon(workers=1) as d:
        first = d.call("submit", spec=SPEC)["sweep"]
        carry_out(d, first)
        answer = d.call("submit", spec={**SPEC, "warm_start": [first]})
        notes = " ".join(answer["notes"])
        check("14 of 14 runs are known from the start, the best of them run" in notes, notes)
        second = answer["sweep"]
        equal(warmed(d, second), answer["notes"])
        reason = d.sql(f"SELECT reason FROM runs WHERE sweep_id = {second} AND number = 0")[0][0]
        check("of runs below #0, earlier sweeps" in reason, reason)
        d.ctl("delete", first, "--yes")
        d.stop()
        d.start()
        carry_out(d, second)
        shown = json.loads(d.ctl("show", second, "--json").stdout)["sweep"]
        equal(json.loads(shown["spec"])["warm_start"] if isinstance(shown["spec"], str)
              else shown["spec"]["warm_start"], [first])
        d.ctl("replay", "--sweep", second)


def test_what_cannot_be_used_is_said():
    with Daemon(workers=1) as d:
        first = d.call("submit", spec=SPEC)["sweep"]
        carry_out(d, first)
        wider = {**SPEC["parameters"], "width": {"min": 1, "max": 9}}
        for other, words in [
                ({"parameters": wider}, "14 outside of what is searched here (without width)"),
                ({"metric": {"name": "loss", "goal": "minimize"}}, "its metric is score"),
                ({"parameters": {**SPEC["parameters"], "kind": {"values": ["b", "c"]}}},
                 "outside of what is searched here (kind"),
                ({"epochs": 5}, "trained with other epochs"),
                ({"parameters": {"lr": SPEC["parameters"]["lr"]}}, "(with kind)")]:
            answer = d.call("submit", spec={**SPEC, **other, "warm_start": [first]}, dry_run=True)
            check(words in " ".join(answer["notes"]), (other, answer["notes"]))


def test_errors():
    with Daemon(workers=1) as d:
        for other, words in [
                ({"warm_start": [9]}, "$.warm_start: got 9; allowed: ids of sweeps"),
                ({"warm_start": []}, "a list of 1 to 16 ids"),
                ({"warm_start": 3}, "a list of 1 to 16 ids"),
                ({"warm_start": [3, 3]}, "each sweep once"),
                ({"warm_start": [0]}, "$.warm_start[0]: got 0"),
                ({"warm_start": [1], "method": "random"}, "nothing with method random")]:
            try:
                d.call("submit", spec={**SPEC, **other})
            except RpcError as error:
                check(words in str(error), (other, str(error)))
            else:
                raise AssertionError(f"{other} was taken")


def test_the_option():
    with Daemon(workers=1) as d:
        first = d.call("submit", spec=SPEC)["sweep"]
        carry_out(d, first)
        path = os.path.join(d.home, "again.json")
        with open(path, "w") as f:
            json.dump({**SPEC, "method": "auto"}, f)
        out = d.ctl("submit", path, "--warm-start", first)
        check("note: sweep 1: 14 of 14 runs are known" in out.stderr, out.stderr)
        equal(d.sql("SELECT json_extract(spec, '$.warm_start[0]') FROM sweeps ORDER BY id DESC "
                    "LIMIT 1"), [(first,)])
        for bad in ("x", "1,", "0"):
            check("ids of sweeps, separated by commas" in
                  d.ctl("submit", path, "--warm-start", bad, check=2).stderr, bad)


if __name__ == "__main__":
    run(test_begins_with_what_is_known, test_what_cannot_be_used_is_said, test_errors,
        test_the_option)
