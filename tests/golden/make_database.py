#!/usr/bin/env python3
"""Makes a stored database with the programs of a build, of this version or of an old one.

make_database.py BUILD OUT.db.xz [--finished]

Two sweeps, treatments.json and queued.json. The first is cut off by kill -9 of the daemon and its
worker when some runs have completed, one is running and some are queued; or both end (--finished).
"""
import argparse
import lzma
import os
import signal
import sqlite3
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
COMPLETED = 8  # runs at least, at the cut
TREATED = 5    # the version from which on one of the runs must be a treatment
TRIES = 50


def statuses(db_sql):
    return dict(db_sql("SELECT status, count(*) FROM runs GROUP BY status"))


def is_midway(db_sql):
    count = statuses(db_sql)
    return (count.get("completed", 0) >= COMPLETED and count.get("queued", 0) >= 2 and
            count.get("running", 0) == 1 and
            bool(db_sql("SELECT 1 FROM runs JOIN curves ON run_id = id WHERE status = 'running'"))
            and (db_sql("PRAGMA user_version")[0][0] < TREATED or
                 bool(db_sql("SELECT 1 FROM runs WHERE kind = 'treatment'"))))


def workers_of(d):
    pid = d.process.pid
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(word) for word in f.read().split()]


def signal_all(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def cut_off(d):
    """A run takes some 20 ms, less than a look into the database: it is stopped for each look."""
    while statuses(d.sql).get("completed", 0) < COMPLETED:
        time.sleep(0.005)
    while d.sql("SELECT status FROM sweeps WHERE id = 1") == [("running",)]:
        workers = workers_of(d)
        signal_all(workers, signal.SIGSTOP)
        time.sleep(0.1)  # the daemon takes in what it wrote
        if is_midway(d.sql):
            d.kill()
        signal_all(workers, signal.SIGCONT if d.process.poll() is None else signal.SIGKILL)
        if d.process.poll() is not None:
            return
        time.sleep(0.003)


def write(d, folder, out):
    """The database file itself, its WAL taken in, the data's folder made a placeholder."""
    from golden import PLACEHOLDER
    db = sqlite3.connect(d.db, isolation_level=None)
    db.execute("UPDATE sweeps SET spec = replace(spec, ?, ?)", (folder, PLACEHOLDER))
    left = [line for line in db.iterdump() if folder in line]
    if left:
        sys.exit(f"the data's folder is written elsewhere, too: {left[:3]}")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    print(f"{out}: version {version}", statuses(lambda q: db.execute(q).fetchall()))
    db.close()
    with open(d.db, "rb") as f, open(out, "wb") as to:
        to.write(lzma.compress(f.read(), preset=9))


def attempt(out, finished):
    from golden import Data, spec_of
    from sweepd import Daemon
    with Data() as folder, Daemon(workers=1) as d:
        sweeps = [d.submit(spec_of(name, folder)) for name in ("treatments", "queued")]
        if finished:
            for sweep in sweeps:
                d.wait(sweep)
            d.stop()
        else:
            cut_off(d)
            if not is_midway(d.sql):
                return False
        write(d, folder, out)
        return True


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("build")
    p.add_argument("out")
    p.add_argument("--finished", action="store_true")
    a = p.parse_args()
    os.environ["BUILD"] = os.path.abspath(a.build)
    if not any(attempt(a.out, a.finished) for _ in range(TRIES)):
        sys.exit("no moment found: a run was never seen running beside queued ones")


if __name__ == "__main__":
    main()
