"""What run folders hold and workers say, whoever wrote it: floods, damage, folders of another
database, planted links, workers that nobody knows."""
import functools
import glob
import json
import os
import shutil
import sqlite3
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from held import midway, pids  # noqa: E402
from sweepd import (  # noqa: E402
    SOURCE, WORKER, Daemon, is_alive, make_data, slow_spec, small_spec, undisturbed)
from tap import check, equal, run, until  # noqa: E402

HOME = tempfile.TemporaryDirectory(prefix="sweepd-intake-")
MEMORY_KIB = 300 * 1024 * (8 if os.environ.get("ASAN_OPTIONS") else 1)


@functools.cache
def data():
    """One folder for all tests: it is a part of what a sweep is, and so of `undisturbed`."""
    return make_data(HOME.name, samples=1000)


def two_runs(**changes):
    return slow_spec(data(), **{"run_cap": 2, "epochs": 40, **changes})


def program(name, text):
    path = os.path.join(HOME.name, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"#!{sys.executable} -SE\n" + text)
    os.chmod(path, 0o755)
    return path


def runs_of(d):
    return d.db + ".runs"


def events(d, kind):
    return d.sql("SELECT run_id, detail FROM events WHERE kind = ? ORDER BY id", kind)


def peak_kib(d):
    with open(f"/proc/{d.process.pid}/status", encoding="utf-8") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM:"))


def begun(d, runs):
    """So many runs have shown three points, and their workers' handles are stored."""
    return len(d.sql("SELECT 1 FROM runs AS r JOIN curves AS c ON c.run_id = r.id AND c.point = 3"
                     " WHERE r.handle IS NOT NULL")) >= runs


def expect_undisturbed(d, sweep, spec):
    equal(d.wait(sweep)["status"], "completed")
    equal(events(d, "nondeterminism"), [], "nondeterminism")
    equal(d.canonical(), undisturbed(spec), "canonical_content")


# --- floods ---------------------------------------------------------------------------------------

FLOOD = """
import os
out = int(os.environ["SWEEPD_METRICS_FD"])
while True:
    os.write(out, b'{"loss": 1, "other": 2}\\n' * 500)
"""


def test_programs_that_never_stop_talking():
    spec = {"method": "random", "run_cap": 3, "epochs": 5, "seed": 1,
            "task": {"command": [program("flood", FLOOD)]},
            "metric": {"name": "loss", "goal": "minimize"},
            "parameters": {"x": {"min": 0.0, "max": 1.0, "distribution": "uniform"}}}
    with Daemon(workers=3) as d:
        sweep = d.submit(spec)
        slowest, answers = 0, 0
        while answers < 10 or len(d.sql("SELECT 1 FROM curves WHERE point = 1000")) < 3:
            start = time.monotonic()
            equal(d.call("status")["running"], 3)
            slowest = max(slowest, time.monotonic() - start)
            answers += 1
        d.call("cancel", sweep=sweep)
        until(lambda: d.call("status")["running"] == 0, "the slots are free")
        check(peak_kib(d) < MEMORY_KIB, f"{peak_kib(d)} KiB")
        print(f"# slowest status {slowest * 1000:.0f} ms, peak {peak_kib(d)} KiB", flush=True)


MANY = 50000  # points
TALKER = f"""
import os, sys
if sys.argv[1].startswith("--"):
    os.execv({WORKER!r}, [{WORKER!r}] + sys.argv[1:])
import json
out = sys.stdout
open(os.path.dirname(sys.argv[0]) + "/gate").read()
out.write(json.dumps(dict(type="start", version=1, pid=os.getpid(), core="", blas="",
                          parameters=1)) + "\\n")
for n in range(1, {MANY} + 1):
    out.write('{{"type":"point","point":%d,"epoch":%d,"train_loss":0.5,"val_loss":%.17g}}\\n'
              % (n, n, 1 / n))
out.write(json.dumps(dict(type="result", status="completed", error="", text="", seconds=1)) + "\\n")
"""


def test_a_long_file_is_read_in_turns():
    """Ready before it is read, answers meanwhile, and a result only behind the last point."""
    talker, gate = program("talker", TALKER), os.path.join(HOME.name, "gate")
    os.mkfifo(gate)
    with Daemon(workers=1, arguments=["--worker-program", talker]) as d:
        sweep = d.submit(small_spec(data(), method="random", run_cap=1, epochs=MANY))
        until(lambda: pids(d), "a worker")
        worker, = pids(d)
        d.kill()
        with open(gate, "w", encoding="utf-8"):
            pass
        until(lambda: not is_alive(worker), "it has ended")
        d.start()
        equal(d.call("status")["running"], 1, "ready before all is read")
        equal(d.wait(sweep)["status"], "completed")
        equal(d.sql("SELECT count(*), max(point) FROM curves"), [(MANY, MANY)])
        equal(d.sql("SELECT status, best_epoch FROM runs"), [("completed", MANY)])
        check(peak_kib(d) < MEMORY_KIB, f"{peak_kib(d)} KiB")


# --- damage ---------------------------------------------------------------------------------------

def lines_of(path):
    with open(path, "rb") as f:
        return f.read().splitlines(keepends=True)


def damage_middle(lines):
    return lines[:4] + [b"\x00" * len(lines[4])] + lines[5:]


def damage_order(lines):
    return lines[:4] + lines[6:]


def damage_end(lines):
    return lines[:-2] + [b"\xff\xfe nonsense\n"] + [b"\x00" * 5000]


def damage_all(lines):
    return [b"nonsense\n"]


def test_damaged_lines_beside_a_checkpoint():
    spec = two_runs()
    for damages in (damage_middle, damage_order), (damage_end, damage_all):
        with midway(spec, runs=2) as (d, sweep):
            d.stop()  # each leaves a checkpoint
            for number, damage in enumerate(damages, 1):
                check(os.path.exists(f"{runs_of(d)}/{number}/checkpoint"), "a checkpoint is there")
                path = f"{runs_of(d)}/{number}/run.jsonl"
                lines = lines_of(path)
                with open(path, "wb") as f:
                    f.write(b"".join(damage(lines)))
            d.start()
            expect_undisturbed(d, sweep, spec)
            check(events(d, "run_lines_damaged"), "it is said")


def test_damaged_lines_of_a_living_worker():
    spec = two_runs()
    with midway(spec, runs=2) as (d, sweep):
        d.kill()
        for number in 1, 2:
            with open(f"{runs_of(d)}/{number}/run.jsonl", "r+b") as f:
                f.seek(400)
                f.write(b"\x00" * 40)
        d.start()
        d.go_on()
        expect_undisturbed(d, sweep, spec)
        equal(sorted(r for r, _ in events(d, "run_lines_damaged")), [1, 2])


def test_a_worker_that_talks_garbage():
    garbage = program("garbage", f"""
import os, sys
if sys.argv[1].startswith("--"):
    os.execv({WORKER!r}, [{WORKER!r}] + sys.argv[1:])
os.write(1, b"what is this\\n")
""")
    with Daemon(workers=1, arguments=["--worker-program", garbage]) as d:
        sweep = d.submit(small_spec(data(), method="random", run_cap=1))
        d.wait(sweep)
        equal(d.sql("SELECT status, error_class FROM runs"), [("failed", "protocol_error")])
        equal(len(events(d, "run_lines_damaged")), 2, "three attempts")


# --- whose folder ---------------------------------------------------------------------------------

def other_spec():
    return small_spec(data(), method="random", run_cap=2, name="other")


def test_folders_of_an_earlier_database():
    """Its workers still train, its folders have the ids that come again."""
    with Daemon(workers=2) as d:
        d.submit(two_runs(epochs=6000))
        until(lambda: begun(d, 2), "points of both")
        earlier = pids(d)
        d.kill()
        for path in glob.glob(d.db + "*"):
            if os.path.isfile(path):
                os.remove(path)
        os.rename(runs_of(d), d.home + "/away")
        d.start()
        until(lambda: not any(map(is_alive, earlier)), "the workers of the earlier one are ended")
        for number in "1", "2":  # its ids come again
            os.rename(f"{d.home}/away/{number}", f"{runs_of(d)}/{number}")
        expect_undisturbed(d, d.submit(other_spec()), other_spec())
        for number in 1, 2:
            check(os.path.exists(f"{runs_of(d)}/{number}.not-ours-1/run.jsonl"), "it is kept")
        equal([r for r, _ in events(d, "folder_set_aside")], [1, 2])


def test_folders_of_a_lost_future():
    """The database is a copy from before: the same name, other runs under the same ids."""
    with Daemon(workers=2) as d:
        first = small_spec(data(), method="random", run_cap=1)
        d.wait(d.submit(first))
        d.stop()
        shutil.copy(d.db, d.home + "/copy")
        d.start()
        d.submit(two_runs(epochs=6000))
        until(lambda: begun(d, 2), "points of both")
        later = pids(d)
        d.kill()
        for path in d.db + "-wal", d.db + "-shm":
            os.remove(path)
        shutil.copy(d.home + "/copy", d.db)
        d.start()
        until(lambda: not any(map(is_alive, later)), "workers of runs that are not known are ended")
        d.call("delete", sweep=1)
        expect_undisturbed(d, d.submit(other_spec()), other_spec())
        for number in 2, 3:
            check(os.path.exists(f"{runs_of(d)}/{number}/run.jsonl")
                  or os.path.exists(f"{runs_of(d)}/{number}.not-ours-1/run.jsonl"), "it is kept")


def make_version_11(path):
    """The database as the version before run folders said whose they are had it."""
    old = path + ".old"
    with sqlite3.connect(old) as db:
        version = 0
        for version, name in enumerate(sorted(glob.glob(SOURCE + "/schema/0*.sql"))[:11], 1):
            if version > 5:
                for view, in db.execute("SELECT name FROM sqlite_schema WHERE type='view'"
                                        ).fetchall():
                    db.execute(f"DROP VIEW {view}")
            with open(name, encoding="utf-8") as f:
                db.executescript(f.read())
        db.execute(f"PRAGMA user_version = {version}")
        db.execute(f"PRAGMA application_id = {0x73776470}")
        db.execute("ATTACH ? AS now", (path,))
        db.execute("PRAGMA foreign_keys = OFF")
        tables = [t for t, in db.execute("SELECT name FROM sqlite_schema WHERE type='table'"
                                         " AND name NOT LIKE 'sqlite_%'")]
        for table in tables:
            columns = ", ".join(f'"{row[1]}"' for row in db.execute(
                f"PRAGMA table_xinfo({table})") if row[6] == 0)
            db.execute(f"DELETE FROM {table}")
            db.execute(f"INSERT INTO {table}({columns}) SELECT {columns} FROM now.{table}")
    db.close()
    for end in "", "-wal", "-shm":
        if os.path.exists(path + end):
            os.remove(path + end)
    os.rename(old, path)


def test_an_upgrade_at_night():
    """The daemon before knew of no identity; its workers go on under this one."""
    spec = two_runs()
    with midway(spec, runs=2) as (d, sweep):
        workers = pids(d)
        d.kill()
        make_version_11(d.db)
        for number in 1, 2:
            os.remove(f"{runs_of(d)}/{number}/identity.json")
        d.start()
        equal(pids(d), workers, "the same processes go on")
        d.go_on()
        expect_undisturbed(d, sweep, spec)
        equal(events(d, "folder_set_aside"), [])
        check(os.path.exists(f"{runs_of(d)}/1/identity.json"), "it is marked now")


def test_planted_links():
    victim = os.path.join(HOME.name, "victim")
    with Daemon(workers=2) as d:
        for number, name in enumerate(["run.jsonl", "config.json", "stderr"], 1):
            with open(f"{victim}{number}", "w", encoding="utf-8") as f:
                f.write("precious\n")
            os.mkdir(f"{runs_of(d)}/{number}")
            os.symlink(f"{victim}{number}", f"{runs_of(d)}/{number}/{name}")
        os.mkdir(f"{runs_of(d)}/4")
        os.link(f"{victim}1", f"{runs_of(d)}/4/run.jsonl")
        os.mkdir(victim)
        os.symlink(victim, f"{runs_of(d)}/5")
        spec = small_spec(data(), method="random", run_cap=5)
        expect_undisturbed(d, d.submit(spec), spec)
        for number in 1, 2, 3:
            with open(f"{victim}{number}", encoding="utf-8") as f:
                equal(f.read(), "precious\n", "nothing is written through a link")
        equal(os.listdir(victim), [], "nothing is made behind a link")
        equal([r for r, _ in events(d, "folder_set_aside")], [1, 2, 3, 4, 5])


# --- workers --------------------------------------------------------------------------------------

def test_the_runs_folder_is_deleted():
    """The daemon dies then: its workers train in no folder, and must not do so beside new ones."""
    spec = two_runs()
    with midway(spec, runs=2) as (d, sweep):
        orphans = pids(d)
        shutil.rmtree(runs_of(d))
        d.kill()
        d.start()
        until(lambda: not any(map(is_alive, orphans)), "the orphans are ended")
        expect_undisturbed(d, sweep, spec)
        equal(sorted(r for r, _ in events(d, "stray_worker_ended")), [1, 2])


def test_a_stopped_worker_is_adopted():
    spec = two_runs()
    with midway(spec, runs=2) as (d, sweep):
        workers = pids(d)
        d.kill()
        d.start()
        equal(pids(d), workers, "the same processes")
        d.go_on()
        expect_undisturbed(d, sweep, spec)
        equal(events(d, "run_lost"), [])


run(test_programs_that_never_stop_talking, test_a_long_file_is_read_in_turns,
    test_damaged_lines_beside_a_checkpoint, test_damaged_lines_of_a_living_worker,
    test_a_worker_that_talks_garbage, test_folders_of_an_earlier_database,
    test_folders_of_a_lost_future, test_an_upgrade_at_night, test_planted_links,
    test_the_runs_folder_is_deleted, test_a_stopped_worker_is_adopted)
