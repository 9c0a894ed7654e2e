"""Labels of 100,000 stored runs judged again after a change of the rules: `sweepctl relabel`.

usage: relabel.py BUILD_DIR [RUNS]   (a release build: meson setup DIR --buildtype release)
1,000 runs of 20 points are trained, copied within the database until there are RUNS, and their
labels made those of older rules. Appends one JSON line to tests/bench/results.jsonl.
"""
import json
import os
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
if len(sys.argv) < 2:
    sys.exit(__doc__)
os.environ["BUILD"] = os.path.abspath(sys.argv[1])
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import sweepd  # noqa: E402

RUNS = int(sys.argv[2]) if len(sys.argv) > 2 else 100000
TRAINED = 1000
TRIES = 3


def spec(data):
    return {"name": "relabel", "method": "random", "run_cap": TRAINED, "epochs": 20, "seed": 1,
            "repeat_share": 0,
            "data": {"path": data, "format": "idx", "limit": 120, "validation": 20},
            "model": {"width": 16},
            "parameters": {"learning_rate": {"min": 1e-4, "max": 1e-1,
                                             "distribution": "log_uniform_values"},
                           "batch_size": {"values": [16, 32, 64]},
                           "depth": {"min": 1, "max": 3}}}


def columns(db, table):
    return [row[1] for row in db.execute(f"PRAGMA table_info({table})")]


def copy(db, times):
    """Run r becomes r + k TRAINED, in the same sweep."""
    for table, key in (("runs", "id"), ("curves", "run_id"), ("labels", "run_id")):
        names = columns(db, table)
        values = [f"{n} + k * {TRAINED}" if n in (key, "number") else n for n in names]
        values = [f'"{v}"' if v in names else v for v in values]
        quoted = ", ".join(f'"{n}"' for n in names)
        db.execute(f"WITH RECURSIVE t(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM t "
                   f"WHERE k < {times - 1}) INSERT INTO {table}({quoted}) "
                   f"SELECT {', '.join(values)} FROM t, {table}")
    db.execute(f"UPDATE sweeps SET run_cap = {times * TRAINED}")


def age(db):
    """As rules of version 1 might have said it."""
    db.execute("UPDATE labels SET pattern = CASE run_id % 3 WHEN 0 THEN 'too_short' "
               "WHEN 1 THEN 'bottleneck' ELSE pattern END, classifier_version = 1")


def changed(path, *functions):
    with sqlite3.connect(path, isolation_level=None) as db:
        db.execute("BEGIN")
        for f in functions:
            f(db)
        db.execute("COMMIT")
    db.close()


def processor_seconds(pid):
    """Of that process so far: what remains comparable where others use the processor too."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    home = tempfile.mkdtemp(prefix="sweepd-bench-")
    seconds, processor, load = [], [], []
    try:
        d = sweepd.Daemon(workers=os.cpu_count(), home=home).start()
        d.wait(d.submit(spec(sweepd.make_data(home, samples=200))))
        want = d.sql("SELECT run_id, pattern, evidence FROM labels ORDER BY 1")
        d.stop()
        changed(d.db, lambda db: copy(db, RUNS // TRAINED))
        for _ in range(TRIES):
            changed(d.db, age)
            d.start()
            load.append(os.getloadavg()[0])
            used = processor_seconds(d.process.pid)
            start = time.monotonic()
            reply = json.loads(d.ctl("relabel", "--json", check=0).stdout)
            seconds.append(time.monotonic() - start)
            processor.append(processor_seconds(d.process.pid) - used)
            d.stop()
            assert reply["looked"] == RUNS, reply
        d.start()
        assert d.sql(f"SELECT run_id, pattern, evidence FROM labels WHERE run_id <= {TRAINED} "
                     "ORDER BY 1") == want
        d.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)
    line = {"bench": "relabel", "median": round(statistics.median(seconds), 2),
            "min": round(min(seconds), 2), "max": round(max(seconds), 2), "tries": TRIES,
            "unit": "s", "aim": "<= 10", "processor_s": round(statistics.median(processor), 2),
            "load_average": round(statistics.median(load), 1), "nice": os.nice(0), "runs": RUNS, "points": 20 * RUNS,
            "changed": reply["changed"], "cores": os.cpu_count()}
    print(json.dumps(line))
    with open(os.path.join(HERE, "results.jsonl"), "a", encoding="utf-8") as f:
        f.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
