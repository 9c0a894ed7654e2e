"""Time to target on real networks: a sweep, and Optuna 5 on SQLite with PyTorch, each alone.

usage: VENV/bin/python tests/bench/target.py BUILD_DIR [option …]

VENV has torch, optuna, numpy and scikit-learn. The same networks, space, split, metric and number
of processes for the same time, one side after the other:
  hyperband, median   Optuna's TPE with that pruner
  ours                the specification of target_sides.py, with what --ours adds
  slowed              the same, each worker held back to the speed that PyTorch showed at its batch
                      size: what is left of the lead then is the search's, the rest is the trainer's
Then the winners are trained from SEEDS other seeds, each by its side's own trainer. The mean of the
peer's winner is the target. A side has reached it when the configuration that was its best by then
(target_found.py: ours the best mean of two seeds or more, once there is one; else the lowest loss at
any epoch), repeated the same way, is as good (`to_target`); beside it the plain
time of its first epoch below the peer's lowest (`to_plain`). Both ways round, and the test losses.

  --tasks A,B      fashion (300 s), rows (its rows through an LSTM, 300 s), digits, breast_cancer,
                   diabetes (60 s each); all
  --seeds 1-5      of the searches
  --sides A,B      hyperband,median,ours,slowed; all
  --seconds N      instead of those
  --rows N         at most so many training rows (to try this)
  --workers N      processes of either side; as many as processors
  --side-by-side   a peer and ours at the same time, one process each: hyperband beside ours, then
                   median beside slowed
  --again          also what stands in FILE already: the same task, seed, sides, seconds, epochs,
                   rows, workers and --ours, measured on whatever machine
  --ours JSON      further keys of our specification ({"method": "tpe"})
  --minutes N      begins nothing that would end later; 55
  --state DIR      what has been done is kept there, and is not done again: run it until it says
                   `whole`; BUILD_DIR/target
  --results FILE   a line of JSON for each task and seed; results.jsonl beside this file
A search takes its seconds, its repeats about a third of that. Nothing else should run beside it:
the load average before and after each search is in the line.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)


PAIRS = [("hyperband", "ours"), ("median", "slowed")]


def numbers(text):
    low, _, high = text.partition("-")
    return list(range(int(low), int(high or low) + 1))


def options():
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        sys.exit(__doc__)
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument("build")
    p.add_argument("--tasks", type=lambda t: t.split(","),
                   default=["fashion", "rows", "digits", "breast_cancer", "diabetes"])
    p.add_argument("--seeds", type=numbers, default=numbers("1-5"))
    p.add_argument("--sides", type=lambda t: t.split(","),
                   default=["hyperband", "median", "ours", "slowed"])
    p.add_argument("--seconds", type=float)
    p.add_argument("--rows", type=int)
    p.add_argument("--side-by-side", action="store_true")
    p.add_argument("--again", action="store_true")
    p.add_argument("--workers", type=int)
    p.add_argument("--ours", type=json.loads, default={})
    p.add_argument("--minutes", type=float, default=55)
    p.add_argument("--state")
    p.add_argument("--results", default=os.path.join(HERE, "results.jsonl"))
    o = p.parse_args()
    o.workers = o.workers or (1 if o.side_by_side else os.cpu_count())
    if o.side_by_side and any((a in o.sides) != (b in o.sides) for a, b in PAIRS):
        p.error("--side-by-side: sides hyperband and ours, median and slowed go together")
    return o


OPTIONS = options()
os.environ["BUILD"] = os.path.abspath(OPTIONS.build)
STATE = os.path.abspath(OPTIONS.state or os.path.join(OPTIONS.build, "target"))
from target_data import task_of  # noqa: E402
from target_found import Side, first_below, rounded  # noqa: E402
from target_sides import Bench, OutOfTime, search_ours, search_peer  # noqa: E402

# --- both ways ------------------------------------------------------------------------------------

def compare(sides):
    """Each of ours against each peer, both ways."""
    out = {}
    for own in (s for s in ("ours", "slowed") if s in sides):
        for peer in (s for s in ("hyperband", "median") if s in sides):
            a, b = sides[own], sides[peer]
            x, y = a.winner(), b.winner()
            if x is None or y is None or x["validation"] is None or y["validation"] is None:
                continue
            out[f"{own} against {peer}"] = {
                "to_target": a.time_to(y["validation"]),
                "peer_to_target": b.time_to(y["validation"]),
                "to_plain": first_below(a.found, y["lowest"]),
                "peer_to_plain": first_below(b.found, y["lowest"]),
                "peer_to_our_target": b.time_to(x["validation"]),
                "peer_to_our_plain": first_below(b.found, x["lowest"]),
            }
    return out


# --- one task, one seed --------------------------------------------------------------------------

def short(*what):
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:10]


def stands(line):
    """Has it been measured, here or elsewhere? Whatever the commit."""
    if not os.path.exists(OPTIONS.results):
        return False
    with open(OPTIONS.results, encoding="utf-8") as f:
        for there in map(json.loads, f):
            if there["bench"] == "target" and set(there["winners"]) == set(OPTIONS.sides) and all(
                    there.get(k) == v for k, v in rounded({"side_by_side": None, **line}).items()):
                return True
    return False


def search_of(side):
    return search_ours if side in ("ours", "slowed") else search_peer


def alone(bench, side):
    kept = f"{side}-{short(OPTIONS.ours)}" if side in ("ours", "slowed") else side
    return bench.kept(kept, lambda: search_of(side)(bench, side), bench.task["seconds"])


def pair(bench, sides):
    """Both begin together, when both are ready."""
    gate = threading.Barrier(2)

    def run(side):
        try:
            return search_of(side)(bench, side, gate.wait)
        except BaseException:
            gate.abort()
            raise
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return dict(zip(sides, pool.map(run, sides)))


def both_at_once(bench):
    """What one of a pair was beside the other belongs to both: they are kept together."""
    found = {}
    for sides in PAIRS:
        if sides[0] not in OPTIONS.sides:
            continue
        if "slowed" in sides:
            bench.slower()
        found.update(bench.kept(f"{'-'.join(sides)}-{short(OPTIONS.ours)}",
                                lambda s=sides: pair(bench, s), bench.task["seconds"]))
    return found


def one(name, seed):
    """Another specification of ours is held against the searches of Optuna's that are there."""
    t = task_of(name, STATE, OPTIONS.seconds, OPTIONS.rows)
    same = short({k: v for k, v in t.items() if k != "files"}, OPTIONS.workers)
    bench = Bench(os.path.join(STATE, f"{name}-{seed}-{same}"), t, seed, OPTIONS)
    line = {"bench": "target", "task": name, "seed": seed, "seconds": t["seconds"],
            "epochs": t["epochs"], "rows": t["rows"], "workers": OPTIONS.workers,
            "ours": OPTIONS.ours, **({"side_by_side": True} if OPTIONS.side_by_side else {})}
    done = "line-" + short(OPTIONS.ours, OPTIONS.sides, *[True] * OPTIONS.side_by_side)
    if bench.has(done) or (stands(line) and not OPTIONS.again):
        return
    found = both_at_once(bench) if OPTIONS.side_by_side else {s: alone(bench, s)
                                                              for s in OPTIONS.sides}
    sides = {s: Side(bench, s, found[s]) for s in OPTIONS.sides}
    line = {**line, "cpus": os.cpu_count(), **bench.versions(),
            "slower": bench.slower() if "slowed" in sides else None,
            "winners": {s: sides[s].winner() for s in sides}, **compare(sides)}
    with open(OPTIONS.results, "a", encoding="utf-8") as f:
        f.write(json.dumps(rounded(line)) + "\n")
    bench.keep(done, line)
    print(json.dumps(rounded(line)), flush=True)


def main():
    os.makedirs(STATE, exist_ok=True)
    for seed in OPTIONS.seeds:
        for name in OPTIONS.tasks:
            try:
                one(name, seed)
            except OutOfTime as e:
                print(f"{name}, seed {seed}: {e}; the same command goes on from here")
                return
    print("whole")


main()
