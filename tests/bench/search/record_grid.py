#!/usr/bin/env python3
"""Records whole training curves of every configuration of a grid, for stages_bench.

usage: record_grid.py BUILD_DIR WORK_DIR [--jobs N] [NAME ...]
       record_grid.py --pack WORK_DIR [NAME ...]

Python with scikit-learn, for the data: digits, breast_cancer, diabetes. 864 configurations, 27
epochs, 5 seeds, trained by our own worker as ../stopping/record.py does it, resumable. --pack
writes what is there as data/NAME.grid beside this file: a line of JSON (name, seeds, epochs,
parameters in order with their values), then for each configuration, the last parameter changing
fastest, and each seed the validation loss of every epoch, as codes of 24 bits (simulate.c).
"""
import argparse
import itertools
import json
import math
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "stopping"))
import record  # noqa: E402

SEEDS = 5
GRID = {"optimizer": ["adam", "sgd", "momentum", "rmsprop"],
        "learning_rate": [1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001],
        "batch_size": [16, 64], "dropout": [0, 0.3], "depth": [1, 2], "width": [16, 32, 64]}
CELLS = list(itertools.product(*GRID.values()))


def configuration(_name, i):
    c = dict(zip(GRID, CELLS[i]))
    model = {k: c.pop(k) for k in ("depth", "width")}
    return {"model": {**model, "activation": "relu"}, "train": c}


def pack(work, name):
    with open(os.path.join(work, name + ".jsonl"), encoding="utf-8") as f:
        rows = {(x["i"], x["seed"]): x for x in map(json.loads, f)}
    head = {"name": name, "seeds": SEEDS, "epochs": record.EPOCHS,
            "parameters": {k: {"values": v} for k, v in GRID.items()}}
    out = [json.dumps(head).encode() + b"\n"]
    for i, seed in itertools.product(range(len(CELLS)), range(SEEDS)):
        values = [record.real(x) for x in rows[i, seed]["val"]][:record.EPOCHS]
        values += [math.nan] * (record.EPOCHS - len(values))
        out += [record.code(v).to_bytes(3, "little") for v in values]
    os.makedirs(os.path.join(HERE, "data"), exist_ok=True)
    with open(os.path.join(HERE, "data", name + ".grid"), "wb") as f:
        f.write(b"".join(out))


def main():
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument("--pack", action="store_true")
    p.add_argument("--jobs", type=int, default=1)
    p.add_argument("words", nargs="+")
    o = p.parse_args()
    if not o.pack:
        o.build = o.words.pop(0)
    o.work, o.names = o.words[0], o.words[1:] or ["digits", "breast_cancer", "diabetes"]
    if o.pack:
        for name in o.names:
            pack(o.work, name)
        return
    record.SEEDS, record.configuration, o.configurations = SEEDS, configuration, len(CELLS)
    record.record(o)


if __name__ == "__main__":
    main()
