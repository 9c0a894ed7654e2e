"""What preparing a table costs: processor seconds from CSV text to the checked cache, held against
an older worker's and against pandas' `read_csv` of the same file where they are given.
Appends one JSON line to tests/bench/results.jsonl.

usage: prepare.py BUILD_DIR [--old SWEEP_WORKER] [--pandas PYTHON]
(a release build: meson setup DIR --buildtype release). Half a minute. The table: 200,000 rows of 28
numbers with six digits and a label, 52 MB, made here. Each takes its turn, seven times; the least
of each counts, user and system time together, so that a busy machine disturbs little.
"""
import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
HOME = tempfile.mkdtemp(prefix="sweepd-bench-")
ROWS, COLUMNS, TRIES = 200_000, 28, 7
# Of pandas only the reading counts, not the import.
PANDAS = """
import pandas, resource, sys
def cpu():
    u = resource.getrusage(resource.RUSAGE_SELF)
    return u.ru_utime + u.ru_stime
start = cpu()
pandas.read_csv(sys.argv[1])
print(cpu() - start)
"""


def make_table(path):
    rng = random.Random(3)
    with open(path, "w", encoding="ascii") as f:
        f.write(",".join(f"f{i}" for i in range(COLUMNS)) + ",label\n")
        for _ in range(ROWS):
            f.write(",".join(f"{rng.gauss(0, 1):.6g}" for _ in range(COLUMNS)))
            f.write(f",{rng.randrange(10)}\n")


def make_config(table):
    path = os.path.join(HOME, "config.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"version": 1, "data": {"format": "csv", "path": table, "validation": 20_000},
                   "model": {"type": "mlp", "width": 64, "depth": 1},
                   "train": {"optimizer": "adam", "batch_size": 64}, "epochs": 1, "seed": "110",
                   "split_seed": "110", "weights": os.path.join(HOME, "weights")}, f)
    return path


def children_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def prepare_seconds(worker, config):
    cache = os.path.join(HOME, "cache")
    shutil.rmtree(cache, ignore_errors=True)
    start = children_seconds()
    subprocess.run([worker, "--prepare", config], check=True, stdout=subprocess.DEVNULL,
                   env={**os.environ, "XDG_CACHE_HOME": cache})
    return children_seconds() - start


def pandas_seconds(python, table):
    return float(subprocess.run([python, "-c", PANDAS, table], check=True, capture_output=True,
                                text=True).stdout)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("build")
    parser.add_argument("--old")
    parser.add_argument("--pandas")
    options = parser.parse_args()
    worker = os.path.join(os.path.abspath(options.build), "worker", "sweep-worker")
    table = os.path.join(HOME, "table.csv")
    make_table(table)
    config = make_config(table)
    took = {"new": [], "old": [], "pandas": []}
    for _ in range(TRIES):
        took["new"].append(prepare_seconds(worker, config))
        if options.old:
            took["old"].append(prepare_seconds(options.old, config))
        if options.pandas:
            took["pandas"].append(pandas_seconds(options.pandas, table))
    best = {name: min(times) for name, times in took.items() if times}
    line = {"bench": "csv_prepare", "least": round(best["new"], 3), "unit": "s of processor time",
            "megabytes": round(os.path.getsize(table) / 1e6, 1)}
    if options.old:
        line.update(before=round(best["old"], 3), times_before=round(best["old"] / best["new"], 2),
                    aim=">= 1.5 times")
    if options.pandas:
        line.update(pandas=round(best["pandas"], 3),
                    of_pandas=round(best["new"] / best["pandas"], 2))
    line["cores"] = os.cpu_count()
    print(json.dumps(line))
    with open(os.path.join(HERE, "results.jsonl"), "a", encoding="utf-8") as f:
        f.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    try:
        main()
    finally:
        shutil.rmtree(HOME, ignore_errors=True)
