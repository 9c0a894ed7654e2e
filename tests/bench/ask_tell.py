"""Pairs of ask and tell a second: the Python client with the daemon, beside Optuna on SQLite.

usage: ask_tell.py BUILD_DIR [PAIRS]   (a release build: meson setup DIR --buildtype release)
OPTUNA_PYTHON (environment) names a python that has Optuna; without it only ours is measured. Every
trial is durable before its `ask` is answered, and its value before `tell` is: synchronous=FULL with
us (WAL), and with Optuna as SQLite's default has it (journal `delete`), and again with WAL. One
client, eight threads of one process, and eight processes at once. Appends one JSON line to
tests/bench/results.jsonl.
"""
import json
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
if len(sys.argv) < 2:
    sys.exit(__doc__)
os.environ["BUILD"] = os.path.abspath(sys.argv[1])
LIB = os.path.join(HERE, "..", "lib")
sys.path.insert(0, LIB)
from sweepd import Daemon  # noqa: E402

PAIRS = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
CLIENTS = {"one": (1, 1), "8 threads": (1, 8), "8 processes": (8, 1)}  # processes, threads of each
SPACE = {name: {"min": 0.0, "max": 1.0} for name in "abcd"}

# Each process: five pairs, the line `ready`; then, after a line is read, its share.
WORK = r"""
import sys, threading
def share(work, pairs, threads):
    work(5)
    print("ready", flush=True)
    sys.stdin.readline()
    all = [threading.Thread(target=work, args=(pairs // threads,)) for _ in range(threads)]
    [t.start() for t in all]
    [t.join() for t in all]
"""
OURS = WORK + r"""
import itertools
library, socket, study, pairs, threads = sys.argv[1:]
sys.path.insert(0, library)
from client_package import sweepd
with sweepd.Client(socket) as client:
    def work(n):
        for trial in itertools.islice(client.trials(int(study)), n):
            trial.tell(sum(trial.params.values()))
    share(work, int(pairs), int(threads))
"""
THEIRS = WORK + r"""
import optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)
storage, sampler, pairs, threads = sys.argv[1:]
study = optuna.load_study(study_name="s", storage=storage, sampler=getattr(optuna.samplers, sampler)())
def work(n):
    for _ in range(n):
        trial = study.ask()
        study.tell(trial, sum(trial.suggest_float(n, 0, 1) for n in "abcd"))
share(work, int(pairs), int(threads))
"""
CREATE = r"""
import json, optuna, sqlite3, sys
file, journal = sys.argv[1:]
db = sqlite3.connect(file)
mode = db.execute(f"PRAGMA journal_mode={journal}").fetchone()[0]
full = ["OFF", "NORMAL", "FULL", "EXTRA"][db.execute("PRAGMA synchronous").fetchone()[0]]
db.close()
optuna.create_study(study_name="s", storage="sqlite:///" + file)
print(f"optuna {optuna.__version__}, {mode}, {full}")
"""


def rate(pairs, processes, threads, *command):
    """Of all together, from the moment when the last one is ready."""
    each = pairs // processes
    all_ = [subprocess.Popen([*command, str(each), str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             text=True) for _ in range(processes)]
    for p in all_:
        if p.stdout.readline() != "ready\n":
            raise RuntimeError("a client did not come up")
    start = time.monotonic()
    for p in all_:
        p.stdin.write("\n")
        p.stdin.flush()
    if any([p.wait() for p in all_]):
        raise RuntimeError("a client failed")
    return round(each * processes / (time.monotonic() - start), 1)


def ours(method, processes, threads):
    with Daemon(workers=1) as d:
        # what a trial sees of those before: by one client all, by several what may still be open
        at_once = processes * threads
        learns = {"lag": 2 * at_once} if method == "tpe" and at_once > 1 else {}
        study = d.submit({"task": {"client": {}}, "metric": {"name": "loss", "goal": "minimize"}, "parameters": SPACE,
                          "method": method, "run_cap": PAIRS + 100, "repeat_share": 0, "epochs": 1, "seed": 1, **learns})
        pairs = rate(PAIRS, processes, threads, sys.executable, "-c", OURS, LIB, d.socket, str(study))
        d.call("cancel", sweep=study)
        return pairs


def theirs(python, journal, sampler, pairs, processes, threads):
    with tempfile.TemporaryDirectory(prefix="ask-tell-") as home:
        file = os.path.join(home, "o.db")
        what = subprocess.run([python, "-c", CREATE, file, journal], check=True, capture_output=True,
                              text=True).stdout.strip()
        return what, rate(pairs, processes, threads, python, "-c", THEIRS, "sqlite:///" + file, sampler)


def main():
    line = {"bench": "ask_tell", "cpus": os.cpu_count(), "load": round(os.getloadavg()[0], 1),
            "unit": "ask+tell pairs/s", "ours": {"journal": "wal", "synchronous": "FULL"}}
    for method in "random", "tpe":
        for name, clients in CLIENTS.items():
            line["ours"][f"{method}, {name}"] = ours(method, *clients)
            print("ours", method, name, line["ours"][f"{method}, {name}"], flush=True)
    python = os.environ.get("OPTUNA_PYTHON")
    pairs = max(PAIRS // 25, 40)
    line["pairs"], line["optuna_pairs"] = PAIRS, pairs if python else 0
    for journal in ("delete", "wal") if python else ():
        for sampler in "RandomSampler", "TPESampler":
            for name, clients in CLIENTS.items():
                what, one = theirs(python, journal, sampler, pairs, *clients)
                line.setdefault(what, {})[f"{sampler}, {name}"] = one
                print(what, sampler, name, one, flush=True)
    with open(os.path.join(HERE, "results.jsonl"), "a", encoding="utf-8") as f:
        f.write(json.dumps(line) + "\n")
    print(json.dumps(line))


main()
