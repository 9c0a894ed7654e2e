"""Golden sweeps: what a sweep's content must be, to the bit, on one kind of BLAS kernels.

tests/golden/README.md says what is stored and how it is recorded anew. Nothing here asks for the
names of the tree's folders, so that the tree may be rearranged under it.
"""
import glob
import functools
import hashlib
import json
import os
import re
import shutil
import struct
import tempfile
import zipfile

from sweepd import SOURCE, SWEEPD, Daemon
from tap import Skip, check, equal

GOLDEN = os.path.join(SOURCE, "tests", "golden")
# Stands for the folder of the data in specifications and in stored databases: spec is a column of
# canonical_content and holds absolute paths, which differ from machine to machine.
PLACEHOLDER = "$DATA"
# In a canonical specification: what says that a sweep goes as sweeps went before there was the key.
LATER = [',"carry_on":false', ',"repeat_share":0',
         ',"early_terminate":{"type":"none"}',
         ',"without_remedies":["label_smoothing","mixup","ema","swa","gradient_noise"]']
SWEEPS = ["fashion", "quick", "conv", "lstm", "table", "treatments", "grid", "held", "random",
          "queued"]
# By name: a column that is added to the view later changes nothing here.
COLUMNS = ["sweep", "spec", "number", "kind", "stage", "params", "status", "label", "cause",
           "remedy", "cured", "parent", "point", "epoch", "train_loss", "val_loss", "train_acc",
           "val_acc", "train_loss_min", "train_loss_max", "train_loss_sd", "learning_rate",
           "grad_norm", "penalty", "train_loss_eval", "val_f1", "val_r2"]
OF_RUN = COLUMNS[2:12]
FIRST_OF_POINT = COLUMNS.index("point")
# What the view leaves out and a sweep must come to all the same: by table, the run's number first.
# Not runs.settings and labels.facts, whose form is the program's own.
TOLD = {
    "runs": "SELECT number, seed, epochs, stop_reason, metric_value, best_epoch, val_loss,"
            " val_acc, test_loss, test_acc, error_class, error_text, guide_ref, treats_pattern,"
            " treats_cause, change FROM runs WHERE sweep_id = ? ORDER BY number",
    "labels": "SELECT r.number, l.runner_up, l.confidence, l.tags, l.evidence, l.causes"
              " FROM labels AS l JOIN runs AS r ON r.id = l.run_id WHERE r.sweep_id = ?"
              " ORDER BY r.number",
    "layer_stats": "SELECT r.number, s.point, s.layer, s.name, s.grad_norm, s.weight_norm,"
                   " s.update_ratio, s.dead, s.saturated FROM layer_stats AS s"
                   " JOIN runs AS r ON r.id = s.run_id WHERE r.sweep_id = ?"
                   " ORDER BY r.number, s.point, s.layer",
    "findings": 'SELECT NULL, kind, "row", "column", count, text FROM findings'
                " WHERE sweep_id = ? ORDER BY id",
    "range_edits": "SELECT NULL, position, kind, setting, from_value, to_value, guide_ref, sentence"
                   " FROM range_edits WHERE sweep_id = ? ORDER BY position",
}
# One row each, shown as it is: the states the sweep was in when somebody looked, its runs best
# first, and those that gave a stored point again with other bits.
LISTS = ["ends", "best_runs", "points_differ"]


# --- the data: integers of a generator of its own, the same with any Python ----------------------

class Numbers:
    """Knuth's 64-bit linear congruential generator."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2 ** 64
        return (self.state >> 33) % n


def write_idx(folder, prefix, rows, labels):
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/{prefix}-images-idx3-ubyte", "wb") as f:
        f.write(struct.pack(">HBBIII", 0, 8, 3, len(rows), 8, 8) + bytes(sum(rows, [])))
    with open(f"{folder}/{prefix}-labels-idx1-ubyte", "wb") as f:
        f.write(struct.pack(">HBBI", 0, 8, 1, len(labels)) + bytes(labels))


def write_noise(folder):
    """Images whose class has nothing to do with them: all that is learnt is by heart."""
    n = Numbers(1)
    for prefix, count in (("train", 200), ("t10k", 50)):
        rows = [[n.below(256) for _ in range(64)] for _ in range(count)]
        write_idx(folder, prefix, rows, [n.below(2) for _ in range(count)])


def npy(kind, shape, body):
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + body


def write_sequences(path):
    """10 steps of 3 numbers; the class is which of the three rises most."""
    n, x, y = Numbers(2), [], []
    for _ in range(300):
        rise = [n.below(9) for _ in range(3)]
        x += [(rise[c] * step + n.below(16)) / 32 for step in range(10) for c in range(3)]
        y.append(rise.index(max(rise)))
    with zipfile.ZipFile(path, "w") as z:
        for name, data in (("x", npy("<f4", (300, 10, 3), struct.pack(f"<{len(x)}f", *x))),
                           ("y", npy("<i8", (300,), struct.pack(f"<{len(y)}q", *y)))):
            z.writestr(zipfile.ZipInfo(name + ".npy"), data)


def write_houses(path, seed, count):
    """A price by size, rooms and place; a few sizes are missing."""
    n = Numbers(seed)
    with open(path, "w", encoding="utf-8") as f:
        f.write("size,rooms,place,price\n")
        for i in range(count):
            size, rooms = 20 + n.below(180), 1 + n.below(6)
            place = ("town", "coast", "hill")[n.below(3)]
            price = size * 24 + rooms * 80 + len(place) * 130 + n.below(900)
            f.write(f"{'nan' if i % 37 == 5 else size},{rooms},{place},{price / 8192:.6f}\n")


def write_classes(path):
    """Three classes of unequal size, by the sum of two of five numbers."""
    n = Numbers(4)
    with open(path, "w", encoding="utf-8") as f:
        for _ in range(260):
            row = [n.below(1000) for _ in range(5)]
            label = (row[0] + row[3] + n.below(200)) // 750
            f.write("\t".join(f"{v / 100:.2f}" for v in row) + f"\t{label}\n")


def write_holes(path):
    n = Numbers(5)
    with open(path, "w", encoding="utf-8") as f:
        for i in range(240):
            a, b = n.below(100), n.below(100)
            f.write(f"{'nan' if i % 60 == 7 else a / 50 - 1},{b / 50 - 1},{int(a > b)}\n")


def make_data(folder):
    write_noise(f"{folder}/noise")
    write_sequences(f"{folder}/sequences.npz")
    write_houses(f"{folder}/houses.csv", 3, 260)
    write_houses(f"{folder}/houses-test.csv", 33, 60)
    write_classes(f"{folder}/classes.tsv")
    write_holes(f"{folder}/holes.csv")


class Data:
    """A folder with the data of all golden sweeps, for a `with` block."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="sweepd-data-")
        make_data(self.folder)
        return self.folder

    def __exit__(self, *exc):
        shutil.rmtree(self.folder)


def spec_of(name, folder):
    with open(os.path.join(GOLDEN, "specs", name + ".json"), encoding="utf-8") as f:
        return json.loads(f.read().replace(PLACEHOLDER, folder))


# --- what a sweep came to ------------------------------------------------------------------------

def exact(row):
    """A row as `sqlite3 -quote` would show it, but with Python's shortest decimal that gives the
    same bits: independent of SQLite's version. Type and value both count."""
    return ",".join("NULL" if v is None else repr(v) for v in row)


def sha256(rows):
    return hashlib.sha256("".join(exact(r) + "\n" for r in rows).encode()).hexdigest()


def by_run(rows, index):
    runs = {}
    for row in rows:
        runs.setdefault(row[index], []).append(row)
    return runs


def without(folder, rows):
    """As they would have been written before LATER."""
    def same(v):
        if isinstance(v, str):
            v = v.replace(folder, PLACEHOLDER)
            for key in LATER:
                v = v.replace(key, "")
        return v
    return [tuple(same(v) for v in row) for row in rows]


def read_content(d, sweep, folder, ends):
    """(rows of canonical_content, rows by table of TOLD) of that sweep."""
    name, = d.sql("SELECT name FROM sweeps WHERE id = ?", sweep)[0]
    equal(d.sql("SELECT count(*) FROM sweeps WHERE name = ?", name), [(1,)], f"sweeps named {name}")
    rows = d.sql(f"SELECT {', '.join(COLUMNS)} FROM canonical_content WHERE sweep = ?"
                 " ORDER BY number, point", name)
    rows = without(folder, rows)
    told = {t: without(folder, d.sql(query, sweep)) for t, query in TOLD.items()}
    told["ends"] = [(None,) + tuple(ends)]
    best = d.sql("SELECT number FROM best_runs WHERE sweep_id = ? ORDER BY rank", sweep)
    told["best_runs"] = [(None,) + tuple(n for n, in best)]
    again = d.sql("SELECT DISTINCT r.number FROM events AS e JOIN runs AS r ON r.id = e.run_id"
                  " WHERE e.kind = 'nondeterminism' AND r.sweep_id = ? ORDER BY 1", sweep)
    told["points_differ"] = [(None,) + tuple(n for n, in again)]
    return rows, told


def describe_run(rows, told):
    """A run in a line: what a person knows it by, and its numbers' hash."""
    line = dict(zip(OF_RUN, rows[0][2:12]))
    line["points"] = sum(r[FIRST_OF_POINT] is not None for r in rows)
    line["val_loss"] = repr(rows[-1][COLUMNS.index("val_loss")])
    line["curve"] = sha256([r[FIRST_OF_POINT:] for r in rows])[:16]
    for table, of_run in told.items():
        line[table] = sha256(of_run.get(line["number"], []))[:16]
    return line


def describe(key, content):
    """The lines of an expectation: first the sweep, then each of its runs."""
    rows, told = content
    check(rows, f"{key}: no rows")
    of_runs = {t: by_run(told[t], 0) for t in ("runs", "labels", "layer_stats")}
    head = {"sweep": key, "rows": len(rows), "sha256": sha256(rows), "spec": rows[0][1]}
    for table in sorted(set(told) - set(of_runs)):
        if table in LISTS:
            head[table] = list(told[table][0][1:])
        else:
            head[table] = sha256(told[table])[:16]
    return [head] + [{"sweep": key, **describe_run(of_run, of_runs)}
                     for of_run in by_run(rows, COLUMNS.index("number")).values()]


def name_of(line):
    return f"{line['sweep']}, run {line['number']}" if "number" in line else line["sweep"]


def differences(asked, seen):
    """Complaints, each with the run it is about; none: equal in every bit."""
    asked, seen = ({name_of(x): x for x in lines} for lines in (asked, seen))
    complaints = []
    for name in list(asked) + [n for n in seen if n not in asked]:
        if name not in seen or name not in asked:
            complaints.append(f"{name}: {'missing' if name in asked else 'not asked for'}")
            continue
        for member in list(asked[name]) + [m for m in seen[name] if m not in asked[name]]:
            a, b = asked[name].get(member), seen[name].get(member)
            if a != b:
                complaints.append(f"{name}: {member}: asked {a!r}, seen {b!r}")
    return complaints


# --- expectations --------------------------------------------------------------------------------

SCRIPTS = {"sweeps": "test_golden.py", "databases": "test_databases.py"}


def is_sanitized():
    """Whether the programs are built with AddressSanitizer, which makes them slow."""
    with open(SWEEPD, "rb") as f:
        return b"__asan_init" in f.read()


def without_sanitizers(test):
    """For tests of what is stored, through ways that others go with sanitizers too: there they
    would only be slow."""
    @functools.wraps(test)
    def wrapped():
        if is_sanitized():
            raise Skip("with sanitizers, random kills and the soak go the same ways")
        test()
    return wrapped


def machine():
    """(core type, BLAS version) as the database has them of runs on this machine."""
    with Data() as folder, Daemon(workers=1) as d:
        spec = spec_of("held", folder)
        spec["parameters"] = {"learning_rate": {"values": [0.1]}}
        spec["data"]["on_nan"] = "drop"
        equal(d.wait(d.submit(spec))["status"], "completed")
        return d.sql("SELECT core_type, blas_version FROM runs")[0]


def expectation_files(what):
    return sorted(glob.glob(os.path.join(GOLDEN, "expected", "*", what + ".jsonl")))


def load_expectation(what):
    """Lines by sweep for this machine's kernels, else a skip that says why."""
    core, blas = machine()
    known = []
    for path in expectation_files(what):
        with open(path, encoding="utf-8") as f:
            key, *lines = map(json.loads, f)
        if (key["core_type"], key["blas_version"]) == (core, blas):
            return by_run(lines, "sweep")
        known.append(key["core_type"])
    raise Skip(f"golden {what}: no expectation for core type {core} of {blas} (there are: "
               f"{', '.join(known) or 'none'}); make one with a tree that is right: "
               f"BUILD=build python3 tests/integration/{SCRIPTS[what]} --record")


def store_expectation(what, contents):
    core, blas = machine()
    library = re.sub(r"[^A-Za-z0-9.]+", "-", " ".join(blas.split()[:2]))
    digest = hashlib.sha256(blas.encode()).hexdigest()[:8]
    folder = os.path.join(GOLDEN, "expected", f"{core}-{library}-{digest}")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, what + ".jsonl")
    with open(path, "w", encoding="utf-8") as f:
        f.write(json.dumps({"core_type": core, "blas_version": blas}) + "\n")
        for key, content in contents.items():
            for line in describe(key, content):
                f.write(json.dumps(line, ensure_ascii=False) + "\n")
    print(f"recorded {sum(len(rows) for rows, _ in contents.values())} rows of "
          f"{len(contents)} sweeps in {path}")


def compare(expectation, contents):
    """Every sweep of contents against its expectation; prints how much was compared."""
    complaints, runs = [], 0
    for key, content in contents.items():
        seen = describe(key, content)
        runs += len(seen) - 1
        complaints += differences(expectation.get(key, []), seen)
    check(not complaints, f"{len(complaints)} differences:\n" + "\n".join(complaints[:40]))
    print(f"# compared {sum(len(rows) for rows, _ in contents.values())} rows of {runs} runs of "
          f"{len(contents)} sweeps: equal in every bit", flush=True)


# --- sweeps --------------------------------------------------------------------------------------

def let_go_on(d, sweep):
    """What is held for its data a person resumes. The states that it has been in by then."""
    if d.sql("SELECT status FROM sweeps WHERE id = ?", sweep) != [("held",)]:
        return []
    d.call("resume", sweep=sweep)
    return ["held"]


def run_sweep(name, folder, workers, disturb=None, arguments=()):
    """Content of a golden sweep in a daemon of its own. disturb(daemon): called while it runs."""
    with Daemon(workers=workers, arguments=arguments) as d:
        sweep = d.submit(spec_of(name, folder))
        ends = let_go_on(d, sweep)
        if disturb:
            disturb(d)
        ends.append(d.wait(sweep)["status"])
        equal(ends[-1], "completed", f"{name}: status")
        return read_content(d, sweep, folder, ends)
