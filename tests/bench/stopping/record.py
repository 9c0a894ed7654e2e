"""Records whole training curves of many configurations, for judging stopping rules (simulate.c).

usage: record.py BUILD_DIR WORK_DIR [--configurations N] [--jobs N] [NAME ...]
       record.py --pack WORK_DIR [NAME ...]

Python with scikit-learn, for the data. Three data sets: digits and breast_cancer (classes),
diabetes (values). Configuration i of a data set follows from its name and i alone; each is trained for 27
epochs from three seeds by our own trainer, at nice 15. What is there already in WORK_DIR is not
trained again: interrupt it whenever you like, and raise N later. --pack writes what is there as
data/NAME.curves beside this file; the format stands in simulate.c.
"""
import argparse
import concurrent.futures
import csv
import json
import math
import os
import random
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
EPOCHS, SEEDS = 27, 3
MAGIC = b"sweepd curves 1\n"
LOW, HIGH, CODES = math.log(1e-8), math.log(1e8), (1 << 24) - 3  # what a code of 24 bits spans
NOT_THERE, INFINITE = 0, (1 << 24) - 1


def log_uniform(r, low, high):
    return float(f"{math.exp(r.uniform(math.log(low), math.log(high))):.6g}")


def configuration(name, i):
    """Bad ones too: a third of the rates is far too small or far too large."""
    r = random.Random(f"{name} {i}")
    optimizer = r.choice(["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"])
    return {"model": {"depth": r.randint(1, 3), "width": r.choice([8, 16, 32, 64]),
                      "activation": r.choice(["relu", "tanh", "gelu"]),
                      "normalization": r.choice(["none", "none", "batch"])},
            "train": {"optimizer": optimizer, "learning_rate": log_uniform(r, 1e-4, 3),
                      "batch_size": r.choice([16, 32, 64, 128]),
                      "dropout": r.choice([0, 0, 0.2, 0.5]), "l2": log_uniform(r, 1e-6, 0.03)}}


# --- data ----------------------------------------------------------------------------------------

def write_data(work, name):
    from sklearn import datasets
    path = os.path.join(work, name + ".csv")
    loaded = getattr(datasets, "load_" + name)()
    if not os.path.exists(path):
        with open(path + ".new", "w", newline="", encoding="utf-8") as f:
            out = csv.writer(f)
            out.writerow([f"x{i}" for i in range(loaded.data.shape[1])] + ["y"])
            out.writerows([*x, t] for x, t in zip(loaded.data.tolist(), loaded.target.tolist()))
        os.rename(path + ".new", path)
    task = "regression" if name == "diabetes" else "classification"
    return {"path": path, "format": "csv", "target": "y", "task": task, "scale": "standard",
            "validation": len(loaded.target) * 3 // 10}


# --- training ------------------------------------------------------------------------------------

class Recorder:
    def __init__(self, worker, work, name):
        self.worker, self.work, self.name = worker, work, name
        self.data = write_data(work, name)
        self.path = os.path.join(work, name + ".jsonl")

    def known(self):
        if not os.path.exists(self.path):
            return {}
        with open(self.path, encoding="utf-8") as f:
            rows = [json.loads(line) for line in f if line.endswith("\n")]
        return {(x["i"], x["seed"]): x for x in rows}

    def train(self, i, seed):
        config = {"version": 1, "data": self.data, "epochs": EPOCHS, "seed": str(seed),
                  "split_seed": "0", **configuration(self.name, i)}
        path = os.path.join(self.work, f"{self.name}-{i}-{seed}.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(config, f)
        w = subprocess.Popen([self.worker, path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL,
                             env=dict(os.environ, XDG_CACHE_HOME=os.path.join(self.work, "cache")))
        lines = [json.loads(line) for line in w.stdout]
        _, _, usage = os.wait4(w.pid, 0)
        w.returncode = 0
        os.remove(path)
        points = [x for x in lines if x["type"] == "point"]
        status = [x["error"] or x["status"] for x in lines if x["type"] == "result"][-1]
        if status not in ("completed", "stopped", "not_a_number"):
            sys.exit(f"{self.name} {i}: {lines[-1]}")
        return {"i": i, "seed": seed, "status": status,
                "cpu": round(usage.ru_utime + usage.ru_stime, 4),
                "train": [x["train_loss"] for x in points], "val": [x["val_loss"] for x in points]}

    def record(self, i, seed):
        row = self.train(i, seed)
        with open(self.path, "a", encoding="utf-8") as f:
            f.write(json.dumps(row) + "\n")


def record(o):
    os.nice(15)
    os.makedirs(o.work, exist_ok=True)
    worker = os.path.join(os.path.abspath(o.build), "worker", "sweep-worker")
    recorders = [Recorder(worker, os.path.abspath(o.work), name) for name in o.names]
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        for i in range(0, o.configurations, 20):  # data sets grow side by side
            for r in recorders:
                there = r.known()
                wanted = [(k, s) for k in range(i, min(i + 20, o.configurations))
                          for s in range(SEEDS) if (k, s) not in there]
                for _ in pool.map(lambda x, r=r: r.record(*x), wanted):
                    pass
            print(i + 20, "configurations", flush=True)


# --- packing -------------------------------------------------------------------------------------

def code(value):
    """24 bits on a log scale: 2.2e-6 from one to the next."""
    value = float(value) if value is not None else math.nan
    if math.isnan(value):
        return NOT_THERE
    if math.isinf(value):
        return INFINITE
    x = (math.log(max(value, 1e-8)) - LOW) / (HIGH - LOW)
    return 1 + round(min(max(x, 0), 1) * CODES)


def real(x):
    return {"nan": math.nan, "+inf": math.inf, "-inf": -math.inf}.get(x, x)


def pack_run(row):
    out = [struct.pack("<f", row["cpu"] / max(len(row["val"]), 1))]
    for column in ("train", "val"):
        values = [real(x) for x in row[column]][:EPOCHS]
        values += [math.nan] * (EPOCHS - len(values))
        out += [code(v).to_bytes(3, "little") for v in values]
    return b"".join(out)


def pack(o):
    os.makedirs(os.path.join(HERE, "data"), exist_ok=True)
    for name in o.names:
        with open(os.path.join(o.work, name + ".jsonl"), encoding="utf-8") as f:
            rows = {(x["i"], x["seed"]): x for x in map(json.loads, f)}
        count = 0
        while all((count, s) in rows for s in range(SEEDS)):
            count += 1
        with open(os.path.join(HERE, "data", name + ".curves"), "wb") as f:
            f.write(MAGIC + struct.pack("<3I", count, SEEDS, EPOCHS))
            for i in range(count):
                for s in range(SEEDS):
                    f.write(pack_run(rows[i, s]))
        print(f"{name}: {count} configurations, {os.path.getsize(f.name)} bytes")


def main():
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument("--pack", action="store_true")
    p.add_argument("--configurations", type=int, default=700)
    p.add_argument("--jobs", type=int, default=1)
    p.add_argument("words", nargs="+")
    o = p.parse_args()
    if not o.pack:
        o.build = o.words.pop(0)
    o.work, o.names = o.words[0], o.words[1:] or ["digits", "breast_cancer", "diabetes"]
    (pack if o.pack else record)(o)


if __name__ == "__main__":
    main()
