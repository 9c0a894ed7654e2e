#!/usr/bin/env python3
"""Writes OUT/log.csv; prints nothing but where."""
import csv
import os
import sys

settings = {"lr": 0.1, "decay": 0.0, "out": "results"}
for word in sys.argv[1:]:
    key, _, value = word.lstrip("-").partition("=")
    settings[key] = value if key == "out" else float(value)

os.makedirs(settings["out"], exist_ok=True)
path = os.path.join(settings["out"], "log.csv")
x = 5.0
with open(path, "w", newline="") as f:
    writer = csv.writer(f)
    writer.writerow(["epoch", "train_loss", "valid_loss", "lr"])
    for epoch in range(8):
        lr = settings["lr"] / (1 + settings["decay"] * epoch)
        x -= lr * 2 * x
        writer.writerow([epoch, x * x, x * x + 0.5, lr])
        f.flush()
print("log:", path)
