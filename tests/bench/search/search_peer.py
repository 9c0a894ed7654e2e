#!/usr/bin/env python3
"""Samplers of Optuna (and Rustuna) on the tables and seeds of search_bench, and its lines of JSON.

    search_peer.py TABLES OUT.jsonl SAMPLER FIRST_SEED SEEDS RUNS[,RUNS] LAG [SHARE[,SHARE]]

What OUT.jsonl already holds is not run again. Wants `pip install optuna cmaes scipy`, for gp also
torch, for rustuna `pip install rustuna`. LAG 0 tells each result before the next ask; LAG n asks
for run i when the runs below i - n are told, as search_bench does. Listed numbers are given as
integers (their places), names as categories: what search_bench gives to our methods.
"""
import array
import json
import pathlib
import sys
import time
import warnings

MASK = (1 << 64) - 1


def mix(z):
    """splitmix64's output function, as in sweep/rng.h."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


class Table:
    def __init__(self, path):
        with open(path, "rb") as f:
            head = json.loads(f.readline())
            self.costs = array.array("d", f.read())
        self.name, self.seeds = head["name"], head["seeds"]
        self.axes = [(name, len(v["values"]), isinstance(v["values"][0], str))
                     for name, v in head["parameters"].items()]
        count = len(self.costs) // self.seeds
        self.truth = [sum(self.costs[i * self.seeds:(i + 1) * self.seeds]) / self.seeds
                      for i in range(count)]
        ranked = sorted(self.truth)
        self.best, self.median = ranked[0], ranked[count // 2]

    def cell(self, places):
        cell = 0
        for (_, size, _), place in zip(self.axes, places):
            cell = cell * size + place
        return cell

    def cost(self, seed, cell, time):
        first = mix((mix(seed + 1) + cell) & MASK) >> 33
        return self.costs[cell * self.seeds + (first + time) % self.seeds]


# --- samplers ----------------------------------------------------------------------------------

def optuna_study(name, seed):
    import optuna
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    s = optuna.samplers
    sampler = {
        "tpe5": lambda: s.TPESampler(seed=seed),
        "tpe4": lambda: s.TPESampler(seed=seed, multivariate=False, constant_liar=False),
        "cmaes": lambda: s.CmaEsSampler(seed=seed),
        "gp": lambda: s.GPSampler(seed=seed),
        "random": lambda: s.RandomSampler(seed=seed),
        "sobol": lambda: s.QMCSampler(seed=seed, scramble=True),
    }[name]()
    return optuna.create_study(sampler=sampler)


class Optuna:
    def __init__(self, name, seed, table):
        self.study, self.axes = optuna_study(name, seed), table.axes

    def ask(self):
        trial = self.study.ask()
        places = [trial.suggest_categorical(name, range(size)) if named else
                  trial.suggest_int(name, 0, size - 1) for name, size, named in self.axes]
        return trial, places

    def tell(self, trial, cost):
        self.study.tell(trial, cost)


class Rustuna(Optuna):
    def __init__(self, name, seed, table):
        import rustuna
        self.study = rustuna.create_study(sampler=rustuna.samplers.TPESampler(seed=seed))
        self.axes = table.axes

    def tell(self, trial, cost):
        self.study.tell(trial.number, cost)


def peer(name, seed, table):
    return Rustuna(name, seed, table) if name == "rustuna" else Optuna(name, seed, table)


# --- a study -----------------------------------------------------------------------------------

def trace(sampler, table, seed, runs, lag):
    """The cells of so many trials, and microseconds of one."""
    study, cells, times, waiting = peer(sampler, seed, table), [], {}, []
    begin = time.process_time()
    for n in range(runs):
        while waiting and n - len(waiting) < n - lag:
            trial, cost = waiting.pop(0)
            study.tell(trial, cost)
        trial, places = study.ask()
        cell = table.cell(places)
        cost = table.cost(seed, cell, times.get(cell, 0))
        times[cell] = times.get(cell, 0) + 1
        cells.append(cell)
        waiting.append((trial, cost))
    return cells, (time.process_time() - begin) / runs * 1e6


def judge(table, seed, cells, repeats):
    """Share of the table that is truly better than the winner, and its regret (search_bench.c)."""
    times = {}
    for cell in cells:
        times[cell] = times.get(cell, 0) + 1

    def mean(cell):
        return sum(table.cost(seed, cell, k) for k in range(times[cell])) / times[cell]

    for _ in range(repeats):
        top = sorted(dict.fromkeys(cells), key=mean)[:8]
        times[min(top, key=lambda c: times[c])] += 1
    least = 2 if repeats else 1
    won = min((c for c in dict.fromkeys(cells) if times[c] >= least), key=mean)
    better = sum(t < table.truth[won] for t in table.truth) / len(table.truth)
    return better, (table.truth[won] - table.best) / (table.median - table.best)


def main():
    folder, out, sampler = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    first, seeds, lag = int(sys.argv[4]), int(sys.argv[5]), int(sys.argv[7])
    counts = [int(n) for n in sys.argv[6].split(",")]
    shares = [float(x) for x in (sys.argv[8] if len(sys.argv) > 8 else "0,0.15").split(",")]
    warnings.simplefilter("ignore")
    done = set()
    if out.exists():
        rows = [json.loads(line) for line in out.read_text().splitlines()]
        done = {(r["table"], r["method"], r["seed"], r["lag"]) for r in rows}
    for path in sorted(folder.glob("*.table")):
        table, method = Table(path), f"optuna_{sampler}" if sampler != "rustuna" else sampler
        for seed in range(first, first + seeds):
            if (table.name, method, seed, lag) in done:
                continue
            cells, us = trace(sampler, table, seed, max(counts), lag)
            with out.open("a") as f:
                for runs in counts:
                    for share in shares:
                        repeats = int(share * runs)
                        better, regret = judge(table, seed, cells[:runs - repeats], repeats)
                        f.write(json.dumps({
                            "table": table.name, "method": method, "seed": seed, "runs": runs,
                            "lag": lag, "repeat_share": share, "better": round(better, 6),
                            "regret": round(regret, 6), "us_per_proposal": round(us, 1)}) + "\n")


if __name__ == "__main__":
    main()
