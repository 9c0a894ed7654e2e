"""kill -9 of daemon, supervisors and programs, again and again, over a sweep of somebody's own program:
no run is lost, none counts twice, and what is stored is what an undisturbed sweep stores."""
import os
import random
import signal
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from golden import is_sanitized  # noqa: E402
from sweepd import Daemon, undisturbed  # noqa: E402
from tap import check, equal, equal_rows, run, until  # noqa: E402

KILLS = int(os.environ.get("CRASH_KILLS", "4" if is_sanitized() else "12"))
RUNS = 24
EPOCHS = 8
# It counts its beginnings and its ends beside itself, and takes a moment for an epoch.
PROGRAM = f"#!{sys.executable} -SE" + r"""
import json, os, sys, time
out = os.fdopen(int(os.environ["SWEEPD_METRICS_FD"]), "w", 1)
n = json.loads(os.environ["SWEEPD_PARAMS"])["n"]
home, run = os.path.dirname(sys.argv[0]), os.environ["SWEEPD_RUN_ID"]
where = os.path.join(os.environ["SWEEPD_CHECKPOINT_DIR"], "epoch")
def note(name):
    fd = os.open(f"{home}/{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(fd, f"{run} {n}\n".encode())
    os.close(fd)
note("begun")
first = int(open(where).read()) if os.environ.get("SWEEPD_RESUME_FROM") else 0
for epoch in range(first + 1, EPOCHS + 1): # what was said is said
    time.sleep(0.02)
    out.write(json.dumps({"epoch": epoch, "val_loss": n + 1 / epoch, "width": n * epoch}) + "\n")
    if RESUMES:
        with open(where + ".new", "w") as f:
            f.write(str(epoch))
        os.replace(where + ".new", where)
note("ended")
"""
HOME = tempfile.TemporaryDirectory(prefix="sweepd-programs-")


def program(resumes):
    """One path for all: it is a part of what a sweep is."""
    folder = os.path.join(os.path.realpath(HOME.name), "resumes" if resumes else "anew")
    path = os.path.join(folder, "program")
    os.makedirs(folder, exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(PROGRAM.replace("EPOCHS", str(EPOCHS)).replace("RESUMES", str(resumes)))
    os.chmod(path, 0o700)
    return path


def spec(resumes):
    return {"task": {"command": [program(resumes)], "can_resume": resumes, "grace_seconds": 5},
            "metric": {"name": "val_loss", "goal": "minimize"}, "method": "random", "run_cap": RUNS,
            "epochs": EPOCHS, "seed": 7, "repeat_share": 0,
            "parameters": {"n": {"min": 0.0, "max": 1.0}}}


def is_supervisor(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as f:
        return b"config.json" in f.read()


def processes(d, supervisors):
    found = []
    for pid in d.worker_pids() + children(d.worker_pids()):
        try:
            if is_supervisor(pid) == supervisors:
                found.append(pid)
        except OSError:
            pass  # it has ended
    return found


def children(pids):
    found = []
    for pid in pids:
        try:
            with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as f:
                found += [int(n) for n in f.read().split()]
        except OSError:
            pass
    return found


def kill_one(d, rng, victim):
    """False: there was nobody to kill."""
    if victim == "daemon":
        d.kill()
        d.start()
        return True
    pids = processes(d, victim == "supervisor")
    if not pids:
        return False
    try:
        os.kill(rng.choice(pids), signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def lines(name, resumes):
    with open(os.path.join(os.path.dirname(program(resumes)), name), encoding="utf-8") as f:
        return [line.split()[0] for line in f]


def forget(resumes):
    for name in ("begun", "ended"):
        path = os.path.join(os.path.dirname(program(resumes)), name)
        if os.path.exists(path):
            os.unlink(path)


def steps(d):
    """How far the sweep is: each beginning, and each point that is stored."""
    return d.sql("SELECT (SELECT count(*) FROM curves) + coalesce(sum(attempts), 0) FROM runs")[0][0]


def has_ended(d):
    return d.sql("SELECT status FROM sweeps")[0][0] not in ("queued", "running")


def disturbed(d, rng, most, spread=4):
    """So many kills at most, a few steps of the sweep between each and the next."""
    done = dict.fromkeys(("daemon", "supervisor", "program"), 0)
    while sum(done.values()) < most:
        target = steps(d) + rng.randrange(spread)
        until(lambda: steps(d) > target or has_ended(d), "it goes on")
        if has_ended(d):
            break
        victim = rng.choice(list(done))
        done[victim] += kill_one(d, rng, victim)
    return done


def killed(resumes):
    rng = random.Random(int(os.environ.get("CRASH_SEED", "6")) + resumes)
    wanted = undisturbed(spec(resumes))
    total = {}
    while sum(total.values()) < KILLS:
        forget(resumes)
        with Daemon(workers=3, arguments=["--retry-seconds", "0.01"]) as d:
            sweep = d.submit(spec(resumes))
            done = disturbed(d, rng, KILLS - sum(total.values()))
            equal(d.wait(sweep)["status"], "completed", d.sql("SELECT reason FROM sweeps"))
            equal(d.sql("SELECT * FROM events WHERE kind = 'nondeterminism'"), [], "nondeterminism")
            equal_rows(d.canonical(), wanted, "canonical_content")
            equal(d.sql("SELECT count(*), count(DISTINCT number) FROM runs"), [(RUNS, RUNS)], "runs")
            equal(sorted(set(lines("ended", resumes)), key=int), [str(i + 1) for i in range(RUNS)],
                  "every run came to its end")
        for victim, count in done.items():
            total[victim] = total.get(victim, 0) + count
    print(f"# kills: {total}", flush=True)


def test_programs_that_begin_anew():
    """CRASH_KILLS of them (12), over as many sweeps of 24 runs as that takes; docs/testing.md has the
    long one."""
    killed(False)


def test_programs_that_resume():
    killed(True)


if __name__ == "__main__":
    run(test_programs_that_begin_anew, test_programs_that_resume)
