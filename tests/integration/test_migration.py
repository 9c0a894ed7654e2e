"""The tables of docs/programs.md, from W&B and from Optuna: each row is run. A row without a check
fails, and so does a check without its row."""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from client_package import sweepd  # noqa: E402
from sweepd import SOURCE, SWEEPCTL, Daemon  # noqa: E402
from tap import check, equal, run  # noqa: E402

# Says what it was given, and reports by wandb, which is not there: the stand-in is.
SCRIPT = r"""
import json, sys, wandb
print(json.dumps(sys.argv[1:]))
wandb.init(config={"lr": 9})
print(json.dumps(dict(wandb.config)))
for epoch in range(1, 4):
    wandb.log({"epoch": epoch, "val_loss": 1 / epoch})
"""


def rows(title):
    """First and second cells of the table below that title, but its head."""
    with open(os.path.join(SOURCE, "docs", "programs.md"), encoding="utf-8") as f:
        section = re.search(rf"^## {title}\n(.*?)^## ", f.read(), re.M | re.S).group(1)
    found = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return [(a.strip(), b.strip()) for a, b in (cells[:2] for cells in found[1:])]


def each_row(title, checks):
    """checks: the beginning of a row's first cell → what is done with its second."""
    unused = set(checks)
    for first, second in rows(title):
        fitting = [begin for begin in checks if first.startswith(begin)]
        equal(len(fitting), 1, f"checks of the row {first!r}")
        unused.discard(fitting[0])
        checks[fitting[0]](second)
    equal(unused, set(), "checks without a row")


class Wandb:
    """Sweep files, submitted in a folder with the script."""

    def __init__(self, home, d):
        self.home, self.d = home, d
        with open(os.path.join(home, "train.py"), "w", encoding="utf-8") as f:
            f.write(SCRIPT)
        os.mkdir(os.path.join(home, "bin"))
        os.symlink(sys.executable, os.path.join(home, "bin", "python"))

    def submit(self, **changes):
        """The stored specification, what was noted, and what its first run printed."""
        file = {"program": "train.py", "method": "grid", "metric": {"name": "val_loss"},
                "parameters": {"lr": {"values": [0.5]}}, **changes}
        return self.submit_text(json.dumps({k: v for k, v in file.items() if v is not None}))

    def submit_text(self, text):
        done = subprocess.run(
            [SWEEPCTL, "--socket", self.d.socket, "submit", "-"], input=text, text=True,
            cwd=self.home, capture_output=True, check=False,
            env={**self.d.environment, "PATH": f"{self.home}/bin:{os.environ['PATH']}"})
        if done.returncode:
            return None, done.stderr, []
        sweep = int(re.search(r"sweep (\d+)", done.stdout).group(1))
        spec = self.d.call("show", sweep=sweep)["sweep"]["spec"]
        if spec["run_cap"] > 4:
            self.d.call("cancel", sweep=sweep)
            return spec, done.stderr, []
        equal(self.d.wait(sweep)["status"], "completed", text)
        one = self.d.call("runs", sweep=sweep)["runs"][0]
        equal(one["metric_value"], 1 / 3, "wandb.log")
        log = self.d.call("log", run=one["run_id"])["text"]
        return spec, done.stderr, [json.loads(x) for x in log.splitlines() if x[:1] in "[{"]


def noted(words):
    def look(answer):
        spec, notes, _ = answer
        check(spec is not None and words in notes, (words, notes))
    return look


def test_from_wandb():
    with tempfile.TemporaryDirectory() as home, Daemon() as d:
        w = Wandb(os.path.realpath(home), d)

        def macros(_):
            spec, _, printed = w.submit(command=["${interpreter}", "${program}", "${args_no_equals}"])
            equal(printed[0], ["--lr", "0.5"])
            equal(spec["task"]["command"][1:], ["train.py", "${args_no_equals}"])
            check("${argz}" in w.submit(command=["${argz}"])[1], "an unknown macro is refused")

        def methods(_):
            for method in "grid", "random":
                equal(w.submit(method=method, run_cap=2)[0]["method"], method)

        def bayes(second):
            spec, notes, _ = w.submit(method="bayes", run_cap=2)
            check(f"`{spec['method']}`" in second and "bayes is tpe" in notes, notes)

        def schedulers(second):
            for engine, method in re.findall(r"`(\w+)`: `(\w+)`", second):
                spec, notes, _ = w.submit(method="custom", run_cap=2,
                                          scheduler={"engine": engine, "source": "optuna.py:space"})
                check(spec is not None and "source" in notes, notes)
                equal(spec["method"], method)

        def metrics(_):
            both = [{"name": "val_loss", "goal": "minimize"}, {"name": "size", "goal": "maximize"}]
            spec, notes, _ = w.submit(metric=None, metrics=both, method="random", run_cap=1)
            check(spec is not None, notes)
            equal((spec["objectives"], spec["metric"]["name"]), (both, "val_loss"))

        def several_kinds(_):
            spec, _, printed = w.submit(parameters={"n": {"values": [None]},
                                                    "layers": {"values": [[64, 64]]}})
            equal(sorted(printed[0]), ["--layers=[64, 64]", "--n=None"])
            equal(printed[1], {"n": None, "layers": [64, 64], "lr": 9}, "wandb.config")
            check('"literals"' in json.dumps(spec), spec)

        def merged(_):
            spec, notes, printed = w.submit_text(
                "shared: &s {metric: {name: val_loss}, method: grid}\n<<: *s\nprogram: train.py\n"
                "parameters: {lr: &lr {values: [0.5]}, wd: *lr}\n")
            if "libyaml" in notes:
                return  # built without it
            equal((spec["method"], printed[1]), ("grid", {"lr": 0.5, "wd": 0.5}), notes)
            check("shared" in notes, notes)

        def left_to_the_shell(_):
            _, notes, printed = w.submit(
                command=["sh", "-c", "HOME=here; ${interpreter} train.py --home=${HOME}"])
            equal(printed[0], ["--home=here"])
            check("${HOME}" in notes, notes)

        def metric(_):
            spec, notes, _ = w.submit()
            equal(spec["metric"], {"name": "val_loss", "goal": "minimize"})
            check("goal is minimize" in notes, notes)

        def nested(_):
            spec, _, printed = w.submit(parameters={"model": {"parameters": {"n": {"value": 2}}},
                                                    "lr": {"values": [0.5]}})
            check("model.n" in json.dumps(spec["parameters"]), spec)
            equal(printed[0], ["--model.n=2", "--lr=0.5"])
            equal(printed[1]["model"], {"n": 2}, "wandb.config")

        def hyperband(_):
            block, some = {"type": "hyperband", "min_iter": 1}, {"lr": {"min": 0.1, "max": 0.5}}
            for changes, epochs in (({"parameters": {"epochs": {"value": 3}, **some}}, 3),
                                    ({"early_terminate": {"type": "hyperband", "max_iter": 9,
                                                          "s": 2}}, 9), ({}, 27)):
                spec, notes, _ = w.submit(**{"early_terminate": block, "run_cap": 5,
                                             "parameters": some, "method": "random", **changes})
                check(spec is not None, notes)
                equal((spec["epochs"], spec["early_terminate"]["type"]), (epochs, "hyperband"), notes)
                check(f"{epochs} iterations (epochs)" in notes, notes)

        def run_cap(second):
            spec = w.submit(method="random", run_cap=None,
                            parameters={"lr": {"min": 0.1, "max": 0.5}})[0]
            check(str(spec["run_cap"]) in second, (spec["run_cap"], second))

        def booleans(_):
            equal(w.submit(parameters={"amp": {"value": True}, "off": {"values": [False]}})[2][0],
                  ["--amp=True", "--off=False"])

        def agent(second):
            """The stand-in says what it has not."""
            with open(os.path.join(home, "agent.py"), "w", encoding="utf-8") as f:
                f.write("import sys, wandb\ngetattr(wandb, sys.argv[1].split('=')[1])()\n")
            done = subprocess.run(
                [SWEEPCTL, "--socket", d.socket, "submit", "-"], text=True, cwd=home, check=True,
                input=json.dumps({"program": "agent.py", "method": "grid", "metric": {"name": "x"},
                                  "parameters": {"name": {"values": ["agent", "sweep", "Api"]}}}),
                env={**d.environment, "PATH": f"{home}/bin:{os.environ['PATH']}"},
                capture_output=True)
            sweep = int(re.search(r"sweep (\d+)", done.stdout).group(1))
            d.wait(sweep)
            failed = d.call("runs", sweep=sweep)["runs"]
            equal([r["status"] for r in failed], ["failed"] * 3)
            for one in failed:
                check("has no server" in d.call("log", run=one["run_id"])["text"], one)

        each_row("From W&B", {
            "`program`, `command`": macros,
            "`method: grid`": methods,
            "`method: bayes`": bayes,
            "`method: custom`": schedulers,
            "`metric` `name`": metric,
            "`metrics`": metrics,
            "`metric.target`": lambda _: noted("metric.target is not honoured")(w.submit(
                metric={"name": "val_loss", "goal": "minimize", "target": 0.1})),
            "`parameters`": nested,
            "`early_terminate: hyperband`": hyperband,
            "`run_cap`": run_cap,
            "`project`": lambda _: noted("description is not honoured")(
                w.submit(project="p", description="d")),
            "`wandb.init().config`": lambda _: equal(w.submit()[2][1], {"lr": 0.5}),
            "`True`": booleans,
            "values of several kinds": several_kinds,
            "YAML with anchors": merged,
            "`${HOME}` in a longer word": left_to_the_shell,
            "`command` that is one text": lambda _: noted("command")(
                w.submit(command="python other.py")),
            "`wandb.log`": lambda _: w.submit(),
            "`wandb.agent`": agent,
        })


def test_from_optuna():
    with Daemon(workers=1) as d, sweepd.Client(d.socket) as client:
        def space(second):
            """The parameters that the cell shows, as it shows them."""
            found = dict(re.findall(r'"(\w+)": (\{[^}]*\})', second))
            check(found, second)
            parameters = {name: json.loads(text) for name, text in found.items()}
            study = client.create_study(parameters, method="random", n_trials=3)
            for trial in client.trials(study):
                for name, p in parameters.items():
                    value = trial.params[name]
                    check("values" in p or p["min"] <= value <= p["max"], value)
                    check("q" not in p or abs(value / p["q"] - round(value / p["q"])) < 1e-9, value)
                trial.tell(1)

        def kinds(_):
            study = client.create_study({"n": {"min": 1, "max": 3}, "k": {"values": ["a", "b"]},
                                         "f": {"values": [True, False]}}, n_trials=2)
            types = {name: type(value) for name, value in client.ask(study).params.items()}
            equal(types, {"n": int, "k": str, "f": bool})

        def methods(second):
            for method in re.findall(r"`(\w+)`", second.split(":", 1)[1]):
                client.plan({"task": {"client": {}}, "method": method, "run_cap": 2, "epochs": 3,
                             "metric": {"name": "x", "goal": "minimize"},
                             "parameters": {"a": {"values": [0.5, 1.5]} if method == "grid" else
                                            {"min": 0.0, "max": 1.0}}})

        def rules(second):
            for rule in re.findall(r"`(\w+)`", second.split(":", 1)[1]):
                client.plan({"task": {"client": {}}, "method": "random", "run_cap": 9, "epochs": 9,
                             "metric": {"name": "x", "goal": "minimize"},
                             "parameters": {"a": {"min": 0.0, "max": 1.0}},
                             "early_terminate": {"type": rule, "min_iter": 1}})

        def conditional(_):
            study = client.create_study(
                {"kind": {"values": ["a", "b"]},
                 "depth": {"min": 1, "max": 3, "condition": {"kind": "a"}}},
                method="grid", n_trials=4)
            seen = [("depth" in t.params, t.params["kind"], t.tell(1)) for t in client.trials(study)]
            equal({(there, kind) for there, kind, _ in seen}, {(True, "a"), (False, "b")})

        def maximized(_):
            study = client.create_study({"a": {"values": [1, 2]}}, method="grid", n_trials=2,
                                        direction="maximize", study_name="night")
            equal(client.create_study({"a": {"values": [1, 2]}}, method="grid", n_trials=2,
                                      direction="maximize", study_name="night"), study)
            study.optimize(lambda trial: trial.params["a"])
            equal((study.best_value, study.best_params), (2, {"a": 2}))

        def enqueued(_):
            study = client.create_study({"a": {"min": 0.0, "max": 1.0}}, n_trials=40)
            run_id = study.enqueue_trial({"a": 0.25})
            seen = {}
            while run_id not in seen:
                trial = study.ask()
                seen[trial.run] = trial.params["a"]
                trial.tell(trial.params["a"])
            equal(seen[run_id], 0.25)

        each_row("From Optuna", {
            '`trial.suggest_float("lr"': space,
            '`suggest_float("x"': space,
            "`suggest_int`": kinds,
            "a suggestion in an `if`": conditional,
            "`TPESampler`": methods,
            "`MedianPruner`": rules,
            "`create_study(direction": maximized,
            "`trial.report(value, step)`": lambda _: None,  # test_python, test_intake
            "`trial.should_prune()`": lambda _: None,  # test_python, test_programs
            "`n_trials`": lambda _: None,  # test_python
            "`study.ask`": lambda _: None,  # test_python
            "`enqueue_trial`": enqueued,
        })


run(test_from_wandb, test_from_optuna)
