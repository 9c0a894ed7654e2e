"""Writes the logs in this folder, each by the library whose format it is.

usage: make.py [NAME...]   (names: see MAKERS; none: all)

Needs the libraries, in a virtual environment of their own; the tests read what is stored and need
none of them. What a library itself says was measured goes into expected.json, so that the tests do
not compare a reader with itself: file -> title -> the values in order."""
import glob
import importlib.metadata
import json
import math
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
EPOCHS = 12
os.environ.update(CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="3", WANDB_MODE="offline",
                  HF_HUB_OFFLINE="1", KERAS_BACKEND="tensorflow", TF_ENABLE_ONEDNN_OPTS="0")


def table(rows=96):
    import numpy
    rng = numpy.random.default_rng(7)
    x = rng.normal(size=(rows, 4)).astype("float32")
    y = (x @ numpy.array([1, -2, 0.5, 0], dtype="float32") + 0.1 * rng.normal(size=rows))
    return x, y.astype("float32")


def keep(source, name):
    """Stores a file under that name."""
    target = os.path.join(HERE, name)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copyfile(source, target)
    return name


def write(text, name):
    target = os.path.join(HERE, name)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "w", encoding="utf-8", newline="") as f:
        f.write(text)
    return name


def printed(function):
    """What the function prints when it is no terminal that it prints to."""
    sys.stdout.flush()
    sys.stderr.flush()
    with tempfile.TemporaryFile() as f:
        kept = os.dup(1), os.dup(2)
        os.dup2(f.fileno(), 1)
        os.dup2(f.fileno(), 2)
        try:
            function()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(kept[0], 1)
            os.dup2(kept[1], 2)
        f.seek(0)
        return f.read().decode()


def losses(epochs=EPOCHS):
    """Numbers to log where a library only logs: training, validation, one that is no number."""
    return [(1.5 * 0.75 ** e + 0.1, 1.6 * 0.8 ** e + 0.2 if e != 5 else math.nan)
            for e in range(epochs)]


# --- Keras and TensorFlow ------------------------------------------------------------------------

def keras_fit(verbose, callbacks=()):
    import keras
    keras.utils.set_random_seed(1)
    x, y = table()
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(4, "relu"),
                              keras.layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    return model.fit(x[:64], y[:64], validation_data=(x[64:], y[64:]), epochs=EPOCHS, batch_size=8,
                     verbose=verbose, callbacks=list(callbacks)).history


def make_keras(expected):
    import keras
    folder = tempfile.mkdtemp()
    board = keras.callbacks.TensorBoard(folder, write_graph=False)
    history = keras_fit(0, [board, keras.callbacks.CSVLogger(folder + "/log.csv")])
    expected[write(json.dumps(history), "keras/history.json")] = history
    keep(folder + "/log.csv", "keras/log.csv")
    for part, prefix in (("train", ""), ("validation", "val_")):
        events = glob.glob(f"{folder}/{part}/events*")[0]
        name = keep(events, f"keras/{part}.tfevents")
        expected[name] = {prefix + "epoch_loss": history[prefix + "loss"],
                          prefix + "epoch_mae": history[prefix + "mae"]}
    text = printed(lambda: keras_fit(1))
    expected[write(text, "keras/stdout.txt")] = {"epoch": list(range(1, EPOCHS + 1))}
    expected[write(printed(lambda: keras_fit(2)), "keras/stdout_2.txt")] = {
        "epoch": list(range(1, EPOCHS + 1))}


def make_tensorflow(expected):
    import tensorflow as tf
    folder = tempfile.mkdtemp()
    writer = tf.summary.create_file_writer(folder + "/two")
    with writer.as_default():
        for step, (loss, val) in enumerate(losses()):
            tf.summary.scalar("train/loss", loss, step=step)
            tf.summary.scalar("val/loss", val, step=step)
            tf.summary.histogram("weights", [0.0, 1.0, 2.0], step=step)
        tf.summary.text("note", "hello", step=0)
    writer.close()
    with tf.compat.v1.Graph().as_default():
        writer = tf.compat.v1.summary.FileWriter(folder + "/one")
        for step, (loss, val) in enumerate(losses()):
            summary = tf.compat.v1.Summary()
            summary.value.add(tag="loss", simple_value=loss)
            summary.value.add(tag="val_loss", simple_value=val)
            writer.add_summary(summary, step)
        writer.close()
    values = {"train/loss": [a for a, _ in losses()], "val/loss": [b for _, b in losses()]}
    expected[keep(glob.glob(folder + "/two/events*")[0], "tensorflow/two.tfevents")] = values
    expected[keep(glob.glob(folder + "/one/events*")[0], "tensorflow/one.tfevents")] = {
        "loss": values["train/loss"], "val_loss": values["val/loss"]}


# --- PyTorch -------------------------------------------------------------------------------------

def make_torch(expected):
    from torch.utils.tensorboard import SummaryWriter
    folder = tempfile.mkdtemp()
    writer = SummaryWriter(folder)
    for step, (loss, val) in enumerate(losses()):
        writer.add_scalar("Loss/train", loss, step)
        writer.add_scalar("Loss/val", val, step, new_style=True)
    writer.add_text("note", "hello", 0)
    writer.close()
    expected[keep(glob.glob(folder + "/events*")[0], "torch/writer.tfevents")] = {
        "Loss/train": [a for a, _ in losses()], "Loss/val": [b for _, b in losses()]}


def lightning_fit(folder):
    import lightning
    import torch
    from lightning.pytorch import callbacks, loggers

    class Line(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(4, 1)

        def loss_of(self, batch):
            return torch.nn.functional.mse_loss(self.layer(batch[0])[:, 0], batch[1])

        def training_step(self, batch, _):
            loss = self.loss_of(batch)
            self.log("train_loss", loss, on_step=False, on_epoch=True, prog_bar=True)
            return loss

        def validation_step(self, batch, _):
            self.log("val_loss", self.loss_of(batch), prog_bar=True)

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), 0.05)

    lightning.seed_everything(1)
    x, y = (torch.tensor(a) for a in table())
    data = [torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x[a:b], y[a:b]), 8)
            for a, b in ((0, 64), (64, 96))]
    trainer = lightning.Trainer(
        max_epochs=EPOCHS, log_every_n_steps=8, default_root_dir=folder, enable_checkpointing=False,
        num_sanity_val_steps=0, enable_model_summary=False, callbacks=[callbacks.TQDMProgressBar()],
        logger=[loggers.CSVLogger(folder, "csv"), loggers.TensorBoardLogger(folder, "board")])
    trainer.fit(Line(), *data)


def make_lightning(expected):
    import csv
    folder = tempfile.mkdtemp()
    lightning_fit(folder)
    source = glob.glob(folder + "/csv/version_0/metrics.csv")[0]
    keep(source, "lightning/metrics.csv")
    with open(source, encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    values = {title: [float(r[title]) for r in rows if r[title]]
              for title in ("train_loss", "val_loss")}
    name = keep(glob.glob(folder + "/board/version_0/events*")[0], "lightning/board.tfevents")
    expected[name] = values
    write(printed(lambda: lightning_fit(tempfile.mkdtemp())), "lightning/stdout.txt")
    expected["lightning/stdout.txt"] = {"epoch": list(range(EPOCHS))}


# --- Hugging Face --------------------------------------------------------------------------------

def transformers_fit(folder):
    import torch
    import transformers

    class Line(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(4, 1)

        def forward(self, x, labels):
            out = self.layer(x)[:, 0]
            return {"loss": torch.nn.functional.mse_loss(out, labels), "logits": out}

    transformers.set_seed(1)
    x, y = table()
    rows = [{"x": torch.tensor(a), "labels": torch.tensor(b)} for a, b in zip(x, y)]
    options = transformers.TrainingArguments(
        folder, num_train_epochs=EPOCHS, per_device_train_batch_size=8, learning_rate=0.05,
        logging_strategy="epoch", eval_strategy="epoch", save_strategy="no", report_to=[],
        use_cpu=True)
    trainer = transformers.Trainer(Line(), options, train_dataset=rows[:64], eval_dataset=rows[64:])
    trainer.train()
    trainer.save_state()
    return trainer.state.log_history


def make_transformers(expected):
    folder = tempfile.mkdtemp()
    history = transformers_fit(folder)
    values = {key: [row[key] for row in history if key in row] for key in ("loss", "eval_loss")}
    expected[keep(folder + "/trainer_state.json", "transformers/trainer_state.json")] = values
    write(printed(lambda: transformers_fit(tempfile.mkdtemp())), "transformers/stdout.txt")
    expected["transformers/stdout.txt"] = {
        "epoch": [row["epoch"] for row in history]}


def make_trackio(expected):
    folder = tempfile.mkdtemp()
    code = ("import math, trackio, time\n"
            f"trackio.init(project='p', name='r7', config={{'lr': 0.1}})\n"
            f"for step, (loss, val) in enumerate({losses()!r}".replace("nan", "math.nan") + "):\n"
            "    trackio.log({'train/loss': loss, 'val/loss': val}, step=step)\n"
            "time.sleep(3)\ntrackio.finish()\n")
    values = {"train/loss": [a for a, _ in losses()], "val/loss": [b for _, b in losses()]}
    for mode in ("jsonl", "sqlite"):
        env = dict(os.environ, TRACKIO_DIR=f"{folder}/{mode}", TRACKIO_STORAGE_MODE=mode)
        subprocess.run([sys.executable, "-c", code], check=True, env=env)
    lines = sorted(glob.glob(f"{folder}/jsonl/**/*.jsonl", recursive=True))
    text = "".join(open(f, encoding="utf-8").read() for f in lines)
    expected[write(text, "trackio/lines.jsonl")] = values
    for found in glob.glob(f"{folder}/**/*.db", recursive=True):
        shrink(found, "trackio/project.db", ("metrics", "configs"))
        expected["trackio/project.db"] = values


# --- boosting ------------------------------------------------------------------------------------

def xgboost_fit(verbose):
    import xgboost
    x, y = table()
    result = {}
    sets = [(xgboost.DMatrix(x[a:b], y[a:b]), n) for a, b, n in ((0, 64, "train"), (64, 96, "eval"))]
    xgboost.train({"eta": 0.3, "eval_metric": ["rmse", "mae"], "nthread": 1}, sets[0][0], EPOCHS,
                  sets, evals_result=result, verbose_eval=verbose)
    return result


def make_xgboost(expected):
    result = xgboost_fit(False)
    values = {f"{part}-{metric}": numbers for part, metrics in result.items()
              for metric, numbers in metrics.items()}
    expected[write(json.dumps(result), "xgboost/evals_result.json")] = values
    name = write(printed(lambda: xgboost_fit(True)), "xgboost/stdout.txt")
    expected[name] = {k: [round(v, 5) for v in values[k]] for k in values}


def lightgbm_fit(verbose):
    import lightgbm
    x, y = table()
    result = {}
    train = lightgbm.Dataset(x[:64], y[:64], params={"verbose": -1, "min_data_in_leaf": 2})
    calls = [lightgbm.record_evaluation(result)] + [lightgbm.log_evaluation(1)] * verbose
    lightgbm.train({"objective": "l2", "verbose": -1, "min_data_in_leaf": 2, "num_threads": 1},
                   train, EPOCHS, [train, lightgbm.Dataset(x[64:], y[64:], reference=train)],
                   callbacks=calls)
    return result


def make_lightgbm(expected):
    result = lightgbm_fit(0)
    values = {f"{part}-l2": metrics["l2"] for part, metrics in result.items()}
    expected[write(json.dumps(result), "lightgbm/evals_result.json")] = values
    name = write(printed(lambda: lightgbm_fit(1)), "lightgbm/stdout.txt")
    expected[name] = {f"{part}'s l2": [float(f"{v:g}") for v in metrics["l2"]]
                      for part, metrics in result.items()}


def catboost_fit(folder, verbose):
    import catboost
    x, y = table()
    model = catboost.CatBoostRegressor(iterations=EPOCHS, train_dir=folder, verbose=verbose,
                                       thread_count=1, random_seed=1, learning_rate=0.3)
    model.fit(x[:64], y[:64], eval_set=(x[64:], y[64:]))
    return model.get_evals_result()


def make_catboost(expected):
    folder = tempfile.mkdtemp()
    result = catboost_fit(folder, 0)
    values = {"learn": result["learn"]["RMSE"], "test": result["validation"]["RMSE"]}
    expected[keep(folder + "/catboost_training.json", "catboost/catboost_training.json")] = {
        f"{k}-RMSE": v for k, v in values.items()}
    keep(folder + "/test_error.tsv", "catboost/test_error.tsv")
    expected[write(printed(lambda: catboost_fit(tempfile.mkdtemp(), 1)), "catboost/stdout.txt")] = {
        f"{k} loss": [round(v, 7) for v in values[k]] for k in values}


# --- trackers ------------------------------------------------------------------------------------

def make_wandb(expected):
    import wandb
    folder = tempfile.mkdtemp()
    run = wandb.init(project="p", dir=folder, settings=wandb.Settings(
        x_disable_stats=True, console="off", disable_git=True, save_code=False, x_disable_meta=True))
    for step, (loss, val) in enumerate(losses()):
        more = {"h": wandb.Histogram([1, 2, 3], num_bins=4)} if step % 5 == 0 else {}
        run.log({"train": {"loss": loss}, "val_loss": val, **more})
    run.finish()
    source = glob.glob(folder + "/wandb/offline-run-*/run-*.wandb")[0]
    expected[keep(source, "wandb/run.wandb")] = {
        "train/loss": [a for a, _ in losses()], "val_loss": [b for _, b in losses()]}


def shrink(source, name, kept):
    """Stores a database with its log written into it, these tables alone and small pages."""
    target = os.path.join(HERE, keep(source, name))
    for tail in ("-wal", "-shm"):
        if os.path.exists(source + tail):
            shutil.copyfile(source + tail, target + tail)
    db = sqlite3.connect(target)
    db.execute("PRAGMA journal_mode = DELETE")
    db.execute("PRAGMA foreign_keys = OFF")
    for table_name, in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND "
                                  "name NOT LIKE 'sqlite%'").fetchall():
        if table_name not in kept:
            db.execute(f'DROP TABLE "{table_name}"')
    db.commit()
    db.execute("PRAGMA page_size = 1024")
    db.execute("VACUUM")
    db.close()
    return name


def make_mlflow(expected):
    import mlflow
    folder = tempfile.mkdtemp()
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    names = {}
    for name in ("first", "second"):
        with mlflow.start_run(run_name=name) as run:
            names[name] = run.info.run_id
            for step, (loss, val) in enumerate(losses()):
                mlflow.log_metrics({"train_loss": loss, "val_loss": val}, step=step)
    shrink(f"{folder}/mlflow.db", "mlflow/mlflow.db", ("metrics", "runs", "alembic_version"))
    expected["mlflow/mlflow.db"] = {"train_loss": [a for a, _ in losses()] * 2}


MAKERS = {"keras": ("keras", "tensorflow"), "tensorflow": ("tensorflow",), "torch": ("torch",),
          "lightning": ("lightning", "torch"), "transformers": ("transformers", "torch"),
          "trackio": ("trackio",), "xgboost": ("xgboost",), "lightgbm": ("lightgbm",),
          "catboost": ("catboost",), "wandb": ("wandb",), "mlflow": ("mlflow",)}


def version(package):
    for name in (package, package + "-cpu"):
        try:
            return f"{package} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            continue
    return package


def main():
    path = os.path.join(HERE, "expected.json")
    expected = json.load(open(path, encoding="utf-8")) if os.path.exists(path) else {}
    versions = expected.setdefault("versions", {})
    for name in sys.argv[1:] or MAKERS:
        made = {}
        globals()["make_" + name](made)
        expected.update({k: {t: ["nan" if x != x else x for x in v] for t, v in made[k].items()}
                         for k in made})
        versions[name] = ", ".join(version(p) for p in MAKERS[name])
    with open(path, "w", encoding="utf-8") as f:
        json.dump(expected, f, indent=1, sort_keys=True)
        f.write("\n")


if __name__ == "__main__":
    main()
