"""Sweeps on a cluster: pilots that take runs out of a spool, with a Slurm of the test's own
(tests/lib/fake_slurm.py). What is stored is what workers of this machine would have left, whatever
is killed meanwhile: nothing is lost, and nothing is there twice."""
import json
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from fake_slurm import Cluster  # noqa: E402
from sweepd import Daemon, RpcError, make_data, slow_spec, small_spec, undisturbed  # noqa: E402
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
    def find():
        for p in running_pilots(d):
            if p["run"] and p["job"] in cluster.running() and d.sql(
                    "SELECT 1 FROM curves WHERE run_id = ? LIMIT 1", p["run"]):
                return p["job"]
        return None
    until(find, "a pilot trains")
    return find()


def test_as_on_this_machine():
    """The same runs, the same bits; and when all have ended, nothing is left on the cluster."""
    with Site() as (d, cluster):
        spec = small_spec(make_data(d.home), on=on(3))
        end_as_undisturbed(d, d.submit(spec), spec)
        until(lambda: not cluster.running() and not of_status(d), "all pilots have gone")
        equal(os.listdir(d.db + ".spool"), [], "the spool")
        check(set(cluster.states().values()) <= {"COMPLETED", "CANCELLED"}, cluster.states())


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


if __name__ == "__main__":
    run(*[f for name, f in sorted(globals().items()) if name.startswith("test_")])
