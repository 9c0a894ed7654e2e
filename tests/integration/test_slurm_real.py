"""The same sweeps under Slurm itself, which the test starts on this machine where it is installed:
4 pilots, 60 runs of the trainer and of a program, and what goes wrong on a cluster."""
import contextlib
import os
import shutil
import signal
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
# Each number is reported once: what a job has reported before is not reported by the next.
WAITS_FOR_ITS_END = f"#!{sys.executable} -SE" + """
import json, os, time
old = os.environ.get("SWEEPD_RESUME_FROM")
done = len(os.listdir(old)) if old else 0
with os.fdopen(int(os.environ["SWEEPD_METRICS_FD"]), "w", 1) as out:
    for epoch in range(done + 1, 4):
        while epoch == 3 and not old:
            time.sleep(0.05)
        with open(os.path.join(os.environ["SWEEPD_CHECKPOINT_DIR"], str(epoch)), "w") as f:
            f.write("done")
        out.write(json.dumps({"epoch": epoch, "val/loss": 2.0 / 2 ** epoch}) + "\\n")
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


def pilots(d, sweep=None):
    return [p for c in d.call("status")["clusters"] for p in c["pilots"]
            if sweep in (None, c["sweep"])]


def busy(d):
    """Waits for a pilot whose run has come to a point."""
    def find():
        return [p for p in pilots(d) if p["run"] and d.sql(
            "SELECT 1 FROM curves WHERE run_id = ? LIMIT 1", p["run"])]
    until(find, "a pilot trains")
    return find()[0]


def put_program(d, name, text):
    path = os.path.join(d.home, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, 0o700)
    return path


def program_spec(name, program, **changes):
    return {"name": name, "method": "random", "run_cap": 60, "seed": 1, "epochs": 3,
            "task": {"command": [program]}, "metric": {"name": "val/loss", "goal": "minimize"},
            "parameters": {"a": {"min": 0.0, "max": 1.0}}, "repeat_share": 0, **changes}


def equal_here(d, sweep, spec):
    """It has come to what this machine's own workers make of it."""
    ended = d.wait(sweep)
    equal(ended["status"], "completed", ended)
    rows = undisturbed({k: v for k, v in spec.items() if k != "on"})
    equal_rows([r for r in d.canonical() if r[0] == spec["name"]], rows, spec["name"])


def test_trainer_and_program():
    """60 runs of each on 4 pilots, the same bits as here. And beside them all the while a program
    that waits until its job's time is over, and another job goes on from what it has left."""
    with site(processors=3) as (d, slurm):
        late = d.submit(program_spec(
            "late", put_program(d, "waits", WAITS_FOR_ITS_END), run_cap=1,
            task={"command": [os.path.join(d.home, "waits")], "can_resume": True},
            on=on(1, "--time=1")))
        until(lambda: pilots(d), "its pilot")
        spec = small_spec(make_data(d.home), run_cap=60, on=on(4))
        sweep = d.submit(spec)
        until(lambda: len(pilots(d, sweep)) == 4, "4 pilots")
        equal_here(d, sweep, spec)
        spec = program_spec("program", put_program(d, "program", PROGRAM), on=on(4))
        equal_here(d, d.submit(spec), spec)
        equal(d.wait(late)["status"], "completed")
        equal(d.sql("SELECT c.point, c.val_loss FROM curves c JOIN runs ON runs.id = run_id "
                    "WHERE sweep_id = ? ORDER BY 1", late),
              [(1, 1.0), (2, 0.5), (3, 0.25)], "late")
        with open(d.log_path, encoding="utf-8") as f:
            check("its time is nearly over" in f.read(), "it was warned")
        until(lambda: not slurm.call("squeue", "-h").strip(), "the queue is empty")


def disturbed(disturb, **cluster):
    with site(**cluster) as (d, slurm):
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


def test_controller_silent():
    """It takes calls and answers none; a pilot is killed meanwhile, and its run not forgotten."""
    def silence(d, slurm, pilot):
        (pid,) = slurm.processes_of(pilot["job"], "--pilot")
        slurm.signal("ctld", signal.SIGSTOP)
        os.kill(pid, signal.SIGKILL)
        until(lambda: any("timed out" in c["trouble"] for c in d.call("status")["clusters"]),
              "it is said")
        slurm.signal("ctld", signal.SIGCONT)
    disturbed(silence, more="MessageTimeout=2")


def test_ids_given_again():
    """All that Slurm knew is gone, on the nodes too. It counts from 1 again while the old jobs' pilots
    still live, and their ends are taken for those of the new jobs."""
    def wipe(d, slurm, pilot):
        slurm.wipe()
        until(lambda: [p for p in pilots(d) if p["job"] == pilot["job"] and
                       p["pilot"] != pilot["pilot"]], "another pilot by the same id")
    disturbed(wipe)


def test_node_daemon_killed():
    def kill(d, slurm, pilot):
        node = slurm.call("squeue", "-h", "-r", "-j", pilot["job"], "-o", "%N").strip()
        slurm.kill(node)
        slurm.start_node(node)
    disturbed(kill)


def test_node_down():
    """Its jobs have failed with it, and another begins elsewhere, or there again."""
    def down(d, slurm, pilot):
        node = slurm.call("squeue", "-h", "-r", "-j", pilot["job"], "-o", "%N").strip()
        slurm.call("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")
        until(lambda: pilot["pilot"] not in [p["pilot"] for p in pilots(d)], "its pilot is gone")
        with contextlib.suppress(AssertionError):  # its daemon has reported it fit again
            slurm.call("scontrol", "update", f"NodeName={node}", "State=RESUME")
    disturbed(down)


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
