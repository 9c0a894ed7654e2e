#!/usr/bin/env python3
"""Records the table that tests/unit/engine/test_learners.c searches.

    record_table.py BUILD_DIR > tests/unit/engine/recorded_table.h

Our own trainer, every combination of four parameters from three seeds each (of split and weights),
on rows that are made here: two classes along two spirals. What
did not end in a number is written as 9.999.
"""
import math
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
if len(sys.argv) != 2:
    sys.exit(__doc__)
os.environ["BUILD"] = os.path.abspath(sys.argv[1])
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))
from sweepd import Daemon  # noqa: E402

SEEDS = 3
PARAMETERS = {"learning_rate": [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3],
              "batch_size": [4, 16, 64, 256], "depth": [0, 1, 2, 3],
              "optimizer": ["sgd", "momentum", "adam"]}


def write_spirals(path):
    r = random.Random(7)
    with open(path, "w") as f:
        f.write("x,y,class\n")
        for i in range(600):
            turn = r.random() * 3.5 + 0.3
            angle = turn + (i % 2) * math.pi
            f.write(f"{turn * math.cos(angle) + r.gauss(0, 0.25):.4f},"
                    f"{turn * math.sin(angle) + r.gauss(0, 0.25):.4f},{'ab'[i % 2]}\n")


def losses(d, seed):
    """By number, which is the order of the grid: the last parameter changes fastest."""
    sweep = d.submit({
        "name": "table", "method": "grid", "seed": seed, "epochs": 6, "treat": False,
        "data": {"path": d.home + "/spirals.csv", "format": "csv", "validation": 150},
        "model": {"width": 16},
        "parameters": {name: {"values": values} for name, values in PARAMETERS.items()}})
    d.wait(sweep)
    return [row[0] for row in d.sql("SELECT metric_value FROM runs WHERE sweep_id = ? "
                                    "ORDER BY number", sweep)]


def main():
    with Daemon(workers=2) as d:
        write_spirals(d.home + "/spirals.csv")
        columns = [losses(d, seed) for seed in range(1, SEEDS + 1)]
    print("/* Validation losses after 6 epochs, by configuration and seed. Written by\n"
          " * tests/bench/search/record_table.py. */\n"
          "#ifndef TESTS_ENGINE_RECORDED_TABLE_H\n#define TESTS_ENGINE_RECORDED_TABLE_H\n")
    print(f"#define RECORDED_SEEDS {SEEDS}\n#define RECORDED_PARAMETERS \\")
    members = []
    for name, values in PARAMETERS.items():
        listed = ",".join(f'\\"{v}\\"' if isinstance(v, str) else repr(v) for v in values)
        members.append(f'    "\\"{name}\\":{{\\"values\\":[{listed}]}}')
    print('," \\\n'.join(members) + '"\n')
    print("static const float recorded[][RECORDED_SEEDS] = {")
    rows = [", ".join(f"{min(v, 9.999) if isinstance(v, float) else 9.999:.3f}f" for v in row)
            for row in zip(*columns)]
    for i in range(0, len(rows), 3):
        print("    " + " ".join("{" + row + "}," for row in rows[i:i + 3]))
    print("};\n\n#endif")


if __name__ == "__main__":
    main()
