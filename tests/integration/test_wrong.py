"""What people get wrong, each with the parts that the message must have: what, where, what to do.

A message is judged by reading it; the table keeps what was found good. Three kinds: command lines,
texts that are no JSON, and specifications."""
import copy
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon, make_data  # noqa: E402
from tap import check, run  # noqa: E402

USAGE, REFUSED = 2, 1

# words behind sweepctl, exit status, parts of what it says (regular expressions)
LINES = [
    ("", USAGE, ["a verb is missing", "sweepctl help"]),
    ("sumbit x.json", USAGE, ["unknown verb 'sumbit'", "did you mean 'submit'"]),
    ("frobnicate", USAGE, ["unknown verb", "`sweepctl help` lists them"]),
    ("kill 3", USAGE, ["'kill'", "cancel SWEEP", "cancel --run RUN"]),
    ("stop", USAGE, ["'stop'", "pause SWEEP", "cancel SWEEP", "shutdown"]),
    ("top", USAGE, ["'top'", "status", "watch"]),
    ("ps", USAGE, ["'ps'", "status"]),
    ("plot 3", USAGE, ["KIND: got 3", "allowed: history, curves"]),
    ("tail 3", USAGE, ["'tail'", "watch SWEEP"]),
    ("results 1", USAGE, ["'results'", "best SWEEP"]),
    ("restart 1", USAGE, ["'restart'", "resume SWEEP", "replay RUN"]),
    ("dry-run x.json", USAGE, ["'dry-run'", "submit SPEC.json --dry-run"]),
    ("version", USAGE, ["--version"]),
    ("describe 1", USAGE, ["show SWEEP", "run RUN"]),
    ("agent 1", USAGE, ["submit SPEC.json"]),
    ("help kill", USAGE, ["'kill'", "cancel SWEEP"]),
    ("show", USAGE, ["show needs SWEEP", "`sweepctl show SWEEP`", "sweepctl list"]),
    ("log", USAGE, ["log needs RUN", "sweepctl runs"]),
    ("submit", USAGE, [r"submit needs SPEC"]),
    ("enqueue", USAGE, ["enqueue needs SWEEP"]),
    ("show abc", USAGE, ["SWEEP: got abc", "the id of a sweep, an integer from 1", "sweepctl list"]),
    ("run 0", USAGE, ["RUN: got 0", "the id of a run", "sweepctl runs"]),
    ("run #3", USAGE, ["RUN: got #3", "its place in its sweep|run's place in its sweep"]),
    ("best -1", USAGE, ["unknown option '-1'", "from 1"]),
    ("list 4", USAGE, ["list: unexpected argument '4'", "arguments: none"]),
    ("show 1 2", USAGE, ["show: unexpected argument '2'", "SWEEP"]),
    ("best --watch", USAGE, ["best has no option --watch", "--limit"]),
    ("best --limt 3", USAGE, ["unknown option '--limt'", "did you mean '--limit'"]),
    ("best -n", USAGE, ["-n needs a value: N"]),
    ("best -n many", USAGE, ["--limit: got many", "an integer from 1"]),
    ("best -n 5000", USAGE, ["5000", "1 to 1000"]),
    ("submit --watch=yes x", USAGE, ["--watch takes no value"]),
    ("submit x --watch --dry-run", USAGE, ["--watch and --dry-run exclude each other"]),
    ("submit nowhere.json", USAGE, ["nowhere.json", "No such file"]),
    ("cancel", USAGE, ["cancel needs either SWEEP or --run RUN"]),
    ("cancel 1 --run 2", USAGE, ["either SWEEP or --run RUN"]),
    ("enqueue 1 lr", USAGE, ["enqueue: got lr", "NAME=VALUE"]),
    ("runs 1 --status fail", USAGE, ["--status: got fail", "did you mean failed", "queued, running"]),
    ("runs 1 --label overfit", USAGE, ["--label: got overfit", "did you mean overfitting", "none, "]),
    ("runs 1 --sort loss", USAGE, ["--sort: got loss", "metric", "val_loss"]),
    ("events --since yesterday", USAGE, ["yesterday", "2h"]),
    ("show 99", REFUSED, ["there is no sweep 99", "sweepctl list"]),
    ("run 99", REFUSED, ["there is no run 99", "sweepctl runs"]),
    ("log 99", REFUSED, ["there is no run 99"]),
    ("cancel 99", REFUSED, ["there is no sweep 99"]),
    ("best", REFUSED, ["there are no sweeps yet", "sweepctl submit"]),
    ("label nowhere.csv", None, ["nowhere.csv", "No such file"]),
    ("label 28", USAGE, ["no file 28", "sweepctl explain 28"]),
]

# a text that is no JSON, and the parts of the message
TEXTS = [
    ("", ["stdin is empty", "JSON object"]),
    ("method: random\nparameters:\n  lr: 1\n", [r":3:3: \$.parameters.lr: got 1|is not JSON"]),
    ("{'name': 'x'}", ["line 1, column 2", "double quotes"]),
    ('{"name": "x",}', ["line 1, column 14", "a key in double quotes", "comma"]),
    ('{"name": "x" "seed": 1}', ["line 1, column 14", "',' or '}'"]),
    ('{"name": "x"', ["line 1, column 13", "',' or '}'"]),
    ('{"values": [1, 2,]}', ["line 1, column 18", "comma"]),
    ('{\n  // a comment\n  "seed": 1}', ["line 2, column 3", "comment"]),
    ('{"seed": 1} # done', ["line 1, column 13", "nothing after the value"]),
    ('{"treat": True}', ["line 1, column 11", "true"]),
    ('{"after": None}', ["line 1, column 11", "null"]),
    ('{"min": 1e999}', ["line 1, column 9", "fits a double"]),
    ('{"min": .5}', ["line 1, column 9", "0.5|before the point"]),
    ('{"min": NaN}', ["line 1, column 9", '"nan"']),
    ('{"seed": 1, "seed": 2}', ["line 1, column 14", "duplicate"]),
]

BASE = {"name": "w", "method": "random",
        "data": {"path": "?", "format": "idx", "validation": 100},
        "parameters": {"learning_rate": {"min": 0.001, "max": 0.1,
                                         "distribution": "log_uniform_values"}},
        "epochs": 1, "run_cap": 2}
GONE = object()

# what is changed in a specification that is right ("a.b": value; GONE takes it out), and the parts
SPECS = [
    ({"parameters.lr_rate": {"values": [1]}}, [r"\$.parameters.lr_rate: unknown"]),
    ({"parameters.depht": {"values": [1]}}, [r":\d+:\d+: \$.parameters.depht: unknown",
                                             "did you mean depth"]),
    ({"parameters.depth": 3}, [r'\$.parameters.depth: got 3', r'{"value": 3}']),
    ({"parameters.depth": [1, 2]}, [r"parameters.depth: got \[1,2\]", r'{"values": \[1,2\]}']),
    ({"parameters.depth": {}}, ["parameters.depth", '"value", "values", or "min" and "max"']),
    ({"parameters.depth": {"min": 1}}, ["depth.max: missing", '"max" beside "min"']),
    ({"parameters.depth": {"min": 4, "max": 1}}, ["depth", "min below max", "empty"]),
    ({"parameters.depth": {"values": []}}, ["depth.values", "at least one value"]),
    ({"parameters.depth": {"values": [1, 1]}}, [r"values\[1\]: got 1", "each value once"]),
    ({"parameters.depth": {"values": [1, 2.5]}}, [r"values\[1\]: got 2.5", "an integer from 0"]),
    ({"parameters.depth": {"values": ["2"]}}, ['got "2"', "without the quotes"]),
    ({"parameters.learning_rate.distribution": "log_uniform"},
     ["log_uniform_values", "min and max are exponents"]),
    ({"parameters.learning_rate": {"distribution": "normal", "mu": 0.01, "sigma": -1}},
     [r"learning_rate.sigma: got -1", "above 0"]),
    ({"parameters.learning_rate.min": 0}, ["learning_rate.min: got 0", "above 0"]),
    ({"parameters.learning_rate.min": -9.2}, ["learning_rate.min: got -9.2", "above 0"]),
    ({"parameters.learning_rate.q": 0.1}, ["q: got 0.1", "begins with q_"]),
    ({"parameters.learning_rate.step": 0.1}, ["step: unknown", "did you mean q"]),
    ({"parameters.learning_rate.low": 0.1}, ["low: unknown"]),
    ({"parameters.dropout": {"values": [0.1, 0.2], "probabilities": [1, 0]}},
     [r"probabilities\[1\]: got 0", "left out of"]),
    ({"parameters.optimizer": {"values": ["adm"]}}, ['got "adm"', "did you mean adam"]),
    ({"parameters.optimizer": {"values": ["nadam"]}}, ['got "nadam"', "did you mean adam"]),
    ({"parameters.optimizer": {"min": 1, "max": 2}}, ["optimizer.min", "no numeric range"]),
    ({"parameters": {}}, [r"\$.parameters: got {}", "at least one parameter"]),
    ({"parameters": GONE, "method": "grid"},
     [r"\$.parameters: missing", "at least one parameter"]),
    ({"params": {"lr": {"value": 1}}}, [r"\$.params: unknown", "did you mean parameters"]),
    ({"run_cap": GONE}, [r"\$.run_cap: missing", "number of runs"]),
    ({"run_cap": 0}, [r"\$.run_cap: got 0", "an integer from 1"]),
    ({"run_cap": "20"}, ['got "20"', "without the quotes"]),
    ({"n_trials": 20}, [r"\$.n_trials: unknown", "did you mean run_cap"]),
    ({"epochs": 0}, [r"\$.epochs: got 0", "an integer from 1"]),
    ({"epochs": 2.5}, [r"\$.epochs: got 2.5", "an integer"]),
    ({"max_epochs": 5}, [r"\$.max_epochs: unknown", "did you mean epochs"]),
    ({"method": "bayes"}, ['got "bayes"', "did you mean gp", "a Gaussian process"]),
    ({"method": "gird"}, ["did you mean grid"]),
    ({"method": "grid"}, ["learning_rate", "for method grid", '"values", integers']),
    ({"metric": "val_loss"}, [r'\$.metric: got "val_loss"', r'{"name": "val_loss"}']),
    ({"metric": {"name": "accuracy"}}, [r"\$.metric.name", "did you mean val_acc"]),
    ({"metric": {"name": "val_acc", "goal": "minimize"}}, [r"\$.metric.goal", "maximize", "larger"]),
    ({"metric": {"name": "val_loss", "goal": "min"}}, ["did you mean minimize"]),
    ({"seed": -1}, [r"\$.seed: got -1", "from 0"]),
    ({"seed": "abc"}, [r'\$.seed: got "abc"', "decimal string"]),
    ({"model.num_layers": 3}, [r"\$.model.num_layers: unknown", "did you mean depth"]),
    ({"model.type": "cnn"}, ["sequential", "conv2d in model.layers"]),
    ({"model.type": "transformer"}, ["no attention"]),
    ({"model.width": 0}, [r"\$.model.width: got 0", "from 1 to 65536"]),
    ({"model.learning_rate": 0.1}, [r"\$.model.learning_rate", "train.learning_rate"]),
    ({"learning_rate": 0.1}, [r"\$.learning_rate", "train.learning_rate", '"parameters"']),
    ({"train.lr": 0.1}, [r"\$.train.lr: unknown", "did you mean learning_rate"]),
    ({"train.learning_rate": 0.1}, ["parameters.learning_rate", "not both"]),
    ({"train.optimizer": "Adma"}, ["did you mean adam"]),
    ({"train.dropout": 1}, [r"\$.train.dropout: got 1", "from 0 to 0.999"]),
    ({"train.loss": "ce"}, ["did you mean cross_entropy"]),
    ({"train.shuffle": "yes"}, ['got "yes"', "true or false"]),
    ({"train.early_stopping_patience": 3}, ["did you mean patience"]),
    ({"data": GONE}, [r"\$.data: missing", "fashion-mnist"]),
    ({"data": "fashion-mnist"}, [r'\$.data: got "fashion-mnist"', "an object", r'{"name": "fas']),
    ({"data": {"name": "fashon-mnist", "validation": 5}}, ["data.name", "fashon-mnist"]),
    ({"data.path": "digits"}, ['got "digits"', "an absolute path"]),
    ({"data.path": "/no/such/folder"}, ["/no/such/folder", "No such file|not found|does not exist"]),
    ({"data.format": GONE}, [r"\$.data.format: missing", "csv"]),
    ({"data.format": "parquet"}, ["csv", "saved as"]),
    ({"data.format": "mnist"}, ["did you mean idx"]),
    ({"data.validation": GONE}, [r"\$.data.validation: missing", "number of samples"]),
    ({"data.validation": 0.2}, [r"\$.data.validation: got 0.2", "a number of samples", "not a share"]),
    ({"data.validation": 100000}, [r"data.validation", "fewer than"]),
    ({"data.val_split": 0.2}, ["val_split: unknown", "did you mean validation"]),
    ({"data.target": "y"}, ["data.target", "only with format"]),
    ({"early_terminate": {"type": "asha"}}, ["did you mean successive_halving"]),
    ({"early_terminate": {"type": "median", "lag": 0}}, ["lag: got 0", "which worker comes first"]),
    ({"early_terminate": {"min_iter": 3}}, ["early_terminate.type: missing", "median"]),
    ({"early_terminate": "median"}, [r'\$.early_terminate: got "median"', "an object", '"type"']),
    ({"limits": {"memory": 1000}}, ["limits.memory: unknown", "memory_mib"]),
    ({"task": "./train.sh"}, [r"\$.task", r'{"command": \["./train.sh"']),
    ({"command": ["./train.sh"]}, [r"\$.data: got", 'nothing beside "task"', "in \"parameters\""]),
    ({"command": ["./train.sh"], "method": "tpe"}, [r"\$.metric: got nothing", "what the program reports"]),
    ({"after": 99}, ["after", "99"]),
    ({"start_from": 99}, [r"\$.start_from: got 99", "a run that has ended"]),
]


def judge(what, told, parts):
    missing = [p for p in parts if not re.search(p, told)]
    check(not missing, f"{what}\n  is told: {told.strip()}\n  without: {missing}")
    print(f"# {what}\n#   {told.strip()[:600]}") if os.environ.get("SHOW") else None


def test_command_lines():
    with Daemon() as d:
        for line, status, parts in LINES:
            p = d.ctl(*line.split())
            check(p.returncode == status or status is None and p.returncode,
                  f"sweepctl {line}: status {p.returncode}, {p.stderr}")
            judge(f"sweepctl {line}", p.stderr, parts)


def test_texts():
    with Daemon() as d:
        for text, parts in TEXTS:
            p = d.ctl("submit", "-", text=text)
            check(p.returncode == REFUSED, f"{text!r}: status {p.returncode}")
            judge(repr(text), p.stderr, parts)


def changed(change, data):
    spec = copy.deepcopy(BASE)
    spec["data"]["path"] = data
    for path, value in change.items():
        *way, last = path.split(".")
        at = spec
        for step in way:
            at = at.setdefault(step, {})
        if value is GONE:
            del at[last]
        else:
            at[last] = value
    return spec


def test_specifications():
    with Daemon() as d:
        data = make_data(d.home)
        path = os.path.join(d.home, "spec.json")
        for change, parts in SPECS:
            with open(path, "w", encoding="utf-8") as f:
                json.dump(changed(change, data), f, indent=1)
            p = d.ctl("submit", path)
            shown = {k: "gone" if v is GONE else v for k, v in change.items()}
            check(p.returncode == REFUSED, f"{shown}: status {p.returncode} {p.stdout}{p.stderr}")
            judge(json.dumps(shown), p.stderr, parts)
            check(len(p.stderr) < 1400, f"{shown}: {len(p.stderr)} bytes are nobody's reading")
        check(d.sql("SELECT count(*) FROM sweeps") == [(0,)], "nothing was accepted")


def test_the_table_is_whole():
    check(len(LINES) + len(TEXTS) + len(SPECS) >= 98, "98 at least")


if __name__ == "__main__":
    run(test_command_lines, test_texts, test_specifications, test_the_table_is_whole)
