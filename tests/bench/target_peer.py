"""The other side of target.py: Optuna on SQLite, trainers of PyTorch, a process for each worker.

usage: target_peer.py search TASK.json STUDY PRUNER SEED SECONDS INDEX
       target_peer.py repeat TASK.json

TASK.json is written by target.py. search prints `ready`, waits for a line, and then prints a line
of JSON for each epoch of each trial: when (CLOCK_MONOTONIC), trial, epoch, value, parameters.
repeat answers each line {"parameters", "seed", "epochs"} with a line: the best validation loss, the
test loss at that epoch, and the seconds of an epoch. One thread a process, all data in memory, no
data loader: the shortest way through PyTorch. Initial weights are PyTorch's own.
"""
import json
import math
import os
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
import numpy as np  # noqa: E402
import torch  # noqa: E402

torch.set_num_threads(1)
EVALUATED_AT_ONCE = 4096


def say(**line):
    print(json.dumps(line), flush=True)


class Data:
    def __init__(self, task):
        self.parts = {}
        self.regression = task["regression"]
        for part in ("train", "validation", "test"):
            x = torch.from_numpy(np.load(task["files"][part][0]))
            y = torch.from_numpy(np.load(task["files"][part][1]))
            self.parts[part] = x, y.float() if self.regression else y.long()
        y = self.parts["train"][1]
        self.outputs = 1 if self.regression else int(y.max()) + 1
        self.features = self.parts["train"][0].shape[-1]
        # What a regression learns has mean 0 and variance 1; losses are in the targets' own unit.
        self.mean, self.deviation = (y.mean(), y.std(correction=0)) if self.regression else (0, 1)

    def loss(self, out, y):
        if self.regression:
            return torch.nn.functional.mse_loss(out.squeeze(1), (y - self.mean) / self.deviation)
        return torch.nn.functional.cross_entropy(out, y)

    def evaluate(self, net, part):
        x, y = self.parts[part]
        net.eval()
        total = 0.0
        with torch.no_grad():
            for i in range(0, len(x), EVALUATED_AT_ONCE):
                rows = slice(i, i + EVALUATED_AT_ONCE)
                total += float(self.loss(net(x[rows]), y[rows])) * len(x[rows])
        net.train()
        return total / len(x) * float(self.deviation) ** 2


class Recurrent(torch.nn.Module):
    def __init__(self, features, outputs, p):
        super().__init__()
        sizes = [features] + [p["width"]] * p["depth"]
        self.layers = torch.nn.ModuleList(
            torch.nn.LSTM(a, b, batch_first=True) for a, b in zip(sizes, sizes[1:]))
        self.dropout = torch.nn.Dropout(p["dropout"])
        self.out = torch.nn.Linear(p["width"], outputs)

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = self.dropout(layer(x)[0])
        return self.out(self.dropout(self.layers[-1](x)[0][:, -1]))


def network(task, data, p):
    if task["model"] == "lstm":
        return Recurrent(data.features, data.outputs, p)
    layers, width = [], data.features
    for _ in range(p["depth"]):
        layers += [torch.nn.Linear(width, p["width"]), torch.nn.ReLU()]
        if p["dropout"] > 0:
            layers.append(torch.nn.Dropout(p["dropout"]))
        width = p["width"]
    return torch.nn.Sequential(*layers, torch.nn.Linear(width, data.outputs))


def optimizer(net, p):
    kinds = {"sgd": lambda w, lr: torch.optim.SGD(w, lr),
             "momentum": lambda w, lr: torch.optim.SGD(w, lr, momentum=0.9),
             "adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop}
    return kinds[p["optimizer"]](net.parameters(), p["learning_rate"])


def train(task, data, p, seed, epochs):
    """Validation loss and seconds of each epoch, and the network as it is then."""
    torch.manual_seed(seed)
    net = network(task, data, p)
    steps = optimizer(net, p)
    x, y = data.parts["train"]
    for _ in range(epochs):
        start = time.monotonic()
        order = torch.randperm(len(x))
        for i in range(0, len(x), p["batch_size"]):
            rows = order[i:i + p["batch_size"]]
            steps.zero_grad()
            data.loss(net(x[rows]), y[rows]).backward()
            steps.step()
        yield data.evaluate(net, "validation"), time.monotonic() - start, net


def warm_up(task, data):
    """What PyTorch loads with its first steps is loaded before the clock starts."""
    first = {name: d.get("values", [d.get("min")])[0] for name, d in task["parameters"].items()}
    x, y = (t[:8] for t in data.parts["train"])
    for kind in task["parameters"]["optimizer"]["values"]:
        net = network(task, data, first)
        steps = optimizer(net, {**first, "optimizer": kind})
        data.loss(net(x), y).backward()
        steps.step()


# --- the search ----------------------------------------------------------------------------------

def suggest(trial, space):
    p = {}
    for name, d in space.items():
        if "values" in d:
            p[name] = trial.suggest_categorical(name, d["values"])
        elif d.get("distribution") == "log_uniform_values":
            p[name] = trial.suggest_float(name, d["min"], d["max"], log=True)
        elif isinstance(d["min"], int):
            p[name] = trial.suggest_int(name, d["min"], d["max"])
        else:
            p[name] = trial.suggest_float(name, d["min"], d["max"])
    return p


def search(task, data, storage, rule, seed, seconds, index):
    import optuna
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    epochs = task["epochs"]
    pruner = {"median": optuna.pruners.MedianPruner,
              "hyperband": lambda: optuna.pruners.HyperbandPruner(1, epochs, 3)}[rule]()
    study = optuna.create_study(study_name="target", storage=storage, load_if_exists=True,
                                sampler=optuna.samplers.TPESampler(seed=1000 * seed + index),
                                pruner=pruner)

    def objective(trial):
        p = suggest(trial, task["parameters"])
        best = math.inf
        for epoch, (value, took, _) in enumerate(train(task, data, p, seed, epochs), 1):
            say(at=time.monotonic(), run=trial.number, epoch=epoch, value=value, seconds=took,
                parameters=p)
            if not math.isfinite(value):
                raise optuna.TrialPruned()
            best = min(best, value)
            trial.report(best, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned()
        return best

    print("ready", flush=True)
    sys.stdin.readline()
    study.optimize(objective, timeout=seconds)


def repeat(task, data):
    for line in sys.stdin:
        job = json.loads(line)
        best, test, seconds = math.inf, math.nan, []
        for value, took, net in train(task, data, job["parameters"], job["seed"], job["epochs"]):
            seconds.append(took)
            if value < best:
                best, test = value, data.evaluate(net, "test")
        say(validation=best if math.isfinite(best) else None,
            test=test if math.isfinite(test) else None,
            seconds=sum(seconds) / len(seconds))


def main():
    with open(sys.argv[2], encoding="utf-8") as f:
        task = json.load(f)
    data = Data(task)
    warm_up(task, data)
    if sys.argv[1] == "repeat":
        repeat(task, data)
    else:
        storage, rule, seed, seconds, index = sys.argv[3:]
        search(task, data, storage, rule, int(seed), float(seconds), int(index))


if len(sys.argv) < 3:
    sys.exit(__doc__)
main()
