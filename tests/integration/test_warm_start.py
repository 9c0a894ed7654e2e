"""A search that begins with what earlier sweeps came to: said at submit, fixed then, replayed."""
import json
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon, RpcError, make_data, small_spec  # noqa: E402
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


LOSS = {"name": "val_loss", "goal": "minimize"}
PROGRAM = {"task": {"command": ["/bin/true", "${args}"]}, "metric": LOSS, "method": "tpe", "run_cap": 14,
           "epochs": 2, "parameters": {"lr": {"min": 0.0001, "max": 1.0, "distribution": "log_uniform_values"},
                                       "optim": {"values": ["Adam", "SGD"]}}}


def said(d, spec, *warm):
    return " ".join(d.call("submit", spec={**spec, "warm_start": list(warm)}, dry_run=True)["notes"])


def asked_for(d):
    """A client's search of what a trainer calls by other names."""
    spec = {**PROGRAM, "task": {"client": {}}, "repeat_share": 0}
    sweep = d.call("submit", spec=spec)["sweep"]
    while (given := d.call("ask", sweep=sweep)).get("run"):
        p = given["params"]
        loss = abs(math.log10(p["lr"]) + 2) + (p["optim"] == "SGD")
        d.call("tell", run=given["run"], lease=given["lease"], result={"value": loss})
    return sweep


def test_other_kinds_of_task():
    """By name, else by what the name means; known only where a person says that they were trained alike."""
    with Daemon(workers=1) as d:
        data = make_data(d.home)
        clients = asked_for(d)
        words = said(d, PROGRAM, clients)
        check("trained with other programs" in words and "the best 5 are tried first" in words, words)
        check(f'{{"sweep": {clients}, "alike": true}}' in words, words)
        words = said(d, PROGRAM, {"sweep": clients, "alike": True})
        check("14 of 14 runs are known from the start" in words, words)
        trainer = small_spec(data, method="bohb", epochs=9, run_cap=8, metric=LOSS, parameters={
            "learning_rate": {"min": 0.0001, "max": 1.0, "distribution": "log_uniform_values"},
            "optimizer": {"values": ["adam", "sgd"]}})
        second = d.submit({**trainer, "warm_start": [clients]})
        equal(d.wait(second)["status"], "completed")
        reasons = [r for r, in d.sql("SELECT reason FROM runs WHERE sweep_id = ? ORDER BY number LIMIT 5", second)]
        check(all(f"of sweep {clients}" in r for r in reasons), reasons)
        first = json.loads(d.sql("SELECT params FROM runs WHERE sweep_id = ? AND number = 0", second)[0][0])
        best = json.loads(d.sql("SELECT params FROM runs WHERE sweep_id = ? ORDER BY metric_value LIMIT 1", clients)[0][0])
        equal(first, {"learning_rate": best["lr"], "optimizer": best["optim"].lower()})
        words = said(d, {**PROGRAM, "parameters": {**PROGRAM["parameters"], "batch_size": {"values": [8, 32]}}}, second)
        check("the best 5 are tried first" in words, words)     # of a trainer's run every setting is known
        words = said(d, {**trainer, "parameters": {**trainer["parameters"], "train.l2": {"min": 0.0, "max": 0.1}}}, clients)
        check("nothing of it can be used; left out: 14 outside of what is searched here (without train.l2)" in words, words)
        d.ctl("replay", "--sweep", second)


def test_an_imported_study():
    with Daemon(workers=1) as d:
        path = os.path.join(d.home, "runs.csv")
        with open(path, "w") as f:
            f.write("lr,optim,val_loss\n" + "".join(f"{10 ** -(1 + i / 6):g},{'Adam' if i % 2 else 'SGD'},{0.2 + 0.01 * i}\n"
                                                    for i in range(12)))
        done = d.ctl("import", path, "--metric", "val_loss", "--goal", "minimize", "--parameters", "lr,optim", "--json")
        sweep = json.loads(done.stdout)["sweep"]
        check("the best 5 are tried first" in said(d, PROGRAM, sweep), said(d, PROGRAM, sweep))
        words = said(d, PROGRAM, {"sweep": sweep, "alike": True})
        check("12 of 12 runs are known from the start" in words and "val_loss 0.2" in words, words)
        words = said(d, {**PROGRAM, "method": "bohb", "epochs": 9}, {"sweep": sweep, "alike": True})
        check("12 of 12 runs are known from the start" in words, words)
        words = said(d, {**PROGRAM, "metric": {"name": "acc", "goal": "maximize"}}, sweep)
        check("its metric is val_loss" in words, words)


if __name__ == "__main__":
    run(test_begins_with_what_is_known, test_what_cannot_be_used_is_said, test_errors,
        test_the_option, test_other_kinds_of_task, test_an_imported_study)
