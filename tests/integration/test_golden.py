"""Golden sweeps come to the stored content, to the bit, at one worker and at two.

test_golden.py --record stores what this tree makes of them, for this machine's BLAS kernels.
"""
import concurrent.futures
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from golden import (COLUMNS, PLACEHOLDER, SWEEPS, TOLD, Data, compare, describe,  # noqa: E402
                    differences, load_expectation, run_sweep, spec_of,
                    store_expectation, without_sanitizers)
from tap import check, equal, run  # noqa: E402


def with_two_workers():
    with Data() as folder:
        return {name: run_sweep(name, folder, 2) for name in SWEEPS}


def with_one_worker():
    """Two daemons at a time, each with one worker."""
    with Data() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        ended = {name: pool.submit(run_sweep, name, folder, 1) for name in SWEEPS}
        return {name: future.result() for name, future in ended.items()}


@without_sanitizers
def test_golden_sweeps_with_two_workers():
    compare(load_expectation("sweeps"), with_two_workers())


@without_sanitizers
def test_golden_sweeps_with_one_worker():
    compare(load_expectation("sweeps"), with_one_worker())


def other(value):
    """The least that a stored value can differ by."""
    if isinstance(value, str):
        return value + " "
    return 0.5 if value is None else value + 1 if isinstance(value, int) else -value


def changed(rows, index, column):
    return [r[:column] + (other(r[column]),) + r[column + 1:] if i == index else r
            for i, r in enumerate(rows)]


def expect_named(content, rows, told, run):
    found = differences(describe("held", content), describe("held", (rows, told)))
    check(found, f"a change in run {run} was not seen")
    check(run is None or any(x.startswith(f"held, run {run}:") for x in found), f"{run}: {found}")


def test_every_value_is_compared():
    """One value changed in a copy, column by column: the comparison names its run."""
    with Data() as folder:
        content = rows, told = run_sweep("held", folder, 2)
    equal(differences(describe("held", content), describe("held", content)), [], "the same")
    equal(rows[0][1].count(PLACEHOLDER), 1, "the data's folder in the specification")
    expect_named(content, rows[:-1], told, rows[-1][2])
    for index in (0, len(rows) // 2, len(rows) - 1):
        for column, name in enumerate(COLUMNS):
            row = None if name in ("sweep", "spec") else rows[index][2]
            if name == "number" or name in COLUMNS[3:12]:  # of the run: stands in all its rows
                index = next(i for i, r in enumerate(rows) if r[2] == row)
            expect_named(content, changed(rows, index, column), told, row)
    for table in TOLD:
        for column in range(1, len(told[table][0]) if told[table] else 0):
            expect_named(content, rows, {**told, table: changed(told[table], 0, column)},
                         told[table][0][0])


def test_sweeps_are_what_they_are_for():
    """Treatments, a sweep that is held, runs that end early: what a golden sweep must show."""
    lines = load_expectation("sweeps")
    equal(sorted(lines), sorted(SWEEPS), "sweeps with an expectation")
    kinds = [x.get("kind") for x in lines["treatments"]]
    check(kinds.count("treatment") >= 3 and kinds.count("search") >= 10, f"kinds: {kinds}")
    check({0, 1} & {x.get("cured") for x in lines["treatments"]}, "treatments have outcomes")
    statuses = {x.get("status") for of_sweep in lines.values() for x in of_sweep}
    check({"completed", "stopped"} <= statuses, f"statuses: {statuses}")
    labels = {x.get("label") for of_sweep in lines.values() for x in of_sweep} - {None}
    check(len(labels) >= 8, f"labels: {labels}")
    for name in SWEEPS:
        equal(lines[name][0]["spec"].count(PLACEHOLDER) > 0, "path" in spec_of(name, "/")["data"],
              f"{name}: placeholder")


if __name__ == "__main__":
    if sys.argv[1:] == ["--record"]:
        store_expectation("sweeps", with_two_workers())
    else:
        run(test_golden_sweeps_with_two_workers, test_golden_sweeps_with_one_worker,
            test_every_value_is_compared, test_sweeps_are_what_they_are_for)
