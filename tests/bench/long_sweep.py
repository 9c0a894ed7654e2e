"""A sweep of 100,000 runs: what a decision costs as it grows, and how much memory is held.

usage: long_sweep.py BUILD_DIR [RUNS] [--minutes M] [--engine-only]   (a release build)
First the engine alone, whose workers do nothing (long_sweep.c), with several methods and rules; then
a daemon whose runs are asked for and told by one client over one connection, a hundred at a time (as
many as `lag` allows with tpe): every decision is durable. A part stops after M minutes (default 15)
and says how far it came. Appends one JSON line a part to tests/bench/results.jsonl.
"""
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
if len(sys.argv) < 2:
    sys.exit(__doc__)
os.environ["BUILD"] = os.path.abspath(sys.argv[1])
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
from sweepd import BUILD, Daemon  # noqa: E402

NUMBERS = [a for a in sys.argv[2:] if a.isdigit()]
MINUTES = float(sys.argv[sys.argv.index("--minutes") + 1]) if "--minutes" in sys.argv else 15
RUNS = int(NUMBERS[0]) if NUMBERS and sys.argv[2] == NUMBERS[0] else 100000
MARKS = [1000, 3000, 10000, 20000, 30000, 50000, 70000, 85000]
SPACE = {"a": {"min": 1e-5, "max": 1.0, "distribution": "log_uniform_values"},
         "b": {"min": 0.0, "max": 1.5}, "c": {"min": 1, "max": 1000},
         "d": {"values": ["x", "y", "z"]}, "e": {"values": [True, False]}}
ENGINE = [("random", ""), ("sobol", ""), ("tpe", ""), ("gp", ""), ("cmaes", ""),
          ("coarse_to_fine", '"treat":false'),
          ("random", '"early_terminate":{"type":"successive_halving"}'),
          ("tpe", '"early_terminate":{"type":"successive_halving","promote":true}'),
          ("random", '"early_terminate":{"type":"median"},"max_hours":1000')]


def record(line):
    line = {"bench": "long_sweep", "date": time.strftime("%Y-%m-%d"),
            "load": round(os.getloadavg()[0], 1), **line}
    print(json.dumps(line), flush=True)
    with open(os.path.join(HERE, "results.jsonl"), "a", encoding="utf-8") as f:
        f.write(json.dumps(line) + "\n")


def engine(method, more):
    """Marks are read as they come, so what took too long has said how far it came."""
    command = [os.path.join(BUILD, "tests", "bench", "long_sweep"), method, str(RUNS)]
    points = []
    with subprocess.Popen(command + [more] * bool(more), stdout=subprocess.PIPE, text=True) as p:
        end = time.monotonic() + 60 * MINUTES
        for text in p.stdout:
            mark = json.loads(text)
            points.append({k: mark[k] for k in ("runs", "us_per_run", "worst_ms", "rss_mib")})
            if time.monotonic() > end:
                p.terminate()
    record({"part": "engine", "method": method, "more": more, "points": points})


def memory_and_cpu(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        kib = next(int(x.split()[1]) for x in f if x.startswith("VmRSS"))
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return kib / 1024, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pipelined(connection, method, several):
    """Results of so many calls that are under way at once."""
    for number, params in enumerate(several):
        connection.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": method,
                                    "params": params}).encode() + b"\n")
    results = {}
    while len(results) < len(several):
        message = json.loads(connection.line())
        if "id" in message:
            results[message["id"]] = message
    return [results[n]["result"] for n in range(len(several))]


def value_of(params):
    return abs(params["b"] - 0.3) + abs(params["c"] - 500) / 1000 + (params["d"] == "x") * 0.1


def daemon(method, at_once):
    points, done, before = [], 0, None
    with Daemon(workers=1) as d:
        c = d.connect()
        sweep = c.call("submit", spec={
            "task": {"client": {}}, "method": method, "run_cap": RUNS, "epochs": 1, "seed": 1,
            "metric": {"name": "cost", "goal": "minimize"}, "parameters": SPACE})["sweep"]
        begin = time.monotonic()
        end = begin + 60 * MINUTES
        marks = [m for m in MARKS if m < RUNS]
        before = (0, begin, memory_and_cpu(d.process.pid)[1])
        worst, status = 0, "running"
        while status == "running" and time.monotonic() < end:
            asked = pipelined(c, "ask", [{"sweep": sweep}] * at_once)
            runs = [a for a in asked if a["run"] is not None]
            pipelined(c, "tell", [{"run": r["run"], "lease": r["lease"],
                                   "result": {"value": value_of(r["params"])}} for r in runs])
            done += len(runs)
            if not runs:
                status = asked[-1]["status"]
            start = time.monotonic()
            c.call("status")
            worst = max(worst, time.monotonic() - start)
            if (marks and done >= marks[0]) or status != "running":
                memory, cpu = memory_and_cpu(d.process.pid)
                now = time.monotonic()
                n = max(done - before[0], 1)
                points.append({"runs": done, "us_cpu_per_run": round((cpu - before[2]) / n * 1e6),
                               "us_per_run": round((now - before[1]) / n * 1e6),
                               "worst_status_ms": round(1000 * worst, 1),
                               "rss_mib": round(memory, 1)})
                print(points[-1], flush=True)
                before, worst, marks = (done, now, cpu), 0, marks[1:]
        best = c.call("best", sweep=sweep)
        c.close()
        d.kill()
        begin = time.monotonic()
        d.start()
        restart = time.monotonic() - begin
    record({"part": "daemon", "method": method, "at_once": at_once, "status": status, "done": done,
            "restart_seconds": round(restart, 2), "best_known": bool(best), "points": points})


if __name__ == "__main__":
    subprocess.run(["ninja", "-C", BUILD, "tests/bench/long_sweep"], check=True,
                   stdout=subprocess.DEVNULL)
    for one in ENGINE:
        engine(*one)
    if "--engine-only" not in sys.argv:
        daemon("random", 100)
        daemon("tpe", 9)
