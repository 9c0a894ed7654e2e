"""`sweepctl submit` of W&B's sweep files as they are, in YAML and JSON, over scripts as people have
them: what is read, what is said of what cannot be honoured, what is refused; and what such scripts
print is understood."""
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import SWEEPCTL, TIMEOUT_SECONDS, Daemon  # noqa: E402
from tap import check, equal, run  # noqa: E402

SWEEP = """# a file as W&B's documents have it
program: train.py
name: first
description: of somebody
project: demo
method: bayes
metric:
  name: val_loss
  goal: minimize
  target: 0.01
parameters:
  lr:
    distribution: log_uniform_values
    min: 1e-4   # a number here
    max: 0.1
  layers: &few
    values: [1, 2, 4]
  heads: *few
  amp:
    value: yes
early_terminate:
  type: hyperband
  min_iter: 1
  eta: 2
run_cap: 8
epochs: 8
repeat_share: 0
"""
ARGPARSE = """import argparse
p = argparse.ArgumentParser()
p.add_argument("--lr", type=float)
p.add_argument("--layers", type=int)
p.add_argument("--heads", type=int)
p.add_argument("--amp", type=lambda x: {"True": True, "False": False}[x])
a = p.parse_args()
print("config:", vars(a))
for epoch in range(8):
    loss = abs(a.lr - 0.01) + a.layers / (epoch + 1)
    print(f"Epoch {epoch + 1}/8 - loss: {loss:.4f} - val_loss: {2 * loss:.4f}")
"""
PLAIN = {"metric": {"name": "val_loss", "goal": "minimize"}, "method": "grid", "epochs": 3}


class Home(tempfile.TemporaryDirectory):
    def __enter__(self):
        self.path = os.path.realpath(super().__enter__())
        return self

    def put(self, name, text):
        with open(os.path.join(self.path, name), "w", encoding="utf-8") as f:
            f.write(text)
        return os.path.join(self.path, name)

    def submit(self, d, name, *more, text=None):
        return subprocess.run([SWEEPCTL, "--socket", d.socket, "submit", name, *more], input=text,
                              text=True, cwd=self.path, env=d.environment, capture_output=True,
                              timeout=TIMEOUT_SECONDS, check=False)


def completed(d, sweep):
    equal(d.wait(sweep)["status"], "completed", d.sql("SELECT error_text FROM runs"))


def yaml_is_there(home, d):
    return "cannot be read as YAML" in home.submit(d, "-", text="a: [1\n").stderr


def test_a_sweep_file_as_it_is():
    with Home() as home, Daemon() as d:
        if not yaml_is_there(home, d):
            return  # built without libyaml
        home.put("train.py", ARGPARSE)
        home.put("sweep.yaml", SWEEP)
        done = home.submit(d, "sweep.yaml")
        equal(done.returncode, 0, done.stderr)
        for text in ("bayes is tpe", "project is not honoured", "metric.target is not honoured",
                     "description is not honoured", "promoted begins anew"):
            check(text in done.stderr, done.stderr)
        completed(d, 1)
        spec = json.loads(d.sql("SELECT spec FROM sweeps")[0][0])
        equal((spec["method"], spec["name"], spec["run_cap"]), ("tpe", "first", 8))
        equal(spec["early_terminate"]["type"], "hyperband")
        equal([json.loads(p)["amp"] for p, in d.sql("SELECT DISTINCT params FROM runs LIMIT 1")], [True])
        equal(d.sql("SELECT count(*) FROM runs WHERE kind = 'search'"), [(8,)])
        equal(d.sql("SELECT count(*) FROM runs WHERE status = 'failed'"), [(0,)])
        # the same as JSON
        text = json.dumps({"program": "train.py", "method": "grid", "metric": {"name": "val_loss"},
                           "parameters": {"lr": {"values": [0.01, 0.1]}, "layers": {"value": 2},
                                          "heads": {"value": 1}, "amp": {"value": False}}})
        done = home.submit(d, "-", text=text)
        equal(done.returncode, 0, done.stderr)
        check("goal is minimize" in done.stderr, done.stderr)
        completed(d, 2)
        equal(d.sql("SELECT count(*), max(epoch) FROM curves JOIN runs r ON r.id = run_id "
                    "WHERE sweep_id = 2"), [(16, 8)])


WRONG = [
    ("program: x.py\nmethod: grid\nmetric: {name: a\n", "line"),
    ("program: x.py\n\tmethod: grid\n", "line 2, column 1"),
    ("program: x.py\nmethod: grid\nmethod: random\n", "line 3, column 1: this key is there twice"),
    ("parameters:\n  lr: {max: 1e999}\n", "beyond 1e308"),
    ("a: .inf\n", "a finite one"),
    ("a: &a [*a]\n", "inside of what it stands for"),
    ("a: *b\n", "not above"),
    ("a: !!python/object:os.system {}\n", "a tag"),
    ("a: {<<: 1}\n", "a merge key"),
    ("? [a]\n: 1\n", "a key that is a list"),
    ("a: 1\n---\nb: 1\n", "a second document"),
    ("a: " + "[" * 70 + "]" * 70 + "\n", "more than 64 levels"),
    ("a: &a [" + "x, " * 50 + "]\n" +
     "".join(f"{k}: &{k} [" + f"*{j}, " * 50 + "]\n" for j, k in ("ab", "bc", "cd", "de", "ef", "fg")),
     "aliases"),
    ("program: x.py\nmethod: bayes\nparameters: {}\n", "$.metric"),
    ("program: x.py\nmethod: custom\nmetric: {name: a}\n", "$.method"),
    ("command: [python, \"${program}\"]\nmethod: grid\nmetric: {name: a}\n", "$.program"),
    ("program: x.py\ncommand: [\"${prgram}\"]\nmethod: grid\nmetric: {name: a, goal: minimize}\n"
     "parameters: {a: {values: [1]}}\n", "sweep.yaml:2:"),
    ("program: x.py\ncommand: [\"${prgram}\"]\nmethod: grid\nmetric: {name: a, goal: minimize}\n"
     "parameters: {a: {values: [1]}}\n", "$.task.command[0]"),
    ("method: grid\nprogram: x.py\nmetric: {name: a, goal: minimize}\nparameters:\n  b: {values: [1, 2]}\n"
     "  a:\n    min: 1\n    max: x\n", "sweep.yaml:8:"),
    ("program: x.py\nmethod: grid\nmetric: {name: a, goal: minimize}\nearly_terminat: 1\n"
     "parameters: {a: {values: [1]}}\n", "did you mean early_terminate"),
]


def test_what_is_wrong_is_named():
    with Home() as home, Daemon() as d:
        if not yaml_is_there(home, d):
            return
        for text, says in WRONG:
            home.put("sweep.yaml", text)
            done = home.submit(d, "sweep.yaml")
            check(done.returncode == 1 and says in done.stderr, f"{text[:80]!r}: {done.stderr}")
        equal(d.sql("SELECT count(*) FROM sweeps"), [(0,)])


# W&B's schema, key by key: what is put into a good file, and what becomes of it: the specification has
# (place, value), or a note or a refusal says its name.
GOOD = {"program": "x.py", "method": "random", "run_cap": 2, "metric": {"name": "a", "goal": "minimize"},
        "parameters": {"p": {"min": 0.1, "max": 0.9}}}
STOPS = {"type": "hyperband", "min_iter": 2}


def searched(**p):
    return {"parameters": {"p": p}}


SCHEMA = [
    ("apiVersion", {"apiVersion": "1"}, "apiVersion is not honoured"),
    ("kind", {"kind": "sweep"}, ("method", "random")),
    ("kind", {"kind": "launch"}, "$.kind"),
    ("controller", {"controller": {"type": "local"}}, "controller is not honoured"),
    ("description", {"description": "of it"}, "description is not honoured"),
    ("program", {"program": "y.py"}, ("task.command.2", "y.py")),
    ("job", {"job": "a/b:v0"}, "job is not honoured"),
    ("job", {"job": "a/b:v0", "program": None}, "$.program"),
    ("image_uri", {"image_uri": "a:b"}, "image_uri is not honoured"),
    ("image_uri", {"image_uri": "a:b", "program": None}, "$.program"),
    ("entity", {"entity": "e"}, "entity is not honoured"),
    ("project", {"project": "e"}, "project is not honoured"),
    ("method", {"method": "random"}, ("method", "random")),
    ("method", {"method": "grid", "parameters": {"p": {"values": [1]}}}, ("method", "grid")),
    ("method", {"method": "bayes"}, ("method", "tpe")),
    ("method", {"method": "bayes"}, "bayes is tpe"),
    ("method", {"method": "custom"}, "$.method"),
    ("command", {"command": ["${program}", "${args_json}"]}, ("task.command.1", "${args_json}")),
    ("name", {"name": "my own"}, ("name", "my own")),
    ("run_cap", {"run_cap": 7}, ("run_cap", 7)),
    ("run_cap", {"run_cap": None}, "no number of runs: 50"),
    ("run_cap", {"run_cap": 0}, "$.run_cap"),
    ("metric.name", {"metric": {"name": "b/c", "goal": "minimize"}}, ("metric.name", "b/c")),
    ("metric.goal", {"metric": {"name": "a", "goal": "maximize"}}, ("metric.goal", "maximize")),
    ("metric.goal", {"metric": {"name": "a"}}, ("metric.goal", "minimize")),
    ("metric.target", {"metric": {"name": "a", "target": 0.1}}, "metric.target is not honoured"),
    ("metric.impute", {"metric": {"name": "a", "impute": "best"}}, "metric.impute is not honoured"),
    ("metric.impute_while_running", {"metric": {"name": "a", "impute_while_running": "best"}},
     "metric.impute_while_running is not honoured"),
    ("metrics", {"metric": None, "metrics": [{"name": "a", "goal": "maximize"}, {"name": "b", "target": 1}]},
     ("objectives.0.goal", "maximize")),
    ("metrics", {"metric": None, "metrics": [{"name": "a"}, {"name": "b", "target": 1}]},
     "metrics.target is not honoured"),
    ("metrics", {"metrics": [{"name": "a"}, {"name": "b"}]}, "$.metrics"),
    ("scheduler.engine", {"scheduler": {"engine": "wandb"}}, "scheduler is not honoured"),
    ("scheduler.engine", {"scheduler": {"engine": "optuna"}, "method": "custom"}, ("method", "tpe")),
    ("scheduler.engine", {"scheduler": {"engine": "ax"}, "method": "custom"}, ("method", "gp")),
    *((f"scheduler.{key}", {"scheduler": {"engine": "optuna", "source": "s.py", key: "f"}},
       f"scheduler.{key} is not honoured") for key in ("source", "optimizer", "search_space")),
    ("early_terminate.type", {"early_terminate": STOPS}, ("early_terminate.type", "hyperband")),
    ("early_terminate.type", {"early_terminate": STOPS}, ("early_terminate.brackets", 1)),
    ("early_terminate.type", {"early_terminate": {"type": "envelope"}}, "$.early_terminate.type"),
    ("early_terminate.min_iter", {"early_terminate": STOPS}, ("early_terminate.min_iter", 2)),
    ("early_terminate.max_iter", {"early_terminate": {"type": "hyperband", "max_iter": 27, "s": 2}},
     ("early_terminate.max_iter", 27)),
    ("early_terminate.s", {"early_terminate": {"type": "hyperband", "max_iter": 27, "s": 2}},
     ("early_terminate.s", 2)),
    ("early_terminate.eta", {"early_terminate": {**STOPS, "eta": 4}}, ("early_terminate.eta", 4)),
    ("early_terminate.strict", {"early_terminate": {**STOPS, "strict": True}}, ("method", "random")),
    ("early_terminate.strict", {"early_terminate": {**STOPS, "strict": 3}}, "$.early_terminate.strict"),
    ("parameters.value", {"parameters": {"p": {"value": 3}, "q": {"values": [1, 2]}}}, ("parameters.p.values.0", 3)),
    ("parameters.values", searched(values=["a", "b"]), ("parameters.p.values.1", "b")),
    ("parameters.values", searched(values=["/a" * 40, "/b" * 500]), ("parameters.p.values.1", "/b" * 500)),
    ("parameters.values", searched(values=["a", "b" * 1024]), "$.parameters.p.values[1]"),
    ("parameters.values", searched(values=[None, 5, 0.5]), ("parameters.p.values.0", "None")),
    ("parameters.values", searched(values=[[64, 64], ["a", {"b": True}]]),
     ("parameters.p.values.1", "['a', {'b': True}]")),
    ("parameters.values", searched(values=[[64, 64], [128]]), ("task.literals.p.[64, 64].1", 64)),
    ("parameters.value", {"parameters": {"p": {"value": None}, "q": {"values": [1, 2]}}},
     ("parameters.p.values.0", "None")),
    ("parameters.probabilities", searched(values=[1, 2], probabilities=[0.25, 0.75]),
     ("parameters.p.probabilities.1", 0.75)),
    ("parameters.min, max", searched(min=1, max=5), ("parameters.p.max", 5)),
    ("parameters.parameters", {"parameters": {"m": {"parameters": {"p": {"values": [1, 2]}}}}},
     ("parameters.m\0p.values.1", 2)),
    *(("parameters.distribution", searched(distribution=name, **more), ("parameters.p.distribution", ours))
      for name, more, ours in (
          ("int_uniform", {"min": 1, "max": 9}, None), ("uniform", {"min": 0, "max": 1}, None),
          ("categorical", {"values": [1, 2]}, None), ("constant", {"value": 2}, None),
          ("categorical_w_probabilities", {"values": [1, 2], "probabilities": [0.5, 0.5]}, None),
          ("log_uniform_values", {"min": 0.1, "max": 1}, "log_uniform_values"),
          ("log_uniform", {"min": -3, "max": 0}, None),
          ("inv_log_uniform_values", {"min": 0.1, "max": 1}, None),
          ("inv_log_uniform", {"min": -3, "max": 0}, None),
          ("q_uniform", {"min": 0, "max": 8, "q": 2}, "q_uniform"),
          ("q_log_uniform_values", {"min": 1, "max": 64, "q": 2}, None),
          ("q_log_uniform", {"min": 0, "max": 3, "q": 1}, None),
          ("normal", {"mu": 0, "sigma": 1}, "normal"), ("q_normal", {"mu": 0, "sigma": 1, "q": 0.5}, None),
          ("log_normal", {"mu": 0, "sigma": 1}, None), ("q_log_normal", {"mu": 0, "sigma": 1, "q": 1}, None),
          ("beta", {"a": 2, "b": 3}, "beta"), ("q_beta", {"a": 2, "b": 3, "q": 0.1}, None))),
]


def at(value, place):
    """Of nested objects and lists; None where it is not there."""
    for key in place.split("."):
        key = key.replace("\0", ".")
        if isinstance(value, list):
            value = value[int(key)] if int(key) < len(value) else None
        else:
            value = value.get(key) if value else None
    return value


def test_every_key_of_the_schema_is_honoured_or_named():
    with Home() as home, Daemon() as d:
        for name, change, wanted in SCHEMA:
            text = json.dumps({k: v for k, v in {**GOOD, **change}.items() if v is not None})
            done = home.submit(d, "-", text=text)
            if isinstance(wanted, str):
                check(wanted in done.stderr, f"{name} {change}: {done.stderr}")
                continue
            equal(done.returncode, 0, f"{name} {change}: {done.stderr}")
            spec = json.loads(d.sql("SELECT spec FROM sweeps ORDER BY id DESC LIMIT 1")[0][0])
            place, value = wanted
            if place.endswith("distribution") and value is None:
                continue  # it is taken; what it draws: tests/unit/spec/test_distributions.c
            equal(at(spec, place), value, f"{name} {change}: {spec}")


# (a program in the manner of a library, which channel it is heard by, its epochs)
HEARD = {
    "descriptor": ("import json, os\nprint('val_loss=9')\n"
                   "f = os.fdopen(int(os.environ['SWEEPD_METRICS_FD']), 'w')\n"
                   "for e in (1, 2, 3): f.write(json.dumps({'epoch': e, 'val_loss': 1 / e}) + '\\n')",
                   "epoch 1 val_loss 9"),
    "marked": ("for e in (1, 2, 3): print('loss: 7'); print('::sweepd {\"epoch\": %d, \"val_loss\": %g}' % "
               "(e, 1 / e))", ""),
    "syne_tune": ("for e in (1, 2, 3): print('[tune-metric]: {\"epoch\": %d, \"val_loss\": %g, "
                  "\"st_worker_iter\": 0}' % (e, 1 / e))", ""),
    "patterns": ("for e in (1, 2, 3): print('after', e, 'rounds it is', 1 / e, 'bad')", ""),
    "json": ("import json\nprint(json.dumps({'level': 'info', 'time': 3}))\n"
             "for e in (1, 2, 3): print(json.dumps({'epoch': e, 'val_loss': 1 / e}))", ""),
    "dict": ("for e in (1, 2, 3): print({'loss': 2.0, 'grad_norm': float('nan'), 'epoch': float(e)})\\\n"
             "    or print({'val_loss': 1 / e, 'epoch': float(e)})", ""),
    "pairs": ("print('lr=0.1 batch=32')\nfor e in (1, 2, 3): print('epoch=%d val_loss=%g' % (e, 1 / e))", ""),
    "text": ("for e in (1, 2, 3): print('Epoch %d/3 | val loss: %.6f' % (e, 1 / e))", ""),
}


def test_what_scripts_print_is_understood():
    with Home() as home, Daemon() as d:
        for name, (text, _) in HEARD.items():
            home.put(f"by_{name}.py", text)
            task = {"command": [sys.executable, "-S", f"{home.path}/by_{name}.py"]}
            if name == "patterns":
                task["patterns"] = {"val_loss": "it is ([0-9.]+)", "epoch": "after ([0-9]+)"}
            sweep = d.submit({**PLAIN, "name": name, "task": task, "parameters": {"n": {"values": [1]}}})
            completed(d, sweep)
            points = d.sql("SELECT c.epoch, round(c.val_loss, 4) FROM curves c JOIN runs r "
                           "ON r.id = c.run_id WHERE r.sweep_id = ? ORDER BY point", sweep)
            equal(points, [(1, 1), (2, 0.5), (3, 0.3333)], name)
            log = d.call("log", run=d.sql("SELECT id FROM runs WHERE sweep_id = ?", sweep)[0][0])["text"]
            equal(f'the rules for "{name}"' in log, name in ("json", "dict", "pairs", "text"), log)
        # what is not listened to counts for nothing
        sweep = d.submit({**PLAIN, "task": {"command": [sys.executable, f"{home.path}/by_text.py"],
                                            "metrics_from": ["json", "descriptor"]},
                          "parameters": {"n": {"values": [1]}}})
        equal(d.wait(sweep)["status"], "held")


def test_programs_of_other_kinds():
    with Home() as home, Daemon() as d:
        home.put("run.sh", "#!/bin/sh\nfor e in 1 2 3; do echo \"epoch=$e val_loss=0.$e lr=$2\"; done\n")
        os.chmod(f"{home.path}/run.sh", 0o700)
        home.put("net.c", '#include <stdio.h>\n#include <stdlib.h>\nint main(int n, char **v) {\n'
                 'for (int e = 1; e < 4; e++) printf("{\\"epoch\\":%d,\\"val_loss\\":%g}\\n", e, '
                 'atof(v[2]) / e);\nreturn n != 3; }\n')
        subprocess.run(["cc", "-o", f"{home.path}/net", f"{home.path}/net.c"], check=True)
        for program in ("run.sh", "net"):
            text = json.dumps({**PLAIN, "task": {"command": [f"./{program}", "${args_no_equals}"]},
                               "parameters": {"lr": {"values": [0.1, 0.5]}}})
            done = home.submit(d, "-", text=text)
            equal(done.returncode, 0, done.stderr)
        completed(d, 1)
        completed(d, 2)
        equal(d.sql("SELECT count(*) FROM curves"), [(12,)])


HOSTILE = """import os, signal, sys
out = sys.stdout.buffer
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    os.close(0)
    while True: os.read(3, 1) if False else __import__('time').sleep(1000)
out.write(b"x" * 10000000 + b"\\n\\xff\\xfe\\x00 loss 1\\n" + b"loss: nan\\n")
for i in range(LINES): out.write(b"a line of words and 12 numbers, of no meaning\\n")
out.write(b"val_loss=0.5\\n")
out.flush()
os.chdir("/")
os.closerange(0, 100)
"""


def test_hostile_output_hurts_nobody():
    """HOSTILE_MB (14) of it; docs/testing.md has the long one."""
    lines = int(float(os.environ.get("HOSTILE_MB", "14")) * 1e6 / 46)
    with Home() as home, Daemon(workers=4) as d:
        home.put("hostile.py", HOSTILE.replace("LINES", str(lines)))
        home.put("good.py", HEARD["text"][0])
        bad = d.submit({**PLAIN, "task": {"command": [sys.executable, f"{home.path}/hostile.py"]},
                        "parameters": {"n": {"values": [1, 2]}}})
        good = d.submit({**PLAIN, "task": {"command": [sys.executable, f"{home.path}/good.py"]},
                         "parameters": {"n": {"values": [1, 2]}}})
        completed(d, good)
        for _ in range(20):  # a gigabyte takes its time
            with contextlib.suppress(TimeoutError):
                d.wait(bad)
                break
        completed(d, bad)
        equal(d.sql("SELECT DISTINCT metric_value FROM runs WHERE sweep_id = ?", bad), [(0.5,)])
        check(os.path.getsize(f"{d.db}.runs/1/stderr") < 300000)
        equal(d.sql("SELECT count(*) FROM runs WHERE attempts != 0 AND status != 'completed'"), [(0,)])


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    run(test_a_sweep_file_as_it_is, test_what_is_wrong_is_named,
        test_every_key_of_the_schema_is_honoured_or_named, test_what_scripts_print_is_understood,
        test_programs_of_other_kinds, test_hostile_output_hurts_nobody)
