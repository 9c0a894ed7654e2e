"""Faults put in on purpose: does sweepd name the cause, and does it cure the run?

usage: faults.py BUILD_DIR [--sklearn FOLDER] [--again] [--only FAULT[,FAULT…]] [--report]
  BUILD_DIR   a release build: meson setup DIR --buildtype release
  --sklearn   scikit-learn's data files (Debian: python3-sklearn; or sklearn/datasets/data of an
              unpacked wheel). They are read as text; Python's standard library is all that runs.
  --again     forget the results of earlier benches; without it the bench goes on where it was cut
  --report    only the table of what is in results.jsonl

Thirteen faults, 20 runs each, over data sets, healthy configurations and seeds (cases.py, data.py).
Each faulty run is submitted to one daemon and labelled by it. Then

  named   the first cause of its label is in the fault's accepted set (cases.py)
  hurt    its validation loss is not within the healthy band, so that there is something to cure
  cured   one of at most three treatments (`treat`, each of the best run so far of the case)
          is within the band: loss <= healthy + max(5 %, 2 sd of five healthy seeds), where healthy is
          the same configuration and seed without the fault. Validation set and measure are fixed:
          the loss at the best epoch on a file of its own; with 10 validation samples, the test
          loss of the kept weights on that file.

NaN cells count as cured when the sweep was held with that finding; wrong labels when named.
Every healthy run is labelled too: an alarm is one that gets a cause (other than `unknown`).
Results, one JSON line per case, are appended to results.jsonl; at most 60 minutes on two cores.
"""
import concurrent.futures
import hashlib
import json
import math
import os
import statistics
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
RESULTS = os.path.join(HERE, "results.jsonl")
TREATMENTS = 3
WORKERS = 2
BAND = 0.05

if len(sys.argv) < 2:
    sys.exit(__doc__)
os.environ["BUILD"] = os.path.abspath(sys.argv[1])
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "lib")]
import cases  # noqa: E402
import data  # noqa: E402
import sweepd  # noqa: E402


def number(value):
    """A loss of the database: nan and not measured are worse than any number."""
    return value if isinstance(value, (int, float)) and math.isfinite(value) else math.inf


def wilson(hits, count, z=1.96):
    if count == 0:
        return 0.0, 1.0
    p, zz = hits / count, z * z / count
    middle, half = p + zz / 2, z * math.sqrt(p * (1 - p) / count + zz / count / 4)
    return (middle - half) / (1 + zz), (middle + half) / (1 + zz)


# ------------------------------------------------------------------ the product

class Product:
    """What a person does with sweepctl, for one plan after the other."""

    def __init__(self, daemon, store):
        self.daemon, self.store = daemon, store
        self.lock = threading.Lock()

    def spec(self, plan):
        with self.lock:
            path, validation, made = self.store.file(plan.data, plan.change, plan.change_seed)
        where = {"path": path, "format": made.form, **plan.settings}
        if plan.own_validation:
            where.update(validation=plan.own_validation, test_path=validation)
        else:
            where["validation_path"] = validation
        if made.form == "csv":
            where["task"] = "classification" if made.classes else "regression"
        if made.scale:
            where.setdefault("scale", made.scale)
        train = dict(plan.train)
        swept = plan.parameters or {"batch_size": {"values": [train.pop("batch_size")]}}
        return {"name": plan.data, "method": "grid", "data": where, "model": plan.model,
                "train": train, "parameters": swept, "epochs": plan.epochs, "seed": plan.seed}

    def train(self, plan):
        """(sweep, its status, id of the run that is meant)"""
        sweep = self.daemon.submit(self.spec(plan))
        status = self.daemon.wait(sweep)["status"]
        return sweep, status, self.run_of(sweep, plan)

    def run_of(self, sweep, plan):
        for run, params in self.daemon.sql(
                "SELECT id, params FROM runs WHERE sweep_id = ? ORDER BY number", sweep):
            params = json.loads(params)
            if all(params.get(k) == v for k, v in plan.wanted.items()):
                return run
        return None

    def loss(self, run, plan):
        column = "test_loss" if plan.own_validation else "val_loss"
        return number(self.daemon.sql(f"SELECT {column} FROM runs WHERE id = ?", run)[0][0])

    def label(self, run):
        """(pattern, [causes, most likely first])"""
        done = self.daemon.ctl("explain", run, "--json", check=0)
        told = json.loads(done.stdout)
        return told["label"]["pattern"], [c["cause"] for c in told["label"]["causes"]]

    def treat(self, run):
        """The run of the product's next treatment and its remedy, or None when it has no more."""
        try:
            answer = self.daemon.call("treat", run=run)
        except sweepd.RpcError as e:
            return None, e.message
        self.daemon.wait(answer["sweep"])
        return answer["run"], answer["remedy"]

    def findings(self, sweep):
        return [k for k, in self.daemon.sql(
            "SELECT DISTINCT kind FROM findings WHERE sweep_id = ?", sweep)]


# ------------------------------------------------------------------ one case

def key_of(plan):
    return hashlib.sha256(plan.key().encode()).hexdigest()[:16]


def healthy(product, plan):
    """Five seeds of a healthy configuration."""
    line = {"kind": "healthy", "key": key_of(plan), "data": plan.data, "model": plan.model,
            "train": plan.train, "loss": [], "pattern": [], "cause": []}
    for seed in cases.SEEDS:
        plan.seed = seed
        run = product.train(plan)[2]
        pattern, causes = product.label(run)
        line["loss"].append(product.loss(run, plan))
        line["pattern"].append(pattern)
        line["cause"].append(causes[0] if causes else None)
    return line


def limit_of(reference, seed):
    own = reference["loss"][cases.SEEDS.index(seed)]
    return own, own + max(BAND * abs(own), 2 * statistics.stdev(reference["loss"]))


def treatments(product, run, plan, limit):
    """Up to three, each of the best run so far. (loss of the best, what was done)"""
    best, at, done = product.loss(run, plan), run, []
    while best > limit and len(done) < TREATMENTS:
        child, remedy = product.treat(at)
        if child is None:
            done.append({"refused": remedy})
            break
        loss = product.loss(child, plan)
        done.append({"of": at, "run": child, "remedy": remedy, "loss": loss})
        if loss < best:
            best, at = loss, child
    return best, done


def one(product, fault, i, references):
    start = time.monotonic()
    good, plan = fault.case(i)
    sweep, status, run = product.train(plan)
    line = {"kind": "case", "fault": fault.name, "case": i, "data": plan.data, "model": plan.model,
            "train": plan.train, "seed": plan.seed, "change": plan.change, "status": status}
    if fault.cure == "held":
        line["findings"] = product.findings(sweep)
        line["cured"] = status == "held" and bool(line["findings"])
        product.daemon.call("resume", sweep=sweep)   # a person who does not believe it
        product.daemon.wait(sweep)
        run = product.run_of(sweep, plan)
    line["pattern"], line["causes"] = product.label(run)
    line["named"] = bool(line["causes"]) and line["causes"][0] in fault.accepted
    if fault.cure != "held":
        line["healthy"], line["limit"] = limit_of(references[key_of(good)], plan.seed)
        line["loss"] = product.loss(run, plan)
        line["hurt"] = line["loss"] > line["limit"]
    if fault.cure == "named":
        line["cured"] = line["named"]
    elif fault.cure == "treatment":
        line["best"], line["treatments"] = treatments(product, run, plan, line["limit"])
        line["cured"] = line["best"] <= line["limit"]
    line["seconds"] = round(time.monotonic() - start, 2)
    return line


# ------------------------------------------------------------------ all of them

def read_results():
    if not os.path.exists(RESULTS):
        return []
    with open(RESULTS, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.endswith("\n")]


def bench(faults, store_folder, sklearn):
    lines = read_results()
    references = {x["key"]: x for x in lines if x["kind"] == "healthy"}
    done = {(x["fault"], x["case"]) for x in lines if x["kind"] == "case"}
    todo = [(f, i) for f in faults for i in range(cases.CASES) if (f.name, i) not in done]
    lock = threading.Lock()

    def keep(line):
        with lock, open(RESULTS, "a", encoding="utf-8") as f:
            f.write(json.dumps(line) + "\n")
        return line

    with sweepd.Daemon(workers=WORKERS) as daemon, \
            concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        product = Product(daemon, data.Store(store_folder, sklearn))
        missing = {}
        for fault, i in todo:
            plan = fault.case(i)[0]
            if key_of(plan) not in references:
                missing[key_of(plan)] = plan
        for line in pool.map(lambda p: keep(healthy(product, p)), missing.values()):
            references[line["key"]] = line
        for line in pool.map(lambda c: keep(one(product, *c, references)), todo):
            print(line["fault"], line["case"], line["data"], line["pattern"], *line["causes"],
                  *[t.get("remedy", "-") for t in line.get("treatments", [])],
                  "named" if line["named"] else "NOT NAMED",
                  "cured" if line["cured"] else "NOT CURED", flush=True)


def share(hits, count):
    low, high = wilson(hits, count)
    return f"{hits:3d}/{count:<3d} {hits / max(count, 1):4.0%} [{low:.2f}-{high:.2f}]"


def report():
    lines = read_results()
    found = [x for x in lines if x["kind"] == "case"]
    print(f"{'fault':22}{'hurt':>6}  {'cause named first':26}{'cured':26}named instead")
    totals = []
    for fault in cases.FAULTS:
        mine = [x for x in found if x["fault"] == fault.name]
        if not mine:
            continue
        # What was not hurt cannot be cured; what is cured by being named always counts.
        sick = [x for x in mine if fault.cure != "treatment" or x["hurt"]]
        others = [x["causes"][0] if x["causes"] else "-" for x in mine if not x["named"]]
        totals.append((mine, sick))
        print(f"{fault.name:22}{len(sick):3d}/{len(mine):<3d}"
              f" {share(sum(x['named'] for x in mine), len(mine)):26}"
              f"{share(sum(x['cured'] for x in sick), len(sick)):26}"
              + ", ".join(f"{o} {others.count(o)}" for o in sorted(set(others))))
    mine, sick = [x for t in totals for x in t[0]], [x for t in totals for x in t[1]]
    print(f"{'all':22}{len(sick):3d}/{len(mine):<3d}"
          f" {share(sum(x['named'] for x in mine), len(mine)):26}"
          f"{share(sum(x['cured'] for x in sick), len(sick)):26}aim: 90 %, 95 %")
    causes = [c for x in lines if x["kind"] == "healthy" for c in x["cause"]]
    alarms = [c for c in causes if c not in (None, "unknown")]
    print(f"false alarms on healthy runs {share(len(alarms), len(causes))}, aim <= 10 %; "
          f"{causes.count('unknown')} without a known cause; "
          + ", ".join(f"{a} {alarms.count(a)}" for a in sorted(set(alarms))))


def option(name, default=None):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv[:-1] else default


def main():
    names = option("--only")
    faults = [f for f in cases.FAULTS if not names or f.name in names.split(",")]
    if "--again" in sys.argv and os.path.exists(RESULTS):
        os.unlink(RESULTS)
    if "--report" not in sys.argv:
        sklearn = option("--sklearn", data.SKLEARN)
        if not os.path.isdir(sklearn):
            sys.exit(f"{sklearn}: no such folder (Debian: python3-sklearn, or --sklearn FOLDER)")
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="sweepd-faults-") as folder:
            bench(faults, folder, sklearn)
        print(f"# {time.monotonic() - start:.0f} s")
    report()


if __name__ == "__main__":
    main()
