#!/usr/bin/env python3
"""Records the tables that tests/unit/engine/test_learners.c and test_budgets.c search.

    record_table.py BUILD_DIR > tests/unit/engine/recorded_table.h
    record_table.py BUILD_DIR rungs > tests/unit/engine/recorded_rungs.h

Our own trainer, every combination of four parameters from three seeds each (of split and weights),
on rows that are made here: two classes along two spirals. What
did not end in a number is written as 9.999. The second has, of each run, the best up to each of some
epochs.
"""
import math
import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
if len(sys.argv) < 2 or sys.argv[2:] not in ([], ["rungs"]):
    sys.exit(__doc__)
os.environ["BUILD"] = os.path.abspath(sys.argv[1])
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))
from sweepd import Daemon  # noqa: E402

SEEDS = 3
RUNGS = [1, 3, 9, 27]
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


def train(d, seed, epochs):
    sweep = d.submit({
        "name": "table", "method": "grid", "seed": seed, "epochs": epochs, "treat": False,
        "data": {"path": d.home + "/spirals.csv", "format": "csv", "validation": 150},
        "model": {"width": 16},
        "parameters": {name: {"values": values} for name, values in PARAMETERS.items()}})
    d.wait(sweep)
    return sweep


def losses(d, seed):
    """By number, which is the order of the grid: the last parameter changes fastest."""
    sweep = train(d, seed, 6)
    return [row[0] for row in d.sql("SELECT metric_value FROM runs WHERE sweep_id = ? "
                                    "ORDER BY number", sweep)]


def rung_losses(d, seed):
    sweep = train(d, seed, RUNGS[-1])
    columns = ", ".join(f"(SELECT min(val_loss) FROM curves WHERE run_id = runs.id AND epoch <= {e})"
                        for e in RUNGS)
    return d.sql(f"SELECT {columns} FROM runs WHERE sweep_id = ? ORDER BY number", sweep)


def number(v):
    return f"{min(v, 9.999) if isinstance(v, float) else 9.999:.3f}f"


def print_parameters():
    members = []
    for name, values in PARAMETERS.items():
        listed = ",".join(f'\\"{v}\\"' if isinstance(v, str) else repr(v) for v in values)
        members.append(f'    "\\"{name}\\":{{\\"values\\":[{listed}]}}')
    print('," \\\n'.join(members) + '"\n')


def print_rungs(d):
    seeds = [rung_losses(d, seed) for seed in range(1, SEEDS + 1)]
    print(f"/* Best validation losses by epochs {RUNGS}, by configuration, seed and epoch. Written by\n"
          " * tests/bench/search/record_table.py. */\n"
          "#ifndef TESTS_ENGINE_RECORDED_RUNGS_H\n#define TESTS_ENGINE_RECORDED_RUNGS_H\n")
    print(f"#define RECORDED_SEEDS {SEEDS}\n#define RECORDED_RUNGS {len(RUNGS)}\n"
          "#define RECORDED_PARAMETERS \\")
    print_parameters()
    print(f"static const int recorded_epochs[] = {{{', '.join(map(str, RUNGS))}}};\n"
          "static const float recorded[][RECORDED_SEEDS][RECORDED_RUNGS] = {")
    for row in zip(*seeds):
        print("    {" + ", ".join("{" + ", ".join(map(number, r)) + "}" for r in row) + "},")
    print("};\n\n#endif")


def print_table(d):
    columns = [losses(d, seed) for seed in range(1, SEEDS + 1)]
    print("/* Validation losses after 6 epochs, by configuration and seed. Written by\n"
          " * tests/bench/search/record_table.py. */\n"
          "#ifndef TESTS_ENGINE_RECORDED_TABLE_H\n#define TESTS_ENGINE_RECORDED_TABLE_H\n")
    print(f"#define RECORDED_SEEDS {SEEDS}\n#define RECORDED_PARAMETERS \\")
    print_parameters()
    print("static const float recorded[][RECORDED_SEEDS] = {")
    rows = [", ".join(map(number, row)) for row in zip(*columns)]
    for i in range(0, len(rows), 3):
        print("    " + " ".join("{" + row + "}," for row in rows[i:i + 3]))
    print("};\n\n#endif")


def main():
    with Daemon(workers=2) as d:
        write_spirals(d.home + "/spirals.csv")
        (print_rungs if sys.argv[2:] else print_table)(d)


if __name__ == "__main__":
    main()
