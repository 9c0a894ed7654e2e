"""Data sets of the faults bench, as files that sweepd reads; Python's standard library alone.

fashion   images, 10 classes: IDX. Debian: dataset-fashion-mnist
clouds    20 features, 4 classes that overlap, made here: CSV
spirals   3 arms in 2 of 8 features, made here: CSV
glyphs    8x8 pictures of 10 kinds of strokes, made here: CSV
crowd     3 classes that overlap in 40 features, made here: CSV
friedman  10 features, regression, made here (Friedman 1991, the first): CSV
waves2-4  which of 2 to 4 noisy waveforms, 300 steps, made here: NPZ

and for the cases that are held out:
digits    8x8 images, 10 classes: CSV. Debian: python3-sklearn (its data files; it is not imported)
cancer    30 measurements, 2 classes: CSV. the same
diabetes  10 measurements, regression: CSV. the same
rings     3 classes by their distance from 0 in 6 features, made here: CSV
friedman2 4 features, regression, made here (Friedman 1991, the second): CSV
tones2-3  which of 2 or 3 pitches, in noise, 300 steps, made here: NPZ

Each has a training part and one fixed validation part that never changes, whatever is done to the
training part.
"""
import csv
import gzip
import io
import math
import os
import random
import struct
import zipfile

FASHION = "/usr/share/datasets/fashion-mnist"
SKLEARN = "/usr/lib/python3/dist-packages/sklearn/datasets/data"
SEED = 110
STEPS = 300


class Data:
    """rows: lists of numbers; targets: class numbers, or numbers (classes 0)."""

    def __init__(self, form, classes, train, validation):
        self.form = form            # "idx", "csv" or "npz"
        self.classes = classes
        self.train = train          # (rows, targets)
        self.validation = validation
        self.scale = None           # data.scale


# ------------------------------------------------------------------ where they come from

def text_of(path):
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rb") as f:
        return f.read().decode()


def split(samples, train, form, classes):
    random.Random(SEED).shuffle(samples)
    return Data(form, classes, tuple(zip(*samples[:train])), tuple(zip(*samples[train:])))


def scaled(data):
    """Its features need it; sweepd does it."""
    data.scale = "standard"
    return data


def fashion(folder):
    def part(name, count):
        with gzip.open(os.path.join(FASHION, name + "-images-idx3-ubyte.gz")) as f:
            pixels = f.read(16 + 784 * count)[16:]
        with gzip.open(os.path.join(FASHION, name + "-labels-idx1-ubyte.gz")) as f:
            labels = f.read(8 + count)[8:]
        return [pixels[784 * i:784 * i + 784] for i in range(count)], list(labels)
    return Data("idx", 10, part("train", 4000), part("t10k", 4000))


def digits(folder):
    rows = [[float(v) for v in r] for r in
            csv.reader(io.StringIO(text_of(os.path.join(folder, "digits.csv.gz"))))]
    return split([([v / 16 for v in r[:-1]], int(r[-1])) for r in rows], 900, "csv", 10)


def cancer(folder):
    rows = list(csv.reader(io.StringIO(text_of(os.path.join(folder, "breast_cancer.csv")))))[1:]
    return scaled(split([([float(v) for v in r[:-1]], int(r[-1])) for r in rows], 269, "csv", 2))


def diabetes(folder):
    rows = [[float(v) for v in line.split()] for line in
            text_of(os.path.join(folder, "diabetes_data_raw.csv.gz")).splitlines()]
    targets = [float(v) / 100 for v in
               text_of(os.path.join(folder, "diabetes_target.csv.gz")).split()]
    return scaled(split(list(zip(rows, targets)), 222, "csv", 0))


def friedman(folder):
    r = random.Random(SEED)

    def sample():
        x = [r.random() for _ in range(10)]
        y = (10 * math.sin(math.pi * x[0] * x[1]) + 20 * (x[2] - 0.5) ** 2 + 10 * x[3] + 5 * x[4]
             + r.gauss(0, 1))
        return x, y / 5
    return scaled(split([sample() for _ in range(4000)], 1500, "csv", 0))


def clouds(folder, dims=20, classes=4, apart=0.56):
    """Each class a normal cloud; they overlap, so that no net can be right always."""
    r = random.Random(SEED)
    centres = [[r.gauss(0, apart) for _ in range(dims)] for _ in range(classes)]

    def sample():
        label = r.randrange(classes)
        return [c + r.gauss(0, 1) for c in centres[label]], label
    return scaled(split([sample() for _ in range(5000)], 2000, "csv", classes))


def spirals(folder):
    r = random.Random(SEED)

    def sample():
        label, t = r.randrange(3), r.random()
        angle, radius = 2 * math.pi * (label / 3 + 0.8 * t), 0.3 + 2 * t
        x = [radius * math.cos(angle) + r.gauss(0, 0.12),
             radius * math.sin(angle) + r.gauss(0, 0.12)]
        return x + [r.gauss(0, 1) for _ in range(6)], label
    return scaled(split([sample() for _ in range(5000)], 2000, "csv", 3))


def glyphs(folder):
    """Three strokes make a class; a picture of it has them moved and bent, more or less dark, in
    noise."""
    r = random.Random(SEED)
    kinds = [[[r.uniform(1, 6) for _ in range(4)] for _ in range(3)] for _ in range(10)]

    def sample():
        label = r.randrange(10)
        dx, dy, dark = r.gauss(0, 0.6), r.gauss(0, 0.6), r.uniform(0.6, 1.2)
        points = []
        for stroke in kinds[label]:
            x0, y0, x1, y1 = [v + r.gauss(0, 0.5) for v in stroke]
            points += [(x0 + (x1 - x0) * t / 6 + dx, y0 + (y1 - y0) * t / 6 + dy)
                       for t in range(7)]
        row = [dark * max(math.exp(-((x - px) ** 2 + (y - py) ** 2)) for px, py in points)
               + r.gauss(0, 0.15) for y in range(8) for x in range(8)]
        return row, label
    return split([sample() for _ in range(2500)], 1000, "csv", 10)


def rings(folder):
    """A sixth part of the labels lies too near a border to be told."""
    r = random.Random(SEED)

    def sample():
        x = [r.gauss(0, 1) for _ in range(6)]
        radius = math.sqrt(sum(v * v for v in x)) + r.gauss(0, 0.15)
        return x, (radius > 2.0) + (radius > 2.7)
    return scaled(split([sample() for _ in range(5000)], 2000, "csv", 3))


def friedman2(folder):
    r = random.Random(SEED)

    def sample():
        x = [100 * r.random(), math.pi * (40 + 520 * r.random()), r.random(), 1 + 10 * r.random()]
        y = math.sqrt(x[0] ** 2 + (x[1] * x[2] - 1 / (x[1] * x[3])) ** 2) + r.gauss(0, 60)
        return x, y / 400
    return scaled(split([sample() for _ in range(4000)], 1500, "csv", 0))


WAVES = (lambda p: math.sin(2 * math.pi * p),
         lambda p: 1.0 if p % 1 < 0.5 else -1.0,
         lambda p: 2 * (p % 1) - 1,
         lambda p: 1 - 4 * abs(p % 1 - 0.5))


def waves(classes, noise):
    """Phase and period are drawn anew for each sample."""
    r = random.Random(SEED)

    def sample():
        label = r.randrange(classes)
        phase, period = r.random(), r.uniform(20, 40)
        row = [WAVES[label](phase + t / period) + r.gauss(0, noise) for t in range(STEPS)]
        return row, label
    return split([sample() for _ in range(1100)], 300, "npz", classes)


def tones(classes, noise):
    """A faint tone whose pitch is to be told; where in its period it begins is drawn anew."""
    r = random.Random(SEED)

    def sample():
        label, phase = r.randrange(classes), r.random()
        period = 14 + 12 * label
        row = [math.sin(2 * math.pi * (phase + t / period)) + r.gauss(0, noise)
               for t in range(STEPS)]
        return row, label
    return split([sample() for _ in range(1100)], 300, "npz", classes)


MAKERS = {"fashion": fashion, "digits": digits, "cancer": cancer, "diabetes": diabetes,
          "friedman": friedman, "friedman2": friedman2, "clouds": clouds, "spirals": spirals,
          "glyphs": glyphs,
          "rings": rings, "crowd": lambda folder: clouds(folder, 40, 3, 0.35),
          "waves2": lambda folder: waves(2, 0.8), "waves3": lambda folder: waves(3, 0.6),
          "waves4": lambda folder: waves(4, 0.4),
          "tones2": lambda folder: tones(2, 1.6), "tones3": lambda folder: tones(3, 1.2)}


# ------------------------------------------------------------------ files

def idx(kind, dims, body):
    return struct.pack(">HBB", 0, kind, len(dims)) + struct.pack(">%dI" % len(dims), *dims) + body


def write_idx(folder, part, samples):
    rows, targets = samples
    os.makedirs(folder, exist_ok=True)
    if isinstance(rows[0], bytes):
        images = idx(0x08, (len(rows), 28, 28), b"".join(rows))
    else:
        images = idx(0x0D, (len(rows), 28, 28), b"".join(struct.pack(">784f", *r) for r in rows))
    with open(os.path.join(folder, part + "-images-idx3-ubyte"), "wb") as f:
        f.write(images)
    with open(os.path.join(folder, part + "-labels-idx1-ubyte"), "wb") as f:
        f.write(idx(0x08, (len(rows),), bytes(targets)))


def write_csv(path, samples):
    with open(path, "w", encoding="ascii") as f:
        f.write(",".join(f"x{i}" for i in range(len(samples[0][0]))) + ",target\n")
        for row, target in zip(*samples):
            f.write(",".join(map(repr, row)) + f",{target!r}\n")


def npy(kind, shape, body):
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {tuple(shape)}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + body


def write_npz(path, samples):
    rows, targets = samples
    x = npy("<f4", (len(rows), len(rows[0]), 1),
            b"".join(struct.pack(f"<{len(r)}f", *r) for r in rows))
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("x.npy", x)
        z.writestr("y.npy", npy("|u1", (len(rows),), bytes(targets)))


def write(form, path, samples):
    if form == "idx":
        write_idx(path, "train", samples)
    else:
        {"csv": write_csv, "npz": write_npz}[form](path, samples)


# ------------------------------------------------------------------ what is done to them

def plain(data, r):
    return data.train


def by_class(data, r):
    """Sorted by target: batches are of one class after the other."""
    pairs = sorted(zip(*data.train), key=lambda p: p[1])
    return tuple(zip(*pairs))


def wrong_labels(data, r, share=0.3):
    """Of that share of the samples the label is another class, drawn evenly."""
    rows, targets = data.train
    targets = list(targets)
    for i in r.sample(range(len(targets)), round(share * len(targets))):
        targets[i] = (targets[i] + r.randrange(1, data.classes)) % data.classes
    return rows, targets


def holes(value, cells):
    def make(data, r):
        scale = 255 if isinstance(data.train[0][0], bytes) else 1
        rows = [[v / scale for v in row] for row in data.train[0]]
        for _ in range(cells):
            row = r.choice(rows)
            row[r.randrange(len(row))] = value
        return rows, data.train[1]
    return make


CHANGES = {"plain": plain, "by_class": by_class, "wrong_labels": wrong_labels,
           "one_nan": holes(math.nan, 1), "nans": holes(math.nan, 40),
           "one_inf": holes(math.inf, 1)}


class Store:
    """Files made when first asked for, below one folder."""

    def __init__(self, folder, sklearn):
        self.folder, self.sklearn = folder, sklearn
        self.made = {}

    def data(self, name):
        if name not in self.made:
            self.made[name] = MAKERS[name](self.sklearn)
        return self.made[name]

    def file(self, name, change="plain", seed=0):
        """(path of the training part, path of the validation part, Data)"""
        data = self.data(name)
        ending = "" if data.form == "idx" else "." + data.form
        paths = [os.path.join(self.folder, f"{name}-{what}{ending}")
                 for what in (f"{change}-{seed}", "validation")]
        made = (lambda: CHANGES[change](data, random.Random(seed)), lambda: data.validation)
        for path, make in zip(paths, made):
            if not os.path.exists(path):
                write(data.form, path, make())
        return paths[0], paths[1], data
