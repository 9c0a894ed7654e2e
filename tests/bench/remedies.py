#!/usr/bin/env python3
"""What a remedy is worth: sick runs, each trained again with one remedy, seed by seed.

usage: remedies.py [BUILD_DIR] [--only PARENT[,PARENT…]] [--seeds N] [--strengths] [--results FILE]
  BUILD_DIR    a release build (default build/release): meson setup DIR --buildtype release
  --seeds      default 10
  --strengths  other strengths of softer targets, means and noise, instead of the remedies as the
               product applies them
  --results    a JSON line a run is appended; default: none are kept

A parent is a configuration that overfits, or is restless, on a small data set with a fixed
validation part of its own (fault_cases/data.py: made here, but for fashion, which is Debian's
dataset-fashion-mnist). A child is the parent with one remedy, the same seed and data. Compared is
the metric by which runs are ranked, the lowest validation loss: its change in %, the mean over the
seeds with a 95 % interval (Student's t, paired); how many seeds are better by more than 0.5 %; and
how many are cured as the product says it: another label, and not worse by more than 0.5 %.
"""
import argparse
import json
import math
import os
import statistics
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from fault_cases import by_hand, cases, data  # noqa: E402

NOT_WORSE = 0.005
T_95 = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36, 9: 2.31, 10: 2.26,
        15: 2.14, 20: 2.09, 30: 2.05}
# name: (data set, change of it, samples, model, training, epochs)
PARENTS = {
    "fashion": ("fashion", "plain", 1000, cases.net(64, 2), cases.adam(0.002), 30),
    "glyphs": ("glyphs", "plain", 400, cases.net(64, 2), cases.adam(0.003), 30),
    "clouds": ("clouds", "plain", 600, cases.net(64, 2), cases.adam(0.003), 30),
    "friedman": ("friedman", "plain", 300, cases.net(64, 2), cases.adam(0.005), 50),
    "wrong_labels": ("glyphs", "wrong_labels", 1000, cases.net(64, 2), cases.adam(0.003), 30),
    "restless": ("clouds", "plain", 2000, cases.net(64, 2),
                 cases.momentum(0.05, batch_size=8), 20),
}
# Beside the new ones, those that there were before.
NEW = ["label_smoothing", "mixup", "ema", "swa", "gradient_noise"]
BEFORE = {"restless": ["batch_up", "learning_rate_down", "cosine"]}
USUAL = ["l2", "more_dropout", "smaller_net"]
CLASSES = {"label_smoothing"}


def steps(config):
    return max(1, math.ceil(config["data"]["limit"] / config["train"]["batch_size"]))


def strengths(config):
    """name: settings of train"""
    out = {f"label_smoothing {v:g}": {"label_smoothing": v} for v in (0.05, 0.1)}
    out.update({f"mixup {v:g}": {"mixup": v} for v in (0.1, 0.2, 0.4)})
    out.update({f"ema {v:g} epochs": {"average": "ema", "average_decay": 1 - 1 / (v * steps(config))}
                for v in (1, 2, 4, 8)})
    out.update({f"swa {v:g}": {"average": "swa", "average_start": v} for v in (0.5, 0.75)})
    out.update({f"gradient_noise {v:g}": {"gradient_noise": v} for v in (0.01, 0.1)})
    return out


def plan_of(name, seed):
    source, change, limit, model, train, epochs = PARENTS[name]
    plan = cases.Plan(source, (model, train, epochs), seed)
    plan.change, plan.settings = change, {"limit": limit}
    return plan


def children(hand, name, parent, by_strength):
    """name: configuration"""
    if not by_strength:
        told = {r["remedy"]: r["config"] for r in hand.explain_all(parent)["remedies"]}
        return {r: told[r] for r in BEFORE.get(name, USUAL) + NEW if r in told}
    classes = parent.config["data"].get("task") != "regression"
    return {name: {**parent.config, "train": {**parent.config["train"], **train}}
            for name, train in strengths(parent.config).items()
            if classes or name.split()[0] not in CLASSES}


def measure(hand, name, seed, by_strength):
    """One line: the parent and its children by (loss, pattern)."""
    plan = plan_of(name, seed)
    parent = hand.run(hand.config(plan, {}))
    told = hand.explain(parent)
    line = {"parent": name, "seed": seed, "loss": hand.loss(parent, plan),
            "pattern": told["pattern"], "causes": [c["cause"] for c in told["causes"]],
            "children": {}}
    for remedy, config in children(hand, name, parent, by_strength).items():
        child = hand.run({k: v for k, v in config.items() if k != "weights"})
        line["children"][remedy] = (hand.loss(child, plan), hand.label(child)[0])
    return line


def interval(changes):
    mean, n = statistics.mean(changes), len(changes)
    if n < 2:
        return mean, math.inf
    t = T_95.get(n, T_95[max(k for k in T_95 if k <= n)])
    return mean, t * statistics.stdev(changes) / math.sqrt(n)


def cured(line, loss, pattern):
    return pattern != line["pattern"] and loss <= line["loss"] * (1 + NOT_WORSE)


def report(name, lines):
    patterns = [line["pattern"] for line in lines]
    causes = [line["causes"][0] if line["causes"] else "none" for line in lines]
    said = ", ".join(f"{p} {patterns.count(p)}" for p in sorted(set(patterns)))
    said += "; causes " + ", ".join(f"{c} {causes.count(c)}" for c in sorted(set(causes)))
    print(f"\n{name}: mean loss {statistics.mean(x['loss'] for x in lines):.4f}; {said}\n"
          f"| remedy | change of the best loss, % | better | cured |\n|---|---|---|---|")
    for remedy in lines[0]["children"]:
        ends = [(x, *x["children"][remedy]) for x in lines if remedy in x["children"]]
        changes = [100 * (loss / x["loss"] - 1) for x, loss, _ in ends]
        mean, half = interval(changes)
        print(f"| {remedy} | {mean:+.2f} ± {half:.2f} | "
              f"{sum(c < -100 * NOT_WORSE for c in changes)}/{len(ends)} | "
              f"{sum(cured(x, loss, pattern) for x, loss, pattern in ends)}/{len(ends)} |")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", nargs="?", default="build/release")
    parser.add_argument("--only", default=",".join(PARENTS))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--strengths", action="store_true")
    parser.add_argument("--results")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        hand = by_hand.ByHand(os.path.abspath(asked.build), data.Store(folder, data.SKLEARN),
                              folder)
        for name in asked.only.split(","):
            lines = [measure(hand, name, seed, asked.strengths)
                     for seed in range(1, asked.seeds + 1)]
            report(name, lines)
            if asked.results:
                with open(asked.results, "a", encoding="utf-8") as f:
                    f.writelines(json.dumps(line) + "\n" for line in lines)


if __name__ == "__main__":
    main()
