#!/usr/bin/env python3
"""Makes a small data set of the MNIST layout that a net can learn.

make_idx.py DIR --samples N [--features 64] [--classes 4] [--seed S] [--test N] [--gzip]
            [--float] [--nan ROW,COLUMN]...

Each class is a fixed pattern of bright and dark numbers; samples are the pattern with noise.
Rows and columns count from 1.
"""
import argparse
import gzip
import math
import os
import random
import struct

U8, F32 = 0x08, 0x0D


def shape_of(features):
    side = math.isqrt(features)
    return (side, side) if side * side == features else (1, features)


def idx(kind, dims, body):
    return struct.pack(">HBB", 0, kind, len(dims)) + struct.pack(">%dI" % len(dims), *dims) + body


def make(rng, patterns, count, noise=70):
    rows, labels = [], bytearray()
    for _ in range(count):
        label = rng.randrange(len(patterns))
        labels.append(label)
        rows.append(bytearray(max(0, min(255, p + rng.randint(-noise, noise)))
                              for p in patterns[label]))
    return rows, labels


def images(rows, features, as_float, holes):
    dims = (len(rows),) + shape_of(features)
    if not as_float:
        return idx(U8, dims, b"".join(rows))
    values = [[v / 255 for v in row] for row in rows]
    for row, column in holes:
        values[row - 1][column - 1] = math.nan
    return idx(F32, dims, b"".join(struct.pack(">%df" % features, *row) for row in values))


def write(folder, name, data, packed):
    path = os.path.join(folder, name + (".gz" if packed else ""))
    with open(path, "wb") as f:
        f.write(gzip.compress(data, 6, mtime=0) if packed else data)


def write_half(a, rng, patterns, prefix, count, holes):
    rows, labels = make(rng, patterns, count)
    write(a.dir, prefix + "-images-idx3-ubyte", images(rows, a.features, a.float, holes), a.gzip)
    write(a.dir, prefix + "-labels-idx1-ubyte", idx(U8, (count,), bytes(labels)), a.gzip)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("dir")
    p.add_argument("--samples", type=int, required=True)
    p.add_argument("--features", type=int, default=64)
    p.add_argument("--classes", type=int, default=4)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--test", type=int, default=0, help="samples of a test half; 0: none")
    p.add_argument("--gzip", action="store_true")
    p.add_argument("--float", action="store_true", help="32-bit floats instead of bytes")
    p.add_argument("--nan", action="append", default=[], metavar="ROW,COLUMN",
                   help="not a number at that place of the training images (with --float)")
    a = p.parse_args()
    if a.nan and not a.float:
        p.error("--nan needs --float: bytes cannot be NaN")
    rng = random.Random(a.seed)
    patterns = [[rng.choice((60, 190)) for _ in range(a.features)] for _ in range(a.classes)]
    os.makedirs(a.dir, exist_ok=True)
    holes = [tuple(int(x) for x in place.split(",")) for place in a.nan]
    write_half(a, rng, patterns, "train", a.samples, holes)
    if a.test:
        write_half(a, rng, patterns, "t10k", a.test, [])


if __name__ == "__main__":
    main()
