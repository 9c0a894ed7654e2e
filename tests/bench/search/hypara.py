#!/usr/bin/env python3
"""The ten problems of hypara (PyPI), another's judge of black-box optimizers: ours by ask and tell
through a daemon, beside Optuna's samplers.

    VENV/bin/python hypara.py BUILD_DIR [SEEDS] [--minutes M] [--only NAME,…]

Wants `pip install hypara optuna cmaes`. Each optimizer is a process of its own, as hypara has it;
all evaluate one at a time and at the top fidelity. hypara counts the best single score, noise
included, so ours repeats nothing (repeat_share 0). `ours` is method auto as it comes, `ours_lag1`
with lag 1, which is enough for one client, `ours_tpe` and `ours_gp` these methods so too. Where
hypara limits cost instead of evaluations, ours is asked for 60 runs, and extended. After M minutes
(default 50) it ends with the seed under way. One line of JSON for each optimizer goes to
results.jsonl: mean best score by problem, and hypara's own means over problems, where 0 is the
median of Optuna's random and 1 the best score that anybody had.
"""
import json
import os
import pathlib
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:] = [p for p in sys.path if pathlib.Path(p or ".").resolve() != HERE]  # not this file
METHODS = {"ours_tpe": "tpe", "ours_gp": "gp"}
SAMPLERS = ["ours", "ours_lag1", *METHODS, "optuna_tpe", "optuna_cmaes", "optuna_random"]
PORTION = 60  # runs that ours is asked for where no number of evaluations is given


def send(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


# --- ours ----------------------------------------------------------------------------------------

def member(p):
    if p["type"] == "categorical":
        out = {"values": p["choices"]}
    elif p["type"] == "bool":
        out = {"values": [True, False]}
    elif p["type"] == "int" and p.get("log"):
        out = {"min": p["low"], "max": p["high"], "q": 1, "distribution": "q_log_uniform_values"}
    else:
        kind = "int_uniform" if p["type"] == "int" else \
            "log_uniform_values" if p.get("log") else "uniform"
        out = {"min": p["low"], "max": p["high"], "distribution": kind}
    if p.get("condition"):
        out["condition"] = {p["condition"]["param"]: p["condition"]["equals"]}
    return out


class Ours:
    def __init__(self, name, init):
        sys.path.insert(0, str(HERE.parent.parent / "lib"))
        from sweepd import Connection
        self.daemon = Connection(os.environ["HYPARA_SOCKET"])
        self.runs = init["problem"]["budget"]["evaluations"] or PORTION
        spec = {"task": {"client": {}}, "method": METHODS.get(name, "auto"),
                "run_cap": self.runs, "repeat_share": 0, "epochs": 1,
                "seed": init["optimizer_seed"],
                "metric": {"name": "score", "goal": "maximize"},
                "parameters": {p["name"]: member(p) for p in init["problem"]["space"]}}
        self.sweep = self.daemon.call("submit", spec=spec)["sweep"]
        if name == "ours":
            return
        self.daemon.call("cancel", sweep=self.sweep)
        spec["lag"] = 1
        picked = self.daemon.call("show", sweep=self.sweep)["sweep"]["spec"]["method"]
        spec["method"] = picked
        if picked not in ("tpe", "gp"):
            del spec["lag"]
        self.sweep = self.daemon.call("submit", spec=spec)["sweep"]

    def ask(self):
        run = self.daemon.call("ask", sweep=self.sweep, seconds=3600)
        if run["run"] is None:
            self.runs += PORTION
            self.daemon.call("extend", sweep=self.sweep, run_cap=self.runs)
            run = self.daemon.call("ask", sweep=self.sweep, seconds=3600)
        self.run = run
        return run["params"]

    def tell(self, score):
        told = {"value": score} if score is not None else {"status": "failed",
                                                             "error": "exited"}
        self.daemon.call("tell", run=self.run["run"], lease=self.run["lease"],
                         result=told)


# --- Optuna's ------------------------------------------------------------------------------------

class Optunas:
    def __init__(self, name, init):
        import optuna
        import warnings
        warnings.simplefilter("ignore")
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        seed, s = init["optimizer_seed"], optuna.samplers
        sampler = {"optuna_tpe": s.TPESampler, "optuna_cmaes": s.CmaEsSampler,
                   "optuna_random": s.RandomSampler}[name](seed=seed)
        self.study = optuna.create_study(sampler=sampler, direction="maximize")
        self.space, self.state = init["problem"]["space"], optuna.trial.TrialState

    def ask(self):
        self.trial, values = self.study.ask(), {}
        for p in self.space:
            when = p.get("condition")
            if when and values.get(when["param"]) not in when["equals"]:
                continue
            name, log = p["name"], p.get("log", False)
            if p["type"] == "float":
                values[name] = self.trial.suggest_float(name, p["low"], p["high"], log=log)
            elif p["type"] == "int":
                values[name] = self.trial.suggest_int(name, p["low"], p["high"], log=log)
            else:
                values[name] = self.trial.suggest_categorical(
                    name, p["choices"] if p["type"] == "categorical" else [True, False])
        return values

    def tell(self, score):
        if score is None:
            self.study.tell(self.trial, state=self.state.FAIL)
        else:
            self.study.tell(self.trial, score)


def play(name):
    """hypara's side of the talk is on the two standard streams."""
    player = None
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "init":
            player = (Ours if name.startswith("ours") else Optunas)(name, message)
            send({"type": "ready"})
        elif message["type"] == "ask":
            send({"type": "propose", "candidate": player.ask()})
        elif message["type"] == "tell":
            player.tell(message["score"] if message["valid"] else None)
        else:
            break


# --- the contest ---------------------------------------------------------------------------------

def one(problem, name, seed, folder):
    from hypara.registry import get_problem
    from hypara.runner import RunSpec, execute_run
    return execute_run(RunSpec(
        problem=get_problem(problem), optimizer_name=name, seed=seed, optimizer_cwd=folder,
        command=[sys.executable, str(HERE / "hypara.py"), "--play", name],
        out_dir=pathlib.Path(folder) / f"{problem}-{name}-{seed}"))


def summary(results, seeds):
    from hypara.metrics import aggregate
    report = aggregate(results, baseline="optuna_random")
    for name, over in sorted(report["overall"].items()):
        line = {"date": time.strftime("%Y-%m-%d"), "bench": "hypara", "optimizer": name,
                "seeds": seeds, "load": round(os.getloadavg()[0], 1),
                "mean_norm_best": round(over["mean_norm_best"], 4),
                "mean_norm_auc": round(over["mean_norm_auc"], 4),
                "failed": sum(r["status"] != "completed" for r in results
                              if r["optimizer"] == name),
                "best": {problem: round(p["optimizers"][name]["mean_best"], 4)
                         for problem, p in report["problems"].items() if name in p["optimizers"]}}
        print(json.dumps(line), flush=True)
        with (HERE / "results.jsonl").open("a") as f:
            f.write(json.dumps(line) + "\n")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    os.environ["BUILD"] = os.path.abspath(sys.argv[1])
    sys.path.insert(0, str(HERE.parent.parent / "lib"))
    from sweepd import Daemon
    from hypara.registry import problem_names
    option = dict(zip(sys.argv, sys.argv[1:]))
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2].isdigit() else 5
    names = option["--only"].split(",") if "--only" in option else SAMPLERS
    end = time.monotonic() + 60 * float(option.get("--minutes", 50))
    results, done = [], 0
    with Daemon(workers=1) as d, tempfile.TemporaryDirectory(prefix="hypara-") as folder:
        os.environ["HYPARA_SOCKET"] = d.socket
        while done < seeds and time.monotonic() < end:
            done += 1
            for problem in problem_names():
                for name in names:
                    r = one(problem, name, done, folder)
                    results.append(r)
                    print(problem, name, done, r["status"], r["best_score"], flush=True)
    summary(results, done)


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] == "--play":
        play(sys.argv[2])
    else:
        main()
