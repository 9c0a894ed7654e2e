"""`sweepctl label` over the logs that other libraries wrote (tests/logs)."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
from tap import check, run  # noqa: E402

LOGS = os.path.join(HERE, "..", "logs")
SWEEPCTL = os.path.join(os.environ["BUILD"], "client", "sweepctl")
# file -> columns that are its training and its validation loss; None: it has none
LOSSES = {
    "keras/history.json": ("loss", "val_loss"), "keras/log.csv": ("loss", "val_loss"),
    "keras/stdout.txt": ("loss", "val_loss"), "keras/stdout_2.txt": ("loss", "val_loss"),
    "keras/train.tfevents": ("epoch_loss", None),
    "keras/validation.tfevents": (None, "val_epoch_loss"),
    "tensorflow/one.tfevents": ("loss", "val_loss"),
    "tensorflow/two.tfevents": ("train/loss", "val/loss"),
    "torch/writer.tfevents": ("Loss/train", "Loss/val"),
    "lightning/metrics.csv": ("train_loss", "val_loss"),
    "lightning/board.tfevents": ("train_loss", "val_loss"),
    "lightning/stdout.txt": ("train_loss", "val_loss"),
    "transformers/trainer_state.json": ("loss", "eval_loss"),
    "transformers/stdout.txt": ("loss", "eval_loss"),
    "xgboost/evals_result.json": ("train-rmse", "eval-rmse"),
    "xgboost/stdout.txt": ("train-rmse", "eval-rmse"),
    "lightgbm/evals_result.json": ("training-l2", "valid_1-l2"),
    "lightgbm/stdout.txt": ("training's l2", "valid_1's l2"),
    "catboost/catboost_training.json": ("learn-RMSE", "test-RMSE"),
    "catboost/stdout.txt": ("learn loss", "test loss"),
    "wandb/run.wandb": ("train/loss", "val_loss"),
    "trackio/lines.jsonl": ("train/loss", "val/loss"),
    "trackio/project.db": ("train/loss", "val/loss"),
}


def label(path, *more, env=None):
    done = subprocess.run([SWEEPCTL, "label", path, "--json", *more], capture_output=True, text=True,
                          timeout=60, check=False, env=env)
    return done.returncode, done.stdout, done.stderr


def labelled(path, *more):
    code, out, err = label(path, *more)
    check(code == 0, f"{path}: {err}")
    return json.loads(out)


def test_each_is_labelled():
    for name, (train, val) in LOSSES.items():
        d = labelled(os.path.join(LOGS, name))
        check(d["points"] >= 12, f"{name}: {d['points']} points")
        check(d["pattern"] not in ("not_a_number", "too_short"), f"{name}: {d['pattern']}")
        notes = "; ".join(d["notes"])
        for side, title in (("train_loss", train), ("val_loss", val)):
            other = [n for n in d["notes"] if n.startswith(f"{side} from") and
                     not (title and n.endswith(f"'{title}'"))]
            check(not other, f"{name}: {side} is not {title}: {notes}")


def test_two_files_are_one_curve():
    d = labelled(os.path.join(LOGS, "keras/train.tfevents"), "--val",
                 os.path.join(LOGS, "keras/validation.tfevents"))
    check(d["points"] == 12, str(d["points"]))
    check("one_sided" not in d["tags"], str(d["tags"]))


def test_a_database_of_several_runs():
    path = os.path.join(LOGS, "mlflow/mlflow.db")
    code, _, err = label(path)
    check(code != 0 and "first" in err and "second" in err, err)
    d = labelled(path, "--run", "second")
    check(d["points"] == 12, str(d["points"]))


def test_databases_that_are_none():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a #1?.db")
        shutil.copyfile(os.path.join(LOGS, "trackio/project.db"), path)
        check(labelled(path)["points"] >= 12, "a name with signs")
        check(os.listdir(folder) == [os.path.basename(path)], "nothing is left beside it")
        with open(path, "r+b") as f:
            f.seek(100)
            f.write(b"\xff" * 4000)
        code, _, err = label(path)
        check(code != 0 and "a #1?.db" in err, err)
        with open(path, "rb") as f:
            done = subprocess.run([SWEEPCTL, "label", "-"], stdin=f, capture_output=True, text=True,
                                  timeout=60, check=False)
        check(done.returncode != 0 and "standard input" in done.stderr, done.stderr)
        env = dict(os.environ, SWEEPD_WORKER="/nonexistent/worker")
        code, _, err = label(path, env=env)
        check(code != 0 and "/nonexistent/worker" in err, err)


if __name__ == "__main__":
    run(test_each_is_labelled, test_two_files_are_one_curve, test_a_database_of_several_runs,
        test_databases_that_are_none)
