"""What can happen to workers in a night: they cannot be started, are killed, hang, take too much."""
import json
import os
import signal
import sqlite3
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from held import TRIES, hold, midway, submit_held  # noqa: E402
from sweepd import (Daemon, RpcError, WORKER, is_alive, make_data, slow_spec,  # noqa: E402
                    small_spec)
from tap import check, equal, run, until  # noqa: E402

START = ('{"type":"start","version":1,"pid":\'$$\',"core":"","blas":"","parameters":1,'
         '"resumed_point":0}')


def fake_worker(home, script, name="fake-worker"):
    """A worker that prepares data as ours does, and runs that as a run."""
    path = os.path.join(home, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(f'#!/bin/sh\ncase "$1" in --*) exec {WORKER} "$@";; esac\n{script}\n')
    os.chmod(path, 0o755)
    return path


def random_spec(data, **changes):
    return small_spec(data, **{"method": "random", "epochs": 2, **changes})


def errors(d, sweep):
    return d.sql("SELECT DISTINCT status, error_class FROM runs WHERE sweep_id=?", sweep)


def run_text(d, sweep):
    return d.sql("SELECT error_text FROM runs WHERE sweep_id=? LIMIT 1", sweep)[0][0]


def retries(d, sweep):
    return d.sql("SELECT count(*) FROM events WHERE kind='run_retried' AND sweep_id=?", sweep)[0][0]


def absent(d, data, away):
    """A sweep of eight runs, of which all that are still to begin meet the absence."""
    sweep = submit_held(d, random_spec(data, run_cap=8, epochs=600), runs=2)
    d.call("pause", sweep=sweep)
    d.let_end()
    until(lambda: d.call("status")["running"] == 0, "they pause")
    os.rename(away, away + ".away")
    try:
        d.call("resume", sweep=sweep)
        until(lambda: retries(d, sweep) >= 6, f"retries without {away}")
        equal(d.call("show", sweep=sweep)["sweep"]["failed"], 0, away)
    finally:
        os.rename(away + ".away", away)
    equal(d.wait(sweep)["status"], "completed", away)
    equal(errors(d, sweep), [("completed", None)], away)


def test_a_short_absence():
    """Worker program, data and runs folder are away in turn: no run fails by that."""
    with tempfile.TemporaryDirectory(prefix="sweepd-") as home:
        worker = fake_worker(home, f'exec {WORKER} "$@"')
        data = make_data(home)
        with Daemon(home=home, arguments=["--worker-program", worker, "--retry-seconds",
                                          "0.02"]) as d:
            for away in (worker, data, d.db + ".runs"):
                absent(d, data, away)
            equal(d.call("status")["launch_trouble"], "")
            check(d.sql("SELECT 1 FROM events WHERE kind='launcher_held'"), "an event says so")


def test_limits():
    """Each worker does something else that is too much; none takes another's sweep along."""
    with tempfile.TemporaryDirectory(prefix="sweepd-") as home:
        data = make_data(home)
        # Too much, but no more than that: it may be a while until somebody looks.
        hog = "import time\nb = bytearray(b'x') * (400 << 20)\ntime.sleep(1000)\n"
        with open(os.path.join(home, "hog.py"), "w", encoding="utf-8") as f:
            f.write(hog)
        worker = fake_worker(home, f"""
echo '{START}'
case $(cat '{home}/kind') in
  memory) {sys.executable} '{home}/hog.py' & wait;;
  sleep) exec sleep 1000;;
  spin) while :; do :; done;;
  stop) kill -STOP $$;;
esac""")
        cases = [
            ("memory", {"memory_mib": 200}, "out_of_memory", "MiB of memory, and may use 200"),
            ("spin", {"seconds": 1}, "timeout", "longer than 1 s"),
            ("sleep", {"idle_seconds": 0.7}, "hung", "no line for 0.7 s"),
            ("spin", {"idle_seconds": 0.7}, "hung", "no line for 0.7 s"),
            ("stop", {"idle_seconds": 0.7}, "hung", "no line for 0.7 s"),
        ]
        with Daemon(home=home, workers=1,
                    arguments=["--worker-program", worker, "--retry-seconds", "0.01"]) as d:
            for kind, limits, error, text in cases:
                with open(os.path.join(home, "kind"), "w", encoding="utf-8") as f:
                    f.write(kind)
                sweep = d.submit(random_spec(data, run_cap=1, limits=limits))
                equal(d.wait(sweep)["status"], "held", kind)
                equal(errors(d, sweep), [("failed", error)], kind)
                check(text in run_text(d, sweep), run_text(d, sweep))
                equal(retries(d, sweep), 2 if error == "hung" else 0, kind)
            for seconds in (0.7, 5, 40):  # it may not come to stop itself within the first
                sweep = d.submit(random_spec(data, run_cap=1, limits={"idle_seconds": seconds}))
                d.wait(sweep)
                if "is stopped by a signal" in run_text(d, sweep):
                    break
            check("is stopped by a signal" in run_text(d, sweep), run_text(d, sweep))


def test_limits_of_an_adopted_worker():
    with tempfile.TemporaryDirectory(prefix="sweepd-") as home:
        worker = fake_worker(home, f"echo '{START}'; exec sleep 1000")
        with Daemon(home=home, workers=1, arguments=["--worker-program", worker]) as d:
            sweep = d.submit(random_spec(make_data(home), run_cap=1, limits={"seconds": 1000}))
            until(lambda: d.sql("SELECT 1 FROM runs WHERE status='running' AND handle IS NOT NULL"),
                  "a worker")
            d.kill()
            with sqlite3.connect(d.db) as db:  # it is not over before there is the other daemon
                shorter = db.execute("""UPDATE sweeps SET spec =
                    replace(spec, '"seconds":1000', '"seconds":1')""")
                equal(shorter.rowcount, 1)
            db.close()
            d.start()
            until(lambda: d.sql("SELECT 1 FROM events WHERE kind='run_adopted'"), "it is adopted")
            equal(d.wait(sweep)["status"], "held")
            equal(errors(d, sweep), [("failed", "timeout")])


def test_stderr_is_capped():
    with tempfile.TemporaryDirectory(prefix="sweepd-") as home:
        worker = fake_worker(home, "echo first >&2; head -c 200000000 /dev/zero >&2; "
                                   "sleep 0.5; echo last words >&2; exit 3")
        with Daemon(home=home, workers=1, arguments=["--worker-program", worker]) as d:
            sweep = d.submit(random_spec(make_data(home), run_cap=1))
            equal(d.wait(sweep)["status"], "held")
            path = os.path.join(d.call("run", run=1)["folder"], "stderr")
            check(os.path.getsize(path) < 5 << 20, f"{os.path.getsize(path)} bytes")
            with open(path, "rb") as f:
                content = f.read()
            check(content.startswith(b"first\n") and content.endswith(b"last words\n"), "its ends")


def kill_held(d):
    for pid in d.held:
        os.kill(pid, signal.SIGKILL)
    d.held = []
    return True


def test_kills_never_fail_a_run():
    """A stranger kills every worker that has begun, six times in a row."""
    with tempfile.TemporaryDirectory(prefix="sweepd-data-") as home:
        spec = slow_spec(make_data(home, samples=800), run_cap=3)
        for _ in range(TRIES):
            with midway(spec, runs=2, points=1, arguments=["--retry-seconds", "0.01"]) as (d, sweep):
                often = all(kill_held(d) and hold(d, sweep, runs=2, points=1) for _ in range(6))
                d.go_on()
                equal(d.wait(sweep)["status"], "completed")
                equal(errors(d, sweep), [("completed", None)])
                if often:
                    return
        raise AssertionError("a run always ended before it was killed")


def test_failures_alike():
    """Two sweeps: one whose workers always crash, one that is well."""
    with tempfile.TemporaryDirectory(prefix="sweepd-") as home:
        worker = fake_worker(home, f"""
grep -q '"width":17' "$1" && {{ echo last words >&2; kill -SEGV $$; }}
exec {WORKER} "$@\"""")
        with Daemon(home=home, arguments=["--worker-program", worker]) as d:
            data = make_data(home)
            bad = d.submit(random_spec(data, run_cap=108,
                                       model={"type": "mlp", "width": 17, "activation": "relu"}))
            good = d.submit(random_spec(data, run_cap=20))
            ended = d.wait(bad)
            equal(ended["status"], "held")
            check("failed alike (worker_crash)" in ended["reason"] and
                  "last words" in ended["reason"], ended["reason"])
            failed = d.call("show", sweep=bad)["sweep"]["failed"]
            check(16 <= failed <= 18, f"{failed} runs were burnt")
            equal(d.wait(good)["status"], "completed")


def test_prepare_is_limited():
    """Four that hang, and one that takes too much: the fifth submit is answered all the same. Where
    there is little time, it is said; whoever has to be well has enough of it."""
    with tempfile.TemporaryDirectory(prefix="sweepd-") as home:
        data = make_data(home)
        worker = os.path.join(home, "worker")
        with open(worker, "w", encoding="utf-8") as f:
            f.write(f"""#!/bin/sh
if [ "$1" = --prepare ]; then
    text=$(cat /dev/stdin)
    case $text in
    *'"width":101'*) echo $$ >> '{home}/begun'; exec sleep 1000;;
    *'"width":102'*) exec {sys.executable} -c 'x = []
while True: x.append(bytearray(32 << 20))';;
    esac
fi
exec {WORKER} "$@"
""")
        os.chmod(worker, 0o755)

        def spec(width):
            return random_spec(data, run_cap=1, model={"type": "mlp", "width": width,
                                                       "activation": "relu"})
        begun = os.path.join(home, "begun")
        arguments = ["--worker-program", worker, "--prepare-memory", "300", "--prepare-seconds"]
        with Daemon(home=home, arguments=[*arguments, "1000"]) as d:
            clients = [d.connect() for _ in range(4)]
            for c in clients:
                request = {"jsonrpc": "2.0", "id": 1, "method": "submit",
                           "params": {"spec": spec(101)}}
                c.send(json.dumps(request).encode() + b"\n")
            until(lambda: os.path.exists(begun) and len(open(begun).readlines()) == 4, "all hang")
            clients.pop().close()
            equal(d.wait(d.submit(spec(16)))["status"], "completed", "its place is free")
            refused(d, spec(102), "MiB of memory, and may use 300")
            d.stop()
            for c in clients:
                c.close()
            d.arguments = [*arguments, "0.5"]
            d.start()
            refused(d, spec(101), "longer than 0.5 s")
            for pid in open(begun).read().split():
                until(lambda: not is_alive(int(pid)), "no process is left")


def refused(d, spec, says):
    try:
        d.submit(spec)
    except RpcError as e:
        equal(e.data["error"], "limit_exceeded", e.message)
        check(says in e.message, e.message)
        return
    raise AssertionError("it took too much")


if __name__ == "__main__":
    run(test_a_short_absence, test_limits, test_limits_of_an_adopted_worker, test_stderr_is_capped,
        test_kills_never_fail_a_run, test_failures_alike, test_prepare_is_limited)
