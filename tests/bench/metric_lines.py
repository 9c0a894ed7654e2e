"""How many lines of metrics a second one supervisor takes, by each way in which a program may say
them: sweep-worker with a program that writes a file of lines as fast as it is read. Appends one
JSON line to tests/bench/results.jsonl.

usage: metric_lines.py BUILD_DIR [LINES] [--dry]   (a release build: meson setup DIR --buildtype release)
The aim: 100,000 a second. Files go below TMPDIR.
"""
import json
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
if len(sys.argv) < 2:
    sys.exit(__doc__)
WORKER = os.path.join(os.path.abspath(sys.argv[1]), "worker", "sweep-worker")
NUMBERS = [a for a in sys.argv[2:] if a != "--dry"]
LINES = int(NUMBERS[0]) if NUMBERS else 400000
TO_DESCRIPTOR = "cat {} >&$SWEEPD_METRICS_FD"
WAYS = {
    "descriptor": (TO_DESCRIPTOR, '{{"epoch": {0}, "loss": {1:.6f}, "val_loss": {2:.6f}}}'),
    "descriptor, 8 values": (TO_DESCRIPTOR, '{{"epoch": {0}, "loss": {1:.6f}, "val_loss": {2:.6f}, "acc": {1:.4f}, '
                                            '"val_acc": {2:.4f}, "lr": 0.001, "grad_norm": {1:.5f}, "time": {2:.3f}}}'),
    "json": ("cat {}", '{{"epoch": {0}, "loss": {1:.6f}, "val_loss": {2:.6f}}}'),
    "dict": ("cat {}", "{{'loss': {1:.6f}, 'val_loss': {2:.6f}, 'epoch': {0}}}"),
    "pairs": ("cat {}", "epoch={0} loss={1:.6f} val_loss={2:.6f}"),
    "table": ("cat {}", "| {0} | {1:.6f} | {2:.6f} |"),
    "text": ("cat {}", "Epoch {0}/1000000 - loss: {1:.6f} - val_loss: {2:.6f}"),
    "no measurement": ("cat {}; echo val_loss=1", "a line of words, and {0} numbers  of no meaning"),
}


def points(run_jsonl):
    with open(run_jsonl, "rb") as f:
        return sum(b'"type":"point"' in line for line in f)


def taken(home, command, line):
    """Seconds and processor time of the supervisor for all lines, and how many became points."""
    run = tempfile.mkdtemp(dir=home)
    lines = os.path.join(run, "lines.txt")
    with open(lines, "w", encoding="utf-8") as f:
        if line.startswith("|"):
            f.write("| epoch | loss | val_loss |\n")
        for i in range(1, LINES + 1):
            f.write(line.format(i, 1 / i, 2 / i) + "\n")
    config = os.path.join(run, "config.json")
    with open(config, "w", encoding="utf-8") as f:
        json.dump({"version": 1, "task": "command", "command": ["sh", "-c", command.format(lines)],
                   "metric": {"name": "val_loss", "goal": "minimize"}, "epochs": 1}, f)
    out = os.path.join(run, "run.jsonl")
    with open(out, "wb") as run_file, open(os.path.join(run, "stderr"), "ab") as words:
        begin = time.monotonic()
        worker = subprocess.Popen([WORKER, config], stdout=run_file, stderr=words)
        _, status, used = os.wait4(worker.pid, 0)
        seconds = time.monotonic() - begin
    assert status == 0, (status, run)
    return seconds, used.ru_utime + used.ru_stime, points(out)


def main():
    line = {"bench": "metric_lines", "lines": LINES, "aim": ">= 100000 a second", "per_second": {},
            "per_cpu_second": {}, "points": {}, "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory(prefix="sweepd-lines-") as home:
        for way, (command, text) in WAYS.items():
            seconds, cpu, made = taken(home, command, text)
            line["per_second"][way] = round(LINES / seconds)
            line["per_cpu_second"][way] = round(LINES / cpu)
            line["points"][way] = made
    line["load"] = round(os.getloadavg()[0], 1)
    print(json.dumps(line))
    if "--dry" not in sys.argv:
        with open(os.path.join(HERE, "results.jsonl"), "a", encoding="utf-8") as f:
            f.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
