"""What a run of a program costs beside the program: seconds a run with one worker and with two,
held against fork and exec of the same program. Appends one JSON line to tests/bench/results.jsonl.

usage: command.py BUILD_DIR [RUNS]   (a release build: meson setup DIR --buildtype release)
The aim: 5 ms over fork and exec, 300 runs a second with two workers. Files go below TMPDIR.
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
from sweepd import BUILD, Daemon  # noqa: E402

RUNS = int(sys.argv[2]) if len(sys.argv) > 2 else 300
TRIES = 3
PROGRAM = os.path.join(BUILD, "tests", "bench", "tells_one")


def spawn_ms():
    times = []
    for _ in range(200):
        begin = time.monotonic()
        os.waitpid(os.posix_spawn(PROGRAM, [PROGRAM], {}), 0)
        times.append(1000 * (time.monotonic() - begin))
    return statistics.median(times)


def spec(runs):
    return {"name": "nothing", "method": "random", "run_cap": runs, "epochs": 1,
            "repeat_share": 0, "metric": {"name": "loss", "goal": "minimize"},
            "task": {"command": [PROGRAM]},
            "parameters": {"x": {"min": 0.0, "max": 1.0}}}


def run_ms(home, workers):
    """Of one worker, from its start to its stored result; the median of a few sweeps."""
    with Daemon(workers=workers, home=tempfile.mkdtemp(dir=home)) as d:
        d.wait(d.submit(spec(20)))
        times = []
        for _ in range(TRIES):
            begin = time.monotonic()
            ended = d.wait(d.submit(spec(RUNS)))
            times.append(1000 * (time.monotonic() - begin) / RUNS)
            assert ended["status"] == "completed", ended
    return statistics.median(times)


if __name__ == "__main__":
    subprocess.run(["ninja", "-C", BUILD, "tests/bench/tells_one"], check=True,
                   stdout=subprocess.DEVNULL)
    folder = tempfile.mkdtemp(prefix="sweepd-command-")
    try:
        one, two = run_ms(folder, 1), run_ms(folder, 2)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    line = {"bench": "run_of_a_program", "spawn_ms": round(spawn_ms(), 2),
            "one_worker_ms": round(one, 2), "two_workers_per_second": round(1000 / two, 1),
            "runs": RUNS, "load": round(os.getloadavg()[0], 1), "cores": os.cpu_count()}
    print(json.dumps(line))
    with open(os.path.join(HERE, "results.jsonl"), "a", encoding="utf-8") as f:
        f.write(json.dumps(line) + "\n")
