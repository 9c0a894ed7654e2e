"""W&B's sweep files in the ways in which people write them: anchors and merge keys, every
distribution, every macro, values that are lists, objects and nothing, programs that are modules,
shells, conda's. Each is submitted as it is; held against it are the words that the program is
called with and the parameters that it is given, which stand here beside the file."""
import json
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon  # noqa: E402
from tap import check, equal, run  # noqa: E402
from test_sweep_files import Home, completed, yaml_is_there  # noqa: E402

# What python, conda and the other launchers are here: says how it was called.
RECORD = """#!/bin/sh
printf '%s\\0' "${0##*/}" "$@" > "$SWEEPD_RUN_DIR/argv"
echo '{"epoch": 1, "val_loss": 0.5, "val_acc": 0.5, "eval/f1": 0.5, "reward": 1.0}'
"""
LAUNCHERS = ("python", "conda", "accelerate", "torchrun", "Rscript", "record")
HEAD = "program: train.py\nmethod: grid\nmetric: {name: val_loss, goal: minimize}\n"
RANDOM = HEAD.replace("grid", "random") + "run_cap: 6\n"


def python(*argv):
    return ["python", *argv]


def steps(low, high, q):
    return lambda v: low <= v <= high and abs(v / q - round(v / q)) < 1e-9


def between(low, high):
    return lambda v: low <= v <= high


# (name, the file, what must be so: "argv" of all runs, "params" of all runs, "wandb": of one run what
# wandb's file of values has, "values": rules, "says": words in what submit says, "refused": its error)
FOUND = [
    ("plain grid", HEAD + """parameters:
  learning_rate:
    values: [0.01, 0.1]
  batch_size:
    values:
      - 16
      - 32
""", {"argv": [python("train.py", f"--learning_rate={lr}", f"--batch_size={b}")
               for lr in (0.01, 0.1) for b in (16, 32)], "says": ["train.py is not there"]}),
    ("a command that is not there", HEAD + "command: [no-such-launcher, '${program}', '${args}']\n"
     "parameters: {n: {values: [1]}}\n", {"says": ["no-such-launcher is not in PATH"], "held": True}),
    ("a script that is not there", HEAD + "command: [./no-such.sh, '${args}']\nparameters: {n: {values: [1]}}\n",
     {"says": ["./no-such.sh cannot be called from here: No such file"], "held": True}),
    ("an alias of a list", HEAD + """parameters:
  hidden_1:
    values: &sizes [64, 128]
  hidden_2:
    values: *sizes
""", {"argv": [python("train.py", f"--hidden_1={a}", f"--hidden_2={b}")
               for a in (64, 128) for b in (64, 128)]}),
    ("a merge key", "x-range: &range\n  distribution: uniform\n  min: 0.0\n  max: 0.5\n" + RANDOM +
     """parameters:
  dropout:
    <<: *range
  attention_dropout: {<<: *range, max: 0.1}
""", {"values": {"dropout": between(0, 0.5), "attention_dropout": between(0, 0.1)},
      "says": ["x-range is passed over"]}),
    ("merge keys of several", """.base: &base
  lr: {value: 0.1}
  seed: {value: 1}
.more: &more
  seed: {value: 2}
  wd: {value: 0.0}
""" + HEAD + """parameters:
  <<: [*base, *more]
  depth: {values: [1, 2]}
  wd: {value: 0.5}
""", {"params": [{"depth": d, "wd": 0.5, "lr": 0.1, "seed": 1} for d in (1, 2)]}),
    ("a merge that has a merge", """defaults:
  a: &a {x: {value: 1}, y: {value: 2}}
  b: &b
    <<: *a
    y: {value: 3}
""" + HEAD + """parameters:
  z: {values: [5, 6]}
  <<: *b
""", {"params": [{"z": z, "y": 3, "x": 1} for z in (5, 6)]}),
    ("nested parameters", HEAD + """parameters:
  optimizer:
    parameters:
      name: {values: [adam, sgd]}
      lr: {value: 0.1}
  epochs: {value: 3}
""", {"argv": [python("train.py", f"--optimizer.name={n}", "--optimizer.lr=0.1", "--epochs=3")
               for n in ("adam", "sgd")],
      "params": [{"optimizer": {"name": n, "lr": 0.1}, "epochs": 3} for n in ("adam", "sgd")],
      "wandb": ("optimizer", {"name": "adam", "lr": 0.1}), "says": ["nested ones are called"]}),
    ("nested parameters in JSON", HEAD + """command: [python, "${program}", "${args_json}"]
parameters:
  model:
    parameters:
      head: {parameters: {layers: {values: [[8], null]}}}
      n: {value: 1}
  flat.name: {value: 2}
""", {"json_argv": [{"model": {"head": {"layers": v}, "n": 1}, "flat": {"name": 2}} for v in ([8], None)]}),
    ("quantized", RANDOM + """parameters:
  dropout: {distribution: q_uniform, min: 0.1, max: 0.5, q: 0.05}
  units: {distribution: q_uniform, min: 32, max: 256, q: 32}
  batch: {distribution: q_log_uniform_values, min: 8, max: 128, q: 8}
  noise: {distribution: q_normal, mu: 0, sigma: 1, q: 0.5}
""", {"values": {"dropout": steps(0.1, 0.5, 0.05), "units": steps(32, 256, 32),
                 "batch": steps(8, 128, 8), "noise": lambda v: v * 2 == round(v * 2)}}),
    ("the logarithm's many names", RANDOM + """parameters:
  a: {distribution: log_uniform_values, min: 0.0001, max: 0.1}
  b: {distribution: log_uniform, min: -9.21, max: -2.3}
  c: {distribution: inv_log_uniform_values, min: 0.9, max: 0.999}
  d: {distribution: log_normal, mu: 0, sigma: 1}
  e: {distribution: inv_log_uniform, min: 1, max: 3}
""", {"values": {"a": between(1e-4, 0.1), "b": between(0.0001, 0.1003), "c": between(0.9, 0.999),
                 "d": lambda v: v > 0, "e": between(0.049, 0.368)}}),
    ("bells without their numbers", RANDOM + """parameters:
  a: {distribution: normal}
  b: {distribution: normal, mu: 100, sigma: 0.1}
  c: {distribution: beta, a: 2, b: 5}
  d: {distribution: q_uniform, min: 1, max: 9}
""", {"values": {"a": between(-9, 9), "b": between(99, 101), "c": between(0, 1), "d": steps(1, 9, 1)}}),
    ("whole numbers and others", RANDOM + """parameters:
  n: {min: 1, max: 3}
  x: {min: 0., max: 1.}
  y: {min: .5, max: 2}
  z: {distribution: int_uniform, min: 2, max: 4}
  w: {distribution: uniform, min: 1, max: 2}
""", {"values": {"n": steps(1, 3, 1), "z": steps(2, 4, 1), "x": between(0, 1), "y": between(0.5, 2)},
      "some": {"x": lambda v: v != round(v), "y": lambda v: v != round(v), "w": lambda v: v != round(v)}}),
    ("a grid of whole numbers and steps", HEAD + """parameters:
  n: {min: 1, max: 3}
  q: {distribution: q_uniform, min: 0.0, max: 1.0, q: 0.5}
""", {"params": [{"n": n, "q": q} for n in (1, 2, 3) for q in (0, 0.5, 1)]}),
    ("probabilities and constants", RANDOM + """parameters:
  act:
    distribution: categorical_w_probabilities
    values: [relu, gelu]
    probabilities: [0.25, 0.75]
  k: {distribution: constant, value: 7}
  opt: {distribution: categorical, values: [adam]}
""", {"values": {"act": lambda v: v in ("relu", "gelu"), "k": lambda v: v == 7, "opt": lambda v: v == "adam"}}),
    ("early_terminate by min_iter", RANDOM + """early_terminate:
  type: hyperband
  min_iter: 3
  eta: 2
  strict: true
parameters: {lr: {min: 0.0, max: 1.0}}
""", {"says": ["24 iterations"]}),
    ("early_terminate by max_iter", RANDOM + """early_terminate: {type: hyperband, s: 2, eta: 3, max_iter: 27}
parameters: {lr: {min: 0.0, max: 1.0}}
""", {"says": ["27 iterations"]}),
    ("args_no_equals", HEAD + """command:
  - ${env}
  - ${interpreter}
  - ${program}
  - ${args_no_equals}
parameters: {lr: {value: 0.1}, amp: {value: true}, n: {values: [1]}}
""", {"argv": [python("train.py", "--lr", "0.1", "--amp", "True", "--n", "1")]}),
    ("args_no_hyphens", HEAD + """command: ["${env}", "${interpreter}", "${program}", "${args_no_hyphens}"]
parameters: {model.lr: {value: 0.1}, amp: {value: false}, n: {values: [1]}}
""", {"argv": [python("train.py", "model.lr=0.1", "amp=False", "n=1")]}),
    ("args_no_boolean_flags", HEAD + """command: ["${env}", "${interpreter}", "${program}", "${args_no_boolean_flags}"]
parameters: {use_bn: {value: true}, use_do: {values: [false]}, fp16: {values: [true, null]}, n: {value: 1}}
""", {"argv": [python("train.py", "--use_bn", "--fp16", "--n=1"),
               python("train.py", "--use_bn", "--fp16=None", "--n=1")]}),
    ("args_json", HEAD + """command: ["${env}", "${interpreter}", "${program}", "${args_json}"]
parameters: {layers: {values: [[64, 64], [128]]}, act: {value: null}, n: {value: 1}}
""", {"json_argv": [{"layers": v, "act": None, "n": 1} for v in ([64, 64], [128])]}),
    ("args_json_file", HEAD + """command: ["${env}", "${interpreter}", "${program}", "--config", "${args_json_file}"]
parameters: {cfg: {value: {a: 1, b: [x, y]}}, n: {values: [1]}}
""", {"json_file": {"cfg": {"a": 1, "b": ["x", "y"]}, "n": 1}}),
    ("args_append_hydra", HEAD + """command: ["${env}", "${interpreter}", "${program}", "${args_append_hydra}"]
parameters: {model.layers: {values: [[64, 64]]}, opt: {value: adam}, on: {value: true}}
""", {"argv": [python("train.py", "+model.layers=[64, 64]", "+opt=adam", "+on=True")]}),
    ("args_override_hydra", HEAD + """command: ["${env}", "${interpreter}", "${program}", "+trainer=gpu", "${args_override_hydra}"]
parameters: {data: {values: ["a,b"]}, opt.lr: {value: 0.1}}
""", {"argv": [python("train.py", "+trainer=gpu", "++data='a,b'", "++opt.lr=0.1")]}),
    ("envvar", HEAD + """command: ["${env}", "WORKDIR=${envvar:FOUND_DIR}/x", "${interpreter}", "${program}", "--host=${envvar:NOT_THERE}", "${args}"]
parameters: {n: {values: [1]}}
""", {"argv": [python("train.py", "--host=NOT_THERE", "--n=1")]}),
    ("a program in a folder", HEAD.replace("train.py", "src/my project/train.py") + "parameters: {n: {values: [1]}}\n",
     {"argv": [python("src/my project/train.py", "--n=1")]}),
    ("a script with its own first line", HEAD.replace("train.py", "./job.sh") + """command:
  - ${program}
  - ${args_no_hyphens}
parameters: {n: {values: [1]}, name: {value: two words}}
""", {"argv": [["job.sh", "n=1", "name=two words"]]}),
    ("a module", HEAD.replace("train.py", "pkg.train") + """command:
- ${env}
- ${interpreter}
- -m
- ${program}
- ${args}
parameters: {n: {values: [1]}}
""", {"argv": [python("-m", "pkg.train", "--n=1")]}),
    ("conda", HEAD + """command: [conda, run, -n, "torch-2.1", --no-capture-output, python, "${program}", "${args}"]
parameters: {n: {values: [1]}}
""", {"argv": [["conda", "run", "-n", "torch-2.1", "--no-capture-output", "python", "train.py", "--n=1"]]}),
    ("accelerate, with numbers among the words", HEAD + """command:
  - accelerate
  - launch
  - --num_processes
  - 2
  - ${program}
  - "--epochs"
  - 3
  - ${args}
parameters: {n: {values: [1]}}
""", {"argv": [["accelerate", "launch", "--num_processes", "2", "train.py", "--epochs", "3", "--n=1"]]}),
    ("torchrun without a program", """command:
  - torchrun
  - --nproc_per_node=2
  - train.py
  - ${args_no_equals}
method: grid
metric: {name: val_loss, goal: minimize}
parameters: {n: {values: [1]}}
""", {"argv": [["torchrun", "--nproc_per_node=2", "train.py", "--n", "1"]]}),
    ("another language", HEAD.replace("train.py", "fit.R") + """command: ["${env}", Rscript, --vanilla, "${program}", "${args}"]
parameters: {ntree: {values: [100]}}
""", {"argv": [["Rscript", "--vanilla", "fit.R", "--ntree=100"]]}),
    ("lists and objects", HEAD + """parameters:
  layers:
    values:
      - [64, 64]
      - [128]
  optimizer:
    values:
      - {name: adam, betas: [0.9, 0.999]}
""", {"argv": [python("train.py", f"--layers={v}", "--optimizer={'name': 'adam', 'betas': [0.9, 0.999]}")
               for v in ([64, 64], [128])],
      "params": [{"layers": v, "optimizer": {"name": "adam", "betas": [0.9, 0.999]}} for v in ([64, 64], [128])],
      "wandb": ("layers", [64, 64])}),
    ("nothing, numbers and words in one list", HEAD + """parameters:
  max_depth:
    values: [null, 5, 0.5, auto, true]
""", {"argv": [python("train.py", f"--max_depth={v}") for v in ("None", "5", "0.5", "auto", "True")],
      "params": [{"max_depth": v} for v in (None, 5, 0.5, "auto", True)]}),
    ("names with dots and dashes", HEAD + """parameters:
  model.encoder.hidden-dim: {values: [8]}
  learning-rate: {value: 0.1}
  data/path: {value: /tmp/x y}
""", {"argv": [python("train.py", "--model.encoder.hidden-dim=8", "--learning-rate=0.1", "--data/path=/tmp/x y")],
      "wandb": ("model", {"encoder": {"hidden-dim": 8}})}),
    ("a command that is one text", HEAD + """command: python train.py ${args}
parameters: {n: {values: [1]}}
""", {"argv": [python("train.py", "--n=1")], "says": ["command is no list of words"]}),
    ("a shell", HEAD + """command:
  - /bin/sh
  - -c
  - FOO=${FOUND_DIR}/x && exec record "$FOO" --cfg=${args_json_file} ${program} "$0" "$@"
  - ${args}
parameters: {n: {values: [1]}}
""", {"argv": [["record", "/found/x", "--cfg=FILE", "train.py", "--n=1"]], "says": ["${FOUND_DIR} stays as it is"]}),
    ("blanks around macros", HEAD + """command:
  -   "${env}"
  - '${interpreter} '
  - >-
    ${program}
  - |
    ${args}
parameters: {n: {values: [1]}}
""", {"argv": [python("train.py", "--n=1")]}),
    ("what is for the service", """# a sweep for the group
apiVersion: 1
kind: sweep
name: bert-sweep-01
project: my-project
entity: my-team
description: |
  Two lines
  of text: with a colon.
controller: {type: cloud}
""" + HEAD + "parameters: {n: {values: [1]}}\n",
     {"argv": [python("train.py", "--n=1")],
      "says": ["project is not honoured", "entity is not honoured", "controller is not honoured"]}),
    ("quotes, tags and comments", '"program": \'train.py\' # the script\n"method": "grid"\nmetric:\n    name: "eval/f1" #\n'
     """    goal: maximize

parameters:
    'a b': {values: [!!str 1, !!str 2]}
    c: {value: "it's"}
    d: {value: 'say "x"'}
    e: {value: !!float 3}
    f: {value: ""}
""", {"argv": [python("train.py", f"--a b={a}", "--c=it's", '--d=say "x"', "--e=3", "--f=")
               for a in "12"]}),
    ("ends of lines, a mark and a document's ends", "\ufeff---\r\n" + HEAD.replace("\n", "\r\n") +
     "parameters:\r\n  n:\r\n    values: [1, 2]\r\n...\r\n",
     {"argv": [python("train.py", f"--n={n}") for n in (1, 2)]}),
    ("numbers as people write them", HEAD + """parameters:
  a: {values: [1e-3, 1E5]}
  b: {value: 1_000}
  c: {value: 0x10}
  d: {value: 0755}
  e: {value: +5}
  f: {value: -.5}
  g: {value: 2.}
  h: {value: 089}
""", {"params": [{"a": a, "b": 1000, "c": 16, "d": 493, "e": 5, "f": -0.5, "g": 2.0, "h": "089"}
                 for a in (0.001, 100000)]}),
    ("switches as people write them", HEAD + """parameters:
  a: {values: [yes, no]}
  b: {value: on}
  c: {value: "no"}
  d: {value: False}
  e: {value: y}
""", {"params": [{"a": a, "b": True, "c": "no", "d": False, "e": "y"} for a in (True, False)]}),
    ("no metric", "program: train.py\nmethod: grid\nparameters: {n: {values: [1]}}\n",
     {"argv": [python("train.py", "--n=1")], "says": ["names no metric: val_loss, minimize"]}),
    ("JSON in a file called yaml", '{"program": "train.py", "method": "grid",\n "metric": {"name": "reward", '
     '"goal": "maximize"},\n "parameters": {"n": {"values": [1, 2]}}}\n',
     {"argv": [python("train.py", f"--n={n}") for n in (1, 2)]}),
    ("bayes", HEAD.replace("grid", "bayes") + "run_cap: 3\nparameters: {lr: {max: 0.1, min: 0.001}}\n",
     {"values": {"lr": between(0.001, 0.1)}, "says": ["bayes is tpe"]}),
    ("a macro misspelt", HEAD + 'command: ["${env}", "${interpreter}", "${program}", "${args_no_hyphen}"]\n'
     "parameters: {n: {values: [1]}}\n", {"refused": "did you mean ${args_no_hyphens}?"}),
    ("a macro misspelt within a word", HEAD + 'command: [python, "${program}", "--config=${arg_json_file}"]\n'
     "parameters: {n: {values: [1]}}\n", {"refused": "did you mean ${args_json_file}?"}),
    ("a key misspelt", HEAD + "parameter: {n: {values: [1]}}\n", {"refused": "did you mean parameters"}),
    ("a merge of a number", HEAD + "x: &x 1\nparameters: {<<: *x, n: {values: [1]}}\n", {"refused": "a merge key"}),
    ("twice a merge", HEAD + "x: &x {a: {value: 1}}\nparameters: {<<: *x, <<: *x}\n", {"refused": "there twice"}),
    ("bayes without a metric", "program: train.py\nmethod: bayes\nparameters: {n: {min: 0.0, max: 1.0}}\n",
     {"refused": "$.metric"}),
]


def place(home):
    """The launchers, first in PATH, and the programs' folder."""
    for folder in ("bin", "src/my project"):
        os.makedirs(os.path.join(home.path, folder))
    for name in LAUNCHERS:
        os.chmod(home.put(f"bin/{name}", RECORD), 0o700)
    os.chmod(home.put("job.sh", RECORD), 0o700)


def submit_all(home, d, wrong):
    """The sweep of each, by name."""
    sweeps = {}
    for name, text, wanted in FOUND:
        home.put("sweep.yaml", text)
        done = home.submit(d, "sweep.yaml")
        wrong += [f"{name}: not said: {w}: {done.stderr}" for w in wanted.get("says", ()) if w not in done.stderr]
        if "refused" in wanted:
            if done.returncode != 1 or wanted["refused"] not in done.stderr:
                wrong.append(f"{name}: not refused so: {done.stderr}")
        elif done.returncode != 0:
            wrong.append(f"{name}: {done.stderr}")
        else:
            sweeps[name] = d.sql("SELECT max(id) FROM sweeps")[0][0]
    return sweeps


def read(path, end=""):
    with open(path, encoding="utf-8") as f:
        return f.read() + end


def argv_of(folder):
    words = read(f"{folder}/argv").split("\0")[:-1]
    return [w.replace(f"{folder}/params.json", "FILE") for w in words]


def wandb_value(folder, name):
    lines = read(f"{folder}/wandb-params.yaml").split("\n")
    return json.loads(lines[lines.index(json.dumps(name) + ":") + 1][len("  value: "):])


def in_order(values):
    return sorted(values, key=lambda v: json.dumps(v, sort_keys=True))


def look(folders, name, wanted):
    params = [json.loads(read(f"{f}/params.json")) for f in folders]
    if "argv" in wanted:
        equal(in_order(argv_of(f) for f in folders), in_order(wanted["argv"]), name)
    if "json_argv" in wanted:
        equal(in_order(json.loads(argv_of(f)[-1]) for f in folders), in_order(wanted["json_argv"]), name)
    if "json_file" in wanted:
        words = read(f"{folders[0]}/argv").split("\0")
        equal(json.loads(read(words[words.index("--config") + 1])), wanted["json_file"], name)
    if "params" in wanted:
        equal(in_order(params), in_order(wanted["params"]), name)
    if "wandb" in wanted:
        equal(wandb_value(folders[0], wanted["wandb"][0]), wanted["wandb"][1], name)
    for key, holds in wanted.get("values", {}).items():
        check(all(holds(p[key]) for p in params), f"{name}: {key} of {params}")
    for key, holds in wanted.get("some", {}).items():
        check(any(holds(p[key]) for p in params), f"{name}: {key} of {params}")


def test_sweep_files_as_people_write_them():
    with Home() as home:
        place(home)
        path = {"PATH": f"{home.path}/bin:{os.environ['PATH']}", "FOUND_DIR": "/found"}
        with Daemon(environment=path) as d:
            if not yaml_is_there(home, d):
                return
            wrong = []
            sweeps = submit_all(home, d, wrong)
            for name, _, wanted in FOUND:
                if name not in sweeps:
                    continue
                if "held" in wanted:
                    equal(d.wait(sweeps[name])["status"], "held", name)
                    continue
                try:
                    completed(d, sweeps[name])
                    rows = d.sql("SELECT id FROM runs WHERE sweep_id = ? ORDER BY id", sweeps[name])
                    look([f"{d.db}.runs/{i}" for i, in rows], name, wanted)
                except (AssertionError, OSError, ValueError) as e:
                    wrong.append(f"{name}: {e!r}")
            check(not wrong, "\n".join(wrong))


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    run(test_sweep_files_as_people_write_them)
