"""What a run costs beside its steps: from exec to the first step with the data cached, and its
peak anonymous memory. Appends one JSON line per figure to tests/bench/results.jsonl.

usage: worker.py BUILD_DIR   (a release build: meson setup DIR --buildtype release)
About a minute. The first figure needs Fashion-MNIST (Debian: dataset-fashion-mnist). The nets of
the second are those of step_cases.json, on made data, with the best weights kept.
"""
import json
import os
import random
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
HOME = tempfile.mkdtemp(prefix="sweepd-bench-")
TRIES = 15
ADAM_STATE, MIB = 2, 1 << 20


def record(line):
    line["cores"] = os.cpu_count()
    print(json.dumps(line), flush=True)
    with open(os.path.join(HERE, "results.jsonl"), "a", encoding="utf-8") as f:
        f.write(json.dumps(line) + "\n")


def environment():
    drop = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
    return {**{k: v for k, v in os.environ.items() if k not in drop},
            "XDG_CACHE_HOME": os.path.join(HOME, "cache"), "OPENBLAS_NUM_THREADS": "1"}


def write_config(name, data, model, train, epochs=1):
    path = os.path.join(HOME, name + ".json")
    config = {"version": 1, "data": data, "model": model, "train": train, "epochs": epochs,
              "seed": "110", "split_seed": "110", "weights": os.path.join(HOME, name + ".weights")}
    with open(path, "w", encoding="utf-8") as f:
        json.dump(config, f)
    return path


def prepare(worker, config):
    subprocess.run([worker, "--prepare", config], check=True, env=environment(),
                   stdout=subprocess.DEVNULL)


# ------------------------------------------------------------------ exec to first step

def seconds_to_first_point(worker, config):
    """A point after the first batch: one step and an evaluation of 16 samples."""
    out, to_us = os.pipe()
    start = time.perf_counter()
    pid = os.posix_spawn(worker, [worker, config], environment(),
                         file_actions=[(os.POSIX_SPAWN_DUP2, to_us, 1)])
    os.close(to_us)
    text = b""
    while text.count(b"\n") < 2:  # start, point
        more = os.read(out, 65536)
        if not more:
            sys.exit("the worker ended: " + text.decode())
        text += more
    seconds = time.perf_counter() - start
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    os.close(out)
    return seconds


def first_step(worker):
    config = write_config("first", {"name": "fashion-mnist", "validation": 16},
                          {"type": "mlp", "width": 64, "depth": 1},
                          {"optimizer": "adam", "batch_size": 64, "points_per_epoch": 1000})
    prepare(worker, config)
    times = [1000 * seconds_to_first_point(worker, config) for _ in range(TRIES)]
    record({"bench": "exec_to_first_step", "median": round(statistics.median(times), 3),
            "min": round(min(times), 3), "max": round(max(times), 3), "tries": TRIES,
            "unit": "ms", "aim": "<= 5", "data": "fashion-mnist, 60000 samples, shuffled"})


# ------------------------------------------------------------------ memory

def write_npy(path, kind, shape, values):
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {tuple(shape)}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        f.write(values)


def make_data(case):
    count, numbers = 1000, 1
    for d in case["shape"]:
        numbers *= d
    x, y = os.path.join(HOME, "x.npy"), os.path.join(HOME, "y.npy")
    r = random.Random(1)
    write_npy(x, "<f4", [count] + case["shape"],
              struct.pack(f"<{count * numbers}f", *(r.random() for _ in range(count * numbers))))
    write_npy(y, "|u1", [count], bytes(r.randrange(case["classes"]) for _ in range(count)))
    return {"path": x, "target_path": y, "format": "npy", "validation": 200}


def numbers_of_a_sample(case):
    """(outputs and inner states that the backward pass needs, the largest im2col workspace);
    activations are made in place."""
    shape, kept, columns = list(case["shape"]), 0, 0

    def count(s):
        n = 1
        for d in s:
            n *= d
        return n
    kept = count(shape)
    for layer in case["layers"] + [{"type": "dense", "units": case["classes"]}]:
        kind = layer["type"]
        if kind == "dense":
            shape = shape[:-1] + [layer["units"]]
        elif kind == "lstm":  # hidden and cell state, four gates, tanh of the cell, of each step
            kept += 7 * layer["units"] * (shape[0] + 1)
            shape = [layer["units"]]
        elif kind == "conv2d":
            k = layer.get("kernel", 3)
            patch, shape = shape[0] * k * k, [layer["channels"]] + [d - k + 1 for d in shape[1:]]
            columns = max(columns, patch * shape[1] * shape[2])
        elif kind == "max_pool":  # and which of each window was the largest
            shape = [shape[0], shape[1] // 2, shape[2] // 2]
            kept += count(shape)
        elif kind == "flatten":
            shape = [count(shape)]
            continue
        kept += count(shape)
    return kept, columns


def peak_anonymous_bytes(worker, config):
    """Sampled while it trains: all memory of a run is taken before the first step."""
    run = subprocess.Popen([worker, config], stdout=subprocess.PIPE, env=environment(), text=True)
    parameters = json.loads(run.stdout.readline())["parameters"]
    peak = 0
    while run.poll() is None:
        try:
            with open(f"/proc/{run.pid}/status", encoding="ascii") as f:
                kib = [int(x.split()[1]) for x in f if x.startswith("RssAnon")]
        except FileNotFoundError:
            break
        peak = max([peak] + [1024 * k for k in kib])
        time.sleep(0.005)
    run.stdout.close()
    if run.wait() != 0:
        sys.exit("the worker failed")
    return peak, parameters


def memory(worker, case):
    data = make_data(case)
    config = write_config("memory", data, {"type": "sequential", "layers": case["layers"]},
                          {"optimizer": "adam", "batch_size": case["batch"]}, epochs=2)
    prepare(worker, config)
    peak, parameters = peak_anonymous_bytes(worker, config)
    kept, columns = numbers_of_a_sample(case)
    limit = 4 * (parameters * (3 + ADAM_STATE) + case["batch"] * kept + columns) + 8 * MIB
    record({"bench": "peak_memory " + case["name"], "median": round(peak / MIB, 2),
            "unit": "MiB", "aim": f"<= {limit / MIB:.2f}", "parameters": parameters,
            "batch": case["batch"], "activations": round(4 * case["batch"] * kept / MIB, 2)})


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    worker = os.path.join(os.path.abspath(sys.argv[1]), "worker", "sweep-worker")
    with open(os.path.join(HERE, "step_cases.json"), encoding="utf-8") as f:
        cases = json.load(f)
    if os.path.isdir("/usr/share/datasets/fashion-mnist"):
        first_step(worker)
    for case in cases:
        memory(worker, case)


if __name__ == "__main__":
    try:
        main()
    finally:
        shutil.rmtree(HOME, ignore_errors=True)
