"""A trained network answers for new rows as the training program scored it, without its data."""
import csv
import io
import json
import os
import random
import shutil
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon  # noqa: E402
from tap import Skip, check, equal, run  # noqa: E402

JOBS = ["cook", "smith", 'says "no", thanks', "Bäcker"]


def person(r):
    return {"age": r.randrange(18, 80), "job": r.choice(JOBS), "height": f"{r.gauss(170, 9):.2f}"}


def with_class(p, r):
    score = p["age"] / 20 + JOBS.index(p["job"]) + r.gauss(0, 0.5)
    return {**p, "kind": "low" if score < 3 else "middle" if score < 4.5 else "high, very"}


def with_price(p, r):
    return {**p, "price": f"{250000 + 900 * p['age'] * (1 + JOBS.index(p['job'])) + r.gauss(0, 3000):.2f}"}


def write(path, rows, columns=None, hole=None):
    columns = columns or list(rows[0])
    with open(path, "w", newline="", encoding="utf-8") as f:
        w = csv.writer(f)
        w.writerow(columns)
        for i, row in enumerate(rows):
            w.writerow(["" if hole == (i, c) else row.get(c, "") for c in columns])
    return path


def make_tables(home, of):
    r = random.Random(5)
    parts = {}
    for name, count in (("train", 300), ("valid", 90), ("test", 70)):
        rows = [of(person(r), r) for _ in range(count)]
        parts[name] = rows
        write(os.path.join(home, name + ".csv"), rows)
    return parts


def train(d, **more):
    data = {"path": f"{d.home}/train.csv", "format": "csv", "scale": "standard",
            "validation_path": f"{d.home}/valid.csv", "test_path": f"{d.home}/test.csv",
            **more.pop("data", {})}
    spec = {"name": "predict", "method": "grid", "data": data, "model": {"width": 16, "depth": 1},
            "train": {"batch_size": 20, **more.pop("train", {})},
            "parameters": {"learning_rate": {"values": [0.02]}}, "epochs": 6, **more}
    sweep = json.loads(d.ctl("submit", "-", "--json", text=json.dumps(spec), check=0).stdout)["sweep"]
    d.ctl("wait", sweep, check=0)
    columns = "id, val_loss, val_acc, test_loss, test_acc"
    return d.sql(f"SELECT {columns} FROM runs WHERE sweep_id = ?", sweep)[0]


def answers(d, run_id, path, *options):
    said = d.ctl("predict", run_id, path, *options, check=0).stdout
    rows = list(csv.DictReader(io.StringIO(said)))
    equal([x["row"] for x in rows], [str(i + 1) for i in range(len(rows))], "rows in their order")
    return rows


def refused(d, run_id, path, *words):
    said = d.ctl("predict", run_id, path)
    equal(said.returncode, 1, said.stdout)
    for word in words:
        check(word in said.stderr, f"{word!r} in {said.stderr!r}")


def best_point(d, run_id):
    """The run's own scores at the point whose weights it kept."""
    return d.sql("SELECT val_loss, val_acc, val_f1, val_r2 FROM curves WHERE run_id = ?1"
                 " ORDER BY val_loss LIMIT 1", run_id)[0]


def accuracy(said, rows):
    return sum(a["prediction"] == row["kind"] for a, row in zip(said, rows)) / len(rows)


def test_classes_as_the_training_program_scored_them():
    with Daemon() as d:
        parts = make_tables(d.home, with_class)
        run_id, _, _, _, test_acc = train(d)
        valid, test = os.path.join(d.home, "valid.csv"), os.path.join(d.home, "test.csv")
        said = answers(d, run_id, valid)
        equal(accuracy(said, parts["valid"]), best_point(d, run_id)[1], "the run's val_acc")
        equal(accuracy(answers(d, run_id, test), parts["test"]), test_acc, "the run's test_acc")
        names = sorted({row["kind"] for row in parts["train"]})
        equal(list(said[0]), ["row", "prediction"] + [f"probability {n}" for n in names])
        for a in said:
            chances = [float(a[f"probability {n}"]) for n in names]
            check(abs(sum(chances) - 1) < 1e-6, chances)
            equal(names[chances.index(max(chances))], a["prediction"])
        # Other columns, another order, no target: the same answers.
        other = [{"x": "?", **row} for row in parts["valid"]]
        mixed = write(os.path.join(d.home, "mixed.csv"), other, ["height", "x", "job", "age"])
        equal(answers(d, run_id, mixed), said)
        # Without its data, from the weights alone.
        out = os.path.join(d.home, "out.csv")
        for name in ("train", "valid", "test"):
            os.remove(os.path.join(d.home, name + ".csv"))
        shutil.rmtree(os.path.join(d.home, "cache"), ignore_errors=True)
        d.ctl("predict", run_id, mixed, "-o", out, check=0)
        with open(out, encoding="utf-8") as f:
            equal(list(csv.DictReader(f)), said)
        again = d.ctl("predict", run_id, mixed, "-o", out)
        check(again.returncode == 1 and "--force" in again.stderr, again.stderr)


def test_columns_of_one_name():
    """Of those that have one name the first of a file belongs to the first of the other."""
    r = random.Random(8)
    with Daemon() as d:
        rows = [[r.random() for _ in range(4)] for _ in range(120)]
        for row in rows:
            row.append("up" if row[0] + 3 * row[2] > 2 else "down")
        for name in ("train", "valid", "test"):
            with open(os.path.join(d.home, name + ".csv"), "w", newline="", encoding="utf-8") as f:
                csv.writer(f).writerows([["x", "z", "x", "a", "kind"], *rows])
        run_id = train(d, data={"target": "kind"})[0]
        said = answers(d, run_id, os.path.join(d.home, "valid.csv"))
        mixed = os.path.join(d.home, "mixed.csv")
        with open(mixed, "w", newline="", encoding="utf-8") as f:
            csv.writer(f).writerows([["a", "x", "x", "z"], *[[w[3], w[0], w[2], w[1]] for w in rows]])
        equal(answers(d, run_id, mixed), said)
        with open(mixed, "w", newline="", encoding="utf-8") as f:
            csv.writer(f).writerows([["a", "x", "z"], *[[w[3], w[0], w[1]] for w in rows]])
        refused(d, run_id, mixed, 'no column "x"')


def test_what_a_training_file_may_not_be():
    with Daemon() as d:
        parts = make_tables(d.home, with_class)
        run_id = train(d)[0]
        rows = parts["test"]
        new = os.path.join(d.home, "new.csv")
        write(new, rows, ["age", "height"])
        refused(d, run_id, new, new, "line 1", 'no column "job"', '"age"')
        write(new, [*rows[:3], {**rows[3], "job": "baker"}])
        refused(d, run_id, new, "line 5", "baker", "cook")
        write(new, [*rows[:3], {**rows[3], "age": "old"}])
        refused(d, run_id, new, "line 5", "old", "age")
        write(new, rows, hole=(6, "height"))
        refused(d, run_id, new, "row 7", "height", "data.on_nan")
        write(new, rows, hole=(6, "job"))
        refused(d, run_id, new, "row 7", "job")
        with open(new, "w") as f:
            f.write("")
        refused(d, run_id, new, "empty")
        refused(d, run_id, os.path.join(d.home, "nowhere.csv"), "nowhere.csv")
        equal(d.ctl("predict", run_id).returncode, 2, "no file")


def mean_squared(said, rows):
    errors = [float(a["prediction"]) - float(row["price"]) for a, row in zip(said, rows)]
    return sum(e * e for e in errors) / len(errors)


def test_values_in_their_own_units():
    with Daemon() as d:
        parts = make_tables(d.home, with_price)
        run_id, _, _, test_loss, _ = train(d)
        said = answers(d, run_id, os.path.join(d.home, "valid.csv"))
        val_loss, _, _, r2 = best_point(d, run_id)
        loss = mean_squared(said, parts["valid"])
        check(abs(loss - val_loss) < 1e-5 * val_loss, f"{loss} as val_loss {val_loss}")
        prices = [float(row["price"]) for row in parts["valid"]]
        spread = sum((p - sum(prices) / len(prices)) ** 2 for p in prices) / len(prices)
        check(abs(1 - loss / spread - r2) < 1e-5, f"{1 - loss / spread} as val_r2 {r2}")
        check(r2 > 0.5, f"prices train at all: {r2}")
        loss = mean_squared(answers(d, run_id, os.path.join(d.home, "test.csv")), parts["test"])
        check(abs(loss - test_loss) < 1e-5 * test_loss, f"{loss} as test_loss {test_loss}")


def test_holes_as_in_training():
    with Daemon() as d:
        parts = make_tables(d.home, with_price)
        for on_nan, empty in (("impute", False), ("drop", True)):
            run_id = train(d, data={"on_nan": on_nan})[0]
            new = write(os.path.join(d.home, "new.csv"), parts["test"], hole=(6, "height"))
            said = answers(d, run_id, new)
            equal([a["row"] for a in said if a["prediction"] == ""], ["7"] if empty else [])


def test_arrays_without_names():
    """A hole is told by its feature, and nothing is known of columns."""
    with Daemon() as d:
        r = random.Random(3)
        rows = [[r.gauss(0, 1) for _ in range(3)] for _ in range(60)]
        path = os.path.join(d.home, "t.libsvm")

        def put(name, table):
            with open(name, "w") as f:
                for row in table:
                    numbers = " ".join(f"{i + 1}:{v}" for i, v in enumerate(row))
                    print(int(row[0] > 0), numbers, file=f)
            return name

        put(path, rows)
        spec = {"name": "plain", "method": "grid", "epochs": 3, "model": {"width": 8},
                "data": {"path": path, "format": "libsvm", "validation": 12},
                "parameters": {"learning_rate": {"values": [0.1]}}}
        d.ctl("submit", "-", text=json.dumps(spec), check=0)
        d.ctl("wait", 1, check=0)
        said = answers(d, 1, path)
        equal({a["prediction"] for a in said}, {"0", "1"})
        rows[4][1] = float("nan")
        refused(d, 1, put(os.path.join(d.home, "n.libsvm"), rows), "n.libsvm")
        told = json.loads(d.ctl("predict", 1, path, "--json", check=0).stdout)
        equal((told["run"], told["rows"], told["file"]), (1, 60, None))


def spoken(value):
    """As a spreadsheet of another country writes it."""
    return f"{value:,.2f}".replace(",", " ").replace(".", ",")


def write_spoken(path, rows, columns):
    with open(path, "w", encoding="latin-1") as f:
        print(";".join(columns), file=f)
        for i, row in enumerate(rows):
            told = {"id": str(i), "Größe": "k. A." if i % 20 == 3 else spoken(float(row["height"])),
                    "Beruf": '"' + row["job"].replace('"', '""') + '"', "Alter": row["age"],
                    "Preis": spoken(float(row["price"])) + " EUR"}
            print(";".join(str(told[c]) for c in columns), file=f)
    return path


def test_tables_as_people_write_them():
    with Daemon() as d:
        parts = make_tables(d.home, with_price)
        columns = ["id", "Größe", "Beruf", "Alter", "Preis"]
        for name, rows in parts.items():
            write_spoken(os.path.join(d.home, name + ".csv"), rows, columns)
        run_id, _, _, test_loss, _ = train(d, data={"ignore": ["id"], "on_nan": "impute",
                                                    "missing": ["k. A."]})
        test = os.path.join(d.home, "test.csv")
        said = answers(d, run_id, test)
        loss = mean_squared(said, parts["test"])
        check(abs(loss - test_loss) < 1e-5 * test_loss, f"{loss} as test_loss {test_loss}")
        write_spoken(test, parts["test"], ["Alter", "Beruf", "Größe"])
        equal(answers(d, run_id, test), said, "other columns, another order")


# --- the exported models ------------------------------------------------------------------------

def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7f) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def message(data):
    """Fields of a protocol buffers message: {number: [values]}."""
    fields, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            length, at = varint(data, at)
            check(at + length <= len(data), "a field within its message")
            value, at = data[at:at + length], at + length
        else:
            equal(key & 7, 5, "a fixed 32")
            value, at = struct.unpack("<f", data[at:at + 4])[0], at + 4
        fields.setdefault(key >> 3, []).append(value)
    return fields


def read_onnx(path):
    with open(path, "rb") as f:
        model = message(f.read())
    graph = message(model[7][0])
    nodes = [message(n) for n in graph[1]]
    known = {message(v)[1][0] for v in graph[11]} | {message(t)[8][0] for t in graph[5]}
    for n in nodes:
        check(set(n.get(1, [])) <= known, f"{n} takes what is there")
        known |= set(n[2])
    for v in graph[12]:
        check(message(v)[1][0] in known, "outputs are computed")
    metadata = {message(m)[1][0].decode(): message(m)[2][0].decode() for m in model.get(14, [])}
    return [n[4][0].decode() for n in nodes], metadata, graph


def export(d, run_id):
    names = [os.path.join(d.home, f"net{run_id}{end}") for end in (".safetensors", ".py", ".onnx")]
    d.ctl("export", run_id, "-o", names[0], "--torch-module", names[1], "--onnx", names[2], check=0)
    return names


def test_exported_with_all_that_it_needs():
    with Daemon() as d:
        make_tables(d.home, with_price)
        run_id = train(d)[0]
        weights, module, onnx = export(d, run_id)
        with open(weights, "rb") as f:
            data = f.read()
        header = json.loads(data[8:8 + struct.unpack("<Q", data[:8])[0]])
        told = json.loads(header["__metadata__"]["preprocessing"])
        equal([told["task"], told["input"], told["missing"]], ["regression", "numbers", "refuse"])
        equal(len(told["shift"]), 6, "age, four jobs, height")
        equal(told["schema"]["target"], "price")
        equal([c["name"] for c in told["schema"]["columns"]], ["age", "job", "height", "price"])
        equal(told["schema"]["columns"][1]["categories"], sorted(JOBS))
        with open(module, encoding="utf-8") as f:
            source = f.read()
        compile(source, module, "exec")
        for part in ("COLUMNS", "def encode", "input_shift", "* self.target_unit"):
            check(part in source, part)
        kinds, metadata, _ = read_onnx(onnx)
        equal(json.loads(metadata["preprocessing"]), told)
        equal(kinds, ["Sub", "Mul", "Transpose", "MatMul", "Add", "Relu", "Transpose", "MatMul",
                      "Add", "Mul", "Add", "Identity"])


def encode(rows, told):
    numbers = []
    for row in rows:
        one = []
        for c in told["schema"]["columns"]:
            if "categories" in c:
                one += [float(row[c["name"]] == x) for x in c["categories"]]
            elif not c.get("target"):
                one.append(float(row[c["name"]]))
        numbers.append(one)
    return numbers


def test_onnxruntime_gives_the_same():
    try:
        import numpy
        import onnxruntime
    except ImportError:
        raise Skip("onnxruntime is not installed") from None
    with Daemon() as d:
        parts = make_tables(d.home, with_price)
        run_id = train(d)[0]
        onnx = export(d, run_id)[2]
        said = answers(d, run_id, os.path.join(d.home, "test.csv"))
        told = json.loads(read_onnx(onnx)[1]["preprocessing"])
        x = numpy.array(encode(parts["test"], told), "float32")
        y, = onnxruntime.InferenceSession(onnx).run(["output"], {"input": x})
        for ours, theirs in zip(said, y[:, 0]):
            check(abs(float(ours["prediction"]) - theirs) < 1e-5 * abs(theirs), f"{ours} {theirs}")


if __name__ == "__main__":
    run(test_classes_as_the_training_program_scored_them, test_columns_of_one_name,
        test_what_a_training_file_may_not_be,
        test_values_in_their_own_units, test_holes_as_in_training, test_arrays_without_names,
        test_tables_as_people_write_them,
        test_exported_with_all_that_it_needs, test_onnxruntime_gives_the_same)
