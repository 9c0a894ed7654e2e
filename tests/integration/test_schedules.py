"""The learning rate of every step against docs/trainer.md, computed here from that page alone."""
import json
import math
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import WORKER  # noqa: E402
from tap import check, equal, run  # noqa: E402

SAMPLES, HELD, BATCH, EPOCHS = 103, 20, 10, 6
STEPS = math.ceil((SAMPLES - HELD) / BATCH)
BASE = 0.02


def annealed(start, end, x):
    return end + (start - end) / 2 * (1 + math.cos(math.pi * x))


def one_cycle(s, k, n):
    peak, last = 0.3 * n - 1, n - 1
    if k <= peak:
        return annealed(BASE / 25, BASE, k / peak)
    return annealed(BASE, BASE / 250000, (k - peak) / (last - peak))


def rate_of(s, step, cut):
    warm = s.get("warmup_epochs", 0)
    w = math.ceil(warm * STEPS)
    e = max(0, step // STEPS - math.ceil(warm))
    k, n = max(0, step - w), max(1, EPOCHS * STEPS - w)
    factor, every = s.get("schedule_factor", 0.5), s.get("schedule_epochs", 10)
    floor = s.get("schedule_floor", 0)
    rate = {"constant": lambda: BASE,
            "step": lambda: BASE * factor ** (e // every),
            "exponential": lambda: BASE * factor ** e,
            "cosine": lambda: annealed(BASE, floor * BASE, min(k / n, 1)),
            "one_cycle": lambda: one_cycle(s, k, n),
            "plateau": lambda: BASE * cut}[s["schedule"]]()
    return rate * (min(1, (step + 1) / (warm * STEPS)) if step < w else 1)


class Plateau:
    def __init__(self, s):
        self.s, self.best, self.bad, self.cut = s, math.inf, 0, 1.0

    def end_of_epoch(self, loss):
        if loss < self.best * (1 - 1e-4):
            self.best, self.bad = loss, 0
            return
        self.bad += 1
        if self.bad < self.s.get("schedule_epochs", 10) + 1:
            return
        self.bad = 0
        cut = max(self.cut * self.s.get("schedule_factor", 0.5), self.s.get("schedule_floor", 0))
        if BASE * (self.cut - cut) > 1e-8:
            self.cut = cut


def write_table(path):
    state = 7
    with open(path, "w", encoding="ascii") as f:
        f.write("a,b,label\n")
        for i in range(SAMPLES):
            state = state * 1103515245 + 12345 & 0x7fffffff
            f.write(f"{state % 997 / 100:.2f},{i * 37 % 101 / 10:.1f},{'xyz'[state // 7 % 3]}\n")


def train(folder, train_settings):
    config = os.path.join(folder, "config.json")
    with open(config, "w", encoding="utf-8") as f:
        json.dump({"version": 1, "data": {"format": "csv", "path": os.path.join(folder, "t.csv"),
                                          "validation": HELD},
                   "model": {"type": "mlp", "width": 4, "depth": 1},
                   "train": {"optimizer": "sgd", "learning_rate": BASE, "batch_size": BATCH,
                             "points_per_epoch": 1000, **train_settings},
                   "epochs": EPOCHS, "seed": "110", "split_seed": "110"}, f)
    env = {**os.environ, "XDG_CACHE_HOME": folder}
    subprocess.run([WORKER, "--prepare", config], check=True, env=env, capture_output=True)
    out = subprocess.run([WORKER, config], check=True, env=env, capture_output=True, text=True)
    lines = [json.loads(line) for line in out.stdout.splitlines()]
    return [line for line in lines if line["type"] == "point"]


def compare(folder, settings):
    points = train(folder, settings)
    equal(len(points), EPOCHS * STEPS, f"{settings}: a point for each step")
    plateau = Plateau(settings)
    for step, point in enumerate(points):
        want, seen = rate_of(settings, step, plateau.cut), point["learning_rate"]
        check(abs(want - seen) <= 1e-12 * BASE + 1e-9 * want,
              f"{settings}, step {step}: {want} by the page, {seen} by the worker")
        if step % STEPS == STEPS - 1:
            plateau.end_of_epoch(point["val_loss"])
    return plateau.cut


def test_rates_are_those_of_the_page():
    warm = ({}, {"warmup_epochs": 1}, {"warmup_epochs": 1.3}, {"warmup_epochs": 0.05})
    with tempfile.TemporaryDirectory() as folder:
        write_table(os.path.join(folder, "t.csv"))
        for w in warm:
            for s in ({"schedule": "constant"},
                      {"schedule": "step", "schedule_epochs": 2, "schedule_factor": 0.3},
                      {"schedule": "exponential", "schedule_factor": 0.7},
                      {"schedule": "cosine"}, {"schedule": "cosine", "schedule_floor": 0.1},
                      {"schedule": "one_cycle"}):
                compare(folder, {**s, **w})


def test_plateau_cuts_as_the_page_says():
    with tempfile.TemporaryDirectory() as folder:
        write_table(os.path.join(folder, "t.csv"))
        # A rate so large that the loss does not get better.
        cuts = [compare(folder, {"schedule": "plateau", "schedule_epochs": n, "momentum": 0.9,
                                 "optimizer": "momentum", "schedule_factor": 0.5,
                                 "schedule_floor": 0.2}) for n in (1, 2, 3)]
        check(min(cuts) < 1, f"cuts {cuts}: nothing was cut")


if __name__ == "__main__":
    run(test_rates_are_those_of_the_page, test_plateau_cuts_as_the_page_says)
