"""What checkpoints cost: seconds each, and as a share of training at the default of one in 30
seconds. Appends one JSON line per net to tests/bench/results.jsonl.

usage: checkpoints.py BUILD_DIR   (a release build)
The nets of step_cases.json on made data, one epoch without checkpoints and with one after each;
the difference, in time that the run itself took, is what they cost. About a minute.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import worker as bench  # noqa: E402  the nets' data and configurations

DEFAULT_SECONDS = 30  # RUN_CHECKPOINT_SECONDS
EPOCHS, TRIES = 12, 5


def seconds_of(program, config):
    begin = time.monotonic()
    subprocess.run([program, config], check=True, env=bench.environment(),
                   stdout=subprocess.DEVNULL)
    return time.monotonic() - begin


def with_checkpoints(config, folder):
    """The same run; it writes one after each epoch but the last."""
    with open(config, encoding="utf-8") as f:
        c = json.load(f)
    c["checkpoint"], c["checkpoint_seconds"] = os.path.join(folder, "checkpoint"), 0
    path = config.replace(".json", "-checkpoints.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(c, f)
    return path, c["checkpoint"]


def measure(program, case):
    data = bench.make_data(case)
    plain = bench.write_config("plain", data, {"type": "sequential", "layers": case["layers"]},
                               {"optimizer": "adam", "batch_size": case["batch"]}, epochs=EPOCHS)
    bench.prepare(program, plain)
    config, checkpoint = with_checkpoints(plain, bench.HOME)
    without, each = [], []
    for _ in range(TRIES):
        without.append(seconds_of(program, plain))
        took = seconds_of(program, config)
        each.append((took - without[-1]) / (EPOCHS - 1))
        size = os.path.getsize(checkpoint)
        os.unlink(checkpoint)  # else the next one would go on from it
    seconds = max(0.0, statistics.median(each))
    bench.record({"bench": "checkpoint " + case["name"], "median": round(1000 * seconds, 2),
                  "unit": "ms each", "mib": round(size / bench.MIB, 2),
                  "share_at_default": round(seconds / DEFAULT_SECONDS, 5), "aim": "<= 0.02",
                  "epoch_seconds": round(statistics.median(without) / EPOCHS, 4)})


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = os.path.join(os.path.abspath(sys.argv[1]), "worker", "sweep-worker")
    with open(os.path.join(HERE, "step_cases.json"), encoding="utf-8") as f:
        cases = json.load(f)
    for case in cases:
        measure(program, case)


if __name__ == "__main__":
    try:
        main()
    finally:
        shutil.rmtree(bench.HOME, ignore_errors=True)
