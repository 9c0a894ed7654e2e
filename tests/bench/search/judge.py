#!/usr/bin/env python3
"""Lines of search_bench and search_peer.py: means, and each of our methods against its namesake.

    judge.py FILE.jsonl… [--append results.jsonl]

Means are over seeds, then over tables. Pairs are the same table and seed; the test is Wilcoxon's
signed-rank test on the regret, two-sided, by the normal approximation with ties. Ours is held
against the peer with the same `lag` where there is such, else the peer that was told each result
before the next ask (its_lag 0); with as many repeats, and where ours repeats in rounds of halving as
a sweep does, against the peer as it comes too, which repeats nothing (its_share 0). Repeats along the
way are held against the same search with all of them at its end (`late`): the winner, and the best
after each eighth of the runs (`regret_on_the_way`).
"""
import collections
import json
import math
import statistics
import sys
import time

PAIRS = [("tpe", "optuna_tpe5"), ("tpe", "rustuna"), ("tpe", "optuna_tpe4"), ("tpe", "optuna_gp"),
         ("cmaes", "optuna_cmaes"), ("gp", "optuna_gp"), ("gp", "optuna_tpe5"), ("gp", "rustuna"),
         ("sobol", "optuna_sobol"), ("random", "optuna_random")]


def wilcoxon(differences):
    """Sum of ranks below 0, of those above, and p."""
    d = sorted((x for x in differences if x), key=abs)
    ranks, ties, i = [0.0] * len(d), 0, 0
    while i < len(d):
        k = i
        while k < len(d) and abs(d[k]) == abs(d[i]):
            k += 1
        for j in range(i, k):
            ranks[j] = (i + 1 + k) / 2
        ties += (k - i) ** 3 - (k - i)
        i = k
    below = sum(r for r, x in zip(ranks, d) if x < 0)
    above = sum(r for r, x in zip(ranks, d) if x > 0)
    n = len(d)
    variance = n * (n + 1) * (2 * n + 1) / 24 - ties / 48
    if variance <= 0:
        return below, above, 1.0
    z = (min(below, above) - n * (n + 1) / 4) / math.sqrt(variance)
    return below, above, min(1.0, math.erfc(-z / math.sqrt(2)))


def read(files):
    rows = collections.defaultdict(dict)
    for name in files:
        for line in open(name):
            r = json.loads(line)
            key = r["method"], r["lag"], r["repeat_share"], r["runs"], r.get("repeats", "even")
            rows[key][r["table"], r["seed"]] = r
    return rows


def between(cells):
    seeds = [seed for _, seed in cells]
    return f"{min(seeds)}-{max(seeds)}"


def over_tables(cells, key):
    tables = collections.defaultdict(list)
    for (table, _), r in cells.items():
        tables[table].append(r[key])
    return statistics.mean(statistics.mean(v) for v in tables.values())


def compare(rows, key, peer, share):
    """A line for each lag at which the peer was run: the same, and told before each ask."""
    theirs = {k[1]: rows[k] for k in rows if k[0] == peer and k[2] == share and k[3] == key[3]}
    for lag in sorted({key[1], 0} & set(theirs)):
        both = [k for k in rows[key] if k in theirs[lag]]
        if not both:
            continue
        better, worse, p = wilcoxon([rows[key][k]["regret"] - theirs[lag][k]["regret"]
                                     for k in both])
        yield {"method": key[0], "lag": key[1], "against": peer, "its_lag": lag,
               "repeat_share": key[2], "repeats": key[4], "its_share": share, "runs": key[3],
               "pairs": len(both), "seeds": between(both),
               "ranks_better": better, "ranks_worse": worse, "p": float(f"{p:.3g}"),
               "verdict": "no difference" if p > 0.05 else
                          "better" if better > worse else "worse"}


def on_the_way(cells, i):
    return round(over_tables({k: {"at": r["on_the_way"][i]} for k, r in cells.items()}, "at"), 4)


def against_late(rows, key):
    """Below 0.05 the difference is real: which is better, after each eighth and at the end."""
    along, late = rows[key], rows.get((*key[:4], "late"), {})
    both = [k for k in along if k in late]
    if key[4] != "along" or not both:
        return
    pairs = [[along[k]["on_the_way"][i] - late[k]["on_the_way"][i] for k in both] for i in range(7)]
    pairs.append([along[k]["regret"] - late[k]["regret"] for k in both])
    tests = [wilcoxon(p) for p in pairs]
    yield {"method": key[0], "lag": key[1], "repeats": "along", "against": "late",
           "repeat_share": key[2], "runs": key[3], "pairs": len(both), "seeds": between(both),
           "p": [float(f"{p:.2g}") for _, _, p in tests],
           "verdict": ["no difference" if p > 0.05 else "better" if b > w else "worse"
                       for b, w, p in tests]}


def main():
    args = sys.argv[1:]
    out = args.pop(args.index("--append") + 1) if "--append" in args else None
    rows = read(a for a in args if a != "--append")
    lines = []
    for key in sorted(rows):
        suites = {"all": rows[key]}
        for suite in ("hpobench", "hpolib"):
            suites[suite] = {k: r for k, r in rows[key].items() if k[0].startswith(suite)}
        line = dict(zip(("method", "lag", "repeat_share", "runs", "repeats"), key))
        line["studies"] = len(rows[key])
        line["seeds"] = between(rows[key])
        for suite, cells in suites.items():
            if cells:
                line[f"better_percent_{suite}"] = round(100 * over_tables(cells, "better"), 2)
                line[f"regret_{suite}"] = round(over_tables(cells, "regret"), 4)
        if all(len(r.get("on_the_way", [])) == 7 for r in rows[key].values()):
            line["regret_on_the_way"] = [on_the_way(rows[key], i) for i in range(7)]
        lines.append(line)
        lines.extend(against_late(rows, key))
    for ours, peer in PAIRS:
        for key in sorted(k for k in rows if k[0] == ours):
            for share in sorted({key[2], 0} if key[4] != "even" else {key[2]}):
                lines.extend(compare(rows, key, peer, share))
    for line in lines:
        print(json.dumps(line))
    if out:
        with open(out, "a") as f:
            for line in lines:
                f.write(json.dumps({"date": time.strftime("%Y-%m-%d"), **line}) + "\n")


if __name__ == "__main__":
    main()
