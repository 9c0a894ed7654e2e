"""The evening and the night: hours, events told to a program, checks of the machine, a runtime
directory that goes, a log that is turned."""
import grp
import http.server
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from held import midway  # noqa: E402
from sweepd import (SWEEPCTL, SWEEPD, TIMEOUT_SECONDS, WORKER, Daemon, make_data,  # noqa: E402
                    small_spec, slow_spec)
from tap import Skip, check, equal, run, until  # noqa: E402


def hours_from_now(first, last):
    at = [time.localtime(time.time() + h * 3600) for h in (first, last)]
    return "-".join(f"{t.tm_hour:02}:{t.tm_min:02}" for t in at)


def test_active_hours():
    """Outside of them nothing starts, what runs goes back to the queue, and status says why."""
    with tempfile.TemporaryDirectory(prefix="sweepd-data-") as home, \
            midway(slow_spec(make_data(home), run_cap=2)) as (d, sweep):
        d.kill()
        d.arguments = ["--active-hours", hours_from_now(2, 3)]
        d.start()
        check("outside the active hours" in d.call("status")["waiting"], "status says why")
        d.let_end()
        until(lambda: {s for s, in d.sql("SELECT status FROM runs")} == {"queued"},
              "the adopted run yields")
        equal(d.call("status")["running"], 0)
        check(d.sql("SELECT 1 FROM events WHERE kind = 'starts_wait'"), "an event")
        equal(d.call("show", sweep=sweep)["sweep"]["status"], "running", "the sweep is open")
        d.stop()
        d.arguments = ["--active-hours", hours_from_now(-2, 2)]
        d.start()
        equal(d.call("status")["waiting"], "")
        equal(d.wait(sweep)["status"], "completed")


def test_max_load():
    """Above it nothing starts, however often it is asked; without it the same sweep goes on."""
    if os.getloadavg()[0] < 0.01:
        raise Skip("no load at all")
    with Daemon(workers=1, arguments=["--max-load", "0.000001"]) as d:
        sweep = d.submit(small_spec(make_data(d.home), method="random", run_cap=2, epochs=1))
        for _ in range(30):  # each is a turn of its loop
            status = d.call("status")
            equal(status["running"], 0, "nothing runs")
            check("--max-load" in status["waiting"], status)
        check(d.sql("SELECT 1 FROM events WHERE kind = 'starts_wait'"), "an event")
        equal(d.sql("SELECT DISTINCT status, started_at, attempts FROM runs"),
              [("queued", None, 0)], "nothing was started")
        d.stop()
        d.arguments = []
        d.start()
        equal(d.wait(sweep)["status"], "completed")


def test_flags_that_are_refused():
    for flag, value in (("--max-load", "0"), ("--max-load", "x"), ("--active-hours", "22-7"),
                        ("--active-hours", "25:00-07:30"), ("--active-hours", "07:30-07:30"),
                        ("--group", "no-such-group"), ("--on-event", "/nowhere")):
        done = subprocess.run([SWEEPD, flag, value, "--worker-program", WORKER],
                              capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
        equal(done.returncode, 2, f"{flag} {value}")
        check(flag in done.stderr and value in done.stderr, done.stderr)


def write_program(home, text):
    path = os.path.join(home, "hook")
    with open(path, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\n" + text)
    os.chmod(path, 0o700)
    return path


def told(home):
    path = os.path.join(home, "told")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.endswith("\n")]


def test_a_program_is_told_of_events():
    d = Daemon(workers=1)
    d.arguments = ["--on-event", write_program(d.home, f"cat >> {d.home}/told\n")]
    with d:
        sweep = d.submit(small_spec(make_data(d.home), method="random", run_cap=2, epochs=1))
        d.wait(sweep)
        until(lambda: any(e["event"] == "sweep_completed" for e in told(d.home)), "the end is told")
        events = told(d.home)
        equal(events[0]["event"], "submitted")
        equal({e["sweep"] for e in events}, {sweep})
        equal(sum(e["event"] == "run_ended" for e in events), 2)
        rows = d.sql("SELECT kind, sweep_id, run_id, detail FROM events ORDER BY id")
        equal([(e["event"], e["sweep"], e["run"], e["detail"] or None) for e in events], rows,
              "what is told are the rows, all of them and in their order")
        with open(d.log_path, encoding="utf-8") as f:
            logged = re.findall(r" events: event=(\S+)", f.read())
        equal(logged, [kind for kind, *_ in rows], "and so are the lines of the log")


def test_it_is_told_of_a_better_run():
    d = Daemon(workers=1)
    d.arguments = ["--on-event", write_program(d.home, f"cat >> {d.home}/told\n")]
    with d:
        sweep = d.submit({"name": "asked", "task": {"client": {}}, "method": "random", "run_cap": 4,
                          "repeat_share": 0, "epochs": 1,
                          "metric": {"name": "score", "goal": "maximize"},
                          "parameters": {"x": {"min": 0, "max": 1.0}}})
        for score in (0.5, 0.25, 0.75, 0.75):
            asked = d.call("ask", sweep=sweep)
            d.call("tell", run=asked["run"], lease=asked["lease"], result={"value": score})
        until(lambda: any(e["event"] == "sweep_completed" for e in told(d.home)), "the end is told")
        equal([e["detail"] for e in told(d.home) if e["event"] == "best_improved"],
              ["score 0.5", "score 0.75, after 0.5 of #0"])


def test_it_is_told_when_nothing_can_be_written():
    d = Daemon(workers=1)
    d.arguments = ["--on-event", write_program(d.home, f"cat >> {d.home}/told\n")]
    with d:
        db = sqlite3.connect(d.db, isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        waiting = d.connect()
        waiting.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "submit", "params": {
            "spec": small_spec(make_data(d.home), method="random", run_cap=1)}}).encode() + b"\n")
        until(lambda: [e["event"] for e in told(d.home)] == ["database_unwritable"], "the trouble")
        check("locked" in told(d.home)[0]["detail"], told(d.home))
        db.execute("ROLLBACK")
        db.close()
        until(lambda: any(e["event"] == "database_writable" for e in told(d.home)), "its end")
        waiting.close()


class Posted(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.posted.append((self.path, self.headers.get("Title"),
                                   self.rfile.read(int(self.headers["Content-Length"])).decode()))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format, *args):
        pass


def test_the_examples_of_such_programs():
    folder = os.path.join(os.path.dirname(__file__), "..", "..", "dist", "on-event")
    server = http.server.HTTPServer(("127.0.0.1", 0), Posted)
    server.posted = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    at = f"http://127.0.0.1:{server.server_address[1]}/topic"
    home = tempfile.mkdtemp(prefix="sweepd-hooks-")
    with open(os.path.join(home, "sendmail"), "w", encoding="utf-8") as f:
        f.write(f"#!/bin/sh\ncat >> {home}/mail\n")
    os.chmod(os.path.join(home, "sendmail"), 0o700)
    env = {**os.environ, "NTFY_URL": at, "SLACK_WEBHOOK_URL": at, "WEBHOOK_URL": at,
           "MAIL_TO": "me@example.org", "PATH": home + ":" + os.environ["PATH"], "no_proxy": "*"}
    event = {"event": "best_improved", "sweep": 3, "run": 7, "detail": "val_loss 0.25, Größe <!channel> &\nSubject: x",
             "time": "2026-01-31 22:05:00", "missed": 0}
    for name in sorted(os.listdir(folder)):
        for e in (event, {**event, "event": "run_started"}):
            subprocess.run([sys.executable, os.path.join(folder, name)], check=True, env=env,
                           input=json.dumps(e).encode(), timeout=TIMEOUT_SECONDS)
    server.shutdown()
    title = "sweepd: sweep 3 run 7 a better run"
    equal(server.posted[0], ("/topic", title, event["detail"]), "ntfy")
    equal(json.loads(server.posted[1][2])["text"], f"*{title}*\nval_loss 0.25, Größe &lt;!channel&gt; &amp;\nSubject: x",
          "slack: nobody is called by a name")
    equal([json.loads(p[2])["event"] for p in server.posted[2:]], ["best_improved", "run_started"])
    with open(os.path.join(home, "mail"), encoding="utf-8") as f:
        mail = f.read()
    check(f"Subject: {title}" in mail and "To: me@example.org" in mail, mail)
    equal(mail.count("To: me@"), 1, "what does not matter is no mail")
    equal(mail.split("\n\n")[0].count("Subject:"), 1, "what a program said is no header")
    shutil.rmtree(home)


def test_a_program_that_hangs_holds_nothing_up():
    """It does not even read. What is beyond its queue is left out; the end waits a second for it."""
    d = Daemon(workers=1)
    d.arguments = ["--on-event", write_program(d.home, f"touch {d.home}/began; exec sleep 1000\n")]
    with d:
        spec = small_spec(make_data(d.home), method="random", run_cap=20, epochs=1)
        equal(d.wait(d.submit(spec))["status"], "completed")
        until(lambda: os.path.exists(d.home + "/began"), "it runs")


def doctor(d, *arguments, check_status=None):
    done = d.ctl("doctor", *arguments, "--json", check=check_status)
    return {c["check"]: c for c in json.loads(done.stdout)["checks"]}


def test_doctor():
    with Daemon(workers=1) as d:
        findings = doctor(d)
        for name in ("daemon", "disk", "files", "processes", "clock", "database", "lingering", "blas"):
            check(name in findings, f"no {name} in {list(findings)}")
        check(findings["blas"]["ok"] and d.db in findings["database"]["says"], findings)
        equal([f for f in findings.values() if not f["ok"] and not f["mend"]], [], "without a mend")
        text = d.ctl("doctor").stdout
        check("database" in text and "ok" in text, text)
    bad = os.path.join(d.home, "bad.db")
    os.makedirs(d.home, exist_ok=True)
    with open(bad, "w", encoding="utf-8") as f:
        f.write("not a database at all")
    findings = doctor(d, "--db", bad, check_status=1)
    check(not findings["database"]["ok"] and "no SQLite" in findings["database"]["says"], findings)
    check("none runs" in findings["daemon"]["says"], findings)
    worker = write_program(d.home, "exit 2\n")
    findings = doctor(d, "--worker-program", worker, check_status=1)
    check(not findings["blas"]["ok"], "a worker that knows no --check, and cannot compute")
    shutil.rmtree(d.home)


def test_a_daemon_that_answers_late():
    """One that gets no processor for a while: it is not taken for none, nor another one started."""
    with Daemon(workers=1) as d:
        os.kill(d.process.pid, signal.SIGSTOP)
        asked = [subprocess.Popen([SWEEPCTL, "--json", "--socket", d.socket, *words],
                                  stdout=subprocess.PIPE, text=True, env=d.environment)
                 for words in (["start", "--db", d.db], ["doctor"])]
        begin = time.monotonic()
        until(lambda: time.monotonic() - begin > 3, "longer than clients used to wait")
        os.kill(d.process.pid, signal.SIGCONT)
        start, checks = (json.loads(p.communicate(timeout=TIMEOUT_SECONDS)[0]) for p in asked)
        equal((start["started"], start["pid"]), (False, d.process.pid))
        says = {c["check"]: c["says"] for c in checks["checks"]}["daemon"]
        check("none" not in says and "does not" not in says, says)


def found_by_note(d):
    """A client that was told no socket reaches the daemon."""
    done = subprocess.run([SWEEPCTL, "--json", "status"], capture_output=True, text=True,
                          env=d.environment, timeout=TIMEOUT_SECONDS)
    return done.returncode == 0


def test_a_runtime_directory_that_goes():
    """With the last session. The socket is made beside the database, and the note says so."""
    d = Daemon(workers=1)
    d.db = os.path.join(d.home, "xdg-state", "sweepd", "sweeps.db")
    d.socket = os.path.join(d.home, "xdg-run", "sweepd", "sock")
    with d:
        shutil.rmtree(d.home + "/xdg-run")
        with open(d.home + "/xdg-run", "w", encoding="utf-8"):
            pass  # nobody can make a folder there
        until(lambda: os.path.exists(d.db + ".sock"), "it listens beside the database")
        until(lambda: found_by_note(d), "the note is written after the socket is there")
        os.unlink(d.home + "/xdg-run")
        until(d.listens, "and goes back")
        until(lambda: found_by_note(d), "and is found there")
        equal(d.call("status")["pid"], d.process.pid)
        until(lambda: not os.path.exists(d.db + ".sock"), "the other one goes")


def test_start_turns_its_log():
    d = Daemon(workers=1)
    log = os.path.join(d.home, "xdg-state", "sweepd", "sweepd.log")
    os.makedirs(os.path.dirname(log))
    with open(log, "wb") as f:
        f.truncate(8 * 1024 * 1024)  # as long as it may be
    done = subprocess.run([SWEEPCTL, "--json", "--socket", d.socket, "start", "--db", d.db,
                           "--active-hours", hours_from_now(2, 3), "--pause-on-battery"],
                          capture_output=True, text=True, env=d.environment, timeout=TIMEOUT_SECONDS)
    equal(done.returncode, 0, done.stderr)
    check("active hours" in d.call("status")["waiting"], "flags of the daemon go through")
    d.ctl("shutdown", check=0)
    check(os.path.exists(log + ".1"), "the old one")
    with open(log, encoding="utf-8") as f:
        check("ended" in f.read(), "the new one")
    shutil.rmtree(d.home)


def answer(d, uid, gid, groups):
    """What somebody else is told there."""
    read_end, write_end = os.pipe()
    if os.fork() == 0:
        os.setgroups(groups)
        os.setgid(gid)
        os.setuid(uid)
        try:
            s = socket.socket(socket.AF_UNIX)
            s.connect(d.socket)
            s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"shutdown"}\n')
            os.write(write_end, s.recv(1000) or b"closed")
        except OSError as e:
            os.write(write_end, type(e).__name__.encode())
        os._exit(0)
    os.wait()
    os.close(write_end)
    with open(read_end, "rb") as f:
        return f.read()


def open_to_all(d):
    """A daemon whose socket lies where all may go."""
    d.socket = os.path.join(d.home, "run", "sweepd", "sock")
    os.chmod(d.home, 0o755)
    os.makedirs(d.home + "/run", mode=0o755)
    return d


def test_nobody_else_gets_in():
    """The modes keep others out, and so does the daemon, of itself, where the modes were changed."""
    if os.geteuid() != 0:
        raise Skip("needs other users")
    with open_to_all(Daemon(workers=1)) as d:
        folder = os.path.dirname(d.socket)
        equal(answer(d, 65534, 65534, []), b"PermissionError", "the folder's mode")
        os.chmod(folder, 0o777)
        equal(answer(d, 65534, 65534, []), b"PermissionError", "the socket's mode")
        os.chmod(d.socket, 0o666)
        said = answer(d, 65534, 65534, [0])  # in root's group, too
        check(b"permission_denied" in said or said in (b"closed", b"ConnectionResetError",
                                                       b"BrokenPipeError"), said)
        check(b"stopping" not in said, said)
        equal(d.call("status")["stopping"], False)


def test_a_group_is_let_in():
    if os.geteuid() != 0:
        raise Skip("needs other users")
    group = next(g for g in grp.getgrall() if g.gr_gid not in (0, 65534))
    with open_to_all(Daemon(workers=1, arguments=["--group", group.gr_name])) as d:
        mode = os.stat(d.socket)
        equal((stat.S_IMODE(mode.st_mode), mode.st_gid), (0o660, group.gr_gid), "the socket")
        equal(answer(d, 65534, 65534, []), b"PermissionError", "another user")
        check(b"result" in answer(d, 65534, group.gr_gid, []), "its group")
    with open_to_all(Daemon(workers=1, arguments=["--group", group.gr_name])) as d:
        check(b"result" in answer(d, 65534, 65534, [group.gr_gid]), "one of its groups")


if __name__ == "__main__":
    run(test_active_hours, test_max_load, test_flags_that_are_refused, test_a_program_is_told_of_events,
        test_it_is_told_of_a_better_run,
        test_it_is_told_when_nothing_can_be_written, test_the_examples_of_such_programs,
        test_a_program_that_hangs_holds_nothing_up, test_doctor,
        test_a_daemon_that_answers_late,
        test_a_runtime_directory_that_goes, test_start_turns_its_log,
        test_nobody_else_gets_in, test_a_group_is_let_in)
