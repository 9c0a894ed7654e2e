"""The database as other programs read it: the lines of schema/README.md, run as they stand there."""
import importlib.util
import math
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import SOURCE, Daemon, make_data, small_spec  # noqa: E402
from tap import Skip, check, equal, run  # noqa: E402

# Of a virtual environment with pandas and duckdb, where this Python has none.
PYTHON = os.environ.get("TEST_TOOLS_PYTHON", sys.executable)


def blocks():
    """[(title, language, lines)] of what the documentation shows."""
    with open(os.path.join(SOURCE, "schema", "README.md"), encoding="utf-8") as f:
        part = re.search(r"<!-- run by .*?-->\n(.*?)<!-- /run -->", f.read(), re.S)[1]
    return re.findall(r"^([^\n]+):\n\n```(\w+)\n(.*?)^```$", part, re.M | re.S)


def block(title, language):
    found = [text for t, lang, text in blocks() if t.startswith(title) and lang == language]
    equal(len(found), 1, f"blocks of {title}")
    equal(len(found[0].splitlines()), 3, f"lines of {title}")
    return found[0]


class Folder:
    """With a sweeps.db in which some losses are NaN: the rate is absurd."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="sweepd-tools-")
        with Daemon() as d:
            sweep = d.submit(small_spec(make_data(d.home), method="grid", epochs=2, run_cap=4,
                                        parameters={"learning_rate": {"values": [0.01, 1e6]},
                                                    "depth": {"values": [1, 2]}},
                                        train={"optimizer": "sgd", "loss": "mse"}))
            d.wait(sweep)
            with sqlite3.connect(d.db) as own:
                own.execute("VACUUM INTO ?", (os.path.join(self.path, "sweeps.db"),))
        return self

    def __exit__(self, *exc):
        shutil.rmtree(self.path)

    def sql(self, query):
        db = sqlite3.connect(os.path.join(self.path, "sweeps.db"))
        rows = db.execute(query).fetchall()
        db.close()
        return rows

    def run(self, *command):
        done = subprocess.run(command, cwd=self.path, capture_output=True, text=True, timeout=120)
        equal((done.returncode, done.stderr), (0, ""), command[-1])
        return done.stdout

    def truth(self):
        """The largest finite val_loss of its runs, and how many are NaN: from the exact table."""
        values = [v for v, in self.sql("SELECT val_loss FROM runs")]
        finite = [v for v in values if isinstance(v, float) and math.isfinite(v)]
        check(finite and len(finite) < len(values), f"some are finite and some not: {values}")
        return max(finite), values.count("nan")


def has(module):
    if PYTHON == sys.executable:
        found = importlib.util.find_spec(module) is not None
    else:
        found = subprocess.run([PYTHON, "-c", f"import {module}"], capture_output=True).returncode == 0
    if not found:
        raise Skip(f"{module} is not installed (TEST_TOOLS_PYTHON may name a Python that has it)")


def test_the_sqlite3_program():
    if not shutil.which("sqlite3"):
        raise Skip("there is no sqlite3 program")
    with Folder() as f:
        largest, nan = f.truth()
        best, curve, labels = (f.run("sh", "-c", line)
                               for line in block("The `sqlite3` program", "sh").splitlines())
        check(best.count("│ ok") == 2 and "nan" in best + "inf", best)
        rows = [line.split(",") for line in curve.split()]
        check(len(rows) >= 2 and all(len(r) == 3 and float(r[1]) for r in rows), curve)
        rows = [line.split("|") for line in labels.splitlines()]
        equal(max(float(r[2]) for r in rows if r[2]), float(f"{largest:.15g}"), "max(val_loss)")
        equal(sum(int(r[3]) for r in rows), nan, "NaN")


def test_python():
    with Folder() as f:
        out = f.run(PYTHON, "-c", block("Python's `sqlite3`", "python"))
        equal(out, f"{f.truth()}\n", "printed")


def test_pandas():
    has("pandas")
    with Folder() as f:
        lines = block("pandas", "python")
        out = f.run(PYTHON, "-c", lines + "print(runs['val_loss'].dtype, runs['val_loss'].max())\n")
        equal(out.splitlines()[-1], f"float64 {f.truth()[0]}", "type and maximum")


def test_duckdb():
    has("duckdb")
    with Folder() as f:
        lines = block("DuckDB", "python")
        first = "\n".join(lines.splitlines()[:2])
        if subprocess.run([PYTHON, "-c", first], cwd=f.path, capture_output=True).returncode:
            raise Skip("DuckDB's extension sqlite cannot be loaded here")
        out = f.run(PYTHON, "-c", lines + "print(duckdb.sql(\"SELECT max(val_loss::DOUBLE)"
                                          " FROM sweeps.run_overview\").fetchone()[0])\n")
        equal(out.splitlines()[-1], f"{f.truth()[0]:.15g}", "maximum")


run(test_the_sqlite3_program, test_python, test_pandas, test_duckdb)
