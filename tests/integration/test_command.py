"""A run that is a program of one's own, supervised by sweep-worker as the daemon starts it: stdout
is run.jsonl, locked. Programs report well, badly or not at all, print too much, ignore signals."""
import json
import math
import os
import resource
import select
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from supervised import Run  # noqa: E402
from sweepd import TIMEOUT_SECONDS  # noqa: E402
from tap import check, equal, run  # noqa: E402


def fails(error, *texts, program, **more):
    with Run(program, **more) as r:
        status, points, result = r.finish()
        equal((status, result["status"], result["error"]), (1, "failed", error), result["text"])
        for text in texts:
            check(text in result["text"], result["text"])
        return points


def ended(pid):
    """Waits until that process, which need not be ours, is gone."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([fd], [], [], TIMEOUT_SECONDS)[0])
    finally:
        os.close(fd)


def test_a_good_program():
    program = """
import os, sys
for epoch in range(3):
    tell(epoch=epoch, **{"train/loss": 1 / (epoch + 1)})
    tell(epoch=epoch, loss=2 - epoch, perplexity=float("inf"))
files = sorted(os.path.realpath(f"/proc/self/fd/{x}") for x in os.listdir("/proc/self/fd"))
print(json.dumps({"argv": sys.argv[1:], "cwd": os.getcwd(), "files": files,
                  "leads": os.getpgid(0) == os.getpid(), "session": os.getsid(0) == os.getpid(),
                  "environment": {k: v for k, v in os.environ.items() if k.startswith("SWEEPD_")}}))
"""
    config = {"curves": {"train_loss": "train/loss", "val_loss": "loss"}, "params": {"lr": 0.1},
              "until_epoch": 3}
    with Run(program, "--lr=0.1", "a b $HOME", config=config) as r:
        status, points, result = r.finish()
        equal((status, result["status"], result["error"]), (0, "completed", ""))
        equal([p["epoch"] for p in points], [1, 2, 3])
        equal([p["train_loss"] for p in points], [1, 1 / 2, 1 / 3])
        equal([p["val_loss"] for p in points], [2, 1, 0])
        equal(points[0]["metrics"], {"train/loss": 1, "loss": 2, "perplexity": "+inf"})
        said = json.loads(r.stderr())
        equal(said["argv"], ["--lr=0.1", "a b $HOME"])
        equal((said["cwd"], said["leads"], said["session"]), (r.folder, True, False))
        check(r.path("run.jsonl") not in said["files"], "the program does not have the lock")
        check("/dev/null" in said["files"], said["files"])
        environment = said["environment"]
        environment.pop("SWEEPD_METRICS_FD"), environment.pop("SWEEPD_METRICS_PIPE")
        equal(environment, {"SWEEPD_RUN_DIR": r.folder, "SWEEPD_PARAMS": '{"lr":0.1}',
                            "SWEEPD_PARAMS_FILE": r.path("params.json"),
                            "SWEEPD_STOP_FILE": r.path("stop"),
                            "SWEEPD_CHECKPOINT_DIR": r.path("checkpoints"),
                            "SWEEPD_EPOCHS": "3", "SWEEPD_SEED": "18446744073709551615",
                            "SWEEPD_RUN_ID": "7"})


def test_a_shell_script_elsewhere():
    program = """#!/bin/sh
cd / && echo '{"loss": 1}' >&$SWEEPD_METRICS_FD && cd "$1" && pwd
"""
    with Run(program, "/", python=False) as r:
        with open(r.config, encoding="utf-8") as f:
            config = json.load(f)
        config["directory"], config["command"][0] = r.home, "./program"
        with open(r.config, "w", encoding="utf-8") as f:
            json.dump(config, f)
        status, points, _ = r.finish()
        equal((status, len(points), r.stderr()), (0, 1, b"/\n"))


def test_bad_lines_are_left_out():
    program = r"""
raw = out.buffer
raw.write(b'{"loss": NaN, "x": -Infinity}\n')
raw.write(b'{"lo\xffss": 1}\nplain text\n{"loss": 1e999}\n[1]\n')
raw.write(b'{"loss": 2, "pad": "' + b"x" * 10_000_000 + b'"}\n')
raw.write(b'{"loss": 3}\n' + b'{"loss": 4}')
raw.flush()
"""
    with Run(program) as r:
        status, points, result = r.finish()
        equal((status, result["status"]), (0, "completed"))
        equal([p["metrics"] for p in points],
              [{"loss": "nan", "x": "-inf"}, {"loss": 3}, {"loss": 4}])
        check(b"5 lines that are no JSON object, or too long (the first: line " in r.stderr(),
              r.stderr())


def test_descriptors_may_be_closed():
    program = "tell(loss=1)\nout.close(); os.close(1); os.close(2); os.chdir('/')\n"
    with Run(program) as r:
        status, points, result = r.finish()
        equal((status, result["status"], len(points)), (0, "completed", 1))


def test_output_has_a_cap():
    program = """
tell(loss=1)
print("the beginning")
for i in range(50):
    print((f"{i:2}" * 50 + "\\n") * 10_000, end="")
print("the end", file=sys.stderr)
"""
    with Run(program) as r:
        status, _, _ = r.finish()
        text = r.stderr()
        equal(status, 0)
        check(2 ** 17 <= len(text) < 2 ** 17 + 100, len(text))
        check(text.startswith(b"the beginning\n 0 0") and text.endswith(b"4949\nthe end\n"))
        left_out = 14 + 8 + 50 * 10_000 * 101 - 2 ** 17
        check("[… {} bytes left out …]".format(left_out).encode() in text, left_out)


def test_what_failed_is_said():
    no_metric = ["exit status 0", '"loss"', "never reported"]
    fails("exited", *no_metric, "no", "SWEEPD_METRICS_FD", program="")
    fails("exited", *no_metric, "reported: acc, val/los", program="tell(acc=1, **{'val/los': 2})")
    fails("exited", *no_metric, "did you mean los?", program="tell(los=1)")
    fails("exited", '"k", which counts its epochs', program="tell(loss=1)",
          config={"curves": {"epoch": "k"}})
    points = fails("exited", "exit status 3: words; before it: last",
                   program="tell(loss=1); print('last\\n words'); sys.exit(3)")
    equal(len(points), 1)
    fails("exited", "ValueError: no such shape", program="raise ValueError('no such shape')")
    fails("worker_crash", "signal 11", program="os.kill(os.getpid(), 11)")
    fails("killed", "signal 9", program="os.kill(os.getpid(), 9)")
    # where there is nothing to run
    fails("config_error", "/no/such (in /", "no such program", program=None,
          config={"command": ["/no/such"]})
    fails("config_error", "no-such-word: no such program in PATH", program=None,
          config={"command": ["no-such-word"]})
    fails("config_error", "/etc/passwd", "Permission denied", program=None,
          config={"command": ["/etc/passwd"]})
    fails("config_error", "directory /no/where: No such file", program="",
          config={"directory": "/no/where"})
    fails("config_error", "begins with #!", program="echo hello\n", python=False)
    fails("config_error", "its first line (#!) names", program="#!/no/such\n", python=False)


def test_a_bad_config_is_refused():
    with Run("", config={"epochs": 0}) as r:
        equal(r.start().wait(TIMEOUT_SECONDS), 1)
        equal([(x["type"], x["error"]) for x in r.lines()], [("result", "config_error")])
        check("$.epochs" in r.lines()[0]["text"], r.lines())


# Tells its number and its children's through a named pipe, so that a test knows when it is up.
STUBBORN = """
import signal, subprocess, time
ready = sys.argv[1]
signal.signal(signal.SIGTERM, {})
script = '''import os, sys, time
if sys.argv[1] != "near":
    os.setsid()
pid = os.fork() if sys.argv[1] == "deep" else -1
if pid == 0:
    os.setsid()
else:
    print(pid, flush=True)
time.sleep(600)
'''
pids = [os.getpid()]
for where in ("near", "away", "deep"):
    child = subprocess.Popen([sys.executable, "-c", script, where], stdout=subprocess.PIPE)
    pids += [child.pid, int(child.stdout.readline())]
tell(loss=1)
with open(ready, "w") as f:
    json.dump([pid for pid in pids if pid > 0], f)
{}
"""


def start_stubborn(r):
    """The supervisor, and the pids of its program and of the program's children."""
    fifo = r.path("ready")
    os.mkfifo(fifo)
    supervisor = r.start()
    with open(fifo, encoding="utf-8") as f:
        return supervisor, json.load(f)


def with_ready(handler, then):
    """handler: what the program does about SIGTERM; then: what it does when it is up."""
    return Run(STUBBORN.format(handler, then), "ready", config={"grace_seconds": 0.3})


def test_term_ends_all_of_it():
    for handler in ("signal.SIG_DFL", "signal.SIG_IGN"):
        with with_ready(handler, "time.sleep(600)") as r:
            supervisor, pids = start_stubborn(r)
            os.kill(supervisor.pid, signal.SIGTERM)
            equal(supervisor.wait(TIMEOUT_SECONDS), 75, handler)
            check(all(ended(pid) for pid in pids), handler)
            check("result" not in [x["type"] for x in r.lines()], r.lines())
            check(not r.locked(), "the lock is free")


def test_what_it_leaves_behind_is_ended():
    with with_ready("signal.SIG_DFL", "sys.exit(0)") as r:
        supervisor, pids = start_stubborn(r)
        equal(supervisor.wait(TIMEOUT_SECONDS), 0)
        check(all(ended(pid) for pid in pids))
        equal([x["type"] for x in r.lines()], ["start", "point", "result"])


def test_the_program_dies_with_its_supervisor():
    with with_ready("signal.SIG_IGN", "time.sleep(600)") as r:
        supervisor, pids = start_stubborn(r)
        check(r.locked(), "the supervisor lives")
        supervisor.kill()
        supervisor.wait(TIMEOUT_SECONDS)
        check(ended(pids[0]))
        check(not r.locked(), "the lock is free")
        for pid in pids[1:]:  # what it has started itself does live on
            os.kill(pid, signal.SIGKILL)


# Its first attempt kills its supervisor as soon as it has said all that it says; what it has started
# has the descriptor, too. A later one goes on behind it, and says nothing again.
KILLS = """
import time
if "SWEEPD_RESUME_FROM" not in os.environ:
    open(os.environ["SWEEPD_CHECKPOINT_DIR"] + "/there", "w").close()
    child = os.fork()
    if child == 0:
        os.setsid()
        time.sleep(600)
    with open(sys.argv[1], "w") as f:
        f.write(str(child))
    {}
    os.kill(os.getppid(), 9)
    time.sleep(600)
{}
"""


def test_nothing_said_is_lost_with_the_supervisor():
    """Of one that can resume: points of epochs that were not over, lines that nobody has read yet."""
    by_number = ("for e in (0, 1, 2): tell(epoch=e, loss=9 - e, x=1)\n    tell(y=2)",
                 "tell(epoch=3, loss=6)", [(1, 9), (2, 8), (3, 7), (4, 6)])
    counted = ("for e in range(40): tell(loss=50 - e)", "tell(loss=5)",
               [*((e + 1, 50 - e) for e in range(40)), (41, 5)])
    for says, then, wanted in by_number, counted:
        cut = says + "\n    os.write(out.fileno(), b'{\"epoch\": 7, \"lo')"
        for first in says, cut:
            with Run(KILLS.format(first, then), "child", config={"can_resume": True, "epochs": 50}) as r:
                equal(r.start().wait(TIMEOUT_SECONDS), -signal.SIGKILL)
                with open(r.path("child"), encoding="utf-8") as f:
                    child = int(f.read())
                status, points, result = r.finish()
                equal((status, result["status"]), (0, "completed"), r.stderr())
                points = [x for x in points if x["type"] == "point"]
                equal([(p["epoch"], p["metrics"]["loss"]) for p in points], wanted)
                if wanted is by_number[2]:
                    equal(points[2]["metrics"], {"loss": 7, "x": 1, "y": 2})
                check(ended(child), "what it had started is ended")
                check(not os.path.exists(r.path("metrics.jsonl")), "all of it are points")


def can_punch(folder):
    path = os.path.join(folder, "holes")
    with open(path, "wb") as f:
        f.write(bytes(100_000))
    done = subprocess.run(["fallocate", "-p", "-o", "0", "-l", "50000", path], capture_output=True,
                          check=False)
    return done.returncode == 0


def test_much_that_was_said_needs_no_room():
    """What was read of the file is given back to the disk; what was not is read after a kill."""
    program = """
if "SWEEPD_RESUME_FROM" not in os.environ:
    open(os.environ["SWEEPD_CHECKPOINT_DIR"] + "/there", "w").close()
    for e in range(8_000): tell(epoch=e, loss=1, note="x" * 2_000)
    while os.stat(os.environ["SWEEPD_RUN_DIR"] + "/metrics.jsonl").st_blocks * 512 > 12e6: pass
    os.kill(os.getppid(), 9)
    os.kill(os.getpid(), 9)
tell(epoch=8_000, loss=0)
"""
    with Run(program, config={"can_resume": True, "epochs": 10_000}) as r:
        if not can_punch(r.home):
            return
        equal(r.start().wait(TIMEOUT_SECONDS), -signal.SIGKILL)
        check(os.path.getsize(r.path("metrics.jsonl")) > 16e6)
        status, points, _ = r.finish()
        equal((status, [p["epoch"] for p in points if p["type"] == "point"]), (0, [*range(1, 8_002)]))


def small_files():
    """A write past this size fails, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))


def test_a_full_disk_is_not_the_programs_fault():
    program = "import time\nfor i in range(100):\n    tell(loss=1)\ntime.sleep(600)\n"
    with Run(program) as r:
        equal(r.start("/dev/full").wait(TIMEOUT_SECONDS), 74)
        supervisor = r.start(preexec_fn=small_files, restore_signals=False)
        equal(supervisor.wait(TIMEOUT_SECONDS), 74)
        equal(os.path.getsize(r.path("run.jsonl")), 2000)


def test_many_lines():
    program = """
out = os.fdopen(os.dup(out.fileno()), "w", 2 ** 16)
for step in range(1, 10_001):
    tell(step=step, loss=1 / step)
out.flush()
"""
    with Run(program) as r:
        status, points, _ = r.finish()
        equal((status, len(points)), (0, 10_000))
        check(all(math.isclose(p["metrics"]["loss"], 1 / p["epoch"]) for p in points))


run(test_a_good_program, test_a_shell_script_elsewhere, test_bad_lines_are_left_out,
    test_descriptors_may_be_closed, test_output_has_a_cap, test_what_failed_is_said,
    test_a_bad_config_is_refused, test_term_ends_all_of_it, test_what_it_leaves_behind_is_ended,
    test_the_program_dies_with_its_supervisor, test_a_full_disk_is_not_the_programs_fault,
    test_many_lines, test_nothing_said_is_lost_with_the_supervisor,
    test_much_that_was_said_needs_no_room)
