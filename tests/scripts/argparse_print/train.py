#!/usr/bin/env python
"""Logistic regression on two blobs."""
import argparse
import math
import random


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--momentum", type=float, default=0.0)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    rng = random.Random(args.seed)
    data = []
    for i in range(300):
        label = i % 2
        data.append(([rng.gauss(label, 1), rng.gauss(-label, 1), 1.0], label))
    rng.shuffle(data)
    train, valid = data[:200], data[200:]
    w, v = [0.0] * 3, [0.0] * 3

    def evaluate(rows):
        loss = hits = 0
        for x, y in rows:
            p = 1 / (1 + math.exp(-max(-30, min(30, sum(a * b for a, b in zip(w, x))))))
            loss -= math.log(max(p if y else 1 - p, 1e-12))
            hits += (p > 0.5) == bool(y)
        return loss / len(rows), hits / len(rows)

    print("parameters:", sum(1 for _ in w))
    for epoch in range(1, args.epochs + 1):
        rng.shuffle(train)
        for start in range(0, len(train), args.batch_size):
            batch = train[start:start + args.batch_size]
            grad = [0.0] * 3
            for x, y in batch:
                p = 1 / (1 + math.exp(-max(-30, min(30, sum(a * b for a, b in zip(w, x))))))
                for j in range(3):
                    grad[j] += (p - y) * x[j] / len(batch)
            for j in range(3):
                v[j] = args.momentum * v[j] - args.lr * grad[j]
                w[j] += v[j]
        loss, acc = evaluate(train)
        val_loss, val_acc = evaluate(valid)
        print(f"Epoch {epoch}/{args.epochs} - loss: {loss:.4f} - acc: {acc:.4f} "
              f"- val_loss: {val_loss:.4f} - val_acc: {val_acc:.4f}")
    print("done")


if __name__ == "__main__":
    main()
