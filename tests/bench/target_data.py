"""The tasks of target.py, and their data as arrays: one split, the same for every side and seed."""
import gzip
import os

import numpy as np

FASHION = "/usr/share/datasets/fashion-mnist"
SCIKIT_LEARN = "digits", "breast_cancer", "diabetes"


def read_idx(name):
    with gzip.open(os.path.join(FASHION, name)) as f:
        raw = f.read()
    sizes = [int.from_bytes(raw[4 + 4 * i:8 + 4 * i], "big") for i in range(raw[3])]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(sizes)


def fashion(as_rows, rows):
    """Pixels from 0 to 1; as_rows: 28 steps of 28 numbers, of fewer images."""
    shape = (-1, 28, 28) if as_rows else (-1, 784)
    x = read_idx("train-images-idx3-ubyte.gz").reshape(shape) / np.float32(255)
    y = read_idx("train-labels-idx1-ubyte.gz")
    test = read_idx("t10k-images-idx3-ubyte.gz").reshape(shape) / np.float32(255)
    order = np.random.default_rng(0).permutation(len(x))
    held = 2000 if as_rows else 10000
    count = min(rows or len(x), 10000 if as_rows else len(x) - held)
    train, held = order[held:held + count], order[:held]
    return {"train": (x[train], y[train]), "validation": (x[held], y[held]),
            "test": (test, read_idx("t10k-labels-idx1-ubyte.gz"))}


def small(name, rows):
    """Columns of mean 0 and deviation 1 over the training part; a fifth each is held out."""
    from sklearn import datasets
    loaded = getattr(datasets, "load_" + name)()
    order = np.random.default_rng(0).permutation(len(loaded.target))
    fifth = len(order) // 5
    parts = {"test": order[:fifth], "validation": order[fifth:2 * fifth],
             "train": order[2 * fifth:][:rows]}
    x = loaded.data[parts["train"]]
    mean, deviation = x.mean(0), x.std(0)
    scaled = (loaded.data - mean) / np.where(deviation > 0, deviation, 1)
    return {part: (scaled[i], loaded.target[i]) for part, i in parts.items()}


def write_parts(folder, name, rows):
    """The files of each part, and what there is to say of them."""
    os.makedirs(folder, exist_ok=True)
    regression = name == "diabetes"
    stem = os.path.join(folder, f"{name}-{rows or 'all'}")
    files = {part: [f"{stem}-{part}-{what}.npy" for what in "xy"]
             for part in ("train", "validation", "test")}
    if not all(os.path.exists(f) for pair in files.values() for f in pair):
        parts = small(name, rows) if name in SCIKIT_LEARN else fashion(name == "rows", rows)
        for part, (x, y) in parts.items():
            np.save(files[part][0], np.ascontiguousarray(x, np.float32))
            np.save(files[part][1], np.asarray(y, np.float32 if regression else np.int64))
    count = len(np.load(files["train"][1], mmap_mode="r"))
    return {"files": files, "regression": regression, "rows": count}


# --- the tasks ------------------------------------------------------------------------------------

RATE = {"min": 0.0001, "max": 0.1, "distribution": "log_uniform_values"}
OPTIMIZERS = {"values": ["adam", "rmsprop", "momentum", "sgd"]}
DROPOUT = {"min": 0.0, "max": 0.5, "distribution": "uniform"}


def task_of(name, folder, seconds=None, rows=None):
    """What both sides are given."""
    space = {"learning_rate": RATE, "batch_size": {"values": [32, 128, 512]},
             "optimizer": OPTIMIZERS, "depth": {"min": 1, "max": 4},
             "width": {"values": [64, 128, 256]}, "dropout": DROPOUT}
    t = {"name": name, "model": "mlp", "epochs": 10, "seconds": 300, "parameters": space}
    if name == "rows":
        t["model"] = "lstm"
        space.update(depth={"min": 1, "max": 2}, width={"values": [32, 64, 128]},
                     batch_size={"values": [32, 128]})
    elif name != "fashion":
        t.update(epochs=30, seconds=60)
        space.update(batch_size={"values": [16, 64]}, depth={"min": 1, "max": 3},
                     width={"values": [16, 32, 64]})
    t["seconds"] = seconds or t["seconds"]
    return {**t, **write_parts(os.path.join(folder, "data"), name, rows)}
