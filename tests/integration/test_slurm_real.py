"""The same sweeps under Slurm itself, which the test starts on this machine where it is installed:
4 pilots, 60 runs of the trainer and of a program, and what goes wrong on a cluster."""
import contextlib
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from real_slurm import Slurm, require  # noqa: E402
from sweepd import Daemon, make_data, slow_spec, small_spec, undisturbed  # noqa: E402
from tap import check, equal, equal_rows, run, until  # noqa: E402

ARGUMENTS = ("--slurm-seconds", "1", "--lease-seconds", "30", "--checkpoint-seconds", "0")
PROGRAM = f"#!{sys.executable} -SE" + """
import json, os
params = json.loads(os.environ["SWEEPD_PARAMS"])
with os.fdopen(int(os.environ["SWEEPD_METRICS_FD"]), "w", 1) as out:
    for epoch in range(1, int(os.environ["SWEEPD_EPOCHS"]) + 1):
        out.write(json.dumps({"epoch": epoch, "val/loss": params["a"] + 1 / epoch}) + "\\n")
"""


@contextlib.contextmanager
def site(**cluster):
    require()
    with tempfile.TemporaryDirectory(prefix="sweepd-slurm-", ignore_cleanup_errors=True) as root:
        with Slurm(root, **cluster) as slurm:
            d = Daemon(workers=1, arguments=ARGUMENTS, environment=slurm.environment())
            with d:
                yield d, slurm


def on(slots, *options):
    return {"launcher": "slurm:low", "slots": slots, "options": ["--mem=0", *options]}


def end_as_undisturbed(d, sweep, spec):
    ended = d.wait(sweep)
    equal(ended["status"], "completed", ended)
    equal_rows(d.canonical(), undisturbed({k: v for k, v in spec.items() if k != "on"}), "stored")
    events = [k for (k,) in d.sql("SELECT DISTINCT kind FROM events")]
    check("nondeterminism" not in events, "the same bits")


def pilots(d):
    return [p for c in d.call("status")["clusters"] for p in c["pilots"]]


def busy(d):
    """Waits for a pilot whose run has come to a point."""
    def find():
        return [p for p in pilots(d) if p["run"] and d.sql(
            "SELECT 1 FROM curves WHERE run_id = ? LIMIT 1", p["run"])]
    until(find, "a pilot trains")
    return find()[0]


def test_trainer_and_program():
    with site() as (d, slurm):
        spec = small_spec(make_data(d.home), run_cap=60, on=on(4))
        sweep = d.submit(spec)
        until(lambda: len(pilots(d)) == 4, "4 pilots")
        end_as_undisturbed(d, sweep, spec)
        until(lambda: not slurm.call("squeue", "-h").strip(), "the queue is empty")
        program = os.path.join(d.home, "program")
        with open(program, "w", encoding="utf-8") as f:
            f.write(PROGRAM)
        os.chmod(program, 0o700)
        ended = d.wait(d.submit({
            "name": "program", "method": "random", "run_cap": 60, "seed": 1, "epochs": 3,
            "task": {"command": [program]}, "metric": {"name": "val/loss", "goal": "minimize"},
            "parameters": {"a": {"min": 0.0, "max": 1.0}}, "on": on(4), "repeat_share": 0}))
        equal(ended["status"], "completed", ended)
        equal(d.sql("SELECT count(*), sum(status = 'completed') FROM runs WHERE sweep_id = 2"),
              [(60, 60)], "its runs")


def disturbed(disturb):
    with site() as (d, slurm):
        spec = slow_spec(make_data(d.home, samples=300), run_cap=4, on=on(2))
        sweep = d.submit(spec)
        disturb(d, slurm, busy(d))
        end_as_undisturbed(d, sweep, spec)


def test_controller_killed():
    def kill(d, slurm, pilot):
        slurm.kill("ctld")
        # A fast machine may end the sweep before squeue has given up asking.
        until(lambda: not (clusters := d.call("status")["clusters"]) or any(
            "Unable" in c["trouble"] for c in clusters), "it is said, or all is over")
        slurm.start_controller()
    disturbed(kill)


def test_node_daemon_killed():
    def kill(d, slurm, pilot):
        node = slurm.call("squeue", "-h", "-r", "-j", pilot["job"], "-o", "%N").strip()
        slurm.kill(node)
        slurm.start_node(node)
    disturbed(kill)


def test_daemon_killed():
    def kill(d, slurm, pilot):
        d.kill()
        d.start()
    disturbed(kill)


def test_cancelled_from_outside():
    disturbed(lambda d, slurm, pilot: slurm.call("scancel", pilot["job"]))


def test_put_back_into_queue():
    disturbed(lambda d, slurm, pilot: slurm.call("scontrol", "requeue", pilot["job"]))


def test_preempted():
    def preempt(d, slurm, pilot):
        slurm.call("sbatch", "-p", "high", "--exclusive", "-N2", "--mem=0", "-o", "/dev/null",
                   "--wrap", "sleep 3")
        until(lambda: "high" in slurm.call("squeue", "-h", "-t", "running", "-o", "%P"), "it runs")
    disturbed(preempt)


if __name__ == "__main__":
    run(*[f for name, f in sorted(globals().items()) if name.startswith("test_")])
