"""The whole test suite several times in a row beside a load.

usage: passes.py BUILD_DIR SANITIZED_BUILD_DIR [option …]   (as ./bootstrap test makes them)

  --passes N      10
  --load N        processes that do nothing but compute; 4
  --results FILE  a line of JSON for each pass; tests/bench/results.jsonl
Goes on after a pass with failures, whose reasons are in its output.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LAST = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$")


def options():
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument("builds", nargs=2)
    p.add_argument("--passes", type=int, default=10)
    p.add_argument("--load", type=int, default=4)
    p.add_argument("--results", default=os.path.join(HERE, "..", "bench", "results.jsonl"))
    return p.parse_args()


def one_pass(builds):
    """(passed, failed, skipped) of the whole suite, which prints what it does."""
    suite = subprocess.Popen([sys.executable, "-B", os.path.join(HERE, "run_tests.py"), *builds],
                             stdout=subprocess.PIPE, text=True)
    last = None
    for line in suite.stdout:
        print(line, end="", flush=True)
        last = LAST.match(line) or last
    suite.wait()
    return [int(n or 0) for n in last.groups()] if last else [0, 1, 0]


def main():
    o = options()
    load = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(o.load)]
    bad = 0
    try:
        for n in range(1, o.passes + 1):
            start = time.monotonic()
            passed, failed, skipped = one_pass(o.builds)
            bad += failed
            line = {"bench": "suite_beside_load", "pass": n, "load": o.load, "cpus": os.cpu_count(),
                    "passed": passed, "failed": failed, "skipped": skipped,
                    "seconds": round(time.monotonic() - start), "load_average": os.getloadavg()[1]}
            with open(o.results, "a", encoding="utf-8") as f:
                f.write(json.dumps(line) + "\n")
            print(json.dumps(line), flush=True)
    finally:
        for p in load:
            p.kill()
            p.wait()
    sys.exit(bad > 0)


main()
