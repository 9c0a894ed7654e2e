"""Scripts as they are found (tests/scripts), each under a sweep, unchanged. What a run came to is
held against what the script itself says, by other means than ours. Those that need a library run
where SCRIPTS_PYTHON names a python that has it; TEST_ONLY=NAME runs one."""
import contextlib
import csv
import glob
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import SOURCE, SWEEPCTL, Daemon  # noqa: E402
from tap import Skip, check, equal, run  # noqa: E402

SCRIPTS = os.path.join(SOURCE, "tests", "scripts")
PYTHON = os.environ.get("SCRIPTS_PYTHON", "")


class Swept:
    """The sweep of a script's folder, when it has ended."""

    def __init__(self, name, home, d, python):
        self.d = d
        self.folder = os.path.join(home, name)
        shutil.copytree(os.path.join(SCRIPTS, name), self.folder)
        source = os.path.join(self.folder, "train.c")
        if os.path.exists(source):
            subprocess.run(["cc", "-O1", "-o", "train", source, "-lm"], cwd=self.folder, check=True)
        spec = "sweep.yaml" if os.path.exists(os.path.join(self.folder, "sweep.yaml")) else "sweep.json"
        path = os.path.join(home, "bin")  # python, python3 and what was installed beside it
        os.mkdir(path)
        for word in "python", "python3":
            os.symlink(sys.executable, os.path.join(path, word))
        if python:
            path = os.path.dirname(python)
        self.environment = {**d.environment, "PWD": self.folder, "PATH": path + ":" + os.environ["PATH"]}
        done = subprocess.run([SWEEPCTL, "--socket", d.socket, "submit", spec], cwd=self.folder,
                              env=self.environment, capture_output=True, text=True)
        if "without libyaml" in done.stderr:
            raise Skip("sweepctl reads no YAML here")
        equal(done.returncode, 0, done.stderr)
        self.notes = done.stderr
        self.ended = self.wait()
        rows = d.call("runs", sweep=1, limit=1000)["runs"]
        self.runs = [{**r, "log": self.log(r["run_id"])} for r in rows]

    def wait(self):
        """Libraries may take a minute to be imported, on a machine that does other things."""
        while True:
            with contextlib.suppress(TimeoutError):
                return self.d.wait(1)

    def file(self, run_id, name):
        return os.path.join(f"{self.d.db}.runs", str(run_id), name)

    def log(self, run_id):
        with open(self.file(run_id, "stderr"), encoding="utf-8", errors="replace") as f:
            return f.read()


def swept(name, modules, way, values, better=min, stops=False, digits=2e-6):
    """Its runs have ended well, were read that way ("": by the descriptor, which is not said), and each came to the best of what `values`
    says of it."""
    missing = [m for m in modules if not PYTHON or
               subprocess.run([PYTHON, "-c", f"import importlib.util as u, sys; "
                               f"sys.exit(u.find_spec({m!r}) is None)"]).returncode]
    if missing:
        raise Skip(f"{name}: SCRIPTS_PYTHON names no python with {', '.join(missing)}")
    with tempfile.TemporaryDirectory(prefix="sweepd-scripts-") as home, Daemon(workers=2) as d:
        s = Swept(name, home, d, PYTHON if modules else "")
        equal(s.ended["status"], "completed", s.ended)
        check(len(s.runs) >= 8, len(s.runs))
        good = {"completed", "stopped"} if stops else {"completed"}
        for one in s.runs:
            check(one["status"] in good, (one["status"], one["log"]))
            if way and one["status"] == "completed":
                check(f'by the rules for "{way}"' in one["log"], one["log"])
            told = values(s, one)
            check(len(told) > 1, told)
            seen, asked = one["metric_value"], better(told)
            check(math.isclose(seen, asked, rel_tol=digits, abs_tol=1e-9), (seen, told, one["params"]))
        check(len({r["metric_value"] for r in s.runs}) > 2, "the parameters reach it")
        return s


def printed(pattern):
    """Numbers that the script printed behind these words."""
    return lambda s, one: [float(x) for x in re.findall(pattern, one["log"])]


def alone(words, pattern):
    """The same from the script by hand, with these words made of the parameters."""
    def values(s, one):
        done = subprocess.run(words(one["params"]), cwd=s.folder, env=s.environment,
                              capture_output=True, text=True, check=True)
        return [float(x) for x in re.findall(pattern, done.stdout)]
    return values


def test_argparse_print():
    options = ("lr", "batch-size", "momentum", "epochs")
    swept("argparse_print", (), "text",
          alone(lambda p: ["python3", "train.py", *(f"--{o}={p[o]}" for o in options)],
                r"val_loss: (\S+)"))


def wandb_values(s, one):
    p = one["params"]
    distance = abs(math.log10(p["learning_rate"]) + 1.5) + p["dropout"]
    rng = __import__("random").Random(p["hidden"])
    scale = [rng.uniform(-1, 1) for _ in range(p["hidden"])]
    return [0.15 + 0.1 * distance + (1 + 0.1 * sum(scale) / len(scale)) *
            math.exp(-e / (1 + distance)) for e in range(int(one["epochs_done"]))]


def wandb_sweep(modules):
    s = swept("wandb_bayes", modules, "", wandb_values, stops=True)
    equal(len(s.runs), 20)
    for words in "method bayes is tpe", "project is not honoured", "entity is not honoured":
        check(words in s.notes, s.notes)
    check("stopped" in {r["status"] for r in s.runs}, "hyperband stops some")


def test_wandb_bayes_by_the_stand_in():
    wandb_sweep(())


def test_wandb_bayes():
    wandb_sweep(("wandb",))


def test_hydra():
    swept("hydra_app", ("hydra",), "files", printed(r"val_loss=(\S+)"))


def lightning_values(s, one):
    path, = glob.glob(s.file(one["run_id"], "logs/lightning_logs/*/metrics.csv"))
    with open(path, encoding="utf-8") as f:
        return [float(row["val_loss"]) for row in csv.DictReader(f) if row["val_loss"]]


def test_lightning():
    swept("lightning_csv", ("lightning",), "files", lightning_values)


def test_hf_trainer():
    """Four digits while it trains, all at the end."""
    swept("hf_trainer", ("transformers",), "dict", printed(r"'eval_loss': '?([0-9.e+-]+)"),
          digits=2e-4)


def test_keras():
    swept("keras_fit", ("keras",), "text", printed(r"val_accuracy: (\S+)"), better=max)


def mlflow_values(s, one):
    p = one["params"]
    return [0.5 + (p["alpha"] - 0.3) ** 2 + 0.2 * p["l1_ratio"] + math.exp(-e) for e in range(5)]


def test_mlflow():
    swept("mlflow_tracking", ("mlflow",), "files", mlflow_values)


def trackio_values(s, one):
    distance = abs(math.log10(one["params"]["learning_rate"]) + 2)
    return [math.exp(-e / (1 + distance)) + 0.2 * distance + 0.01 * one["params"]["warmup"]
            for e in range(6)]


def test_trackio():
    swept("trackio_local", ("trackio",), "files", trackio_values)


def csv_values(s, one):
    with open(s.file(one["run_id"], "log.csv"), encoding="utf-8") as f:
        return [float(row["valid_loss"]) for row in csv.DictReader(f)]


def test_plain_csv():
    swept("plain_csv", (), "files", csv_values)


def test_shell():
    swept("shell", (), "pairs",
          alone(lambda p: ["./train.sh", f"--damping={p['damping']}", f"--start={p['start']}"],
                r"residual=(\S+)"))


def test_c_program():
    if not shutil.which("cc"):
        raise Skip("there is no C compiler")
    swept("c_program", (), "text",
          alone(lambda p: ["./train", f"--rate={p['rate']}", f"--momentum={p['momentum']}"],
                r"loss (\d\S+),"))


def test_notebook():
    swept("notebook", ("papermill", "ipykernel"), "text", printed(r"val_loss (\d\S+)"))


run(test_argparse_print, test_wandb_bayes_by_the_stand_in, test_wandb_bayes, test_hydra,
    test_lightning, test_hf_trainer, test_keras, test_mlflow, test_trackio, test_plain_csv,
    test_shell, test_c_program, test_notebook)
