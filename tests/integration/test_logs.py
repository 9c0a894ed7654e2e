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


def folder(make):
    """A new folder with what make puts there: {path: bytes or text}."""
    top = tempfile.mkdtemp()
    for name, content in make.items():
        path = os.path.join(top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode())
    return top


def log_bytes(name):
    with open(os.path.join(LOGS, name), "rb") as f:
        return f.read()


def metric(first):
    return "".join(f"{1700000000000 + i * 1000} {first * 0.8 ** i + 0.1} {i}\n" for i in range(12))


MLFLOW = {"meta.yaml": "run_id: abc\n", "metrics/train/loss": metric(2.0), "metrics/val_loss": metric(2.5),
          "metrics/system/memory": metric(1.0), "params/lr": "0.1"}


def test_folders_that_are_one_log():
    keras = folder({"train/events.out.tfevents.1.a": log_bytes("keras/train.tfevents"),
                    "validation/events.out.tfevents.2.a": log_bytes("keras/validation.tfevents")})
    torch = folder({"events.out.tfevents.1.a": log_bytes("torch/writer.tfevents"), "hparams.yaml": "lr: 0.1\n"})
    wandb = folder({"run-abc.wandb": log_bytes("wandb/run.wandb"), "files/config.yaml": "a: 1\n"})
    for top in (keras, torch, wandb, folder(MLFLOW)):
        d = labelled(top)
        check(d["points"] == 12 and d["pattern"] == "learning", f"{d['points']} {d['pattern']}")
        check("one_sided" not in d["tags"], str(d["tags"]))
        check(labelled(top, "--at", "4")["points"] == 4, "--at")
        shutil.rmtree(top)


def test_a_folder_of_logs():
    curve = "epoch,loss,val_loss\n" + "".join(f"{i},{2 * 0.8 ** i},{2.5 * 0.8 ** i}\n" for i in range(9))
    top = folder({"a/log.csv": curve, "b/c/out.txt": log_bytes("keras/stdout.txt"), "weights.bin": bytes(range(256)),
                  "notes.md": "# nothing\n", "old.csv.gz": b"\x1f\x8b\x08\0" + bytes(40), ".hidden.csv": curve,
                  **{f"mlruns/0/abc/{k}": v for k, v in MLFLOW.items()},
                  "board/train/events.out.tfevents.1.a": log_bytes("keras/train.tfevents"),
                  "board/validation/events.out.tfevents.1.a": log_bytes("keras/validation.tfevents")})
    os.mkfifo(os.path.join(top, "pipe.csv"))
    os.symlink(top, os.path.join(top, "circle"))
    d = labelled(top)
    paths = [one["path"] for one in d["logs"]]
    check(paths == ["a/log.csv", "b/c/out.txt", "board", "mlruns/0/abc"], str(paths))
    check(all(one["pattern"] and one["points"] > 8 and "evidence" in one for one in d["logs"]), str(d["logs"]))
    reasons = {one["path"]: one["reason"] for one in d["unread"]}
    check(sorted(reasons) == ["notes.md", "old.csv.gz", "weights.bin"], str(reasons))
    check("gzip -dc" in reasons["old.csv.gz"] and "format" in reasons["weights.bin"], str(reasons))
    check(d["files"] == 7 and d["complete"] is True, str(d["files"]))
    text = subprocess.run([SWEEPCTL, "label", top], capture_output=True, text=True, timeout=60, check=True).stdout
    check(text.splitlines()[1].split()[:2] == ["a/log.csv", "learning"] and "3 not read" in text, text)
    code, _, err = label(top, "--at", "3")
    check(code == 1 and "one log" in err, err)
    shutil.rmtree(top)


def test_a_folder_without_logs():
    for make, said in (({"notes.md": "nothing\n"}, "could be read"), ({}, "no files")):
        top = folder(make)
        code, _, err = label(top)
        check(code == 1 and said in err, err)
        shutil.rmtree(top)


def test_files_that_are_too_long_are_not_read():
    top = folder({"log.csv": "epoch,loss\n" + "1,2\n" * 2000})
    path = os.path.join(top, "log.csv")
    os.truncate(path, 2 << 30)
    code, _, err = label(path)
    check(code == 1 and "2048 MiB" in err and "256 MiB" in err, err)
    shutil.rmtree(top)


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
        test_databases_that_are_none, test_folders_that_are_one_log, test_a_folder_of_logs,
        test_a_folder_without_logs, test_files_that_are_too_long_are_not_read)
