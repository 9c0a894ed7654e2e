"""Databases of every version so far, cut off in mid-sweep, open, go on and end with the content
stored for them, to the bit.

test_databases.py --record stores what this tree makes of them, for this machine's BLAS kernels.
"""
import glob
import lzma
import os
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from golden import (GOLDEN, PLACEHOLDER, Data, compare, describe, differences,  # noqa: E402
                    load_expectation, read_content, store_expectation)
from sweepd import Daemon  # noqa: E402
from tap import check, equal, run  # noqa: E402

# Its two sweeps by id, and the golden sweep of the same specification.
SWEEPS = {1: "treatments", 2: "queued"}
# What is tested, and the stored database it is made of. No program ever wrote version 1: the first
# that wrote a database had 002's views, and without them its database is one of version 1.
# "rehashed": the hash of the data's content was made in another way up to version 2, so that what
# is left of such a sweep fails, its data being other data. With today's hash it goes on.
DATABASES = {"v1-midway": "v2-midway", "v1-rehashed": "v2-midway", "v2-rehashed": "v2-midway",
             **{n: n for n in ("v2-midway", "v3-midway", "v4-midway", "v5-midway", "v6-midway",
                               "v6-finished")}}
POINTS = ("SELECT run_id, point, epoch, train_loss, val_loss, train_acc, val_acc, train_loss_min, "
          "train_loss_max, train_loss_sd, learning_rate, grad_norm, penalty FROM curves")


def unpack(stored, path):
    with lzma.open(os.path.join(GOLDEN, "databases", stored + ".db.xz")) as f:
        with open(path, "wb") as out:
            out.write(f.read())
    os.chmod(path, 0o600)
    return sqlite3.connect(path, isolation_level=None)


def make_version_one(db):
    for view, in db.execute("SELECT name FROM sqlite_schema WHERE type = 'view'").fetchall():
        db.execute(f"DROP VIEW {view}")
    db.execute("PRAGMA user_version = 1")


def rehash(db, path):
    newest = unpack("v6-midway", path)
    sha, = newest.execute("SELECT DISTINCT data_hash FROM sweeps").fetchone()
    newest.close()
    equal(db.execute("UPDATE sweeps SET data_hash = ?", (sha,)).rowcount, len(SWEEPS), "sweeps")


def load(name, folder, path):
    """The database at that path, its specifications made to name the folder of the data; returns
    its points."""
    os.makedirs(os.path.dirname(path), mode=0o700)
    db = unpack(DATABASES[name], path)
    if name.startswith("v1"):
        make_version_one(db)
    if name.endswith("rehashed"):
        rehash(db, path + ".newest")
    equal(db.execute("PRAGMA user_version").fetchone()[0], int(name[1]), "its version")
    changed = db.execute("UPDATE sweeps SET spec = replace(spec, ?, ?)", (PLACEHOLDER, folder))
    equal(changed.rowcount, len(SWEEPS), "sweeps")
    runs = dict(db.execute("SELECT status, count(*) FROM runs GROUP BY status"))
    points = set(db.execute(POINTS))
    db.close()
    check(runs["completed"] > 5 and points, f"{name}: {runs}")
    check(("running" in runs and "queued" in runs) != name.endswith("finished"), f"{name}: {runs}")
    return points


def go_on(name, folder):
    """Contents of its sweeps by what they are called in the expectation."""
    d = Daemon(workers=2)
    before = load(name, folder, d.db)
    with d:
        contents = {}
        for sweep, golden in SWEEPS.items():
            ends = [d.wait(sweep)["status"]]
            contents[f"{name} {golden}"] = read_content(d, sweep, folder, ends)
        check(before <= set(d.sql(POINTS)), f"{name}: points that were stored are gone")
    return contents


def all_databases():
    with Data() as folder:
        return {key: content for name in DATABASES for key, content in go_on(name, folder).items()}


def expectation():
    """Version 1: that of the database it is made of."""
    stored = load_expectation("databases")
    lines = {}
    for name in DATABASES:
        for golden in SWEEPS.values():
            of = stored[f"{name.replace('v1', 'v2')} {golden}"]
            lines[f"{name} {golden}"] = [{**x, "sweep": f"{name} {golden}"} for x in of]
    return lines


def record():
    contents = all_databases()
    store_expectation("databases", {key: content for key, content in contents.items()
                                    if not key.startswith("v1")})


def test_databases_of_every_version_go_on():
    compare(expectation(), all_databases())


def test_every_version_is_there():
    stored = {os.path.basename(p) for p in glob.glob(os.path.join(GOLDEN, "databases", "*"))}
    equal(stored, {name + ".db.xz" for name in DATABASES.values()}, "stored databases")


def test_a_changed_value_is_named():
    with Data() as folder:
        d = Daemon(workers=1)
        load("v6-finished", folder, d.db)
        with d:
            before = describe("x", read_content(d, 1, folder, ["completed"]))
            d.stop()
            with sqlite3.connect(d.db) as db:
                db.execute("UPDATE curves SET val_loss = val_loss + 1e-9 WHERE run_id = 3 AND "
                           "point = 5")
            db.close()
            d.start()
            found = differences(before, describe("x", read_content(d, 1, folder, ["completed"])))
    check(any(x.startswith("x, run 2: curve:") for x in found), f"{found}")
    check(all(x.startswith(("x: sha256:", "x, run 2:")) for x in found), f"{found}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--record"]:
        record()
    else:
        run(test_databases_of_every_version_go_on, test_every_version_is_there,
            test_a_changed_value_is_named)
