"""What a person asks for by name and by number: runs, help, other words for verbs, deleting, and a
submit that is cut off."""
import json
import os
import pty
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from held import TRIES  # noqa: E402
from sweepd import (SWEEPCTL, SWEEPD, TIMEOUT_SECONDS, WORKER, Daemon, make_data,  # noqa: E402
                    small_spec)
from tap import check, equal, run, until  # noqa: E402


def small(d, **more):
    return {**small_spec(make_data(d.home)), "method": "random", "run_cap": 3,
            "parameters": {"learning_rate": {"values": [0.1, 0.01, 0.001]}}, "epochs": 1, **more}


def failing(d):
    program = os.path.join(d.home, "fail.sh")
    with open(program, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\necho about to fail >&2\nexit 3\n")
    os.chmod(program, 0o755)
    return {"task": {"command": [program]}, "metric": {"name": "loss", "goal": "minimize"},
            "method": "grid", "parameters": {"n": {"values": [1, 2]}}, "limits": {"failures": 0}}


def test_runs_by_id_and_by_place():
    with Daemon() as d:
        spec = json.dumps(small(d))
        d.ctl("submit", "-", text=spec, check=0)
        d.ctl("submit", "-", text=spec, check=0)
        d.ctl("wait", 1, check=0)
        d.ctl("wait", 2, check=0)
        ids = [r["run_id"] for r in json.loads(d.ctl("--json", "runs", 2, check=0).stdout)["runs"]]
        equal(ids, [4, 5, 6])
        text = d.ctl("runs", 2, check=0).stdout
        check("#0" in text and "#2" in text and "run" in text.splitlines()[0], text)
        best = json.loads(d.ctl("--json", "best", 2, check=0).stdout)["runs"]
        ranked = json.loads(d.ctl("--json", "runs", 2, "--sort", "metric", check=0).stdout)["runs"]
        equal([r["run_id"] for r in ranked], [r["run_id"] for r in best], "metric: the best first")
        back = json.loads(d.ctl("--json", "runs", "--sort", "-number", "-n", 1, check=0).stdout)
        equal([r["number"] for r in back["runs"]], [2])
        check("none of the 3 runs" in d.ctl("runs", 2, "--status", "failed", check=0).stdout,
              "nothing is said to be nothing")
        equal(d.ctl("ls", check=0).stdout, d.ctl("list", check=0).stdout)


def test_failed_runs_and_their_logs():
    with Daemon() as d:
        d.ctl("submit", "-", text=json.dumps(failing(d)), check=0)
        d.ctl("wait", 1)
        text = d.ctl("show", 1, check=0).stdout
        check("failed runs" in text and "about to fail" in text and "#1" in text, text)
        check("sweepctl log RUN" in text, text)
        d.ctl("submit", "-", text=json.dumps(small(d)), check=0)
        d.ctl("wait", 2, check=0)
        p = d.ctl("log", 3, check=0)
        equal(p.stdout, "")
        check("run 3 (completed) has no log" in p.stderr, p.stderr)


def test_watching_what_has_ended():
    with Daemon() as d:
        d.ctl("submit", "-", text=json.dumps(small(d)), check=0)
        d.ctl("wait", 1, check=0)
        text = d.ctl("watch", 1, check=0).stdout
        check("3/3 runs" in text and "ended" in text.splitlines()[0] and "best" in text, text)


def test_help_says_more():
    with Daemon() as d:
        for verb in ("submit", "runs", "delete", "watch"):
            more = d.ctl("help", verb, check=0).stdout
            less = d.ctl(verb, "--help", check=0).stdout
            check(more.startswith(less) and len(more) > len(less) + 80, more)
            check(f"  sweepctl {verb}" in more, f"an example: {more}")


def on_terminal(d, words, answer):
    """The client with a terminal for stdin and stderr: its status and what stands there."""
    main, other = pty.openpty()
    p = subprocess.Popen([SWEEPCTL, "--socket", d.socket, *words], stdin=other, stdout=other,
                         stderr=other, env=d.environment)
    os.close(other)
    told = b""
    while b"[y/N]" not in told and select.select([main], [], [], TIMEOUT_SECONDS)[0]:
        told += os.read(main, 4096)
    os.write(main, answer)
    status = p.wait(TIMEOUT_SECONDS)
    os.close(main)
    return status, told.decode()


def test_delete_asks():
    with Daemon() as d:
        spec = json.dumps(small(d))
        for sweep in (1, 2, 3):
            d.ctl("submit", "-", text=spec, check=0)
            d.ctl("wait", sweep, check=0)
        status, told = on_terminal(d, ["delete", "1"], b"\n")
        check(status == 1 and "3 runs with their curves" in told, told)
        equal(d.sql("SELECT count(*) FROM sweeps"), [(3,)])
        equal(on_terminal(d, ["delete", "1"], b"y\n")[0], 0)
        equal(d.sql("SELECT id FROM sweeps"), [(2,), (3,)])
        d.ctl("delete", 2, "--yes", check=0)
        d.ctl("delete", 3, check=0)  # a script is not asked
        equal(d.sql("SELECT count(*) FROM sweeps"), [(0,)])


NEVER = time.strftime("%H:%M-", time.localtime(time.time() + 3 * 3600)) + \
    time.strftime("%H:%M", time.localtime(time.time() + 4 * 3600))


def test_flags_that_the_running_daemon_lacks_are_refused():
    """None of them would have an effect: who is told nothing believes that it runs at night only."""
    flags = {"--active-hours": "22:00-07:30", "--max-load": "1.5", "--group": "root",
             "--on-event": "/bin/true", "--pause-on-battery": None}
    with Daemon() as d:
        for flag, value in flags.items():
            p = d.ctl("start", flag, *([value] if value else []), check=1)
            check(f"{flag}: got {value or 'yes'}" in p.stderr and "(none)" in p.stderr and
                  "sweepctl shutdown" in p.stderr, p.stderr)
        d.stop()
        d.arguments = [x for flag, value in flags.items() for x in (flag, value) if x]
        d.start()
        d.ctl("start", *d.arguments, check=0)
        d.ctl("start", "--active-hours", "22:00-7:30", "--max-load", "1.50", check=0)
        p = d.ctl("start", "--active-hours", "21:00-07:30", check=1)
        check("(22:00-07:30)" in p.stderr, p.stderr)


def test_a_daemon_whose_program_was_replaced():
    """In the middle of a night: `start` says what to do, and that goes on with the run."""
    with Daemon(workers=1) as d:
        program = os.path.join(d.home, "sweepd")
        for _ in range(2):  # as an installer does: a new file in the place of the old one
            shutil.copy(SWEEPD, program + ".new")
            os.rename(program + ".new", program)
            if d.process.args[0] != program:
                d.stop()
                d.process = subprocess.Popen([program, "--db", d.db, "--socket", d.socket,
                                              "--worker-program", WORKER], env=d.environment)
                until(d.listens, "it listens")
                equal(d.ctl("start", check=0).stderr, "", "it is the one that is installed")
        p = d.ctl("start", check=0)
        check("has been replaced" in p.stderr and "sweepctl shutdown" in p.stderr, p.stderr)


def test_why_nothing_starts_is_said():
    with Daemon(workers=1, arguments=["--active-hours", NEVER]) as d:
        why = f"no run starts at present: outside the active hours {NEVER}"
        spec = json.dumps(small_spec(make_data(d.home), method="random", run_cap=1, epochs=1))
        for words in (["submit", "-"], ["list"], ["show", "1"], ["morning"], ["extend", "1", "--runs", "1"]):
            p = d.ctl(*words, text=spec, check=0)
            check(why in " ".join(p.stderr.split()), f"{words}: {p.stderr}")
        d.ctl("pause", 1, check=0)
        check(why in d.ctl("resume", 1, check=0).stderr, "resume")
        equal(d.ctl("--json", "list", check=0).stderr, "", "a program asks status")
        watching = subprocess.Popen([SWEEPCTL, "--socket", d.socket, "watch", "1"], text=True,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                    env=d.environment)
        check(why in watching.stderr.readline(), "watch says it at once")
        d.stop()
        watching.communicate()
        d.arguments = []
        d.start()
        d.ctl("wait", 1, check=0)
        for words in (["list"], ["show", "1"], ["watch", "1"]):
            check("no run starts" not in d.ctl(*words, check=0).stderr, words)


def test_another_worker_program_is_refused():
    with Daemon() as d:
        p = d.ctl("start", "--worker-program", "/bin/true")
        check(p.returncode == 1 and "--worker-program: got /bin/true" in p.stderr and
              "sweepctl shutdown" in p.stderr, p.stderr)
        d.ctl("start", "--worker-program", WORKER, check=0)
        p = d.ctl("start", "--workers", 7, check=0)
        check("goes on with 2 workers" in p.stderr, p.stderr)


VERBS = (["list"], ["show", "1"], ["best", "1"], ["run", "1"], ["curve", "1"], ["log", "1"],
         ["explain", "1"], ["runs", "1"], ["events", "1"], ["status"])


def at_once(ask, seconds, what):
    """Who waits for a lock does so each time; who had to wait for a processor does not."""
    for _ in range(TRIES):
        began = time.monotonic()
        done = ask()
        if time.monotonic() - began < seconds:
            return done
    raise AssertionError(f"{what} waited for {seconds} s each time")


def submit_process(d, socket_path, name):
    """Whoever reads what it sends has its specification, and then waits for the end."""
    p = subprocess.Popen([SWEEPCTL, "--socket", socket_path, "submit", "-", "--id", name],
                         env=d.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    p.stdin.write(json.dumps(small(d)))
    p.stdin.close()
    return p


def interrupt(p):
    p.send_signal(signal.SIGINT)
    told = p.stderr.read()
    return p.wait(TIMEOUT_SECONDS), told


def interrupted_submit(d, state, name):
    """(status, what it said) of a submit that is interrupted when the daemon has it."""
    p = submit_process(d, d.socket, name)
    while p.poll() is None and state.call("submitted", id=name)["state"] != "committing":
        pass
    return interrupt(p)


def test_a_locked_database_keeps_nobody():
    with Daemon() as d:
        d.ctl("submit", "-", text=json.dumps(small(d)), check=0)
        d.ctl("wait", 1, check=0)
        lock = sqlite3.connect(d.db, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        for verb in VERBS:
            at_once(lambda: d.ctl(*verb, check=0), 5, verb)
        state = d.connect()
        for name in map(str, range(TRIES)):  # one may be refused before it can be interrupted
            status, told = interrupted_submit(d, state, name)
            if status == 130 and "the daemon has it" in told:
                break
        sweep = state.call("submitted", id=name)["sweep"]
        check(status == 130 and f"the daemon has it, as sweep {sweep}," in told, told)
        equal(state.call("submitted", id=name), {"id": name, "state": "committing", "sweep": sweep})
        lock.execute("COMMIT")
        until(lambda: state.call("submitted", id=name)["state"] == "submitted",
              "it is written once the lock is gone")
        d.ctl("wait", sweep, check=0)


def test_a_database_that_is_gone_keeps_nobody():
    with Daemon() as d:
        d.ctl("submit", "-", text=json.dumps(small(d)), check=0)
        d.ctl("wait", 1, check=0)
        for end in ("", "-wal", "-shm"):
            os.rename(d.db + end, d.db + end + ".away")
        for verb in VERBS:
            p = at_once(lambda: d.ctl(*verb), 10, verb)
            check(p.returncode == 0 or "sweeps.db" in p.stderr, f"{verb}: {p.stderr}")
        p = d.ctl("submit", "-", text=json.dumps(small(d)))
        check(p.returncode == 1 and "sweeps.db" in p.stderr, p.stderr)
        for end in ("", "-wal", "-shm"):
            if os.path.exists(d.db + end + ".away"):
                os.rename(d.db + end + ".away", d.db + end)


def test_an_interrupted_submit_says_that_nothing_came_of_it():
    """Of one that nobody answers; and of one that there never was."""
    with Daemon() as d:
        deaf = os.path.join(d.home, "deaf")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(deaf)
            listener.listen()
            p = submit_process(d, deaf, "mine")
            client, _ = listener.accept()
            while b"\n" not in client.recv(1 << 16):
                pass
            status, told = interrupt(p)
            client.close()
        equal(status, 130, told)
        check("is not known" in told and "--id mine" in told, told)
        equal(d.call("submitted", id="never"), {"id": "never", "state": "none", "sweep": None})


# Our worker, but for a line that its author got wrong.
ADAPTER = """#!/bin/sh
case "$*" in
*--prepare*)
    [ -e "$HOME/good" ] && exec "%s" "$@"
    echo '{"type":"prepared","hash":3,"samples":"many"}'
    exit 0 ;;
*--*) exec "%s" "$@" ;;
esac
echo '{"type":"start","version":1,"pid":'$$',"core":"","blas":"","parameters":1}'
echo '{"type":"point","point":1,"epoch":1,"val_loss":"low"}'
sleep 60
"""


def test_the_author_of_an_adapter_is_told_why():
    with Daemon() as d:
        d.stop()
        adapter = os.path.join(d.home, "adapter.sh")
        with open(adapter, "w", encoding="utf-8") as f:
            f.write(ADAPTER % (WORKER, WORKER))
        os.chmod(adapter, 0o755)
        d.arguments = ["--worker-program", adapter, "--retry-seconds", "0.1"]
        d.start()
        p = d.ctl("submit", "-", text=json.dumps(small(d)))
        check(p.returncode == 1 and 'hash: got 3; allowed: a string, in the line {"type":"prepared"'
              in p.stderr, p.stderr)
        with open(os.path.join(d.home, "good"), "w", encoding="utf-8"):
            pass
        d.ctl("submit", "-", text=json.dumps(small(d)), check=0)
        d.ctl("wait", 1)
        told = d.ctl("run", 1, check=0).stdout
        check("protocol_error" in told and "val_loss" in told and '"low"' in told, told)


def test_notes_and_problems():
    with Daemon() as d:
        spec = small(d, parameters={"lr": {"values": [0.1, 0.01, 0.001]}})
        p = d.ctl("submit", "-", "--dry-run", text=json.dumps(spec), check=0)
        check("note: $.parameters.lr is read as learning_rate" in p.stderr, p.stderr)
        p = d.ctl("--json", "submit", "-", text=json.dumps({**spec, "epochs": 0, "seed": -1}))
        found = json.loads(p.stdout)["error"]["problems"]
        equal([(f["key"], f["line"]) for f in found], [("$.epochs", 1), ("$.seed", 1)])
        equal(len(p.stderr.splitlines()), 2, "a line for each")


if __name__ == "__main__":
    run(test_runs_by_id_and_by_place, test_failed_runs_and_their_logs,
        test_watching_what_has_ended, test_help_says_more, test_delete_asks,
        test_another_worker_program_is_refused,
        test_flags_that_the_running_daemon_lacks_are_refused,
        test_a_daemon_whose_program_was_replaced, test_why_nothing_starts_is_said, test_a_locked_database_keeps_nobody,
        test_a_database_that_is_gone_keeps_nobody,
        test_an_interrupted_submit_says_that_nothing_came_of_it,
        test_the_author_of_an_adapter_is_told_why, test_notes_and_problems)
