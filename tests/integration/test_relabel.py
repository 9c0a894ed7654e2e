"""Relabelling that is cut off, by the client, a stop or a kill: whole labels only, and the next one
completes it."""
import functools
import json
import os
import shutil
import sqlite3
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from golden import without_sanitizers  # noqa: E402
from sweepd import Daemon, make_data, small_spec  # noqa: E402
from tap import check, equal, run, until  # noqa: E402

TRAINED = 20
TIMES = 260     # copies: 5,200 runs, three chunks
HOME = tempfile.TemporaryDirectory(prefix="sweepd-relabel-")
REQUEST = b'{"jsonrpc":"2.0","id":1,"method":"relabel"}\n'
LABELS = "SELECT run_id, pattern, runner_up, confidence, tags, evidence FROM labels ORDER BY 1"
OLD = "pattern = 'diverging' AND evidence = '{}' AND classifier_version = 1"
NEW = "pattern <> 'diverging' AND evidence <> '{}' AND classifier_version > 1"


def written(path, *statements):
    db = sqlite3.connect(path)
    for s in statements:
        db.execute(s)
    db.commit()
    db.close()


def copy_of(db, table, key):
    names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    values = [f'"{n}" + k * {TRAINED}' if n in (key, "number") else f'"{n}"' for n in names]
    quoted = ", ".join(f'"{n}"' for n in names)
    return (f"WITH RECURSIVE t(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM t WHERE k < {TIMES - 1}) "
            f"INSERT INTO {table}({quoted}) SELECT {', '.join(values)} FROM t, {table}")


@functools.cache
def filled():
    """A stopped daemon's folder: runs that were trained, copies of them, all with labels as they were
    long ago; and the labels that they have today."""
    d = Daemon(home=os.path.join(HOME.name, "filled"))
    os.mkdir(d.home)
    with d:
        spec = small_spec(make_data(d.home), method="random", run_cap=TRAINED, treat=False)
        equal(d.wait(d.submit(spec))["status"], "completed", "status")
        d.stop()
        with sqlite3.connect(d.db) as db:
            copies = [copy_of(db, t, k) for t, k in
                      (("runs", "id"), ("curves", "run_id"), ("labels", "run_id"))]
        db.close()
        written(d.db, *copies)
        want = d.sql(LABELS)
        written(d.db, "UPDATE labels SET pattern = 'diverging', evidence = '{}', "
                      "classifier_version = 1")
    return d.home, want


def older():
    """A daemon with a copy of that, and the labels that it is to come to."""
    home, want = filled()
    copy = tempfile.mkdtemp(dir=HOME.name)
    return Daemon(home=shutil.copytree(home, copy, dirs_exist_ok=True)), want


def count(d, condition="1"):
    return d.sql(f"SELECT count(*) FROM labels WHERE {condition}")[0][0]


def begun(d):
    """Asked for, and its first chunk is there."""
    client = d.connect()
    client.send(REQUEST)
    until(lambda: count(d, NEW) > 0, "a chunk")
    return client


def completed(d, want):
    equal(count(d, OLD) + count(d, NEW), TRAINED * TIMES, "whole labels only")
    before = count(d, OLD)
    reply = json.loads(d.ctl("relabel", "--json", check=0).stdout)
    equal((reply["looked"], reply["changed"]), (TRAINED * TIMES, before), "the rest, and only that")
    equal(d.sql(LABELS), want, "labels")


def test_killed():
    d, want = older()
    with d:
        client = begun(d)
        d.kill()
        client.close()
        d.start()
        check(count(d, NEW) % 2048 == 0 or count(d, OLD) == 0, "chunks, each one transaction")
        completed(d, want)


@without_sanitizers
def test_stopped():
    d, want = older()
    with d:
        client = begun(d)
        d.stop()    # with status 0
        client.close()
        d.start()
        completed(d, want)


@without_sanitizers
def test_the_client_goes_away():
    d, want = older()
    with d:
        begun(d).close()
        d.call("list")      # others are served meanwhile
        until(lambda: d.sql("SELECT 1 FROM events WHERE kind = 'relabelled'"), "finished")
        said = d.sql("SELECT detail FROM events WHERE kind = 'relabelled'")
        equal(said, [(f"{TRAINED * TIMES} of {TRAINED * TIMES} labels changed",)], "event")
        equal(d.sql(LABELS), want, "labels")


@without_sanitizers
def test_two_clients_take_turns():
    d, want = older()
    with d:
        clients = [d.connect(), d.connect()]
        for c in clients:
            c.send(REQUEST)
        replies = [json.loads(c.line())["result"] for c in clients]
        equal([r["looked"] for r in replies], [TRAINED * TIMES] * 2, "each looked at all")
        equal(sum(r["changed"] for r in replies), TRAINED * TIMES, "and changed what the other had not")
        equal(d.sql(LABELS), want, "labels")


run(test_killed, test_stopped, test_the_client_goes_away, test_two_clients_take_turns)
