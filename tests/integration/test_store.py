"""The database while a daemon lives with it: held by somebody else, copied, damaged, cut off; and
submits that are sent again."""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import SWEEPD, Daemon, RpcError, make_data, small_spec  # noqa: E402
from tap import check, equal, run  # noqa: E402


def tiny_spec(data, **changes):
    return small_spec(data, **{"method": "random", "run_cap": 2, "epochs": 1, **changes})


def refused(call, **params):
    try:
        call(**params)
    except RpcError as e:
        return e
    raise AssertionError("was not refused")


def test_queries_are_answered_while_nothing_can_be_written():
    with Daemon() as d:
        data = make_data(d.home)
        first = d.submit(tiny_spec(data))
        d.wait(first)
        other = sqlite3.connect(d.db, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        late = d.connect()
        spec = tiny_spec(data, name="late")
        late.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "submit",
                              "params": {"spec": spec, "id": "late"}}).encode() + b"\n")
        while not d.call("status")["trouble"]:
            equal(len(d.call("best", sweep=first)["runs"]), 2, "best while nothing is written")
            equal([s["id"] for s in d.call("list")["sweeps"]], [first], "list")
        error = json.loads(late.line())["error"]
        equal(error["data"]["error"], "timeout", "the submit's answer")
        check("same id" in error["message"] and "locked" in error["message"], error["message"])
        equal(refused(d.call, method="delete", sweep=first).data["error"], "timeout", "delete")
        other.execute("ROLLBACK")
        other.close()
        late.close()
        again = d.call("submit", spec=spec, id="late")
        equal(again, {"sweep": first + 1, "existing": True}, "the same again")
        d.wait(again["sweep"])
        equal(d.sql("SELECT name FROM sweeps"), [("late",)], "sweeps: one deleted, one submitted")
        equal(d.call("status")["trouble"], "", "trouble")


def test_a_submit_with_an_id_is_made_once():
    with Daemon() as d:
        data = make_data(d.home)
        spec = tiny_spec(data)
        text = json.dumps(spec)
        done = d.ctl("submit", "-", "--id", "night", text=text, check=0)
        check(done.stdout.startswith("sweep 1: queued"), done.stdout)
        d.kill()
        d.start()
        done = d.ctl("submit", "-", "--id", "night", text=text, check=0)
        check(done.stdout.startswith("sweep 1: was submitted before"), done.stdout)
        d.wait(1)
        equal(d.call("submit", spec=spec, id="night"), {"sweep": 1, "existing": True}, "ended")
        e = refused(d.call, method="submit", spec={**spec, "epochs": 3}, id="night")
        equal((e.data["error"], e.data["key"], e.data["value"]),
              ("invalid_value", "$.epochs", "3"), "another spec")
        e = refused(d.call, method="submit", spec=spec, id="")
        equal(e.data["error"], "invalid_value", "an empty id")
        equal(d.call("submit", spec=spec)["sweep"], 2, "without an id")
        equal(d.call("submit", spec=spec, id="x" * 64)["sweep"], 3, "another id")
        d.ctl("submit", "-", "--id", "a", "--dry-run", text=text, check=2)


def test_a_backup_is_a_database():
    with Daemon() as d:
        data = make_data(d.home)
        sweep = d.submit(tiny_spec(data, run_cap=40))
        copy = os.path.join(d.home, "copy.db")
        done = d.ctl("backup", copy, check=0)
        check(copy in done.stdout, done.stdout)
        again = d.ctl("backup", copy, check=1)
        check("nothing is overwritten" in again.stderr, again.stderr)
        d.ctl("backup", "/proc/nowhere/copy.db", check=1)
        d.wait(sweep)
        d.stop()
        other = Daemon(home=tempfile.mkdtemp(dir=d.home))
        os.makedirs(os.path.dirname(other.db), mode=0o700)
        shutil.move(copy, other.db)
        with other:
            equal(other.wait(sweep)["status"], "completed", "the copy's sweep")
            equal(len(other.canonical()), 40, "its points")


def damage(path, table):
    """Rubbish in place of a table's first page."""
    db = sqlite3.connect(path)
    root, = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    db.close()
    with open(path, "r+b") as f:
        f.seek((root - 1) * 4096)
        f.write(b"\xa5" * 4096)


def read_bytes(path):
    with open(path, "rb") as f:
        return f.read()


def test_damage_is_said_and_nothing_is_begun_anew():
    with Daemon() as d:
        data = make_data(d.home)
        d.wait(d.submit(tiny_spec(data)))
        d.stop()
        kept = read_bytes(d.db)
        damage(d.db, "layer_stats")
        with open(d.db + "-wal", "wb") as f:  # as a daemon that was killed leaves it
            f.write(b"\0" * 32)
        d.start()
        while not d.call("status")["damage"]:
            pass
        text = d.call("status")["damage"]
        check("is damaged" in text and ".recover" in text, text)
        equal(len(d.call("best")["runs"]), 2, "what is whole is read")
        d.stop()
        equal(d.sql("SELECT count(*) FROM events WHERE kind = 'database_damaged'"), [(1,)], "events")

        with open(d.db, "wb") as f:
            f.write(b"\xa5" * 8192)
        broken = read_bytes(d.db)
        done = subprocess.run([SWEEPD, "--db", d.db, "--socket", d.socket], env=d.environment,
                              capture_output=True, text=True, timeout=60)
        equal(done.returncode, 1, "exit status")
        check("not a database" in done.stderr and ".recover" in done.stderr, done.stderr)
        equal(read_bytes(d.db), broken, "the file is left as it was")
        with open(d.db, "wb") as f:
            f.write(kept)
        d.start()
        equal(len(d.call("best")["runs"]), 2, "the copy that was put back")


if __name__ == "__main__":
    run(test_queries_are_answered_while_nothing_can_be_written,
        test_a_submit_with_an_id_is_made_once, test_a_backup_is_a_database,
        test_damage_is_said_and_nothing_is_begun_anew)
