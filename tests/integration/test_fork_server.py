"""Workers that a process of their own program starts by fork(): what they are, and what becomes of a
sweep when that process is killed, stands still or cannot begin."""
import os
import signal
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from held import midway, pids  # noqa: E402
from sweepd import (WORKER, Daemon, is_alive, make_data, slow_spec, small_spec,  # noqa: E402
                    undisturbed)
from tap import check, equal, equal_rows, run, until  # noqa: E402

HOME = tempfile.TemporaryDirectory(prefix="sweepd-")  # of the data; gone with this process
SECRET = {"AWS_SECRET_ACCESS_KEY": "hunter2"}


def words(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read().split(b"\0")
    except OSError:
        return []


def stat_fields(pid):
    """Of proc(5), behind the name: the first is the state."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        return f.read().rpartition(")")[2].split()


def servers(d):
    """Those that the daemon has started."""
    return [int(n) for n in os.listdir("/proc") if n.isdigit() and
            words(n)[1:2] == [b"--fork-server"] and not d.is_worker(n) and
            is_alive(n) and int(stat_fields(n)[1]) == d.process.pid]


def descriptors(pid):
    """Where they lead."""
    folder = f"/proc/{pid}/fd"
    return {int(n): os.readlink(f"{folder}/{n}") for n in os.listdir(folder)}


def environ_of(pid):
    with open(f"/proc/{pid}/environ", "rb") as f:
        return f.read()


def config_of(d, number=1):
    return f"{d.db}.runs/{number}/config.json"


def test_a_worker_is_the_daemons_own():
    """Parent, session, descriptors, words and environment as of one that is started by itself."""
    with tempfile.TemporaryDirectory(prefix="sweepd-") as home:
        spec = slow_spec(make_data(home, samples=600), run_cap=1, epochs=20)
        with midway(spec, environment=SECRET) as (d, sweep):
            worker, = pids(d)
            server, = servers(d)
            state, parent, group, session = stat_fields(worker)[:4]
            equal((int(parent), int(group), int(session)), (d.process.pid, worker, worker))
            check(int(stat_fields(server)[3]) == server, "the server leads a session of its own")
            check(config_of(d).encode() in words(worker), words(worker))
            found = descriptors(worker)
            equal((found[0], found[1]), ("/dev/null", f"{d.db}.runs/1/run.jsonl"))
            check(not any(to.startswith("socket:") for to in found.values()), found)
            check(b"hunter2" not in environ_of(worker), "a trainer knows no keys")
            check(not any(to.endswith(".jsonl") for to in descriptors(server).values()),
                  "the server holds no lock")
            d.go_on()
            equal(d.wait(sweep)["status"], "completed")


def test_a_program_has_its_own():
    """Its supervisor has the whole environment, which its program is to get."""
    with tempfile.TemporaryDirectory(prefix="sweepd-") as home, \
            Daemon(workers=1, environment=SECRET) as d:
        seen = os.path.join(home, "seen")
        script = f'echo "$AWS_SECRET_ACCESS_KEY" >{seen}; echo "loss=1" ; : {{x}}'
        spec = {"name": "program", "method": "random", "run_cap": 2, "repeat_share": 0, "epochs": 1,
                "metric": {"name": "loss", "goal": "minimize"}, "task": {"command": ["/bin/sh", "-c", script]},
                "parameters": {"x": {"min": 0.0, "max": 1.0}}}
        equal(d.wait(d.submit(spec))["status"], "completed")
        with open(seen, encoding="utf-8") as f:
            equal(f.read(), "hunter2\n")
        server, = servers(d)
        check(b"hunter2" in environ_of(server), "the environment of programs")
        spec = small_spec(make_data(home), method="random", run_cap=2)
        equal(d.wait(d.submit(spec))["status"], "completed")
        other, = [s for s in servers(d) if s != server]
        check(b"hunter2" not in environ_of(other), "that of trainers is another's")


def middling_spec(home):
    """The same each time, so that it is trained once without a disturbance."""
    return slow_spec(make_data(home, samples=600), run_cap=3, epochs=20)


def disturbed(disturb):
    """A sweep whose server meets that in the middle of the first runs; the content as if nothing
    had been."""
    with midway(middling_spec(HOME.name), runs=2) as (d, sweep):
        server, = servers(d)
        held = pids(d)
        disturb(server)
        check(all(d.is_worker(pid) for pid in held), "its workers live on")
        d.go_on()
        equal(d.wait(sweep)["status"], "completed")
        equal_rows(d.canonical(), undisturbed(middling_spec(HOME.name)), "canonical_content")
        equal(d.sql("SELECT count(*) FROM runs WHERE attempts > 1"), [(0,)])
        check(server not in servers(d), "it is not asked any more")


def test_the_server_is_killed():
    disturbed(lambda server: os.kill(server, signal.SIGKILL))


def test_the_server_stands_still():
    disturbed(lambda server: os.kill(server, signal.SIGSTOP))


def test_the_daemon_is_killed():
    with midway(middling_spec(HOME.name)) as (d, sweep):
        server, = servers(d)
        d.kill()
        until(lambda: not is_alive(server), "the server ends with its daemon")
        check(all(d.is_worker(pid) for pid in d.held), "its worker lives on")
        d.start()
        d.go_on()
        equal(d.wait(sweep)["status"], "completed")
        equal_rows(d.canonical(), undisturbed(middling_spec(HOME.name)), "canonical_content")
        with open(d.log_path, encoding="utf-8") as f:
            check("adopted, its worker lives" in f.read(), "the next daemon adopts it")


def test_a_program_that_is_named():
    """It may be any that keeps to the protocol: it is started anew for each run."""
    with tempfile.TemporaryDirectory(prefix="sweepd-") as home:
        spec = slow_spec(make_data(home, samples=600), run_cap=1, epochs=20)
        with midway(spec, arguments=["--worker-program", WORKER]) as (d, sweep):
            equal(servers(d), [])
            equal(words(pids(d)[0])[1:], [config_of(d).encode(), b""])
            d.go_on()
            equal(d.wait(sweep)["status"], "completed")


if __name__ == "__main__":
    run(test_a_worker_is_the_daemons_own, test_a_program_has_its_own, test_the_server_is_killed,
        test_the_server_stands_still, test_the_daemon_is_killed, test_a_program_that_is_named)
