"""What runs need beside a slot: counted, given to no two at once, said where it can never be had, kept over
a restart of the daemon."""
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon, RpcError, small_spec  # noqa: E402
from tap import check, equal, run, until  # noqa: E402

# Says what it was given, and waits until the gate is gone.
PROGRAM = f"#!{sys.executable} -SE" + r"""
import json, os, sys, time
home, run = os.path.dirname(sys.argv[0]), os.environ["SWEEPD_RUN_ID"]
given = {x: os.environ.get(x) for x in ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS")}
with open(f"{home}/run-{run}.new", "w") as f:
    json.dump(given, f)
os.rename(f"{home}/run-{run}.new", f"{home}/run-{run}")
while os.path.exists(f"{home}/gate"):
    time.sleep(0.01)
with os.fdopen(int(os.environ["SWEEPD_METRICS_FD"]), "w") as out:
    out.write('{"loss": 1}\n')
"""


class Home(tempfile.TemporaryDirectory):
    def __enter__(self):
        self.path = os.path.realpath(super().__enter__())
        with open(f"{self.path}/program", "w", encoding="utf-8") as f:
            f.write(PROGRAM)
        os.chmod(f"{self.path}/program", 0o700)
        self.shut()
        return self

    def shut(self):
        with open(f"{self.path}/gate", "w", encoding="utf-8"):
            pass

    def open(self):
        os.unlink(f"{self.path}/gate")

    def given(self, run_id):
        with open(f"{self.path}/run-{run_id}", encoding="utf-8") as f:
            return json.load(f)

    def spec(self, runs, resources, **more):
        return {"task": {"command": [f"{self.path}/program"]}, "method": "grid", "epochs": 1,
                "metric": {"name": "loss", "goal": "minimize"},
                "parameters": {"n": {"values": list(range(runs))}},
                **({} if resources is None else {"resources": resources}), **more}


def daemon(*arguments, workers=6):
    return Daemon(workers=workers, arguments=arguments)


def status(d):
    return d.call("status")["resources"]


def running(d):
    return [n for n, in d.sql("SELECT id FROM runs WHERE status = 'running' ORDER BY id")]


def up(home, runs):
    """They have said what they were given."""
    until(lambda: all(os.path.exists(f"{home.path}/run-{n}") for n in runs), f"runs {runs} are up")


def completed(d, *sweeps):
    for sweep in sweeps:
        equal(d.wait(sweep)["status"], "completed", d.sql("SELECT reason FROM sweeps"))


def test_each_has_a_gpu_of_its_own():
    with Home() as home, daemon("--gpus", "GPU-a,GPU-b") as d:
        sweep = d.submit(home.spec(4, {"gpus": 1, "cpus": 2}))
        up(home, (1, 2))
        equal(running(d), [1, 2])
        equal([home.given(n)["CUDA_VISIBLE_DEVICES"] for n in (1, 2)], ["GPU-a", "GPU-b"])
        equal(home.given(1)["OMP_NUM_THREADS"], "2")
        equal(status(d)["gpus"], {"total": 2, "taken": 2, "devices": {"GPU-a": 1, "GPU-b": 1}})
        equal(status(d)["cpus"]["taken"], 4)
        check("gpus 2 of 2 (GPU-a: 1, GPU-b: 1)" in d.ctl("status", check=0).stdout)
        home.open()
        completed(d, sweep)
        equal(status(d)["gpus"]["taken"], 0)
        equal(sorted(home.given(n)["CUDA_VISIBLE_DEVICES"] for n in (3, 4)), ["GPU-a", "GPU-b"])


def test_several_share_one_and_some_have_none():
    with Home() as home, daemon("--gpus=0,1", workers=8) as d:
        sweeps = [d.submit(home.spec(4, {"gpus": 0.5})), d.submit(home.spec(1, {"gpus": 0}))]
        up(home, range(1, 6))
        equal(sorted(home.given(n)["CUDA_VISIBLE_DEVICES"] for n in range(1, 5)), ["0", "0", "1", "1"])
        equal(home.given(5)["CUDA_VISIBLE_DEVICES"], "")
        equal(status(d)["gpus"], {"total": 2, "taken": 2, "devices": {"0": 1, "1": 1}})
        home.open()
        completed(d, *sweeps)


def test_a_resource_of_ones_own():
    with Home() as home, daemon("--resources", "license:2,disk=5", "--gpus", "none") as d:
        mine = d.submit(home.spec(3, {"license": 1}))
        up(home, (1, 2))
        other = d.submit(home.spec(2, None))
        up(home, (4, 5))
        equal(running(d), [1, 2, 4, 5], "what needs none of it does not wait")
        equal(status(d)["license"], {"total": 2, "taken": 2})
        home.open()
        completed(d, mine, other)


def test_the_one_that_needs_much_is_not_passed_by():
    """All of it is wanted by one; those behind it, which would fit, do not take it for ever."""
    with Home() as home, daemon("--resources", "license=2") as d:
        small = d.submit(home.spec(3, {"license": 1}))
        up(home, (1, 2))
        large = d.submit(home.spec(1, {"license": 2}, priority=1))
        home.open()
        completed(d, small, large)
        order = [n for n, in d.sql("SELECT run_id FROM events WHERE kind = 'run_started' ORDER BY id")]
        check(order.index(4) < order.index(3), order)


def test_a_restart_keeps_what_is_given():
    with Home() as home, daemon("--gpus", "a,b,c") as d:
        sweep = d.submit(home.spec(4, {"gpus": 1}, task={"command": [f"{home.path}/program"]}))
        up(home, (1, 2, 3))
        d.kill()
        d.start()
        until(lambda: d.sql("SELECT count(*) FROM events WHERE kind = 'run_adopted'"), "adopted")
        equal(status(d)["gpus"], {"total": 3, "taken": 3, "devices": {"a": 1, "b": 1, "c": 1}})
        equal(running(d), [1, 2, 3])
        home.open()
        completed(d, sweep)
        check(home.given(4)["CUDA_VISIBLE_DEVICES"] in "abc")


def test_what_is_there_no_more_holds_the_sweep():
    with Home() as home, daemon("--gpus", "a,b") as d:
        sweep = d.submit(home.spec(2, {"gpus": 2}))
        up(home, (1,))
        d.kill()
        d.arguments = ["--gpus", "a"]
        d.start()
        home.open()
        reply = d.wait(sweep)
        equal(reply["status"], "held")
        check("$.resources.gpus: got 2" in reply["reason"] and "gpus up to 1" in reply["reason"], reply)
        until(lambda: d.sql("SELECT status FROM runs ORDER BY id") == [("completed",), ("queued",)],
              "what it had begun goes on to its end")


def refused(d, spec, key, *says):
    try:
        d.submit(spec)
    except RpcError as e:
        equal(e.data["key"], key, e.message)
        for text in says:
            check(text in e.message, e.message)
        return
    raise AssertionError(f"accepted: {spec}")


def test_what_can_never_be_had_is_refused():
    with Home() as home, daemon("--gpus=0", "--resources=license=2") as d:
        cases = [({"gpus": 2}, "gpus", "got 2", "gpus up to 1", "--gpus"),
                 ({"license": 3}, "license", "license up to 2"), ({"licence": 1}, "licence", "license"),
                 ({"cpus": 100000}, "cpus", "cpus up to"), ({"cpus": 0}, "cpus", "from 1"),
                 ({"gpus": 1.5}, "gpus", "share"), ({"gpus": "1"}, "gpus"), ({"gpus": -1}, "gpus"),
                 ({"gpu": 1}, "gpu", "did you mean gpus?"), ({"memory": 1}, "memory", "memory_mib"),
                 ({"memory_mib": 10 ** 9}, "memory_mib", "memory_mib up to"),
                 ({"cpus": 1.5}, "cpus", "whole"), ({"license": True}, "license")]
        for resources, key, *says in cases:
            refused(d, home.spec(1, resources), f"$.resources.{key}", *says)
        refused(d, home.spec(1, [1]), "$.resources", "an object")
        refused(d, home.spec(1, {"a b": 1}), '$.resources["a b"]', "letters")
        refused(d, small_spec("/none", resources={"gpus": 1}), "$.resources.gpus", "no GPU")
        refused(d, home.spec(1, {"cpus": 1}, task={"client": {}}), "$.resources", "clients")
        equal(d.sql("SELECT count(*) FROM sweeps"), [(0,)])
        for flags in (("--resources", "license"), ("--resources=a=1,a=2",), ("--resources=gpus=1",),
                      ("--resources=a=-1",), ("--gpus=0,,1",)):
            bad = Daemon(arguments=flags)
            try:
                bad.start()
            except RuntimeError:
                continue
            raise AssertionError(f"accepted: {flags}")


def test_those_that_are_found():
    """nvidia-smi, in its place a script that says what it would."""
    with Home() as home:
        with open(f"{home.path}/nvidia-smi", "w", encoding="utf-8") as f:
            f.write('#!/bin/sh\ntest "$*" = "--query-gpu=uuid --format=csv,noheader" || exit 1\n'
                    'echo GPU-1234; echo GPU-5678\n')
        os.chmod(f"{home.path}/nvidia-smi", 0o700)
        environment = {"PATH": f"{home.path}:{os.environ['PATH']}"}
        os.environ.pop("CUDA_VISIBLE_DEVICES", None)
        with Daemon(environment=environment) as d:
            equal(status(d)["gpus"], {"total": 2, "taken": 0, "devices": {"GPU-1234": 0, "GPU-5678": 0}})
        with Daemon(environment={**environment, "CUDA_VISIBLE_DEVICES": "3"}) as d:
            equal(status(d)["gpus"]["devices"], {"3": 0})
        with Daemon(environment={**environment, "SWEEPD_GPUS": "none"}) as d:
            equal(status(d)["gpus"]["total"], 0)


if __name__ == "__main__":
    run(test_each_has_a_gpu_of_its_own, test_several_share_one_and_some_have_none,
        test_a_resource_of_ones_own, test_the_one_that_needs_much_is_not_passed_by,
        test_a_restart_keeps_what_is_given, test_what_is_there_no_more_holds_the_sweep,
        test_what_can_never_be_had_is_refused, test_those_that_are_found)
