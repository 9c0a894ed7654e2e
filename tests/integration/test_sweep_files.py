"""`sweepctl submit` of W&B's sweep files as they are, in YAML and JSON, over scripts as people have
them: what is read, what is said of what cannot be honoured, what is refused; and what such scripts
print is understood."""
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
     "parameters: {a: {values: [1]}}\n", "$.task.command[0]"),
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
    with Home() as home, Daemon() as d:
        home.put("hostile.py", HOSTILE.replace("LINES", str(lines)))
        home.put("good.py", HEARD["text"][0])
        bad = d.submit({**PLAIN, "task": {"command": [sys.executable, f"{home.path}/hostile.py"]},
                        "parameters": {"n": {"values": [1, 2]}}})
        good = d.submit({**PLAIN, "task": {"command": [sys.executable, f"{home.path}/good.py"]},
                         "parameters": {"n": {"values": [1, 2]}}})
        completed(d, good)
        completed(d, bad)
        equal(d.sql("SELECT DISTINCT metric_value FROM runs WHERE sweep_id = ?", bad), [(0.5,)])
        check(os.path.getsize(f"{d.db}.runs/1/stderr") < 300000)
        equal(d.sql("SELECT count(*) FROM runs WHERE attempts != 0 AND status != 'completed'"), [(0,)])


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    run(test_a_sweep_file_as_it_is, test_what_is_wrong_is_named, test_what_scripts_print_is_understood,
        test_programs_of_other_kinds, test_hostile_output_hurts_nobody)
