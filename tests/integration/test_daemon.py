"""The daemon as a process: start, refuse a second one, signals, socket, install, workers."""
import json
import os
import pty
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from golden import without_sanitizers  # noqa: E402
from held import midway, submit_held  # noqa: E402
from sweepd import (BUILD, SWEEPCTL, SWEEPD, TIMEOUT_SECONDS, WORKER, Daemon,  # noqa: E402
                    is_alive, make_data, slow_spec, small_spec)
from tap import check, equal, run, until  # noqa: E402


def test_modes_and_ready_line():
    with Daemon() as d:
        equal(stat.S_IMODE(os.stat(os.path.dirname(d.socket)).st_mode), 0o700, "socket folder")
        equal(stat.S_IMODE(os.stat(d.socket).st_mode), 0o600, "socket")
        equal(stat.S_IMODE(os.stat(d.db).st_mode), 0o600, "database")
        with open(d.log_path, encoding="utf-8") as f:
            equal(sum("ready" in line for line in f), 1, "ready lines")


def test_second_daemon_is_refused():
    with Daemon() as d:
        done = subprocess.run([SWEEPD, "--db", d.db, "--socket", d.home + "/other/sock"],
                              capture_output=True, text=True, env=d.environment, timeout=TIMEOUT_SECONDS)
        check(done.returncode == 1, f"exit {done.returncode}")
        check(str(d.process.pid) in done.stderr, f"names the process: {done.stderr}")


def test_second_daemon_on_a_socket_is_refused():
    with Daemon() as d:
        done = subprocess.run([SWEEPD, "--db", d.home + "/other/db", "--socket", d.socket],
                              capture_output=True, text=True, env=d.environment, timeout=TIMEOUT_SECONDS)
        equal(done.returncode, 1)
        check("another daemon answers" in done.stderr, done.stderr)
        equal(d.call("status")["pid"], d.process.pid, "the first one still answers")


def test_kernels_are_not_changed_for_want_of_memory():
    """A check that comes to no verdict tells nothing of the kernels: others would train to other
    bits. Kernels that do not run here are another matter."""
    with tempfile.TemporaryDirectory(prefix="sweepd-blas-") as folder:
        worker = os.path.join(folder, "worker")

        def started(end):
            """Log and kernels of a daemon whose first check ends so."""
            with open(worker, "w", encoding="utf-8") as f:
                f.write(f"#!/bin/sh\nif mkdir '{folder}/checked' 2>/dev/null; then {end}; fi\n"
                        f'exec "{WORKER}" "$@"\n')
            os.chmod(worker, 0o755)
            with Daemon(arguments=["--worker-program", worker]) as d:
                with open(d.log_path, encoding="utf-8") as f:
                    log = f.read()
            os.rmdir(os.path.join(folder, "checked"))
            return log, log[log.rindex(", BLAS "):].splitlines()[0]

        _, own = started("true")
        log, kernels = started("echo out of memory >&2; exit 71")
        check("could not be checked: exit status 71: out of memory" in log, log)
        equal(kernels, own)
        log, kernels = started("kill -9 $$")
        check("could not be checked: " in log and kernels == own, log)
        log, _ = started("kill -ILL $$")
        check("are not usable here" in log and "is used instead" in log, log)


# Listens on argv[1], says the number of a child that keeps the socket, and waits to be killed.
LISTENER = """
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
child = os.fork()
if child:
    print(child, flush=True)
sys.stdin.read()
"""


def test_a_socket_whose_listener_was_killed():
    """A child between fork and exec has the socket of its killed daemon: one can connect."""
    with tempfile.TemporaryDirectory(prefix="sweepd-") as home:
        d = Daemon(home=home)
        os.mkdir(os.path.dirname(d.socket), 0o700)
        listener = subprocess.Popen([sys.executable, "-c", LISTENER, d.socket], text=True,
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        child = int(listener.stdout.readline())
        listener.kill()
        listener.wait()
        d.connect().close()
        check(os.path.exists(f"/proc/{child}"), "the child lives")
        with d:
            equal(d.call("status")["pid"], d.process.pid)
        listener.stdin.close()  # ends the child
        listener.stdout.close()


def test_a_database_of_a_newer_daemon_is_refused():
    """And left as it is: not a byte, nor a table that this one would make."""
    with Daemon() as d:
        d.stop()
        with sqlite3.connect(d.db) as db:
            known, = db.execute("PRAGMA user_version").fetchone()
            db.execute(f"PRAGMA user_version = {known + 1}")
        db.close()
        with open(d.db, "rb") as f:
            before = f.read()
        done = subprocess.run([SWEEPD, "--db", d.db, "--socket", d.socket], capture_output=True,
                              text=True, env=d.environment, timeout=TIMEOUT_SECONDS)
        equal(done.returncode, 1, done.stderr)
        for text in (d.db, "newer sweepd", f"schema {known + 1}", f"up to {known}"):
            check(text in done.stderr, done.stderr)
        with open(d.db, "rb") as f:
            check(f.read() == before, "the file is another")


def test_bad_flags():
    for arguments, word in ((["--workers", "0"], "--workers"), (["--worker", "2"], "--worker"),
                            (["--db"], "--db"), (["--workers", "x"], "x")):
        done = subprocess.run([SWEEPD, *arguments], capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
        equal(done.returncode, 2, str(arguments))
        check(word in done.stderr, done.stderr)


def on_a_terminal(words, environment):
    """A program whose terminal it is, as the shell's that a person closes: its id and that terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(words[0], words, environment)
    return pid, terminal


def test_the_terminal_ends():
    """In the middle of a sweep: of a daemon that `start` has begun, and of one in the foreground,
    which has nowhere to write its log then."""
    with tempfile.TemporaryDirectory(prefix="sweepd-data-") as data:
        spec = slow_spec(make_data(data), run_cap=1, epochs=20)
        for words in ([SWEEPD, "--workers", "1", "--log-level", "debug"],
                      ["/bin/sh", "-c", f"{SWEEPCTL} start --workers 1 && read line"]):
            home = tempfile.mkdtemp(dir=data)
            d = Daemon(home=home)
            env = {**d.environment, "SWEEPD_DB": d.db, "SWEEPD_SOCKET": d.socket}
            shell, terminal = on_a_terminal(words, env)
            until(d.listens, "it listens")
            sweep = submit_held(d, spec)
            daemon = d.call("status")["pid"]
            os.close(terminal)
            if shell != daemon:
                os.waitpid(shell, 0)  # of SIGHUP
            d.go_on()
            equal(d.wait(sweep)["status"], "completed", words[0])
            equal(d.call("status")["pid"], daemon, "the same daemon")
            d.ctl("shutdown", check=0)
            if shell == daemon:
                equal(os.waitpid(shell, 0)[1], 0, "it ends as it should")
            until(lambda: not is_alive(daemon), "it has ended")


def test_sighup_is_ignored_and_sigterm_ends():
    with Daemon() as d:
        d.process.send_signal(signal.SIGHUP)
        d.process.send_signal(signal.SIGHUP)
        equal(d.call("status")["running"], 0)
        d.stop()
        check(not os.path.exists(d.socket), "the socket is removed")


@without_sanitizers
def test_sigterm_while_it_ends():
    """At whatever moment of its end: that is no death by a signal."""
    for i in range(25):
        with Daemon() as d:
            d.connect().call("shutdown")
            time.sleep(i * 0.0002)
            d.process.send_signal(signal.SIGTERM)
            equal(d.process.wait(TIMEOUT_SECONDS), 0, f"SIGTERM {i * 0.2:.1f} ms behind shutdown")


def test_one_thread_takes_signals():
    """The loop's: another would end the daemon while the loop's takes its handlers away."""
    with Daemon() as d:
        d.call("status")
        others = [t for t in os.listdir(f"/proc/{d.process.pid}/task") if int(t) != d.process.pid]
        check(len(others) > 2, f"threads: {others}")
        for thread in others:
            with open(f"/proc/{d.process.pid}/task/{thread}/status", encoding="utf-8") as f:
                blocked = int(next(x for x in f if x.startswith("SigBlk:")).split()[1], 16)
            check(blocked >> (signal.SIGTERM - 1) & 1, f"thread {thread} takes SIGTERM")


def test_socket_is_made_again():
    with Daemon() as d:
        os.unlink(d.socket)
        until(d.listens, "socket made again")
        equal(d.call("status")["running"], 0)


def test_start_detaches():
    with tempfile.TemporaryDirectory(prefix="sweepd-") as home:
        d = Daemon(home=home)
        env = {**d.environment, "SWEEPD_DB": d.db, "SWEEPD_SOCKET": d.socket}
        for name in ("first", "second"):  # the second finds the first
            done = subprocess.run([SWEEPCTL, "start"], env=env, capture_output=True, text=True,
                                  timeout=TIMEOUT_SECONDS)
            equal(done.returncode, 0, name + done.stderr)
        status = json.loads(subprocess.run([SWEEPCTL, "--json", "status"], env=env, check=True,
                                           capture_output=True, text=True).stdout)
        pid = status["pid"]
        equal(os.getsid(pid), pid, "a session of its own")
        equal(status["db"], d.db)
        subprocess.run([SWEEPCTL, "shutdown"], env=env, check=True, capture_output=True)
        until(lambda: not os.path.exists(f"/proc/{pid}"), "shutdown ends the daemon")


def ctl_start(d, *arguments):
    env = {**d.environment, "SWEEPD_DB": d.db, "SWEEPD_SOCKET": d.socket}
    return subprocess.Popen([SWEEPCTL, "start", *arguments], env=env, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_starts_at_the_same_time_and_another_database():
    with Daemon() as d:
        d.stop()
        starts = [ctl_start(d) for _ in range(5)]
        said = [p.communicate(timeout=TIMEOUT_SECONDS) for p in starts]
        equal([p.returncode for p in starts], [0] * 5, str(said))
        pid = d.call("status")["pid"]
        check(all(f"process {pid}\n" in out for out, _ in said), str(said))
        other = ctl_start(d, "--db", d.home + "/other.db")
        _, text = other.communicate(timeout=TIMEOUT_SECONDS)
        equal(other.returncode, 1)
        check("--db: got " in text and d.db in text and str(pid) in text, text)
        same = ctl_start(d, "--db", d.db)
        same.communicate(timeout=TIMEOUT_SECONDS)
        equal(same.returncode, 0)
        for _ in range(3):  # a start may follow a shutdown at once
            d.ctl("shutdown", check=0)
            again = ctl_start(d)
            _, text = again.communicate(timeout=TIMEOUT_SECONDS)
            equal(again.returncode, 0, text)
            check(d.call("status")["pid"] != pid, "a new one")
            pid = d.call("status")["pid"]
        d.ctl("shutdown", check=0)
        until(lambda: not os.path.exists(f"/proc/{pid}"), "the last daemon's end")


def test_nothing_is_written_to_a_database_that_was_moved():
    with tempfile.TemporaryDirectory(prefix="sweepd-data-") as home, \
            midway(slow_spec(make_data(home), run_cap=2)) as (d, sweep):
        os.rename(d.db, d.db + ".away")
        d.go_on()
        until(lambda: d.call("status")["trouble"], "trouble is told")
        check("moved, deleted or replaced" in d.call("status")["trouble"], "says why")
        os.rename(d.db + ".away", d.db)
        until(lambda: not d.call("status")["trouble"], "writing works again")
        equal(d.wait(sweep)["status"], "completed")
        equal(d.sql("PRAGMA integrity_check")[0][0], "ok")


def test_worker_crash_fails_its_run_alone():
    # a sanitizer must leave the signal alone
    options = os.environ.get("ASAN_OPTIONS", "") + ":handle_segv=0"
    with tempfile.TemporaryDirectory(prefix="sweepd-data-") as home, \
            midway(slow_spec(make_data(home), run_cap=3),
                   environment={"ASAN_OPTIONS": options}) as (d, sweep):
        run_id, handle = d.sql("SELECT id, handle FROM runs WHERE status='running'")[0]
        os.kill(int(handle), signal.SIGSEGV)
        d.go_on()
        equal(d.wait(sweep)["status"], "completed")
        equal(d.sql("SELECT status, error_class, signal FROM runs WHERE id=?", run_id),
              [("failed", "worker_crash", signal.SIGSEGV)])
        equal(d.sql("SELECT count(*) FROM runs WHERE status='completed'"), [(2,)])


def test_a_killed_worker_is_tried_again():
    with tempfile.TemporaryDirectory(prefix="sweepd-data-") as home, \
            midway(slow_spec(make_data(home), run_cap=1)) as (d, sweep):
        os.kill(d.held.pop(), signal.SIGKILL)
        equal(d.wait(sweep)["status"], "completed")
        equal(d.sql("SELECT status FROM runs"), [("completed",)])
        equal(d.sql("SELECT count(*) FROM events WHERE kind='nondeterminism'"), [(0,)])


def test_a_worker_that_talks_nonsense():
    with tempfile.TemporaryDirectory(prefix="sweepd-") as home:
        fake = os.path.join(home, "fake-worker")
        with open(fake, "w", encoding="utf-8") as f:
            f.write(f"""#!/bin/sh
case "$1" in --*) exec {WORKER} "$@";; esac
echo 'last words' >&2
echo '{{"type":"point","point":"x"}}'
""")
        os.chmod(fake, 0o755)
        with Daemon(arguments=["--worker-program", fake]) as d:
            sweep = d.submit(small_spec(make_data(home), method="random", run_cap=2))
            ended = d.wait(sweep)
            equal(ended["status"], "held", "no run completed")
            check(ended["reason"], "with a reason")
            equal(d.sql("SELECT DISTINCT status, error_class FROM runs"),
                  [("failed", "protocol_error")])
            check("last words" in d.sql("SELECT stderr_tail FROM runs")[0][0], "stderr is kept")
            check("last words" in d.ctl("log", 1, check=0).stdout, "log RUN")


def test_a_worker_that_cannot_write_is_tried_again():
    """Status 74 is what the worker ends with when its disk is full."""
    with open("/dev/full", "wb") as full, tempfile.TemporaryDirectory(prefix="sweepd-") as home:
        data = make_data(home)
        config = os.path.join(home, "config.json")
        with open(config, "w", encoding="utf-8") as f:
            json.dump({"data": {"path": data, "format": "idx", "validation": 50}}, f)
        done = subprocess.run([WORKER, config], stdout=full, stderr=subprocess.DEVNULL,
                              env=dict(os.environ, XDG_CACHE_HOME=home + "/cache"))
        equal(done.returncode, 74, "the worker's exit status")
        once = os.path.join(home, "once")
        fake = os.path.join(home, "fake-worker")
        with open(fake, "w", encoding="utf-8") as f:
            f.write(f"""#!/bin/sh
case "$1" in --*) exec {WORKER} "$@";; esac
mkdir {once} 2>/dev/null && exit 74
exec {WORKER} "$@"
""")
        os.chmod(fake, 0o755)
        with Daemon(workers=1, arguments=["--worker-program", fake]) as d:
            sweep = d.submit(small_spec(data, method="random", run_cap=2))
            equal(d.wait(sweep)["status"], "completed")
            equal(d.sql("SELECT DISTINCT status, error_class FROM runs"), [("completed", None)])


def test_cancel_reaches_what_a_wrapper_started():
    with tempfile.TemporaryDirectory(prefix="sweepd-") as home:
        wrapper = os.path.join(home, "wrapper")
        with open(wrapper, "w", encoding="utf-8") as f:
            f.write(f'#!/bin/sh\n{WORKER} "$@"\n')
        os.chmod(wrapper, 0o755)
        with Daemon(workers=1, arguments=["--worker-program", wrapper]) as d:
            sweep = d.submit(slow_spec(make_data(home, samples=2000), run_cap=1, epochs=6000))
            until(lambda: d.sql("SELECT 1 FROM curves"), "a point")
            equal(len(d.worker_pids()), 2, "the wrapper and the wrapped worker")
            d.call("cancel", sweep=sweep)
            until(lambda: not d.worker_pids(), "both end")


def test_worker_by_hand():
    with tempfile.TemporaryDirectory(prefix="sweepd-") as home:
        data = make_data(home)
        config = os.path.join(home, "config.json")
        with open(config, "w", encoding="utf-8") as f:
            json.dump({"data": {"path": data, "format": "idx", "validation": 50}, "epochs": 3}, f)
        env = dict(os.environ, XDG_CACHE_HOME=home + "/cache")
        done = subprocess.run([WORKER, config], capture_output=True, text=True, env=env)
        equal(done.returncode, 0, done.stderr)
        lines = [json.loads(x) for x in done.stdout.splitlines()]
        equal([x["type"] for x in lines], ["start"] + 3 * ["point", "layers"] + ["result"])
        equal(lines[-1]["status"], "completed")
        again = subprocess.run([WORKER, config], capture_output=True, text=True, env=env)

        def points(text):
            rows = [json.loads(x) for x in text.splitlines() if '"type":"point"' in x]
            return [{k: v for k, v in r.items() if k != "seconds"} for r in rows]
        equal(points(again.stdout), points(done.stdout), "same bits")


def test_help_is_no_error():
    for program in (WORKER, SWEEPD, SWEEPCTL):
        done = subprocess.run([program, "--help"], capture_output=True, text=True)
        equal((done.returncode, done.stderr), (0, ""), program)
        check("usage: " in done.stdout.lower(), done.stdout)


def test_install_under_destdir():
    with tempfile.TemporaryDirectory(prefix="sweepd-") as home:
        dest = os.path.join(home, "dest")
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", dest],
                       check=True, capture_output=True)
        installed = {}
        for folder, _, files in os.walk(dest):
            installed.update({f: os.path.join(folder, f) for f in files})
        for program in ("sweepd", "sweepctl", "sweep-worker"):
            check(program in installed, f"{program} in {sorted(installed)}")
        d = Daemon(home=home)
        env = {**d.environment, "SWEEPD_DB": d.db, "SWEEPD_SOCKET": d.socket}
        ctl = installed["sweepctl"]
        done = subprocess.run([ctl, "start"], env=env, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
        equal(done.returncode, 0, done.stderr)
        try:
            spec = json.dumps(small_spec(make_data(home), run_cap=4, epochs=1))
            done = subprocess.run([ctl, "submit", "-", "--json"], input=spec, env=env,
                                  capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
            equal(done.returncode, 0, done.stderr)
            sweep = json.loads(done.stdout)["sweep"]
            subprocess.run([ctl, "wait", str(sweep)], env=env, check=True, capture_output=True,
                           timeout=TIMEOUT_SECONDS)
            used = json.loads(subprocess.run([ctl, "status", "--json"], env=env, check=True,
                                             capture_output=True, text=True).stdout)
            equal(os.readlink(f"/proc/{used['pid']}/exe"), installed["sweepd"], "its own daemon")
        finally:
            subprocess.run([ctl, "shutdown"], env=env, capture_output=True, timeout=TIMEOUT_SECONDS)


def test_nothing_is_left_running():
    with tempfile.TemporaryDirectory(prefix="sweepd-data-") as home, \
            midway(slow_spec(make_data(home), run_cap=4), runs=2) as (d, _):
        equal(len(d.worker_pids()), 2, "two workers")
        d.stop()
        equal(d.worker_pids(), [], "the workers have ended with the daemon")
        equal({s for s, in d.sql("SELECT status FROM runs")}, {"queued"},
              "interrupted runs wait for the next start")


def test_sigterm_while_data_is_prepared():
    with tempfile.TemporaryDirectory(prefix="sweepd-") as home:
        worker, begun = os.path.join(home, "worker"), os.path.join(home, "begun")
        with open(worker, "w", encoding="utf-8") as f:
            f.write(f"#!/bin/sh\n[ \"$1\" = --prepare ] && touch '{begun}' && sleep 60\n"
                    f"exec '{WORKER}' \"$@\"\n")
        os.chmod(worker, 0o700)
        with Daemon(home=home, arguments=["--worker-program", worker]) as d:
            client = d.connect()
            request = {"jsonrpc": "2.0", "id": 1, "method": "submit",
                       "params": {"spec": small_spec(make_data(home))}}
            client.send(json.dumps(request).encode() + b"\n")
            until(lambda: os.path.exists(begun), "the data is being prepared")
            d.stop()
            equal(json.loads(client.line())["error"]["data"]["error"], "shutting_down")
            client.close()
            equal(d.sql("SELECT count(*) FROM sweeps"), [(0,)], "nothing is half accepted")


if __name__ == "__main__":
    run(test_modes_and_ready_line, test_second_daemon_is_refused,
        test_second_daemon_on_a_socket_is_refused, test_a_socket_whose_listener_was_killed,
        test_kernels_are_not_changed_for_want_of_memory, test_a_database_of_a_newer_daemon_is_refused, test_bad_flags,
        test_the_terminal_ends, test_sighup_is_ignored_and_sigterm_ends, test_sigterm_while_it_ends,
        test_one_thread_takes_signals, test_socket_is_made_again, test_start_detaches,
        test_starts_at_the_same_time_and_another_database,
        test_nothing_is_written_to_a_database_that_was_moved,
        test_worker_crash_fails_its_run_alone, test_a_killed_worker_is_tried_again,
        test_a_worker_that_talks_nonsense, test_a_worker_that_cannot_write_is_tried_again,
        test_cancel_reaches_what_a_wrapper_started,
        test_worker_by_hand, test_help_is_no_error, test_install_under_destdir,
        test_nothing_is_left_running, test_sigterm_while_data_is_prepared)
