"""Tables as people find them: with nothing but path and format they are read as they are meant, or
refused by a message that names the key to add."""
import bz2
import functools
import gzip
import io
import json
import lzma
import os
import random
import struct
import subprocess
import sys
import tempfile
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon, RpcError, small_spec  # noqa: E402
from tap import check, equal, run  # noqa: E402

WORKER = os.path.join(os.environ["BUILD"], "worker", "sweep-worker")


class Folder:
    """Files, and what `sweep-worker --prepare` makes of them."""

    def __init__(self, home):
        self.home = home

    def write(self, name, content):
        path = os.path.join(self.home, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(content.encode() if isinstance(content, str) else content)
        return path

    def prepare(self, path, kind="csv", **data):
        config = {"version": 1, "data": {"path": path, "format": kind, "validation": 10, **data},
                  "model": {"width": 4}, "train": {}, "epochs": 1, "seed": "1", "split_seed": "1",
                  "weights": os.path.join(self.home, "w")}
        name = self.write("config.json", json.dumps(config))
        env = {**os.environ, "XDG_CACHE_HOME": os.path.join(self.home, "cache")}
        done = subprocess.run([WORKER, "--prepare", name], env=env, capture_output=True, text=True,
                              check=False)
        return json.loads(done.stdout)

    def read(self, name, content, kind="csv", **data):
        line = self.prepare(self.write(name, content), kind, **data)
        equal(line["type"], "prepared", f"{name}: {line.get('message')}")
        return line

    def refused(self, name, content, *words, kind="csv", **data):
        line = self.prepare(self.write(name, content), kind, **data)
        equal(line["type"], "error", f"{name}: accepted: {line}")
        for word in words:
            check(word in line["message"], f"{name}: {word!r} is not in {line['message']}")


def in_folder(test):
    @functools.wraps(test)
    def wrapped():
        with tempfile.TemporaryDirectory() as home:
            test(Folder(home))
    return wrapped


def sizes(line):
    return line["samples"], line["features"], line["classes"]


def said(line, *words):
    text = " ".join(f"{n['key']} {n['text']}" for n in line["notes"]) + " ".join(
        f"{f['kind']} {f['text']}" for f in line["findings"])
    for word in words:
        check(word in text, f"{word!r} is not said: {text}")


def rows(count, make, seed=1):
    r = random.Random(seed)
    return [make(r, i) for i in range(count)]


def lines(rows_of, sep=","):
    return "".join(sep.join(map(str, row)) + "\n" for row in rows_of)


# ------------------------------------------------------------------ ten tables

def adult(r, i):
    work = r.choice(["Private", "State-gov", "?", "Self-emp"])
    return [r.randint(17, 80), work, r.randint(20000, 90000), r.choice(["Male", "Female"]),
            r.choice(["United-States", "Cuba", "?"]), r.choice(["<=50K", ">50K"])]


@in_folder
def test_adult(f):
    """No header, blanks behind commas, '?'; the test file has a line before and labels with '.'."""
    train = f.write("adult.data", lines(rows(120, adult), ", "))
    test = f.write("adult.test", "|1x3 Cross validator\n" + "".join(
        line + ".\n" for line in lines(rows(60, adult, 2), ", ").splitlines()))
    line = f.prepare(train, test_path=test)
    equal(line["type"], "prepared", line.get("message"))
    equal(sizes(line), (120, 1 + 3 + 1 + 2 + 2, 2))
    equal(line["test_samples"], 60)
    said(line, "no header", "nan_in_input not a number at row")


@in_folder
def test_auto_mpg(f):
    """Runs of blanks, a tab before a quoted name, '?' in a column of numbers."""
    text = "".join(f"{10 + i % 9}.{i % 7}   {4 + i % 3 * 2}   {'?' if i % 40 == 9 else f'{90 + i % 50}.'}"
                   f"   {i % 3 + 1}\t\"car {i}\"\n" for i in range(120))
    for kind in ("csv", "tsv"):
        f.refused("auto-mpg.data", text, "column 5", "car 0", "data.ignore: [5]", kind=kind,
                  target=1)
        line = f.read("auto-mpg.data", text, kind, target=1, ignore=5)
        equal(sizes(line), (120, 3, 0))
        said(line, "runs of blanks", "nan_in_input not a number at row 10, column 3")


@in_folder
def test_wine(f):
    text = '"fixed acidity";"pH";"quality"\n' + lines(
        rows(200, lambda r, i: [round(r.uniform(5, 9), 1), round(r.uniform(2.8, 3.6), 2),
                                r.randint(4, 7)]), ";")
    line = f.read("wine.csv", text)
    equal(sizes(line), (200, 2, 4))
    equal(line["target"], "quality")
    said(line, "semicolons", "line 1 names the columns")


@in_folder
def test_titanic(f):
    """Names are no features; holes wait for a person."""
    text = "PassengerId,Survived,Sex,Age,Name\n" + lines(
        rows(150, lambda r, i: [i + 1, r.randint(0, 1), r.choice(["male", "female"]),
                                "" if i % 20 == 3 else r.randint(1, 70),
                                f'"Braund, Mr. O. {i}"']))
    f.refused("titanic.csv", text, 'column 5 ("Name") is the target', "data.target", target="Name")
    f.refused("titanic.csv", text, 'column 5 ("Name")', "data.ignore: [5]", target="Survived")
    line = f.read("titanic.csv", text, target="Survived", ignore="Name")
    equal(sizes(line), (150, 4, 2))
    said(line, "index_column column 1 (PassengerId)", "nan_in_input not a number at row 4, column 4")


@in_folder
def test_wdbc(f):
    text = lines(rows(569, lambda r, i: [842302 + i * 7919 % 569 * 61, r.choice("MB"),
                                         round(r.gauss(14, 3), 2), round(r.gauss(19, 4), 2)]))
    line = f.read("wdbc.data", text, target=2)
    equal(sizes(line), (569, 3, 2))
    said(line, "identifier_column column 1", "data.ignore: [1]")


@in_folder
def test_diabetes(f):
    text = "AGE\tSEX\tBMI\tY\n" + lines(
        rows(300, lambda r, i: [r.randint(19, 79), r.randint(1, 2), round(r.uniform(18, 42), 1),
                                r.randint(25, 346)]), "\t")
    for kind in ("csv", "tsv"):
        equal(sizes(f.read("diabetes.txt", text, kind)), (300, 3, 0))


@in_folder
def test_house_prices(f):
    """Words for nothing in columns of text and numbers; prices with marks and a currency."""
    text = "Id,Alley,LotFrontage,Style,SalePrice\n" + lines(
        rows(200, lambda r, i: [i + 1, r.choice(["NA", "Pave", "Grvl"]),
                                "NA" if i % 9 == 2 else r.randint(20, 120),
                                r.choice(["1Story", "2Story", "SLvl"]),
                                f'"${r.randint(80, 400)},{r.randint(0, 999):03d}"']))
    line = f.read("house.csv", text)
    equal(sizes(line), (200, 1 + 2 + 1 + 3, 0))
    said(line, "index_column column 1 (Id)", "$", "marks between thousands",
         "column 3 (LotFrontage)")


@in_folder
def test_higgs(f):
    text = "".join(f"{i % 2} 1:{i % 7 / 7:.3f} 3:{i % 5} 28:{i % 3 / 2}\n" for i in range(100))
    equal(sizes(f.read("higgs", text, "libsvm")), (100, 28, 2))
    zero = text.replace(" 1:", " 0:")
    line = f.read("zero", zero, "libsvm")
    equal(sizes(line), (100, 29, 2))
    said(line, "indices begin at 0")
    for name, pack in (("bz2", bz2.compress), ("xz", lzma.compress), ("gz", gzip.compress)):
        packed = pack(text.encode())
        line = f.prepare(f.write("higgs." + name, packed), "libsvm")
        if "built without" in line.get("message", ""):
            continue
        equal(sizes(line), (100, 28, 2))
        f.refused("cut." + name, packed[:-9], "too early", kind="libsvm")


@in_folder
def test_dates(f):
    text = "date,day,load\n" + lines([f"2021-{i // 28 + 1:02d}-{i % 28 + 1:02d}",
                                      20210101 + i // 28 * 100 + i % 28, i % 13 / 3]
                                     for i in range(150))
    f.refused("dates.csv", text, 'column 1 ("date")', "dates", "data.ignore: [1]")
    line = f.read("dates.csv", text, ignore=["date"])
    said(line, "date_column column 2 (day)")
    f.refused("dates.csv", text, "no column is left", ignore=["date", 2])


@in_folder
def test_a_target_of_dates(f):
    text = "a,due\n" + lines([i % 13 / 3, f"2026-01-{i % 28 + 1:02d}"] for i in range(90))
    f.refused("due.csv", text, 'column 2 ("due")', "is the target and holds dates", '"2026-01-01"',
              "data.target", "data.task")
    equal(sizes(f.read("due.csv", text, task="classification")), (90, 1, 28))


@in_folder
def test_the_target_once_more(f):
    """Under another name, as a number, a word or the same number."""
    kinds = [(i * 7 % 5 / 3, (i + i * i // 4) % 3) for i in range(90)]
    text = "a,kind_id,kind\n" + lines([x, k + 1, "abc"[k]] for x, k in kinds)
    said(f.read("ids.csv", text), "target_column column 2 (kind_id)", "data.ignore: [2]")
    text = "a,kind,kind_id\n" + lines([x, "abc"[k], k + 1] for x, k in kinds)
    said(f.read("names.csv", text), "target_column column 2 (kind)")
    prices = [(i % 7, i * 0.37 + 0.11) for i in range(90)]
    text = "a,price,y\n" + lines([x, y, y] for x, y in prices)
    said(f.read("same.csv", text), "target_column column 2 (price)", "same as the target")
    for i, (near, what) in enumerate((
            (lines([x, "abc"[k] if n else "b", k + 1] for n, (x, k) in enumerate(kinds)), "a row"),
            (lines([x, "ab"[k % 2], k + 1] for x, k in kinds), "two classes of one name"))):
        found = f.read(f"near{i}.csv", "a,kind,kind_id\n" + near)["findings"]
        equal([x for x in found if x["kind"] == "target_column"], [], what)


@in_folder
def test_numbers_that_stand_for_nothing(f):
    text = "age,rain,percent,y\n" + lines(
        [-999 if i % 30 == 4 else i % 61, "9.96921e36" if i % 40 == 1 else i % 7 / 7, 99 - i % 50,
         9999 if i % 45 == 2 else i % 23 / 3] for i in range(90))
    line = f.read("sentinels.csv", text)
    said(line, 'column 1 ("age") is -999 in 3 rows and 0 to 60 in the others',
         'data.missing: ["-999"]', 'column 2 ("rain") is 9.96921e+36 in 3 rows', 'column 4 ("y") is 9999 in 2 rows')
    found = [x for x in line["findings"] if x["kind"] == "sentinel_value"]
    equal([(x["column"], x["count"]) for x in found], [(1, 3), (2, 3), (4, 2)])


@in_folder
def test_names_that_are_meant_as_one(f):
    words = ["yes", "Yes ", "no", "NO", "not-yet", "not yet"]
    text = "a,level,y\n" + lines([i % 13 / 3, ["lo", "Lo", "hi"][i % 3], words[i % 6]]
                                 for i in range(90))
    line = f.read("words.csv", text)
    said(line, 'column 2 ("level"), 3 of them', 'similar_names column 2 ("level"): "Lo" and "lo"',
         'similar_names column 3 ("y"): "NO" and "no"', "two classes")
    equal([x["count"] for x in line["findings"] if x["kind"] == "similar_names"], [1, 3])
    text = "a,y\n" + lines([i % 13 / 3, ["low", "mid", "high"][i % 3]] for i in range(90))
    equal([x for x in f.read("levels.csv", text)["findings"] if x["kind"] == "similar_names"], [])


@in_folder
def test_wide(f):
    header = ",".join(f"g{i}" for i in range(20000)) + ",kind\n"
    body = "".join(",".join(str((i * 31 + j) % 17) for j in range(20000)) + f",{'ab'[i % 2]}\n"
                   for i in range(20))
    equal(sizes(f.read("wide.csv", header + body)), (20, 20000, 2))


# ------------------------------------------------------------------ what is written otherwise

DATA = [[f"{i % 11 / 4 - 1:.3f}", f"{i * 7 % 13 / 8 - 1:.3f}", i % 2] for i in range(120)]


@in_folder
def test_headers(f):
    for header, count in (("0,1,2", 120), (",0,1", 120), ("2018,2019,2020", 120), ("a,b,y", 120),
                          ("sep=,\na,b,y", 120), ("# made today\n# a,b,y", 120),
                          ("# one\n# two\na,b,y", 120), ("The report\n\na,b,y", 120),
                          ("a,b,y\n(m),(s),(-)", 120)):
        line = f.read("h.csv", header + "\n" + lines(DATA))
        equal(line["samples"], count, header)
        said(line, "names the columns")
    line = f.read("h.csv", lines(DATA))
    equal(line["samples"], 120)
    said(line, "no header: line 1 is data")
    country = "country,2018,2019,2020\n" + lines([f"C{i % 9}", i % 7, i % 5, i % 2]
                                                 for i in range(60))
    equal(sizes(f.read("c.csv", country)), (60, 11, 2))
    mushroom = lines([["xbs"[i % 3], "yg"[i % 2], "pe"[i % 2]] for i in range(60)])
    equal(sizes(f.read("m.data", mushroom)), (60, 5, 2))
    equal(f.read("h.csv", "a,b,y\n" + lines(DATA), header=3, target=1)["samples"], 118)
    equal(f.read("h.csv", "x\ny\n1,2,0\n" + lines(DATA), skip_rows=3, header=False)["samples"],
          120)
    line = f.read("h.csv", "a,b,y\n" + lines(DATA) + "\nTotal: 120\n")
    equal(line["samples"], 120)
    said(line, "footer")


@in_folder
def test_encodings(f):
    text = "größe,b,y\n" + lines(DATA)
    for content in (text.encode("utf-8-sig"), text.encode("utf-16"), text.encode("utf-16-le"),
                    text.encode("latin-1"), text.replace("\n", "\r").encode(),
                    text.replace("-", "\u2212").encode(), text.replace(",", "\u00a0,").encode()):
        equal(sizes(f.read("e.csv", content, target="y")), (120, 2, 2), content[:20])
    chinese = ("面积,价格,城市,类别\n" + lines([a, b, ("北京", "上海")[i % 2], y]
                                        for i, (a, b, y) in enumerate(DATA))).encode("gb18030")
    line = f.read("gb.csv", chinese, target="类别", ignore=["价格"])
    equal(sizes(line), (120, 3, 2))
    said(line, "data.encoding", "the file is read as GB18030")
    russian = ("вес,рост,класс\n" + lines(DATA)).encode("koi8-r")
    equal(sizes(f.read("ru.csv", russian, target="класс", encoding="KOI8-R")), (120, 2, 2))
    f.refused("ru.csv", russian, "$.data.encoding", "KOI9", "iconv --list", encoding="KOI9")
    f.refused("ru.csv", b"a,b,y\n\x81" + lines(DATA).encode(), "line 2: a byte 0x81",
              encoding="SHIFT_JIS")


@in_folder
def test_rows_without_a_target(f):
    """A row needs its target; one key leaves such rows out, of every file."""
    for hole in ("", "NA", "nan"):
        rows = [[a, b, hole if i % 30 == 4 else y] for i, (a, b, y) in enumerate(DATA)]
        text = "a,b,y\n" + lines(rows)
        f.refused("w.csv", text, "line 6", "the target is", 'data.without_target: "drop"')
        line = f.read("w.csv", text, without_target="drop")
        equal(sizes(line), (116, 2, 2), hole)
        said(line, "data.without_target", "4 rows without a target are left out, the first in line 6")
        named = "a,b,y\n" + lines([a, b, y and f"class {y}"] if y not in ("NA", "nan") else [a, b, y]
                                  for a, b, y in rows)
        equal(sizes(f.read("w.csv", named, without_target="drop")), (116, 2, 2), hole)
    path = f.write("v.csv", text)
    line = f.read("w.csv", text, without_target="drop", test_path=path)
    equal((sizes(line), line["test_samples"]), ((116, 2, 2), 116))
    f.refused("w.csv", "a,b,y\n1,2,\n3,4,NA\n", "line 2", '"y"', "no row has a target",
              'data.without_target: "drop"', "data.target", without_target="drop")


@in_folder
def test_numbers(f):
    comma = "a;b;y\n" + lines([[a.replace(".", ","), b.replace(".", ","), y] for a, b, y in DATA],
                              ";")
    line = f.read("n.csv", comma)
    equal(sizes(line), (120, 2, 2))
    said(line, "decimal comma")
    for change in (lambda a: a + " km", lambda a: a + "%", lambda a: f'"{a} °C"',
                   lambda a: "$" + a.lstrip("-")):
        line = f.read("n.csv", "a,b,y\n" + lines([change(a), b, y] for a, b, y in DATA))
        equal(sizes(line), (120, 2, 2))
        said(line, "without their unit")
    for word in ("None", "null", "NA", "N/A", "#N/A", "<NA>", "nan", "-", "?", ".", ""):
        line = f.read("n.csv", "a,b,y\n" + lines(
            [word if i % 3 else a, b, y] for i, (a, b, y) in enumerate(DATA)))
        equal(sizes(line), (120, 2, 2), word)
        said(line, "column 1 (a)")
    odd = "a,b,y\n" + lines(["off" if i % 30 == 4 else a, b, y]
                            for i, (a, b, y) in enumerate(DATA))
    f.refused("n.csv", odd, '"off" (line 6), "off" (line 36), "off" (line 66)', "data.missing",
              "data.ignore: [1]")
    equal(sizes(f.read("n.csv", odd, missing=["...", "off"])), (120, 2, 2))
    equal(sizes(f.read("n.csv", odd, ignore="a")), (120, 1, 2))
    many = "a,b,y\n" + lines([f"t{i}", b, y] for i, (a, b, y) in enumerate(DATA))
    f.refused("n.csv", many, "max_categories", "data.ignore: [1]")
    equal(sizes(f.read("n.csv", many, max_categories=200)), (120, 121, 2))
    f.refused("n.csv", many, "$.data.ignore", "did you mean", ignore="bb")


@in_folder
def test_one_class_and_constant(f):
    said(f.read("o.csv", lines([a, b, "only"] for a, b, _ in DATA)), "single_class")
    said(f.read("o.csv", "a,b,y\n" + lines(["7", b, y] for _, b, y in DATA), scale="standard"),
         "constant_column column 1 (a) is 7")


# ------------------------------------------------------------------ arrays

def npy(shape, body, kind="<f4", shape_text=None):
    head = repr({"descr": kind, "fortran_order": False, "shape": shape})
    head = (head.replace(repr(shape), shape_text) if shape_text else head).ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + body


def floats(*numbers):
    return struct.pack(f"<{len(numbers)}f", *numbers)


def npz(**arrays):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, content in arrays.items():
            z.writestr(name + ".npy", content)
    return out.getvalue()


@in_folder
def test_arrays(f):
    x = npy((60, 2), floats(*[i % 7 for i in range(120)]))
    y = npy((60,), floats(*[i % 3 for i in range(60)]))
    target = f.write("y.npy", y)
    packed = f.write("x.npy.gz", gzip.compress(x))
    equal(sizes(f.prepare(packed, "npy", target_path=target)), (60, 2, 3))
    old = npy((60, 2), floats(*range(120)), shape_text="(60L, 2L)")
    equal(sizes(f.prepare(f.write("o.npy", old), "npy", target_path=target)), (60, 2, 3))
    hot = npy((60, 3), floats(*[float(i % 3 == k) for i in range(60) for k in range(3)]))
    line = f.prepare(f.write("x.npy", x), "npy", target_path=f.write("hot.npy", hot))
    equal(sizes(line), (60, 2, 3))
    said(line, "one-hot")
    image = f.write("i.npy", npy((60, 8, 6, 3), bytes(60 * 8 * 6 * 3), "|u1"))
    line = f.prepare(image, "npy", target_path=target)
    equal(line["shape"], [3, 8, 6])
    said(line, "[samples, height, width, channels]")
    for names in (("arr_0", "arr_1"), ("X", "y"), ("train_images", "train_labels"),
                  ("X_train", "y_train"), ("features", "labels")):
        equal(sizes(f.read("a.npz", npz(**dict(zip(names, (x, y)))), "npz")), (60, 2, 3), names)
    own = npz(inputs_train=x, classes_train=y, inputs_test=x, classes_test=y)
    f.refused("a.npz", own, "data.features", kind="npz")
    line = f.read("a.npz", own, "npz", features="inputs_train", target="classes_train")
    equal((*sizes(line), line["test_samples"]), (60, 2, 3, 60))
    f.refused("a.npz", npz(arr_0=y, arr_1=x), "which are the features", kind="npz")


def idx(shape, body):
    return bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + body


@in_folder
def test_idx_names(f):
    images, labels = idx((40, 4, 4), bytes(640)), idx((40,), bytes(i % 26 + 1 for i in range(40)))
    for name in ("emnist-letters-train-images-idx3-ubyte", "train_images.idx3.ubyte",
                 "Train-Images.idx3-ubyte"):
        folder = name.split("-")[0] + str(len(name))
        f.write(f"{folder}/{name}.gz", gzip.compress(images))
        low = name.replace("mages", "abels").replace("Iabels", "Labels").replace("iabels", "labels")
        f.write(f"{folder}/{low.replace('idx3', 'idx1')}", labels)
        equal(f.prepare(os.path.join(f.home, folder), "idx")["samples"], 40, name)
    f.write("two/emnist-digits-train-images-idx3-ubyte", images)
    f.write("two/emnist-letters-train-images-idx3-ubyte", images)
    line = f.prepare(os.path.join(f.home, "two"), "idx")
    check("emnist-digits-" in line["message"] and "emnist-letters-" in line["message"], line)


REGIONS = "region,a,b,y\n" + lines([f"r{i % 7}", i % 9 + 0.5, i * 3 % 17, i % 2] for i in range(60))


@in_folder
def test_footers(f):
    """A total is no row, whatever its fields; a name that stands elsewhere too is none."""
    for name, footer in (("total", "Total,270.0,510,30\n"), ("blank", ",,,\n,,,\nSumme:,,,30\n"),
                         ("source", "Source: Bureau of rows,,,\n"),
                         ("two", ",,,\n合计,270.0,510,30\nNote: made up,,,\n")):
        line = f.read(name, REGIONS + footer)
        equal(sizes(line), (60, 9, 2), name)
        said(line, "data.skip_footer", "a footer")
        equal(f.read(name, REGIONS + footer, skip_footer=len(footer.splitlines()))["samples"], 60)
    equal(sizes(f.read("told", REGIONS + "Total,270.0,510,30\n", skip_footer=0)), (61, 10, 3))
    equal(sizes(f.read("value", REGIONS.replace("r3", "Total"))), (60, 9, 2))
    equal(sizes(f.read("middle", REGIONS.replace("r4,", ",,,\nr4,", 1))), (60, 9, 2))


@in_folder
def test_one_row_of_text_is_no_header(f):
    """What reads as data of the training file's columns is data, few as the rows may be."""
    train = f.write("train", lines([["red", "green", "blue"][i % 3], "xyz"[i % 3 - 1], "ny"[i % 2]]
                                   for i in range(60)))
    line = f.prepare(train, test_path=f.write("one", "red,y,n\n"))
    equal(line.get("test_samples"), 1, line.get("message"))


@in_folder
def test_findings_name_file_and_class(f):
    said(f.read("holes.csv", REGIONS.replace("r1,1.5", "r1,", 1)),
         "row 2, column 2 (a) of holes.csv")
    line = f.read("one.csv", "a,b,y\n" + lines([i * 7 % 60, i % 9, "yes"] for i in range(60)))
    said(line, 'of class "yes"')
    line = f.read("rank.svm", lines([[i % 3, f"qid:{i // 5}", f"1:{i}", f"2:{i % 5}"]
                                     for i in range(60)], " "), "libsvm")
    equal(sizes(line), (60, 2, 3))
    said(line, "qid is left out")


@in_folder
def test_what_exports_leave(f):
    """Titles with units, again in the middle, columns without a value, amounts as bookkeepers write
    them, and lines of LIBSVM."""
    line = f.read("px.csv", "label,1x1,1x2,5min\n" + lines([[y, 0, i % 7, i % 5]
                                                           for i, (_, _, y) in enumerate(DATA)]))
    equal(line["samples"], 120)
    line = f.read("again.csv", "a,b,y\n" + lines(DATA[:60]) + "a,b,y\n" + lines(DATA[60:]))
    equal(sizes(line), (120, 2, 2))
    said(line, "the titles stand again in line 62")
    for told in ({}, {"header": True}):
        line = f.read("ends.csv", '"id","kind","a",\n' + lines([i * 7 % 120, "MB"[y], a] for i, (a, _, y)
                                                            in enumerate(DATA)), target="kind", **told)
        equal(sizes(line), (120, 2, 2))
    for hole in ("", "NA"):
        line = f.read("hollow.csv", "a,Unnamed: 32,y\n" + lines([a, hole, y] for a, _, y in DATA))
        equal(sizes(line), (120, 1, 2))
        said(line, 'column 2 ("Unnamed: 32")', "without a value")
    line = f.read("books.csv", "a,b,y\n" + lines([f'"({i},000.50)"' if i % 5 == 3 else i, b, y]
                                                 for i, (_, b, y) in enumerate(DATA)))
    equal(sizes(line), (120, 2, 2))
    said(line, "numbers in parentheses, or with a minus behind, are negative", 'column 1 ("a")')
    f.refused("rows.csv", "1 1:0.5 2:1\n0 1:0.2 2:3\n" * 60, "line 1", "LIBSVM", "data.format")
    equal(f.read("told.csv", "1 1:0.5 2:1\n0 1:0.2 2:3\n" * 60, delimiter=" ")["samples"], 120)
    equal(sizes(f.read("cr.csv", ("a,b,y\n" + lines(DATA)).replace("\n", "\r\r\n"))), (120, 2, 2))


# ------------------------------------------------------------------ submit says it

def test_submit_says_it():
    with Daemon() as d:
        f = Folder(d.home)
        path = f.write("t.csv", "kind,a,b\n" + lines(
            [y, a, "" if i == 9 else b] for i, (a, b, y) in enumerate(DATA)))
        spec = small_spec(None, data={"path": path, "format": "csv", "validation": 20,
                                      "target": "kind"},
                          method="grid", parameters={"learning_rate": {"values": [0.01]}},
                          epochs=1, run_cap=None)
        for dry in (True, False):
            data = d.call("submit", spec=spec, dry_run=dry)["data"]
            for word in ("row 10, column 3", "on_nan", "data.ignore", "resume"):
                check(word in data["held"], f"{word!r} is not in {data['held']}")
            equal([f["kind"] for f in data["findings"]], ["nan_in_input"])
        name = f.write("spec.json", json.dumps(spec))
        out = d.ctl("submit", name, check=0).stdout
        check(": held" in out and "column 3 (b)" in out, out)
        done = d.ctl("submit", name, "--dry-run", check=0)
        check("held: 1 values" in done.stdout, done.stdout)
        check("data.scale standard; data.scale none" in done.stderr, done.stderr)
        try:
            d.call("submit", spec={**spec, "data": {**spec["data"], "ignore": ["kind"]}})
        except RpcError as e:
            check("ignore" in e.message, e.message)
        else:
            raise AssertionError("a target that is ignored")


if __name__ == "__main__":
    run(test_adult, test_auto_mpg, test_wine, test_titanic, test_wdbc, test_diabetes,
        test_house_prices, test_higgs, test_dates, test_a_target_of_dates,
        test_the_target_once_more, test_names_that_are_meant_as_one, test_wide, test_headers, test_encodings,
        test_rows_without_a_target,
        test_numbers, test_one_class_and_constant, test_arrays, test_idx_names,
        test_footers, test_one_row_of_text_is_no_header, test_findings_name_file_and_class,
        test_what_exports_leave, test_submit_says_it)
