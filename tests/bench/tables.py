"""Ten tables as people find them, against scikit-learn's MLP with its own standard preprocessing:
accuracy, or R2, of the same held-out rows.

usage: tables.py BUILD_DIR [NAME ...]   (Python with numpy, pandas and scikit-learn; minutes)
Ours is given path, format, the samples to hold out, and the keys that its own messages ask for;
they are listed in the result. scikit-learn: the mean of three seeds, and the best of them. Results are appended to tests/bench/results.jsonl.
"""
import csv
import json
import os
import random
import sys
import tempfile
import time
import warnings

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # small matrices: threads only wait
    os.environ[name] = "1"

HERE = os.path.dirname(os.path.abspath(__file__))
if len(sys.argv) < 2:
    sys.exit(__doc__)
os.environ["BUILD"] = os.path.abspath(sys.argv[1])
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from sklearn.compose import make_column_selector, make_column_transformer  # noqa: E402
from sklearn.datasets import load_breast_cancer, load_diabetes  # noqa: E402
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.impute import SimpleImputer  # noqa: E402
from sklearn.metrics import accuracy_score, r2_score  # noqa: E402
from sklearn.neural_network import MLPClassifier, MLPRegressor  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: E402
import sweepd  # noqa: E402
from sweepd import Daemon, SOURCE  # noqa: E402

sweepd.TIMEOUT_SECONDS = 3600  # 20,000 columns on a busy machine


def logistic(r, z):
    return r.random() < 1 / (1 + np.exp(-z))


# --- the tables: (header or None, rows, what the test rows are split off by) -----------------------

def adult(r):
    jobs = ["Sales", "Craft-repair", "Exec-managerial", "Prof-specialty", "Other-service"]
    rows = []
    for _ in range(3000):
        age, years, hours = r.randrange(17, 80), r.randrange(4, 17), r.randrange(10, 70)
        job = r.choice(jobs)
        z = 0.05 * (age - 38) + 0.6 * (years - 11) + 0.04 * (hours - 40) + jobs.index(job) - 3
        hole = r.random() < 0.05
        rows.append([age, r.choice(["Private", "State-gov", "?"]), r.randrange(20000, 400000), years,
                     "?" if hole else job, r.choice(["Male", "Female"]), hours,
                     ">50K" if logistic(r, 1.5 * z) else "<=50K"])
    return None, rows


def wine(r):
    head = ["fixed acidity", "volatile acidity", "alcohol", "sulphates", "quality"]
    rows = []
    for _ in range(1600):
        a, v, al, s = r.gauss(8, 1.5), abs(r.gauss(0.5, 0.2)), r.gauss(10.5, 1), r.gauss(0.65, 0.15)
        q = 5.6 + 0.9 * (al - 10.5) - 2 * (v - 0.5) + 2 * (s - 0.65) + r.gauss(0, 0.4)
        rows.append([f"{a:.1f}", f"{v:.2f}", f"{al:.1f}", f"{s:.2f}", min(8, max(3, round(q)))])
    return head, rows


def titanic(r):
    head = ["PassengerId", "Survived", "Pclass", "Name", "Sex", "Age", "Fare", "Embarked"]
    rows = []
    for i in range(1200):
        sex, pclass, age = r.choice(["male", "female"]), r.choice([1, 2, 3, 3]), r.randrange(1, 75)
        z = 2.4 * (sex == "female") - 1.1 * (pclass - 2) - 0.03 * (age - 30) - 1
        rows.append([i + 1, int(logistic(r, 1.5 * z)), pclass, f"Braund, Mr. Owen {i}", sex,
                     "" if r.random() < 0.2 else age, f"{r.expovariate(0.05) / pclass:.4f}",
                     r.choice("SCQ")])
    return head, rows


def wdbc(r):
    d = load_breast_cancer()
    rows = [[842302 + 7 * i, "MB"[t], *x] for i, (x, t) in enumerate(zip(d.data, d.target))]
    r.shuffle(rows)
    return None, rows


def diabetes(r):
    d = load_diabetes(scaled=False)
    rows = [[*x, int(t)] for x, t in zip(d.data, d.target)]
    r.shuffle(rows)
    return [*d.feature_names, "progression"], rows


def houses(r):
    head = ["Id", "LotArea", "Neighborhood", "OverallQual", "YearBuilt", "GrLivArea", "GarageType",
            "SalePrice"]
    places = ["NAmes", "CollgCr", "OldTown", "Edwards", "NridgHt"]
    rows = []
    for i in range(1460):
        lot, q, year = r.randrange(2000, 20000), r.randrange(1, 11), r.randrange(1900, 2011)
        area, place = r.randrange(600, 3500), r.choice(places)
        price = (30000 + 55 * area + 14000 * q + 400 * (year - 1950) + lot
                 + 15000 * places.index(place)) * np.exp(r.gauss(0, 0.08))
        rows.append([i + 1, lot, place, q, year, area,
                     r.choice(["Attchd", "Detchd", "NA"]), int(price)])
    return head, rows


def higgs(r):
    rows = []
    for _ in range(4000):
        x = [r.gauss(0, 1) for _ in range(28)]
        z = 1.5 * x[0] * x[1] + x[2] - x[3] + 0.5 * x[4] ** 2 - 0.5
        rows.append([int(logistic(r, 2 * z)), *x])
    return None, rows


def dates(r):
    head = ["date", "store", "price", "promotion", "demand"]
    rows = []
    for i in range(1500):
        day = time.strftime("%Y-%m-%d", time.gmtime(1.5e9 + 86400 * i))
        store, price, promotion = r.choice("ABCD"), r.uniform(1, 9), r.random() < 0.3
        demand = 400 - 30 * price + 80 * promotion + 20 * "ABCD".index(store) + r.gauss(0, 15)
        rows.append([day, store, f"{price:.2f}", "yes" if promotion else "no", f"{demand:.1f}"])
    return head, rows


def wide(r):
    rows = []
    for _ in range(240):
        y = r.randrange(2)
        rows.append([*(f"{r.gauss(0.6 * y if k < 400 else 0, 1):.3f}" for k in range(20000)),
                     ["AML", "ALL"][y]])
    return [f"g{k}" for k in range(20000)] + ["type"], rows


def mpg(r):
    rows = []
    for i in range(900):
        cylinders = r.choice([4, 4, 6, 8])
        power, weight = 25 * cylinders + r.gauss(0, 12), 600 * cylinders + r.gauss(300, 250)
        year = r.randrange(70, 83)
        miles = 46 - 0.0055 * weight - 0.04 * power + 0.7 * (year - 76) + r.gauss(0, 1.5)
        rows.append([f"{miles:.1f}", cylinders, "?" if r.random() < 0.03 else f"{power:.1f}",
                     f"{weight:.0f}.", year, r.randrange(1, 4), f'\t"car {i % 300}"'])
    return None, rows


# name: (maker, delimiter, target column from 0, columns that say nothing, regression, our keys)
TABLES = {
    "adult": (adult, ", ", -1, [], False, {"on_nan": "impute"}),
    "auto-mpg": (mpg, "  ", 0, [6], True, {"target": 1, "ignore": [7], "on_nan": "impute"}),
    "wine": (wine, ";", -1, [], False, {}),
    "titanic": (titanic, ",", 1, [0, 3], False,
                {"target": "Survived", "ignore": ["PassengerId", "Name"], "on_nan": "impute"}),
    "wdbc": (wdbc, ",", 1, [0], False, {"target": 2, "ignore": [1]}),
    "diabetes": (diabetes, ",", -1, [], True, {}),
    "houses": (houses, ",", -1, [0], True, {"ignore": ["Id"], "on_nan": "impute"}),
    "higgs": (higgs, "libsvm", 0, [], False, {}),
    "dates": (dates, ",", -1, [0], True, {"ignore": ["date"]}),
    "wide": (wide, ",", -1, [], False, {}),
}


def write(path, delimiter, head, rows):
    with open(path, "w", encoding="utf-8", newline="") as f:
        if delimiter == "libsvm":
            for y, *x in rows:
                f.write(f"{y} " + " ".join(f"{k}:{v:.5f}" for k, v in enumerate(x, 1)) + "\n")
        elif len(delimiter) == 1:
            w = csv.writer(f, delimiter=delimiter)
            w.writerows(([head] if head else []) + rows)
        else:
            for row in rows:
                f.write(delimiter.join(map(str, row)) + "\n")


def theirs(train, test, target, useless, regression):
    """scikit-learn as its user guide does it: imputed, scaled, one-hot; MLP's own defaults."""
    def table(rows):
        names = [f"c{i}" for i in range(len(rows[0]))]
        t = pd.DataFrame(rows, columns=names).replace({"?": np.nan, "": np.nan, "NA": np.nan})
        return t.apply(lambda c: pd.to_numeric(c, errors="coerce")
                       if pd.to_numeric(c, errors="coerce").notna().sum() >= 0.5 * c.notna().sum()
                       else c)

    a, b = table(train), table(test)
    columns = a.columns
    y = columns[target]
    x = [c for i, c in enumerate(columns) if c != y and i not in useless]
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    names = make_pipeline(SimpleImputer(strategy="most_frequent"),
                          OneHotEncoder(handle_unknown="ignore"))
    prepare = make_column_transformer(
        (numbers, make_column_selector(dtype_include=np.number)),
        (names, make_column_selector(dtype_exclude=np.number)))
    scores = []
    for seed in range(3):
        net = (MLPRegressor if regression else MLPClassifier)(random_state=seed)
        model = make_pipeline(prepare, net)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(a[x], a[y])
        scores.append((r2_score if regression else accuracy_score)(b[y], model.predict(b[x])))
    return scores


def ours(d, home, name, test, target, regression, delimiter, keys):
    kind = "libsvm" if delimiter == "libsvm" else "csv"
    count = len(open(os.path.join(home, name), encoding="utf-8").readlines())
    spec = {"name": name, "data": {"path": os.path.join(home, name), "format": kind,
                                   "validation": max(40, count // 6), **keys}}
    sweep = d.submit(spec)
    ended = d.wait(sweep)
    if ended["status"] != "completed":
        raise SystemExit(f"{name}: {ended}")
    run = d.sql("SELECT run_id FROM best_runs WHERE sweep_id = ? AND rank = 1", sweep)[0][0]
    done = d.ctl("predict", run, os.path.join(home, name + ".test"), check=0)
    answers = [row[1] for row in csv.reader(done.stdout.splitlines())][1:]
    asked = [str(row[target]) for row in test]
    if regression:
        return r2_score([float(v) for v in asked], [float(v) for v in answers])
    return accuracy_score(asked, answers)


def main():
    names = sys.argv[2:] or list(TABLES)
    with tempfile.TemporaryDirectory(prefix="sweepd-tables-") as home, Daemon(workers=2) as d:
        for name in names:
            maker, delimiter, target, useless, regression, keys = TABLES[name]
            head, rows = maker(random.Random(3))
            cut = len(rows) * 3 // 4
            train, test = rows[:cut], rows[cut:]
            write(os.path.join(home, name), delimiter, head, train)
            write(os.path.join(home, name + ".test"), delimiter, head, test)
            begin = time.monotonic()
            mine = ours(d, home, name, test, target, regression, delimiter, keys)
            between = time.monotonic()
            peer = theirs(train, test, target, useless, regression)
            line = {"bench": "tables", "table": name, "score": "R2" if regression else "accuracy",
                    "rows": len(train), "keys": keys, "ours": round(mine, 4),
                    "scikit_learn": round(sum(peer) / len(peer), 4),
                    "scikit_learn_best_of_3": round(max(peer), 4), "seconds": round(between - begin, 1),
                    "scikit_learn_seconds": round(time.monotonic() - between, 1)}
            print(json.dumps(line), flush=True)
            with open(os.path.join(SOURCE, "tests", "bench", "results.jsonl"), "a",
                      encoding="utf-8") as f:
                f.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
