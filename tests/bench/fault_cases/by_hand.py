"""Trains, labels and treats without a daemon: `sweep-worker` and explain_run on folders."""
import json
import math
import os
import subprocess
import threading


def finite(value):
    """nan and not measured are worse than any number."""
    return value if isinstance(value, (int, float)) and math.isfinite(value) else math.inf


class Run:
    def __init__(self, folder, config, siblings=()):
        self.folder, self.config, self.siblings = folder, config, list(siblings)
        self.tried = set()
        self.past = ()      # remedy and parent's cause, of a treatment that helped


class ByHand:
    def __init__(self, build, store, folder):
        self.worker = os.path.join(build, "worker", "sweep-worker")
        self.explain_run = os.path.join(build, "tests", "bench", "label", "explain_run")
        self.store, self.folder = store, folder
        self.lock, self.count = threading.Lock(), 0
        self.environment = dict(os.environ, XDG_CACHE_HOME=os.path.join(folder, "cache"))

    def config(self, plan, changed):
        with self.lock:
            path, validation, made = self.store.file(plan.data, plan.change, plan.change_seed)
        where = {"path": path, "format": made.form, **plan.settings}
        if plan.own_validation:
            count = plan.own_validation
            if count < 0:
                count = len(made.train[0]) // -count
            where.update(validation=count, test_path=validation)
        else:
            where["validation_path"] = validation
        if made.form == "csv":
            where["task"] = "classification" if made.classes else "regression"
        if made.scale:
            where.setdefault("scale", made.scale)
        return {"data": where, "model": {**plan.model, **changed}, "train": plan.train,
                "epochs": plan.epochs, "seed": str(plan.seed), "split_seed": str(plan.seed)}

    def run(self, config, siblings=()):
        with self.lock:
            self.count += 1
            folder = os.path.join(self.folder, f"run{self.count}")
        os.makedirs(folder)
        path = os.path.join(folder, "config.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump({**config, "weights": os.path.join(folder, "best.safetensors")}, f)
        for name, arguments in (("prepared", ["--prepare", path]), ("run", [path])):
            with open(os.path.join(folder, name + ".jsonl"), "wb") as out:
                subprocess.run([self.worker] + arguments, stdout=out, check=name == "prepared",
                               env=self.environment)
        return Run(folder, config, siblings)

    def train(self, plan):
        """The run that is meant, beside its siblings; findings of its data that hold a sweep."""
        siblings, meant = [], None
        names = list(plan.parameters or {})
        for values in zip(*(plan.parameters[n] for n in names)) if names else [()]:
            changed = dict(zip(names, values))
            run = self.run(self.config(plan, changed))
            if all(changed[k] == v for k, v in plan.wanted.items()):
                meant = run
            else:
                siblings.append(run)
        meant.siblings = siblings
        return meant

    def records(self, run, name="run"):
        with open(os.path.join(run.folder, name + ".jsonl"), encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def holding(self, run):
        """Findings for which the sweep would wait for a person."""
        return sorted({f["kind"] for f in self.records(run, "prepared")[0]["findings"]
                       if f["kind"].startswith(("nan_", "inf_"))})

    def loss(self, run, plan):
        records = self.records(run)
        if plan.own_validation:
            return finite(records[-1].get("test_loss"))
        return min((finite(r.get("val_loss")) for r in records if "val_loss" in r),
                   default=math.inf)

    def explain(self, run, *options):
        past = ["--after", *run.past] if run.past and not options else []
        folders = [run.folder] + [s.folder for s in run.siblings]
        done = subprocess.run([self.explain_run, *options] + past + folders,
                              stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)

    def explain_all(self, run):
        """With every remedy that there is, whatever the label."""
        return self.explain(run, "--all")

    def label(self, run):
        told = self.explain(run)
        return told["pattern"], [c["cause"] for c in told["causes"]]

    def treat(self, run, plan):
        """(its treatment, remedy), the next that was not tried; (None, why) when none is left."""
        told = self.explain(run)
        for r in told["remedies"]:
            if r["remedy"] in run.tried:
                continue
            run.tried.add(r["remedy"])
            config = {k: v for k, v in r["config"].items() if k != "weights"}
            if config in [x.config for x in run.siblings]:
                continue    # goes back to what was there before
            child = self.run(config, run.siblings + [run])
            run.siblings.append(child)
            if self.loss(child, plan) < self.loss(run, plan):
                causes = told["causes"] or [{"cause": "unknown"}]
                child.past = (r["remedy"], causes[0]["cause"])
            return child, r["remedy"]
        return None, "no remedy left"
