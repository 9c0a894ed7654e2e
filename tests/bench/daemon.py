"""What the daemon itself costs: runs/s, submits/s, curve rows/s, idle memory and CPU, and the
best-runs query while a sweep trains. Appends one JSON line per figure to tests/bench/results.jsonl.

usage: daemon.py BUILD_DIR [--quick]   (a release build: meson setup DIR --buildtype release)
Each figure is the median of several tries in one run; bounded to about five minutes. Files go
below TMPDIR and are removed only at the end: ext4 without a journal creates files slowly for
minutes after many were deleted.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
if len(sys.argv) < 2:
    sys.exit(__doc__)
os.environ["BUILD"] = os.path.abspath(sys.argv[1])
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import sweepd  # noqa: E402
from sweepd import BUILD, make_data  # noqa: E402

TRIES = 3 if "--quick" in sys.argv else 5
RUNS = 400 if "--quick" in sys.argv else 1000


HOME = tempfile.mkdtemp(prefix="sweepd-bench-")


def Daemon(workers):
    return sweepd.Daemon(workers=workers, home=tempfile.mkdtemp(dir=HOME))


def record(name, values, unit, aim, **facts):
    line = {"bench": name, "median": round(statistics.median(values), 4),
            "min": round(min(values), 4), "max": round(max(values), 4), "tries": len(values),
            "unit": unit, "aim": aim, "cores": os.cpu_count(), **facts}
    print(json.dumps(line), flush=True)
    with open(os.path.join(HERE, "results.jsonl"), "a", encoding="utf-8") as f:
        f.write(json.dumps(line) + "\n")


def one_epoch_spec(data, runs):
    return {"name": "one-epoch", "method": "random", "run_cap": runs, "epochs": 1, "seed": 1,
            "repeat_share": 0,
            "data": {"path": data, "format": "idx", "limit": 120, "validation": 20},
            "model": {"width": 16, "depth": 1},
            "parameters": {"learning_rate": {"min": 1e-4, "max": 1e-1,
                                             "distribution": "log_uniform_values"}}}


def runs_per_second():
    """A one-epoch run on 100 samples, from start to stored result, 2 workers."""
    rates = []
    with Daemon(workers=2) as d:
        data = make_data(d.home, samples=200)
        core = d.call("status").get("core", "")
        d.wait(d.submit(one_epoch_spec(data, 50)))
        for _ in range(TRIES):
            start = time.monotonic()
            d.wait(d.submit(one_epoch_spec(data, RUNS)))
            rates.append(RUNS / (time.monotonic() - start))
    record("runs_per_second", rates, "runs/s", ">= 400", workers=2, runs=RUNS, kernel=core)


def submits_per_second():
    """Submit to durable acknowledgement, one client, the data already prepared."""
    rates = []
    with Daemon(workers=1) as d:
        data = make_data(d.home, samples=200)
        c = d.connect()
        blocker = c.call("submit", spec=one_epoch_spec(data, 20000))["sweep"]
        spec = {**one_epoch_spec(data, 1), "after": blocker}
        for _ in range(TRIES):
            start = time.monotonic()
            for _ in range(200):
                c.call("submit", spec=spec)
            rates.append(200 / (time.monotonic() - start))
        c.close()
    record("submits_per_second", rates, "submits/s", "-", clients=1)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle():
    """Memory and CPU of a daemon that has finished a sweep and waits."""
    with Daemon(workers=2) as d:
        data = make_data(d.home, samples=200)
        d.wait(d.submit(one_epoch_spec(data, 200)))
        time.sleep(1)
        before = cpu_seconds(d.process.pid)
        seconds = 20
        time.sleep(seconds)
        percent = 100 * (cpu_seconds(d.process.pid) - before) / seconds
        with open(f"/proc/{d.process.pid}/status", encoding="ascii") as f:
            kib = next(int(x.split()[1]) for x in f if x.startswith("VmRSS"))
    record("idle_memory", [kib / 1024], "MiB", "<= 15")
    record("idle_cpu", [percent], "%", "0.0")


def best_query():
    """SELECT * FROM best_runs … LIMIT 10 by the sqlite3 program with 10,000 runs × 20 points
    stored, while a sweep trains."""
    with Daemon(workers=2) as d:
        data = make_data(d.home, samples=200)
        d.stop()
        for suffix in ("", "-wal", "-shm"):  # fill_store makes a database of its own
            if os.path.exists(d.db + suffix):
                os.unlink(d.db + suffix)
        subprocess.run([os.path.join(BUILD, "tests", "bench", "fill_store"), d.db],
                       check=True, stdout=subprocess.DEVNULL)
        d.start()
        filled = d.sql("SELECT sweep_id, count(*) FROM runs GROUP BY 1 ORDER BY 2 DESC")[0]
        training = d.submit(one_epoch_spec(data, 100000))
        times = []
        for _ in range(4 * TRIES):
            start = time.monotonic()
            done = subprocess.run(
                ["sqlite3", d.db, f"SELECT * FROM best_runs WHERE sweep_id={filled[0]} LIMIT 10"],
                capture_output=True, text=True, check=True)
            times.append(1000 * (time.monotonic() - start))
        rows = len(done.stdout.splitlines())
        d.call("cancel", sweep=training)
    record("best_runs_query", times, "ms", "< 50", runs=filled[1], rows=rows)


def rows_per_second():
    done = subprocess.run([os.path.join(BUILD, "tests", "bench", "store_rows")],
                          capture_output=True, text=True, check=True)
    for text in done.stdout.splitlines():
        line = {**json.loads(text), "aim": ">= 100000 durable rows/s"}
        print(json.dumps(line))
        with open(os.path.join(HERE, "results.jsonl"), "a", encoding="utf-8") as f:
            f.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    subprocess.run(["ninja", "-C", BUILD, "tests/bench/fill_store", "tests/bench/store_rows"],
                   check=True, stdout=subprocess.DEVNULL)
    try:
        for bench in (runs_per_second, rows_per_second, submits_per_second, idle, best_query):
            bench()
    finally:
        shutil.rmtree(HOME, ignore_errors=True)
