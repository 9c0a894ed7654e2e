"""Sweeps on a cluster: pilots that take runs out of a spool, with a Slurm of the test's own
(tests/lib/fake_slurm.py). What is stored is what workers of this machine would have left, whatever
is killed meanwhile: nothing is lost, and nothing is there twice."""
import contextlib
import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import many_pilots  # noqa: E402
from fake_slurm import Cluster  # noqa: E402
from mounts import file_system, hung, remount  # noqa: E402
from sweepd import WORKER, Daemon, make_data, slow_spec, small_spec, undisturbed  # noqa: E402
from tap import check, equal, equal_rows, run, until  # noqa: E402

ARGUMENTS = ("--slurm-seconds", "0.2", "--lease-seconds", "30", "--checkpoint-seconds", "0")


class Site:
    """A daemon and a cluster."""

    def __init__(self, workers=1, arguments=()):
        self.daemon = Daemon(workers=workers, arguments=(*ARGUMENTS, *arguments))
        self.cluster = Cluster(self.daemon.home)
        self.daemon.environment.update(self.cluster.environment())

    def __enter__(self):
        self.daemon.start()
        return self.daemon, self.cluster

    def __exit__(self, *exc):
        try:
            self.daemon.__exit__(*exc)
        finally:
            self.cluster.kill_all()


def on(slots=2, **more):
    return {"launcher": "slurm", "slots": slots, **more}


def without_place(spec):
    return {k: v for k, v in spec.items() if k != "on"}


def end_as_undisturbed(d, sweep, spec):
    ended = d.wait(sweep)
    equal(ended["status"], "completed", ended)
    equal_rows(d.canonical(), undisturbed(without_place(spec)), "what is stored")
    events = [k for (k,) in d.sql("SELECT DISTINCT kind FROM events")]
    check("nondeterminism" not in events, "the same bits")


def of_status(d):
    return d.call("status")["clusters"]


def running_pilots(d):
    return [p for c in of_status(d) for p in c["pilots"]]


def busy_job(d, cluster):
    """A job whose pilot has a run that has come to a point."""
    found = []

    def find():
        found.extend(p["job"] for p in running_pilots(d)
                     if p["run"] and p["job"] in cluster.running() and d.sql(
                         "SELECT 1 FROM curves WHERE run_id = ? LIMIT 1", p["run"]))
        return found
    until(find, "a pilot trains")
    return found[0]


def test_as_on_this_machine():
    """The same runs, the same bits; and when all have ended, nothing is left on the cluster."""
    with Site() as (d, cluster):
        spec = small_spec(make_data(d.home), on=on(3))
        end_as_undisturbed(d, d.submit(spec), spec)
        until(lambda: not cluster.running() and not of_status(d), "all pilots have gone")
        until(lambda: os.listdir(d.db + ".spool") == [], "the spool is empty")
        # What has ended by itself is seen by the controller when it is asked the next time.
        for job, state in cluster.states().items():
            check(state in ("COMPLETED", "CANCELLED") or
                  cluster.memory.read("jobs", job, "exit") == "0", f"{job}: {state}")


def disturbed(disturb, times=2, **changes):
    """A sweep of long runs, of which that is done while a pilot trains."""
    with Site() as (d, cluster):
        spec = slow_spec(make_data(d.home, samples=300), run_cap=4, on=on(2), **changes)
        sweep = d.submit(spec)
        for _ in range(times):
            disturb(d, cluster, busy_job(d, cluster))
        end_as_undisturbed(d, sweep, spec)


def test_daemon_killed():
    def kill(d, cluster, job):
        d.kill()
        d.start()
    disturbed(kill)


def test_pilot_killed():
    disturbed(lambda d, cluster, job: cluster.signal(job, signal.SIGKILL))


def test_worker_killed():
    def kill(d, cluster, job):
        with open(f"/proc/{cluster.pid(job)}/task/{cluster.pid(job)}/children") as f:
            for pid in f.read().split():
                os.kill(int(pid), signal.SIGKILL)
    disturbed(kill)


def test_cancelled_from_outside():
    def cancel(d, cluster, job):
        cluster.put(job, after="CANCELLED")
        cluster.signal(job, signal.SIGTERM)
    disturbed(cancel)


def test_node_fails():
    disturbed(lambda d, cluster, job: cluster.fail_node(job))


def test_preempted():
    disturbed(lambda d, cluster, job: cluster.preempt(job))


def test_time_is_over():
    disturbed(lambda d, cluster, job: cluster.time_out(job))


def test_controller_unreachable():
    """While nobody answers, runs go on; and a pilot that dies then is missed later."""
    def silence(d, cluster, job):
        cluster.set("down", "yes")
        until(lambda: any("Unable" in c["trouble"] for c in of_status(d)), "it is said")
        cluster.signal(job, signal.SIGKILL)
        d.kill()
        d.start()
        cluster.set("down", "")
    disturbed(silence, times=1)


def test_jobs_forgotten():
    """The controller's memory is gone: its jobs run on, and nobody knows them."""
    def forget(d, cluster, job):
        for j in cluster.states():
            cluster.put(j, forgotten=True)
    disturbed(forget, times=1)


def test_unknown_state():
    """A word that nobody knows says nothing: the spool does."""
    with Site() as (d, cluster):
        spec = slow_spec(make_data(d.home, samples=300), run_cap=3, on=on(1))
        sweep = d.submit(spec)
        cluster.put(busy_job(d, cluster), shown="TELEPORTING")
        end_as_undisturbed(d, sweep, spec)
        equal(len(cluster.states()), 1, "no second pilot was asked for")

def test_room_left_behind():
    """Of a sweep that has ended while no daemon could clear up: the next one does, when it has to
    do with the spool at all."""
    with Site() as (d, cluster):
        data = make_data(d.home)
        spec = small_spec(data, method="random", run_cap=2, on=on(1))
        equal(d.wait(d.submit(spec))["status"], "completed")
        until(lambda: not of_status(d), "the room is gone")
        d.kill()
        (database,) = d.sql("SELECT uuid FROM identity")[0]
        h = hashlib.sha256(f"{database}/77".encode()).hexdigest()
        room = f"{d.db}.spool/{h[:8]}-{h[8:12]}-8{h[13:16]}-8{h[17:20]}-{h[20:32]}"
        os.makedirs(room + "/runs")
        with open(room + "/room.json", "w") as f:
            json.dump({"database": database, "sweep": 77}, f)
        d.start()
        equal(d.wait(d.submit({**spec, "seed": 5}))["status"], "completed")
        until(lambda: not of_status(d), "the rooms are gone")
        equal(os.listdir(d.db + ".spool"), [], "the spool")


def test_silent_pilot():
    """A machine that stood still is not counted on; when it goes on, what it writes is not read."""
    with Site(arguments=("--lease-seconds", "2")) as (d, cluster):
        spec = slow_spec(make_data(d.home, samples=300), run_cap=4, on=on(2))
        sweep = d.submit(spec)
        job = busy_job(d, cluster)
        cluster.signal(job, signal.SIGSTOP)
        cluster.set("down", "yes")
        until(lambda: job not in [p["job"] for p in running_pilots(d)], "it is given up")
        cluster.set("down", "")
        cluster.signal(job, signal.SIGCONT)
        end_as_undisturbed(d, sweep, spec)


def test_backlog():
    """Where the cluster takes two at a time, no more are asked for while one waits."""
    with Site() as (d, cluster):
        cluster.set("slots", "2")
        spec = small_spec(make_data(d.home), on=on(200))
        end_as_undisturbed(d, d.submit(spec), spec)
        check(len(cluster.states()) <= 20, f"{len(cluster.states())} jobs for 20 runs")
        until(lambda: not of_status(d), "all pilots have gone")


def test_refused_and_resumed():
    """What sbatch refuses again and again holds the sweep, with its words."""
    with Site() as (d, cluster):
        cluster.set("refuse", "Invalid account or account/partition combination specified")
        spec = small_spec(make_data(d.home), on=on(2))
        sweep = d.submit(spec)
        held = d.wait(sweep)
        equal(held["status"], "held", held)
        check("Invalid account" in held["reason"], held)
        cluster.set("refuse", "")
        d.call("resume", sweep=sweep)
        end_as_undisturbed(d, sweep, spec)


def test_false_starts():
    """So does what ends before it can say a word."""
    with Site() as (d, cluster):
        d.stop()
        with open(d.home + "/worker", "w") as f:
            f.write(f"#!/bin/sh\n[ \"$1\" = --pilot ] && exit 3\nexec {WORKER} \"$@\"\n")
        os.chmod(d.home + "/worker", 0o700)
        d.environment["SWEEPD_WORKER"] = d.home + "/worker"
        d.start()
        held = d.wait(d.submit(small_spec(make_data(d.home), on=on(2))))
        equal(held["status"], "held", held)
        check("before a pilot was there" in held["reason"] and ".log" in held["reason"], held)


def test_no_slurm_here():
    with Daemon(arguments=ARGUMENTS, environment={"PATH": "/nowhere"}) as d:
        held = d.wait(d.submit(small_spec(make_data(d.home), on=on(2))))
        equal(held["status"], "held", held)
        check("sbatch" in held["reason"] or "squeue" in held["reason"], held)


def test_words_of_the_client():
    with Site() as (d, cluster):
        spec = d.home + "/sweep.json"
        with open(spec, "w", encoding="utf-8") as f:
            json.dump(small_spec(make_data(d.home), method="random", run_cap=4), f)
        d.ctl("submit", spec, "--on", "slurm:gpu", "--slots", 2, "--", "--mem=1", "-t", "5",
              check=0)
        equal(d.wait(1)["status"], "completed")
        options, words = json.loads(cluster.memory.read("calls").splitlines()[0])
        equal([options[k] for k in ("partition", "mem", "array")], ["gpu", "1", "0-1"])
        check("5" in words, words)
        done = d.ctl("submit", spec, "--slots", 2, check=2)
        check("--on" in done.stderr, done.stderr)
        done = d.ctl("submit", spec, "--on", "slurm", "--", "--array=1-9", check=1)
        check("which jobs are the sweep's" in done.stderr, done.stderr)
        done = d.ctl("submit", spec, "--on", "sturm", check=1)
        check("did you mean slurm?" in done.stderr, done.stderr)


def test_cancel_and_stop():
    """Of a sweep that is cancelled, and of a daemon that ends, no job stays."""
    with Site() as (d, cluster):
        cluster.set("slots", "1")
        data = make_data(d.home, samples=300)
        sweep = d.submit(slow_spec(data, run_cap=4, on=on(2)))
        busy_job(d, cluster)
        d.call("cancel", sweep=sweep)
        until(lambda: not of_status(d) and not cluster.running(), "the pilots have gone")
        equal("PENDING" in cluster.states().values(), False, cluster.states())
        spec = slow_spec(data, run_cap=2, name="second", on=on(1))
        sweep = d.submit(spec)
        busy_job(d, cluster)
        d.stop()
        until(lambda: not cluster.running(), "the pilot has gone")
        d.start()
        equal(d.wait(sweep)["status"], "completed")
        rows = [r for r in d.canonical() if r[0] == "second"]
        equal_rows(rows, undisturbed(without_place(spec)), "what is stored")


def test_spool_that_is_none():
    """No job is asked for while the spool cannot be used; all goes on when it can."""
    home = tempfile.mkdtemp(prefix="sweepd-spool-")
    place = home + "/place"
    with open(place, "w"):
        pass
    try:
        with Site(arguments=("--spool", place + "/spool")) as (d, cluster):
            spec = small_spec(make_data(d.home), on=on(2))
            sweep = d.submit(spec)
            until(lambda: any(place in c["trouble"] for c in of_status(d)), "it is said")
            equal(cluster.states(), {}, "jobs")
            os.remove(place)
            os.mkdir(place)
            end_as_undisturbed(d, sweep, spec)
    finally:
        shutil.rmtree(home)


def test_spool_that_takes_nothing():
    """Read-only, then without room for one folder more: it is said, nothing is begun, `status`
    answers; and all goes on when there is room."""
    with file_system("ro,nr_inodes=3") as home:
        with Site(arguments=("--spool", home + "/spool")) as (d, cluster):
            spec = small_spec(make_data(d.home), on=on(2))
            sweep = d.submit(spec)

            def wait_for(words):
                until(lambda: any(words in c["trouble"] for c in of_status(d)), words)
                check(words in d.ctl("status", check=0).stdout, "a person sees it")
                equal(cluster.states(), {}, "jobs")
                equal(d.sql("SELECT count(*) FROM runs WHERE attempts > 0 OR status <> 'queued'"),
                      [(0,)], "runs that were begun")
            wait_for("Read-only file system")
            remount(home, "rw,nr_inodes=3")
            wait_for("No space left on device")
            remount(home, "rw,nr_inodes=100000")
            end_as_undisturbed(d, sweep, spec)


def test_spool_that_fills_up():
    with file_system("size=2m") as home:
        with Site(arguments=("--spool", home + "/spool")) as (d, cluster):
            spec = slow_spec(make_data(d.home, samples=300), run_cap=24, on=on(2))
            sweep = d.submit(spec)
            busy_job(d, cluster)
            with open(home + "/filler", "wb", buffering=0) as f:
                def said():
                    with contextlib.suppress(OSError):  # also what was given free since
                        while True:
                            f.write(b"x" * 4096)
                    return any("No space" in c["trouble"] for c in of_status(d))
                until(said, "it is said")
            os.remove(home + "/filler")
            end_as_undisturbed(d, sweep, spec)
            until(lambda: not of_status(d), "the pilots have gone")


def test_spool_that_hangs():
    """It holds up nobody but the thread that looks there: a sweep of this machine goes on, a daemon
    ends, and the next one begins; and when it answers again nothing is lost."""
    with file_system("size=64m") as home:
        with Site(arguments=("--spool", home + "/spool", "--lease-seconds", "6")) as (d, cluster):
            data = make_data(d.home, samples=300)
            spec = slow_spec(data, run_cap=4, name="far", on=on(2))
            far = d.submit(spec)
            until(lambda: len(running_pilots(d)) == 2, "both pilots are there")
            with hung(home):
                hangs = "the spool does not answer"
                until(lambda: any(c["trouble"] == hangs for c in of_status(d)), hangs)
                here = d.submit(small_spec(data, name="here", method="random", run_cap=2))
                equal(d.wait(here)["status"], "completed", "on this machine")
                check(hangs in d.ctl("status", check=0).stdout, "a person sees it")
                d.stop()
                d.start()
                until(lambda: any(c["trouble"] == hangs for c in of_status(d)), hangs)
            equal(d.wait(far)["status"], "completed")
            equal_rows([r for r in d.canonical() if r[0] == "far"],
                       undisturbed(without_place(spec)), "what is stored")
            check(not d.sql("SELECT 1 FROM events WHERE kind = 'nondeterminism'"), "the same bits")


# --- many at once ---------------------------------------------------------------------------------

WAITS = """#!/bin/sh
until [ -e "$1" ]; do sleep 0.02; done
printf '{"epoch":1,"val/loss":%s}\n' "${2#--a=}" >"/dev/fd/$SWEEPD_METRICS_FD"
"""


def test_side_by_side():
    """One daemon, and at the same moment runs of this machine, of two partitions and of a client: a
    sweep's slots are its own, and what comes of it does not depend on where."""
    with Site(workers=1) as (d, cluster):
        program, go = d.home + "/waits.sh", d.home + "/go"
        with open(program, "w", encoding="utf-8") as f:
            f.write(WAITS)
        os.chmod(program, 0o700)
        shape = {"method": "random", "run_cap": 4, "seed": 3, "epochs": 1, "repeat_share": 0,
                 "metric": {"name": "val/loss", "goal": "minimize"},
                 "parameters": {"a": {"min": 0.0, "max": 1.0}}}
        runs = {**shape, "task": {"command": [program, go, "${args}"]}}
        here = d.submit({**runs, "name": "here"})
        low = d.submit({**runs, "name": "low", "on": on(2, partition="low")})
        high = d.submit({**runs, "name": "high", "on": on(1, partition="high")})
        asked = d.submit({**shape, "name": "asked", "run_cap": 1, "task": {"client": {}}})
        run_of = d.call("ask", sweep=asked)
        slots = [(here, 1), (low, 2), (high, 1), (asked, 1)]
        until(lambda: d.sql("SELECT sweep_id, count(*) FROM runs WHERE status = 'running' "
                            "GROUP BY 1") == sorted(slots), "all at once")
        with open(go, "w"):
            pass
        d.call("report", run=run_of["run"], lease=run_of["lease"],
               points=[{"epoch": 1, "val/loss": run_of["params"]["a"]}])
        d.call("tell", run=run_of["run"], lease=run_of["lease"], result={})
        for sweep, _ in slots:
            equal(d.wait(sweep)["status"], "completed")
        rows = {}
        for name, _, *rest in d.canonical():
            rows.setdefault(name, []).append(tuple(rest))
        equal_rows(rows["low"], rows["here"], "low")
        equal_rows(rows["high"], rows["here"], "high")
        equal(len(rows["here"]), 4, "rows")
        calls = [json.loads(c)[0] for c in cluster.memory.read("calls").splitlines()]
        equal({c["partition"] for c in calls}, {"low", "high"}, "partitions")
        until(lambda: not cluster.running() and not of_status(d), "all pilots have gone")
        equal(os.listdir(d.db + ".spool"), [], "the spool")


def test_many_slots():
    """300 runs on 50 slots, of which some are lost with their pilots; the daemon is killed. The
    same at the size of a cluster: tests/bench/slurm_scale.py."""
    with Site(arguments=("--lease-seconds", "90")) as (d, cluster):
        players = many_pilots.start(cluster, seconds=0.5, die_every=25)
        try:
            sweep = d.submit(many_pilots.spec(d.home, 300, 50))
            until(lambda: d.sql("SELECT count(*) FROM runs WHERE status = 'completed'")[0][0] > 100,
                  "a third of them")
            d.kill()
            d.start()
            equal(d.wait(sweep)["status"], "completed")
            good, facts = many_pilots.stored(d, 300)
            check(good and facts["run_retried"] > 0, facts)
            until(lambda: not of_status(d), "the pilots have gone")
            equal(os.listdir(d.db + ".spool"), [], "the spool")
            check(len(cluster.states()) <= 60, f"{len(cluster.states())} jobs")
        finally:
            players.kill()
            players.wait()


if __name__ == "__main__":
    run(*[f for name, f in sorted(globals().items()) if name.startswith("test_")])
