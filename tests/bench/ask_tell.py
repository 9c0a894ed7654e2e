"""Pairs of ask and tell a second: the Python client with the daemon, beside Optuna on SQLite.

usage: ask_tell.py BUILD_DIR [PAIRS]   (a release build: meson setup DIR --buildtype release)
OPTUNA_PYTHON (environment) names a python that has Optuna; without it only ours is measured. Every
trial is durable before its `ask` is answered, and its value before `tell` is: synchronous=FULL with
us (WAL), and with Optuna as SQLite's default has it (journal `delete`), and again with WAL. Appends
one JSON line to tests/bench/results.jsonl.
"""
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
if len(sys.argv) < 2:
    sys.exit(__doc__)
os.environ["BUILD"] = os.path.abspath(sys.argv[1])
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
from client_package import sweepd  # noqa: E402
from sweepd import Daemon  # noqa: E402

PAIRS = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
THREADS = 1, 8
SPACE = {name: {"min": 0.0, "max": 1.0, "distribution": "uniform"} for name in "abcd"}

OPTUNA = r"""
import json, sqlite3, sys, threading, time, optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)
file, journal, sampler, pairs, threads = sys.argv[1:]
pairs, threads = int(pairs), int(threads)
db = sqlite3.connect(file)
db.execute(f"PRAGMA journal_mode={journal}")
mode = db.execute("PRAGMA journal_mode").fetchone()[0], db.execute("PRAGMA synchronous").fetchone()[0]
db.close()
storage = optuna.storages.RDBStorage("sqlite:///" + file)
study = optuna.create_study(storage=storage, sampler=getattr(optuna.samplers, sampler)(seed=1))
def work(share):
    for _ in range(share):
        trial = study.ask()
        study.tell(trial, sum(trial.suggest_float(n, 0, 1) for n in "abcd"))
work(5)
start = time.monotonic()
all = [threading.Thread(target=work, args=(pairs // threads,)) for _ in range(threads)]
[t.start() for t in all]
[t.join() for t in all]
print(json.dumps({"seconds": time.monotonic() - start, "journal": mode[0],
                  "synchronous": ["OFF", "NORMAL", "FULL", "EXTRA"][mode[1]],
                  "version": optuna.__version__}))
"""


def ours(method, pairs, threads):
    with Daemon(workers=1) as d, sweepd.Client(d.socket) as client:
        # what a trial sees of those before: in one thread all, in several what may still be open
        learns = {"lag": 2 * threads} if method == "tpe" and threads > 1 else {}
        study = client.create_study(SPACE, method=method, n_trials=pairs + 100, seed=1, **learns)

        def work(share):
            for trial in itertools.islice(client.trials(study), share):
                trial.tell(sum(trial.params.values()))

        work(5)
        start = time.monotonic()
        all_threads = [threading.Thread(target=work, args=(pairs // threads,))
                       for _ in range(threads)]
        for thread in all_threads:
            thread.start()
        for thread in all_threads:
            thread.join()
        seconds = time.monotonic() - start
        study.cancel()
        return seconds


def theirs(python, *arguments):
    with tempfile.TemporaryDirectory(prefix="ask-tell-") as home:
        done = subprocess.run([python, "-c", OPTUNA, os.path.join(home, "o.db"),
                               *map(str, arguments)], check=True, capture_output=True, text=True)
        return json.loads(done.stdout)


def main():
    line = {"bench": "ask_tell", "cpus": os.cpu_count(), "load": round(os.getloadavg()[0], 1),
            "unit": "ask+tell pairs/s",
            "ours": {"journal": "wal", "synchronous": "FULL"}}
    for method in "random", "tpe":
        for threads in THREADS:
            rate = PAIRS / ours(method, PAIRS, threads)
            line["ours"][f"{method}, {threads} threads"] = round(rate, 1)
            print("ours", method, threads, round(rate, 1), flush=True)
    python = os.environ.get("OPTUNA_PYTHON")
    pairs = max(PAIRS // 25, 40)
    line["pairs"], line["optuna_pairs"] = PAIRS, pairs if python else 0
    for journal in ("delete", "wal") if python else ():
        for sampler in "RandomSampler", "TPESampler":
            for threads in THREADS:
                done = theirs(python, journal, sampler, pairs, threads)
                key = f"optuna {done['version']}, {done['journal']}, {done['synchronous']}"
                rate = round(pairs / done["seconds"], 1)
                line.setdefault(key, {})[f"{sampler}, {threads} threads"] = rate
                print(key, sampler, threads, rate, flush=True)
    with open(os.path.join(HERE, "results.jsonl"), "a", encoding="utf-8") as f:
        f.write(json.dumps(line) + "\n")
    print(json.dumps(line))


main()
