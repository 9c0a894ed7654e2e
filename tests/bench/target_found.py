"""What a search has found, by the time at which it found it (target.py, labels_pay.py)."""


def incumbents(found):
    """(when, configuration) of each that was the best by then, in turn.

    Ours by the rule of the product (view best_configurations): the best mean among configurations of
    which two seeds or more have come to their end (`seeds`: when, the run that had it first, value),
    once there are such; until then, and of the peer, which repeats nothing, the run with the lowest
    epoch so far.
    """
    out, plain, lowest_yet, of = [], None, float("inf"), {}
    events = [(at, 0, run, value) for at, run, value in found["points"] if value is not None]
    events += [(at, 1, root, value) for at, root, value in found.get("seeds", [])]
    for at, is_end, run, value in sorted(events):
        if is_end:
            of.setdefault(run, []).append(value)
        elif value < lowest_yet:
            plain, lowest_yet = run, value
        else:
            continue
        key = found["configurations"][best_mean(of) or plain]
        if not out or out[-1][1] != key:
            out.append((at, key))
    if found["winner"] not in (None, out[-1][1] if out else None):
        out.append((found["seconds"], found["winner"]))  # by the mean over its seeds
    return out


def best_mean(of):
    """The run that had first what is the best mean of two seeds or more. None: nothing has two."""
    means = {run: sum(v) / len(v) for run, v in of.items() if len(v) > 1}
    return min(means, key=lambda run: (means[run], int(run)), default=None)


def first_below(found, value):
    return next((at for at, _, v in found["points"] if v is not None and v <= value), None)


def lowest(found):
    return min((v for _, _, v in found["points"] if v is not None), default=None)


def mean(results, key):
    values = [r[key] for r in results]
    if not values or None in values:
        return None
    return sum(values) / len(values)


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return [rounded(v) for v in value] if isinstance(value, list) else value


class Side:
    """A search, and its configurations trained again."""

    def __init__(self, bench, name, found):
        self.bench, self.name, self.found = bench, name, found
        self.incumbents = incumbents(found)

    def means(self, keys):
        return [mean(r, "validation") for r in self.bench.repeated(self.name, keys)]

    def winner(self):
        """None: nothing came to a number."""
        key = self.found["winner"]
        if key is None:
            return None
        results = self.bench.repeated(self.name, [key])[0]
        return {"validation": mean(results, "validation"), "test": mean(results, "test"),
                "each": [r["validation"] for r in results], "runs": self.found["runs"],
                "lowest": lowest(self.found), "load": self.found["load"]}

    def time_to(self, target):
        """The first whose mean is as good. One seed alone decides of those that are far off."""
        keys = list(dict.fromkeys(key for _, key in self.incumbents))
        near = [key for key, (first,) in zip(keys, self.bench.repeated(self.name, keys, 1))
                if first["validation"] is not None
                and first["validation"] <= target * (1 + self.bench.FAR)]
        good = {key for key, value in zip(near, self.means(near))
                if value is not None and value <= target}
        return next((at for at, key in self.incumbents if key in good), None)
