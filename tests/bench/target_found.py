"""What a search has found, by the time at which it found it (target.py, labels_pay.py)."""


def incumbents(found):
    """(when, configuration) of each that was the best by then, in turn."""
    best, out = float("inf"), []
    for at, run, value in found["points"]:
        if value is not None and value < best:
            best = value
            key = found["configurations"][run]
            if not out or out[-1][1] != key:
                out.append((at, key))
    if found["winner"] not in (None, out[-1][1] if out else None):
        out.append((found["seconds"], found["winner"]))  # by the mean over its seeds
    return out


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
