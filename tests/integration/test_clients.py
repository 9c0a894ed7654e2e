"""Clients that do not behave, and too many of them: nobody is locked out, the daemon stays small, and
what is left out is said. One daemon serves most tests; its sweep has a run of many points."""
import atexit
import json
import os
import pwd
import resource
import select
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import (SWEEPCTL, SWEEPD, TIMEOUT_SECONDS, Connection, Daemon,  # noqa: E402
                    RpcError, make_data, slow_spec, small_spec)
from tap import Skip, check, equal, run, until  # noqa: E402

WATCHERS = 100
POINTS = 2400  # of a sweep: more than sockets and outboxes hold
MIB = 1024
SANITIZED = "san" in os.path.basename(os.environ["BUILD"])  # freed memory is kept for a while


def rss(d):
    """Resident memory in KiB."""
    with open(f"/proc/{d.process.pid}/status", encoding="ascii") as f:
        return next(int(x.split()[1]) for x in f if x.startswith("VmRSS"))


def many_points(data, runs=3, **changes):
    """A sweep whose runs have a point every fraction of a millisecond."""
    return small_spec(data, method="grid", run_cap=None, epochs=POINTS // runs,
                      parameters={"learning_rate": {"values": [0.001 * (i + 1) for i in range(runs)]}},
                      model={"type": "mlp", "width": 2}, train={"batch_size": 100}, **changes)


def endless(data, run_cap=1):
    """A sweep whose runs have a point now and then."""
    return slow_spec(data, run_cap=run_cap, epochs=1000000)


class Shared:
    """The daemon of the tests that do not end it."""
    daemon = data = None


def daemon():
    if not Shared.daemon:
        Shared.daemon = Daemon(workers=2).start()
        atexit.register(Shared.daemon.__exit__, None, None, None)
        Shared.data = make_data(Shared.daemon.home)
        Shared.daemon.wait(Shared.daemon.submit(many_points(Shared.data)))
    return Shared.daemon, Shared.data


def request(number, method, **params):
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method,
                       "params": params}).encode() + b"\n"


def test_watchers_that_never_read_cost_little():
    d, data = daemon()
    other = d.submit(endless(data))
    d.call("pause", sweep=other)
    until(lambda: d.call("status")["running"] == 0, "it is paused")
    before = rss(d)
    watchers = [d.connect() for _ in range(WATCHERS)]
    for w in watchers:
        w.call("watch")
    sweep = d.submit(many_points(data, name="watched", after=other))
    slow = subprocess.Popen([SWEEPCTL, "--socket", d.socket, "--json", "watch", str(sweep)],
                            stdout=subprocess.PIPE, env=d.environment)
    until(lambda: hears_of_a_pause(d, slow, sweep), "it watches")
    d.call("cancel", sweep=other)
    equal(d.wait(sweep)["status"], "completed")
    used = rss(d) - before
    limit = 400 if SANITIZED else 24
    check(used < limit * MIB, f"{WATCHERS} watchers that do not read: {used} KiB")
    print(f"# {WATCHERS} watchers that never read: {used} KiB more")
    catches_up(watchers[0], sweep)
    hears_again(watchers[0], data, other)
    for w in watchers:
        w.close()
    # sweepctl too, whose pipe was full long before: it looks again, and knows the end
    lines = [json.loads(line) for line in slow.stdout]
    equal(slow.wait(), 0)
    equal(lines[-1], {"sweep": sweep, "status": "completed", "reason": None})
    check(any(line.get("method") == "lagged" for line in lines), "it lagged")


def hears_of_a_pause(d, process, sweep):
    d.call("pause", sweep=sweep)
    d.call("resume", sweep=sweep)
    return select.select([process.stdout], [], [], 0.05)[0]


def catches_up(watcher, sweep):
    """What was kept for it comes in order; then it is told how much was not, and how things are."""
    points, lagged, state = {}, None, None
    while state is None:
        message = json.loads(watcher.line())
        params = message["params"]
        if message["method"] == "point":
            check(lagged is None, "a notification between lagged and snapshot")
            equal(params["point"], points.get(params["run"], 0) + 1, "points in order")
            points[params["run"]] = params["point"]
        elif message["method"] == "lagged" and params["sweep"] == sweep:
            lagged = params["missed"]
        elif message["method"] == "snapshot" and params["sweep"] == sweep:
            state = params["state"]
    check(0 < lagged, f"missed {lagged}")
    check(sum(points.values()) + lagged >= POINTS, f"{points} and {lagged} of {POINTS}")
    equal((state["status"], state["done"]), ("completed", 3), "the snapshot")
    equal(watcher.call("status")["stopping"], False)


def hears_again(watcher, data, other):
    d, _ = daemon()
    sweep = d.submit(small_spec(data, method="random", run_cap=1, epochs=1, name="behind it"))
    method = None
    while method != "sweep_ended":
        message = json.loads(watcher.line())
        if message["params"]["sweep"] != other:
            method = message["method"]
            equal(message["params"]["sweep"], sweep, method)


def test_pipelined_requests_are_all_answered():
    """32 pages of 300 kB, asked for at once and read late."""
    d, _ = daemon()
    c = d.connect()
    c.send(b"".join(request(i, "curve", run=1, limit=1000) for i in range(32)))
    equal(d.call("status")["stopping"], False, "others are served")
    before = rss(d)
    ids = set()
    for _ in range(32):
        reply = json.loads(c.line())
        equal(len(reply["result"]["points"]), POINTS // 3)
        ids.add(reply["id"])
    equal(ids, set(range(32)), "replies")
    check(before < 120 * MIB or SANITIZED, f"{before} KiB while they waited")
    c.close()


def test_waiting_requests_do_not_stop_others():
    d, data = daemon()
    sweep = d.submit(endless(data))
    c = d.connect()
    c.send(b"".join(request(i, "wait", sweep=sweep) for i in range(250)))
    equal(c.call("status")["stopping"], False, "behind 250 waits")
    c.close()
    d.call("cancel", sweep=sweep)


def test_silent_clients_lock_nobody_out():
    """More than there are places for: the longest idle makes room."""
    d, _ = daemon()
    silent = [d.connect() for _ in range(1100)]
    equal(d.call("status")["stopping"], False, "one more client")
    silent[-1].call("status")
    places = select.poll()
    for s in silent:
        places.register(s.socket, select.POLLIN)
    gone = {fd for fd, _ in places.poll(1000 * TIMEOUT_SECONDS)}
    check(gone, "some have made room")
    equal({s.line() for s in silent if s.socket.fileno() in gone}, {b""})
    for s in silent:
        s.close()


def test_busy_is_heard():
    """All places are taken by clients that wait for something."""
    d, data = daemon()
    sweep = d.submit(endless(data))
    waiting = []
    for i in range(1024):
        c = d.connect()
        c.send(request(i, "wait", sweep=sweep))
        waiting.append(c)
    c = waiting[-1]
    c.send(request(7, "status"))
    equal(json.loads(c.line())["id"], 7, "all have been accepted")
    one_more = d.connect()
    one_more.send(request(1, "status"))
    reply = json.loads(one_more.line())
    equal(reply["error"]["data"]["error"], "busy", reply)
    equal(one_more.line(), b"", "and the connection ends")
    done = d.ctl("status", check=1)
    check("none is idle" in done.stderr, done.stderr)
    for c in waiting:
        c.close()
    until(lambda: d.ctl("status").returncode == 0, "places are free again")
    d.call("cancel", sweep=sweep)


def test_ids_come_back_as_they_were_sent():
    d, _ = daemon()
    c = d.connect()
    for text in (b"9007199254740993", b"-18446744073709551616", b"1.50", b'"\\u00e9"', b"1e3"):
        c.send(b'{"jsonrpc":"2.0","id":%s,"method":"status"}\n' % text)
        check(c.line().startswith(b'{"jsonrpc":"2.0","id":%s,' % text), text)
    c.close()


def test_subscriptions_have_a_limit():
    d, data = daemon()
    sweeps = [d.submit(endless(data, run_cap=2))]  # has both places: the others only wait
    c = d.connect()
    spec = small_spec(data, method="random", run_cap=1, epochs=1)
    c.send(b"".join(request(i, "submit", spec=spec) for i in range(64)))
    sweeps += [json.loads(c.line())["result"]["sweep"] for _ in range(64)]
    for sweep in sweeps[:64]:
        c.call("watch", sweep=sweep)
    c.call("watch", sweep=sweeps[0])  # twice is once
    try:
        c.call("watch", sweep=sweeps[64])
    except RpcError as e:
        equal(e.data["error"], "limit_exceeded")
    else:
        raise AssertionError("65 subscriptions of one client")
    c.call("watch")
    c.call("unwatch")
    c.send(b"".join(request(i, "cancel", sweep=s) for i, s in enumerate(reversed(sweeps))))
    until(lambda: not sum(d.call("status")[k] for k in ("queued", "running")), "all are cancelled")
    c.close()


def test_nesting_and_long_lines():
    d, _ = daemon()
    c = d.connect()
    for depth, ok in ((63, True), (64, False)):
        c.send(b'{"jsonrpc":"2.0","id":1,"method":"status","params":%s%s}\n'
               % (b'{"a":' * depth, b"1" + b"}" * depth))
        code = json.loads(c.line())["error"]["code"]
        equal(code, -32602 if ok else -32700, f"{depth + 1} levels")
    c.send(b'{"jsonrpc":"2.0","id":1,"method":"status"}' + b" " * (1024 * 1024) + b"\n")
    equal(json.loads(c.line())["error"]["data"]["error"], "invalid_request")
    equal(c.line(), b"", "the connection ends")
    c.close()


def test_events_of_all_and_since():
    d, data = daemon()
    events = json.loads(d.ctl("events", "--json", check=0).stdout)["events"]
    check(any(e["kind"] == "run_ended" for e in events), "kinds")
    equal([e["id"] for e in events], sorted(e["id"] for e in events))
    one = json.loads(d.ctl("events", "--json", "--run", 1, check=0).stdout)["events"]
    equal({e["run_id"] for e in one}, {1})
    equal(d.ctl("events", "--since", "2200-01-01", check=0).stdout, "")
    check("submitted" in d.ctl("events", 1, "--since", "1d", check=0).stdout, "of a sweep")
    d.ctl("events", "--since", "yesterday", check=2)
    d.ctl("events", 1, "--run", 1, check=2)
    with subprocess.Popen([SWEEPCTL, "--socket", d.socket, "--json", "events", "--follow",
                           "--since", "1h"], stdout=subprocess.PIPE, env=d.environment) as p:
        sweep = d.submit(small_spec(data, method="random", run_cap=1, epochs=1, name="followed"))
        seen = [json.loads(p.stdout.readline())]
        while (seen[-1]["sweep_id"], seen[-1]["kind"]) != (sweep, "run_ended"):
            seen.append(json.loads(p.stdout.readline()))
        p.kill()
    def logged():
        with open(d.log_path, encoding="utf-8") as f:
            return f"event=run_ended sweep={sweep} run=" in f.read()
    until(logged, "a line of the log")


def test_the_daemon_is_found_by_its_note():
    """From cron or sudo: no runtime directory in the environment, the socket is elsewhere."""
    d = Daemon(workers=1)
    d.db = os.path.join(d.home, "xdg-state", "sweepd", "sweeps.db")
    with d:
        environment = {k: v for k, v in d.environment.items() if k != "XDG_RUNTIME_DIR"}
        done = subprocess.run([SWEEPCTL, "--json", "status"], capture_output=True, text=True,
                              env=environment, timeout=TIMEOUT_SECONDS)
        equal(done.returncode, 0, done.stderr)
        equal(json.loads(done.stdout)["pid"], d.process.pid)
    check(not os.path.exists(d.db + ".socket"), "the note goes with the daemon")


def test_a_daemon_of_somebody_else_is_not_trusted():
    if os.geteuid() != 0:
        raise Skip("needs another user")
    nobody = pwd.getpwnam("nobody").pw_uid
    path = f"/tmp/sweepd-squatter-{os.getpid()}"
    listening, said = os.pipe()
    child = os.fork()
    if child == 0:
        os.setuid(nobody)
        s = socket.socket(socket.AF_UNIX)
        s.bind(path)
        s.listen()
        os.write(said, b"x")
        threading.Event().wait()
    os.read(listening, 1)
    try:
        # root trusts nobody but itself: /tmp is root's, and the daemon there is not
        done = subprocess.run([SWEEPCTL, "--socket", path, "status"], capture_output=True, text=True,
                              timeout=TIMEOUT_SECONDS)
        equal(done.returncode, 1, done.stderr)
        check(str(nobody) in done.stderr, done.stderr)
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
        os.unlink(path)


def test_a_stderr_that_nobody_reads():
    d = Daemon(workers=1, arguments=["--log-level", "info"])
    ready, log = os.pipe()
    os.set_blocking(ready, False)
    d.process = subprocess.Popen([SWEEPD, "--db", d.db, "--socket", d.socket, "--workers", "1"],
                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                 env=d.environment)
    until(d.listens, "it listens")
    os.set_blocking(log, False)
    try:
        while True:
            os.write(log, b"x" * 4096)  # full before the daemon says any more
    except BlockingIOError:
        pass
    os.set_blocking(log, True)
    data = make_data(d.home)
    spec = small_spec(data, method="random", run_cap=3, epochs=1)
    equal(d.wait(d.submit(spec))["status"], "completed", "with a full stderr")
    while True:
        try:
            if not os.read(ready, 65536):
                break
        except BlockingIOError:
            break
    d.wait(d.submit({**spec, "name": "heard"}))
    text = b""
    while b"event=sweep_ended" not in text and b"event=run_ended" not in text:
        check(select.select([ready], [], [], TIMEOUT_SECONDS)[0], text)
        text += os.read(ready, 65536)
    check(b"lines were left out" in text, text)
    d.__exit__(None, None, None)


def test_a_thousand_clients_at_the_start():
    d = Daemon(workers=1)
    with d:
        clients = [Connection(d.socket) for _ in range(1000)]
        for i, c in enumerate(clients):
            c.send(request(i, "status"))
        for i, c in enumerate(clients):
            equal(json.loads(c.line())["id"], i)
            c.close()


def test_few_descriptors():
    """A limit of 200: clients do not take those that runs need."""
    d = Daemon(workers=1)

    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))

    with open(d.log_path, "ab") as log:
        d.process = subprocess.Popen([SWEEPD, "--db", d.db, "--socket", d.socket, "--workers", "1"],
                                     stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                     env=d.environment, preexec_fn=limit)
    until(d.listens, "it listens")
    silent = [d.connect() for _ in range(300)]
    data = make_data(d.home)
    equal(d.wait(d.submit(small_spec(data, run_cap=3, epochs=1, method="random")))["status"],
          "completed")
    for s in silent:
        s.close()
    d.__exit__(None, None, None)


if __name__ == "__main__":
    run(test_watchers_that_never_read_cost_little,
        test_pipelined_requests_are_all_answered, test_waiting_requests_do_not_stop_others,
        test_silent_clients_lock_nobody_out, test_busy_is_heard,
        test_ids_come_back_as_they_were_sent, test_subscriptions_have_a_limit,
        test_nesting_and_long_lines,
        test_events_of_all_and_since,
        test_the_daemon_is_found_by_its_note, test_a_daemon_of_somebody_else_is_not_trusted,
        test_a_stderr_that_nobody_reads, test_a_thousand_clients_at_the_start,
        test_few_descriptors)
