"""Do labels pay? The same search for the same processor time, with three uses of the labels.

usage: labels_pay.py BUILD_DIR [option …]   (Python with numpy and scikit-learn)

  A  labels without effect
  B  labels only stop runs (early_terminate label, every fifth epoch)
  C  labels stop runs, sick ones are treated, and at half the time the edits of the search range
     that the runs speak for are applied: the rest is a sweep over the edited ranges, which knows
     the runs of the first (warm_start)
Each arm searches until its workers have used so many seconds of processor time, as the system
counts them; that is the time of all that follows. The winner of each is trained from three other
seeds: validation and test loss are their means. `to_target`: when the configuration that was best
by then, repeated the same way, is as good as A's winner.

  --tasks A,B      of digits, breast_cancer, diabetes, fashion, rows (target_data.py); the first 3
  --seeds 1-10     of the searches
  --arms A,B,C     all; A first
  --seconds N      processor time of an arm; 60
  --rows N         at most so many training rows
  --workers N      as many as processors
  --minutes N      begins nothing that would end later; 55
  --state DIR      what has been done is kept there, and is not done again: run it until it says
                   `whole`; BUILD_DIR/labels_pay
  --results FILE   a line of JSON for each task and seed, and one of all with intervals (95 %,
                   bootstrap over tasks and seeds); results.jsonl beside this file
"""
import argparse
import bisect
import hashlib
import json
import math
import os
import random
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]


def numbers(text):
    low, _, high = text.partition("-")
    return list(range(int(low), int(high or low) + 1))


def options():
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        sys.exit(__doc__)
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument("build")
    p.add_argument("--tasks", type=lambda t: t.split(","),
                   default=["digits", "breast_cancer", "diabetes"])
    p.add_argument("--seeds", type=numbers, default=numbers("1-10"))
    p.add_argument("--arms", type=lambda t: t.split(","), default=["A", "B", "C"])
    p.add_argument("--seconds", type=float, default=60)
    p.add_argument("--rows", type=int)
    p.add_argument("--workers", type=int, default=os.cpu_count())
    p.add_argument("--minutes", type=float, default=55)
    p.add_argument("--state")
    p.add_argument("--results", default=os.path.join(HERE, "results.jsonl"))
    return p.parse_args()


OPTIONS = options()
os.environ["BUILD"] = os.path.abspath(OPTIONS.build)
STATE = os.path.abspath(OPTIONS.state or os.path.join(OPTIONS.build, "labels_pay"))
from sweepd import Daemon  # noqa: E402
from target_data import task_of  # noqa: E402
from target_found import Side, rounded  # noqa: E402
from target_sides import Bench, Listener, OutOfTime, collect, specification  # noqa: E402

# A run pauses at each rung, and begins again with a process of its own: not at every short epoch.
LABEL = {"type": "label", "min_iter": 5, "every": 5}
ARMS = {"A": {"treat": False}, "B": {"treat": False, "early_terminate": LABEL},
        "C": {"early_terminate": LABEL}}
TICK = os.sysconf("SC_CLK_TCK")


# --- processor time ------------------------------------------------------------------------------

def ticks_of(pid, fields):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            words = f.read().rpartition(")")[2].split()
    except OSError:  # it has ended, and its parent has waited for it
        return 0
    return sum(int(words[i - 3]) for i in fields)


class Meter(threading.Thread):
    """What the daemon's workers have used, those that have ended and those that run."""

    def __init__(self, d):
        super().__init__(daemon=True)
        self.pid, self.over = d.process.pid, threading.Event()
        self.first, self.samples = self.read(), [(time.monotonic(), 0.0)]

    def read(self):
        ended = ticks_of(self.pid, (16, 17))
        running = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{task}/children", encoding="ascii") as f:
                    running += sum(ticks_of(p, (14, 15, 16, 17)) for p in f.read().split())
            except OSError:
                continue
        return (ended + running) / TICK

    def run(self):
        while not self.over.wait(0.02):
            used = max(self.read() - self.first, self.samples[-1][1])
            self.samples.append((time.monotonic(), used))

    def used(self):
        return self.samples[-1][1]

    def at(self, when):
        """What had been used by then."""
        return self.samples[max(bisect.bisect(self.samples, (when, math.inf)) - 1, 0)][1]


# --- edits of the range --------------------------------------------------------------------------

def edited(parameters, fixed, edits):
    """The space as the edits would have it; what is fixed may be opened, or fixed at another."""
    space, constants = dict(parameters), dict(fixed)
    for kind, setting, to in edits:
        name = setting if setting in space else setting.rpartition(".")[2]
        d = space.get(name)
        if isinstance(to, dict):
            space[setting] = to
        elif d is None:
            constants[setting] = to
        elif "values" in d:
            space[name] = {"values": edited_list(d["values"], kind, to)}
        else:
            low = kind in ("cut_below", "extend_below", "larger_batches")
            space[name] = {**d, "min" if low else "max": to}
    return space, {k: v for k, v in constants.items() if k not in space}


def edited_list(values, kind, to):
    if kind in ("cut_above", "fewer_layers"):
        return [v for v in values if v <= to]
    if kind in ("cut_below", "larger_batches"):
        return [v for v in values if v >= to]
    return sorted({*values, to})


# --- an arm --------------------------------------------------------------------------------------

def carry_out(d, meter, listener, spec, seconds):
    """Until it has ended, or so much is used in all."""
    listener.ended.clear()
    sweep = d.submit(spec)
    while meter.used() < seconds and not listener.ended.wait(0.02):
        continue
    if d.call("show", sweep=sweep)["sweep"]["status"] not in ("completed", "cancelled"):
        d.call("cancel", sweep=sweep)
        d.wait(sweep)
    return sweep


def plan(bench, arm, seconds):
    """Its deadline is what the plan goes by: so long if the workers are always busy."""
    return specification(bench, **{"method": "coarse_to_fine", "run_cap": 2000,
                                   "seed": bench.seed, "max_hours":
                                   seconds / OPTIONS.workers / 3600, **ARMS[arm]})


def sweeps_of(bench, arm, d, meter, listener):
    """Carries out the arm's sweeps; returns the edits that were made between them."""
    whole, half = (plan(bench, arm, OPTIONS.seconds / n) for n in (1, 2))
    if arm != "C":
        carry_out(d, meter, listener, whole, OPTIONS.seconds)
        return []
    first = carry_out(d, meter, listener, {**half, "repeat_share": 0}, OPTIONS.seconds / 2)
    edits = [(kind, setting, json.loads(to)) for kind, setting, to in d.sql(
        "SELECT kind, setting, to_value FROM range_edits WHERE sweep_id = ?"
        " AND to_value IS NOT NULL ORDER BY position", first)]
    space, constants = edited(half["parameters"], {}, edits)
    space.update({name: {"value": value} for name, value in constants.items()})
    carry_out(d, meter, listener, {**half, "parameters": space, "warm_start": [first],
                                   "seed": bench.seed + 1000}, OPTIONS.seconds)
    return edits


def counts(d):
    return {name: d.sql(f"SELECT count(*) FROM runs WHERE {where}")[0][0] for name, where in
            (("stopped", "status = 'stopped'"), ("treatments", "kind = 'treatment'"),
             ("completed", "status = 'completed'"))}


def search(bench, arm):
    load = [os.getloadavg()[0]]
    with Daemon(workers=OPTIONS.workers) as d:
        listener, meter = Listener(d), Meter(d)
        listener.start()
        meter.start()
        edits = sweeps_of(bench, arm, d, meter, listener)
        meter.over.set()
        meter.join()
        points = [(meter.at(when), run, value) for when, run, value in list(listener.points)]
        found = collect(bench, d, 0, points, OPTIONS.seconds)
        found.update(cpu=meter.used(), edits=edits, **counts(d))
        listener.finish()
    found["load"] = load + [os.getloadavg()[0]]
    return found


# --- what came of it -----------------------------------------------------------------------------

def one(name, seed):
    """A line, made or from before."""
    t = task_of(name, STATE, OPTIONS.seconds, OPTIONS.rows)
    key = json.dumps([t, OPTIONS.workers], sort_keys=True)
    folder = f"{name}-{seed}-{hashlib.sha256(key.encode()).hexdigest()[:10]}"
    bench = Bench(os.path.join(STATE, folder), t, seed, OPTIONS)
    done = "line-" + "".join(OPTIONS.arms)
    if bench.has(done):
        return bench.load(done)
    sides = {}
    for arm in OPTIONS.arms:
        found = bench.kept(arm, lambda: search(bench, arm), OPTIONS.seconds)
        sides[arm] = Side(bench, "ours", found)
    target = sides["A"].winner() if "A" in sides else None
    line = {"bench": "labels_pay", "task": name, "seed": seed, "seconds": OPTIONS.seconds,
            "workers": OPTIONS.workers, "cpus": os.cpu_count(), "arms": {}}
    for arm, side in sides.items():
        line["arms"][arm] = {
            **(side.winner() or {}),
            "to_target": side.time_to(target["validation"])
            if target and target["validation"] is not None else None,
            **{k: side.found[k] for k in ("cpu", "stopped", "treatments", "completed", "edits")}}
    report(line)
    bench.keep(done, line)
    return line


def report(line):
    text = json.dumps(rounded(line))
    with open(OPTIONS.results, "a", encoding="utf-8") as f:
        f.write(text + "\n")
    print(text, flush=True)


def interval(values):
    """Mean and 95 %: over resamples of the pairs."""
    r = random.Random(1)
    means = sorted(sum(r.choices(values, k=len(values))) / len(values) for _ in range(4000))
    return [sum(values) / len(values), means[100], means[3899]]


def ratio(lines, arm, base, key):
    """Geometric mean of the ratio of two arms' losses, with its interval."""
    logs = [math.log(x["arms"][arm][key] / x["arms"][base][key]) for x in lines
            if x["arms"][arm].get(key) and x["arms"][base].get(key)]
    return {"pairs": len(logs), "ratio": [math.exp(v) for v in interval(logs)]} if logs else None


def median(values):
    ranked = sorted(math.inf if v is None else v for v in values)
    middle = ranked[len(ranked) // 2]
    return middle if math.isfinite(middle) else None


def summary(lines):
    out = {"bench": "labels_pay", "task": "all", "tasks": OPTIONS.tasks,
           "seeds": OPTIONS.seeds, "seconds": OPTIONS.seconds, "workers": OPTIONS.workers,
           "to_target, median": {arm: median([x["arms"][arm]["to_target"] for x in lines])
                                 for arm in OPTIONS.arms}}
    for arm, base in (("B", "A"), ("C", "A"), ("C", "B")):
        if arm in OPTIONS.arms and base in OPTIONS.arms:
            out[f"{arm} / {base}"] = {key: ratio(lines, arm, base, key)
                                      for key in ("validation", "test")}
    report(out)


def main():
    os.makedirs(STATE, exist_ok=True)
    lines = []
    for seed in OPTIONS.seeds:
        for name in OPTIONS.tasks:
            try:
                lines.append(one(name, seed))
            except OutOfTime as e:
                print(f"{name}, seed {seed}: {e}; the same command goes on from here")
                return
    summary(lines)
    print("whole")


main()
