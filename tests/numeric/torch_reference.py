"""Makes the reference trajectories in tests/numeric/reference with PyTorch: the loss of every
step from stored weights on stored data, in order. test_torch.c compares ours with them and needs
no PyTorch.

usage: torch_reference.py [NAME...]   (all groups, or only those named)

Each group is NAME.json (data and cases; reference/README.md) and NAME.safetensors (the weights
all its cases start from, F64). The layers and settings of a case are written as in a spec; here
they are read a second time, into torch.nn and torch.optim, independently of the C code.

Every case is trained a second time from weights that are off by one part in 1e15 (float: 1e7).
How far the two drift apart is what rounding alone can do; a case that drifts further than a
hundredth of the tolerance (float: a third) could not tell an error from it and is refused. So is
one whose losses are those of another: what it sets would do nothing.

The evaluation has a wider tolerance. The gradient of a bias before a batch normalisation is 0,
computed as rounding noise, and most optimizers make steps of 1e-9 and more of it: training never
sees them, but the running mean lags behind.
"""
import copy
import json
import math
import os
import struct
import sys

import torch
from torch import nn

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference")
ROWS, BATCH, EPOCHS = 36, 8, 40  # the last batch of an epoch is short
STEPS = {"double": 200, "float": 20}
DRIFT_MAX = {"double": (1e-11, 1e-7), "float": (3e-5, 3e-3)}  # steps, evaluation
NUDGE = {"double": 1e-15, "float": 1e-7}
DTYPE = {"double": torch.float64, "float": torch.float32}
DEFAULTS = {
    "loss": "auto", "huber_delta": 1.0, "probability_clip": 0.0, "loss_reduction": "mean",
    "class_weights": "none", "optimizer": "adam", "learning_rate": 1e-3, "momentum": 0.9,
    "beta1": 0.9, "beta2": 0.999, "alpha": 0.99, "rho": 0.95, "epsilon": 1e-8,
    "weight_decay": 0.01, "l2": 0.0, "l2_gradient": True, "clip": "none", "clip_min": -1.0,
    "clip_max": 1.0, "clip_norm": 1.0, "schedule": "constant", "warmup_epochs": 0.0,
    "schedule_epochs": 10, "schedule_factor": 0.5, "schedule_floor": 0.0, "freeze": 0,
    "label_smoothing": 0.0, "average": "none", "average_decay": 0.999, "average_start": 0.75}
GUIDE_G3_2 = {
    "optimizer": "momentum", "learning_rate": 0.001, "momentum": 0.5, "loss": "cross_entropy",
    "loss_reduction": "sum", "probability_clip": 1e-10, "l2": 0.01, "l2_gradient": False,
    "clip": "value", "clip_min": 0.1, "clip_max": 5.0}


# ------------------------------------------------------------------ modules

class Recurrent:
    """nn.RNN, GRU or LSTM with one result: every step's output or the last state."""

    def forward(self, x):
        sequence, state = super().forward(x)
        if self.whole:
            return sequence
        h = state[0] if isinstance(state, tuple) else state
        return torch.cat([h[0], h[1]], 1) if self.bidirectional else h[0]


def recurrent(kind, features, layer):
    cls = type(kind.__name__, (Recurrent, kind), {})
    module = cls(features, layer["units"], batch_first=True,
                 bidirectional=layer.get("bidirectional", False))
    module.whole = layer.get("return", "last") == "sequence"
    return module


class StepBatchNorm(nn.BatchNorm1d):
    """Of [rows, steps, features]: per feature over rows and steps."""

    def forward(self, x):
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


class Residual(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        return x + self.body(x)


ACTIVATIONS = {"relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "elu": nn.ELU, "tanh": nn.Tanh,
               "sigmoid": nn.Sigmoid, "gelu": nn.GELU}
RECURRENT = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


def batch_norm(shape):
    return {1: nn.BatchNorm1d, 2: StepBatchNorm, 3: nn.BatchNorm2d}[len(shape)](
        shape[-1] if len(shape) < 3 else shape[0])


def layer_norm(shape):
    return nn.LayerNorm(shape[-1:] if len(shape) < 3 else shape)


def make_layer(layer, shape):
    """shape: of one sample, as it comes in."""
    kind = layer["type"]
    if kind == "dense":
        return nn.Linear(shape[-1], layer["units"])
    if kind in RECURRENT:
        return recurrent(RECURRENT[kind], shape[-1], layer)
    if kind == "conv2d":
        return nn.Conv2d(shape[0], layer["channels"], layer.get("kernel", 3),
                         stride=layer.get("stride", 1), padding=layer.get("padding", 0))
    if kind == "residual":
        return Residual(make_net(layer["layers"], shape))
    return {"max_pool": lambda: nn.MaxPool2d(layer.get("size", 2)),
            "avg_pool": lambda: nn.AvgPool2d(layer.get("size", 2)),
            "batch_norm": lambda: batch_norm(shape), "layer_norm": lambda: layer_norm(shape),
            "flatten": nn.Flatten, "activation": lambda: ACTIVATIONS[layer["function"]]()}[kind]()


def shape_after(modules, shape):
    """A copy is asked: a pass would move running means, and evaluation mode would stay on."""
    with torch.no_grad():
        net = nn.Sequential(*copy.deepcopy(modules)).to(torch.float64).eval()
        return list(net(torch.zeros([2] + list(shape), dtype=torch.float64)).shape[1:])


def make_net(layers, shape):
    modules = []
    for layer in layers:
        modules.append(make_layer(layer, shape_after(modules, shape)))
        if "activation" in layer:
            modules.append(ACTIVATIONS[layer["activation"]]())
    return nn.Sequential(*modules).to(torch.float64)


# ------------------------------------------------------------------ training

def row_losses(s, z, y, classes):
    """Per row (each step of a sequence is one), and what each row weighs."""
    z = z.reshape(-1, z.shape[-1])
    kind = s["loss"]
    if kind == "auto":
        kind = "cross_entropy" if classes else "mse"
    if not classes:
        want = y.reshape(z.shape)
    elif kind != "cross_entropy":
        y = y.reshape(-1)
        want = (y.unsqueeze(1).to(z.dtype) if z.shape[1] == 1
                else nn.functional.one_hot(y, classes).to(z.dtype))
    if kind == "cross_entropy":
        y = y.reshape(-1)
        if s["probability_clip"] > 0:
            p = torch.softmax(z, 1).clamp(s["probability_clip"], 1)
            losses = -torch.log(p[torch.arange(len(y)), y])
        else:
            losses = nn.functional.cross_entropy(z, y, reduction="none")
    elif kind == "binary_cross_entropy":
        losses = nn.functional.binary_cross_entropy_with_logits(z, want, reduction="none").mean(1)
    elif kind == "mse":
        losses = nn.functional.mse_loss(z, want, reduction="none").mean(1)
    elif kind == "mae":
        losses = nn.functional.l1_loss(z, want, reduction="none").mean(1)
    else:
        losses = nn.functional.huber_loss(z, want, reduction="none",
                                          delta=s["huber_delta"]).mean(1)
    return losses, y


def mean_loss(s, z, y, classes, weights):
    losses, y = row_losses(s, z, y, classes)
    if weights is None:
        return losses.mean()
    w = weights.to(losses.dtype)[y]
    return (w * losses).sum() / w.sum()


def smoothed_loss(s, z, y, classes, weights):
    """What is followed: the mean loss, where part of each label is spread over all classes."""
    if not s["label_smoothing"]:
        return mean_loss(s, z, y, classes, weights)
    z, y, part = z.reshape(-1, z.shape[-1]), y.reshape(-1), s["label_smoothing"]
    if s["loss"] == "binary_cross_entropy":
        want = (y.unsqueeze(1).to(z.dtype) if z.shape[1] == 1
                else nn.functional.one_hot(y, classes).to(z.dtype))
        return nn.functional.binary_cross_entropy_with_logits(
            z, want * (1 - part) + part / classes)
    return nn.functional.cross_entropy(z, y, label_smoothing=part,
                                       weight=None if weights is None else weights.to(z.dtype))


def make_average(s, net):
    """(model or None, when it is updated: "step", "epoch")."""
    average = torch.optim.swa_utils
    if s["average"] == "ema":
        decay = average.get_ema_multi_avg_fn(s["average_decay"])
        return average.AveragedModel(net, multi_avg_fn=decay, use_buffers=True), "step"
    if s["average"] == "swa":
        return average.AveragedModel(net, use_buffers=True), "epoch"
    return None, ""


def is_weight(name):
    """What l2 and weight decay apply to: matrices and kernels, no bias, no scale of a norm."""
    return name.rsplit(".", 1)[-1].startswith("weight")


def make_optimizer(s, net):
    weights, rest = [], []
    for name, p in net.named_parameters():
        if p.requires_grad:
            (weights if is_weight(name) and p.dim() > 1 else rest).append(p)
    l2 = s["l2"] if s["l2_gradient"] else 0.0
    decay = s["weight_decay"] if s["optimizer"] == "adamw" else l2
    groups = [{"params": weights, "weight_decay": decay}]
    if rest:
        groups.append({"params": rest, "weight_decay": 0.0})
    lr, eps = s["learning_rate"], s["epsilon"]
    betas = (s["beta1"], s["beta2"])
    return {
        "sgd": lambda: torch.optim.SGD(groups, lr),
        "momentum": lambda: torch.optim.SGD(groups, lr, momentum=s["momentum"]),
        "nesterov": lambda: torch.optim.SGD(groups, lr, momentum=s["momentum"], nesterov=True),
        "rmsprop": lambda: torch.optim.RMSprop(groups, lr, alpha=s["alpha"], eps=eps),
        "adam": lambda: torch.optim.Adam(groups, lr, betas=betas, eps=eps),
        "adamw": lambda: torch.optim.AdamW(groups, lr, betas=betas, eps=eps),
        "adagrad": lambda: torch.optim.Adagrad(groups, lr, eps=eps),
        "adadelta": lambda: torch.optim.Adadelta(groups, lr, rho=s["rho"], eps=eps),
    }[s["optimizer"]]()


def clip(s, net):
    trained = [p for p in net.parameters() if p.grad is not None]
    if s["clip"] == "value":
        for p in trained:
            p.grad.clamp_(s["clip_min"], s["clip_max"])
    elif s["clip"] == "norm":
        for p in trained:
            torch.nn.utils.clip_grad_norm_([p], s["clip_norm"])
    elif s["clip"] == "global_norm":
        torch.nn.utils.clip_grad_norm_(trained, s["clip_norm"])


def make_schedule(s, optimizer):
    """(scheduler or None, "step", "epoch" or "metric": when it is stepped)."""
    per_epoch = -(-ROWS // BATCH)
    lr = torch.optim.lr_scheduler
    total, warm = EPOCHS * per_epoch, round(s["warmup_epochs"] * per_epoch)
    kind = s["schedule"]
    if kind == "step":
        return lr.StepLR(optimizer, s["schedule_epochs"], s["schedule_factor"]), "epoch"
    if kind == "exponential":
        return lr.ExponentialLR(optimizer, s["schedule_factor"]), "epoch"
    if kind == "plateau":
        return lr.ReduceLROnPlateau(optimizer, factor=s["schedule_factor"],
                                    patience=s["schedule_epochs"],
                                    min_lr=s["schedule_floor"] * s["learning_rate"]), "metric"
    if kind == "one_cycle":
        return lr.OneCycleLR(optimizer, s["learning_rate"], total_steps=total,
                             cycle_momentum=False), "step"
    if kind == "cosine":
        cosine = lr.CosineAnnealingLR(optimizer, total - warm,
                                      eta_min=s["schedule_floor"] * s["learning_rate"])
        if not warm:
            return cosine, "step"
        rise = lr.LambdaLR(optimizer, lambda i: min(1.0, (i + 1) / warm))
        return lr.SequentialLR(optimizer, [rise, cosine], [warm]), "step"
    return None, ""


def freeze(net, count):
    """The first `count` modules that have parameters."""
    for module in [m for m in net if list(m.parameters())][:count]:
        for p in module.parameters():
            p.requires_grad_(False)


def train(group, case, state, kind, nudge=0.0):
    """The loss of every step, then that of all rows in evaluation mode."""
    train_settings = case["settings"].get("train", {})
    preset = GUIDE_G3_2 if train_settings.get("preset") == "guide_g3_2" else {}
    s = {**DEFAULTS, **train_settings, **preset}
    net = make_net(case["settings"]["model"]["layers"] + output_layer(group, s), group["shape"])
    net.load_state_dict(state)
    with torch.no_grad():
        for i, p in enumerate(net.parameters()):
            p *= 1 + nudge * (-1) ** i
    net = net.to(DTYPE[kind])
    freeze(net, s["freeze"])
    net.train()
    x = torch.tensor(group["x"], dtype=torch.float64).to(DTYPE[kind])
    x = x.reshape([ROWS] + group["shape"])
    y = torch.tensor(group["y"], dtype=torch.int64 if group["classes"] else DTYPE[kind])
    weights = None
    if s["class_weights"] == "balanced":
        count = torch.bincount(y.reshape(-1), minlength=group["classes"]).to(torch.float64)
        weights = y.numel() / (group["classes"] * count)
    optimizer = make_optimizer(s, net)
    schedule, when = make_schedule(s, optimizer)
    averaged, moment = make_average(s, net)
    losses, epoch = [], []
    while len(losses) < STEPS[kind]:
        epoch = []
        for first in range(0, ROWS, BATCH):
            xb, yb = x[first:first + BATCH], y[first:first + BATCH]
            optimizer.zero_grad()
            z = net(xb)
            loss = mean_loss(s, z, yb, group["classes"], weights)
            followed = smoothed_loss(s, z, yb, group["classes"], weights)
            (followed * yb.shape[0] if s["loss_reduction"] == "sum" else followed).backward()
            clip(s, net)
            optimizer.step()
            if moment == "step":
                averaged.update_parameters(net)
            if when == "step":
                schedule.step()
            epoch.append(loss.item())
        losses += epoch
        if when == "epoch":
            schedule.step()
        elif when == "metric":
            schedule.step(sum(epoch) / len(epoch))
        if moment == "epoch" and len(losses) > s["average_start"] * EPOCHS * len(epoch):
            averaged.update_parameters(net)
    if averaged is not None and averaged.n_averaged > 0:
        net = averaged
    net.eval()
    with torch.no_grad():
        last = mean_loss(s, net(x), y, group["classes"], weights).item()
    return losses[:STEPS[kind]] + [last]


# ------------------------------------------------------------------ files

def output_layer(group, s):
    if not group["classes"]:
        return [{"type": "dense", "units": group["outputs"] // group["answers"]}]
    one = s["loss"] == "binary_cross_entropy" and group["classes"] == 2
    return [{"type": "dense", "units": 1 if one else group["classes"]}]


def write_safetensors(path, state):
    header, blobs, offset = {}, [], 0
    for name, t in state.items():
        blob = t.contiguous().numpy().tobytes()
        header[name] = {"dtype": {torch.float64: "F64", torch.int64: "I64"}[t.dtype],
                        "shape": list(t.shape), "data_offsets": [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def drift(a, b):
    return max(abs(x - y) / abs(x) for x, y in zip(a, b))


def refuse_twins(name, cases):
    for i, a in enumerate(cases):
        for b in cases[:i]:
            same = drift(a["double"], b["double"]) < 1e-6
            if same != (a.get("as") == b["name"]):
                sys.exit(f"{name}: {a['name']} and {b['name']} are {'' if same else 'not '}alike")


def write_group(name, group):
    torch.manual_seed(sum(map(ord, name)))
    first = {**DEFAULTS, **group["cases"][0]["settings"].get("train", {})}
    net = make_net(group["cases"][0]["settings"]["model"]["layers"] + output_layer(group, first),
                   group["shape"])
    with torch.no_grad():  # scales and shifts of normalisations would all be 1 and 0
        for p in net.parameters():
            if p.dim() == 1:
                p += 0.1 * torch.randn(p.shape, dtype=p.dtype)
    state = {k: v.clone() for k, v in net.state_dict().items()}
    for case in group["cases"]:
        for kind in ("double", "float"):
            case[kind] = train(group, case, state, kind)
            again = train(group, case, state, kind, NUDGE[kind])
            off = drift(case[kind][:-1], again[:-1]), drift(case[kind][-1:], again[-1:])
            print(f"{name}/{case['name']} {kind}: loss {case[kind][0]:.3f} -> "
                  f"{case[kind][-2]:.3f} (least {min(case[kind]):.3g}), drift {off[0]:.1e}, "
                  f"evaluated {off[1]:.1e}", flush=True)
            if not all(a <= b for a, b in zip(off, DRIFT_MAX[kind])):
                sys.exit(f"{name}/{case['name']}: chaotic, compares nothing")
    refuse_twins(name, group["cases"])
    write_safetensors(os.path.join(HERE, name + ".safetensors"), state)
    lines = [f'"torch":{json.dumps(torch.__version__)}']
    lines += [f"{json.dumps(k)}:{json.dumps(group[k], separators=(',', ':'))}"
              for k in ("shape", "classes", "outputs", "batch", "epochs", "x", "y")]
    cases = ",\n".join(json.dumps(c, separators=(",", ":")) for c in group["cases"])
    with open(os.path.join(HERE, name + ".json"), "w", encoding="ascii") as f:
        f.write("{" + ",\n".join(lines) + f',\n"cases":[\n{cases}]}}\n')


# ------------------------------------------------------------------ groups

RATES = {"sgd": 0.1, "momentum": 0.02, "nesterov": 0.02, "rmsprop": 0.003, "adam": 0.005,
         "adamw": 0.005, "adagrad": 0.03, "adadelta": 1.0}


def case(name, layers, **train_settings):
    return {"name": name, "settings": {"model": {"type": "sequential", "layers": layers},
                                       "train": train_settings}}


def every_optimizer(layers, faster=1):
    return [case(o, layers, optimizer=o, learning_rate=r * faster) for o, r in RATES.items()]


def make_group(shape, cases, classes=3, outputs=1, answers=1, seed=1):
    """Numbers that are whole multiples of 1/256 (the same in float and double); the classes
    follow the input, but one in four is drawn, so that no loss vanishes. answers: of a sample, among
    which a regression's outputs are shared out."""
    g = torch.Generator().manual_seed(seed)
    count = math.prod(shape)
    x = torch.randn([ROWS, count], generator=g, dtype=torch.float64)
    hidden = torch.tanh(x @ torch.randn([count, max(classes, 1) * outputs], generator=g,
                                        dtype=torch.float64))
    if classes:
        y = hidden.reshape(ROWS, outputs, classes).argmax(2)
        drawn = torch.randint(0, classes, y.shape, generator=g)
        y = torch.where(torch.rand(y.shape, generator=g) < 0.25, drawn, y)
    else:
        y = hidden + 0.5 * torch.randn(hidden.shape, generator=g, dtype=torch.float64)
        y = (y * 256).round() / 256
    return {"shape": list(shape), "classes": classes, "outputs": outputs,
            "answers": answers, "batch": BATCH,
            "epochs": EPOCHS, "x": ((x * 256).round() / 256).tolist(), "y": y.tolist(),
            "cases": cases}


def dense(units, activation=None):
    return {"type": "dense", "units": units, **({"activation": activation} if activation else {})}


def two_dense(activation):
    return [dense(12, activation), dense(8, activation)]


def dense_group():
    relu = two_dense("relu")
    cases = every_optimizer(relu)
    cases += [case(a, two_dense(a), learning_rate=0.005)
              for a in ("leaky_relu", "elu", "tanh", "sigmoid", "gelu")]
    cases += [case("classes_" + loss, relu, loss=loss, learning_rate=0.005)
              for loss in ("mse", "mae", "huber", "binary_cross_entropy")]
    sgd = {"optimizer": "sgd", "learning_rate": 0.1}
    cases += [
        case("class_weights", relu, class_weights="balanced", **sgd),
        case("sum", relu, loss_reduction="sum", optimizer="sgd", learning_rate=0.01),
        case("probability_clip", relu, probability_clip=0.1, optimizer="momentum",
             learning_rate=0.05),
        case("l2", relu, l2=0.01, **sgd),
        case("l2_adam", relu, l2=0.01, learning_rate=0.005),
        {**case("l2_not_followed", relu, l2=0.01, l2_gradient=False, **sgd), "as": "sgd"},
        case("clip_value", relu, clip="value", clip_min=-0.02, clip_max=0.03, **sgd),
        case("clip_norm", relu, clip="norm", clip_norm=0.1, **sgd),
        case("clip_global_norm", relu, clip="global_norm", clip_norm=0.2, l2=0.01, **sgd),
        case("guide_g3_2", relu, preset="guide_g3_2"),
        case("freeze", relu, freeze=1, **sgd),
        case("step", relu, schedule="step", schedule_epochs=7, schedule_factor=0.3, **sgd),
        case("exponential", relu, schedule="exponential", schedule_factor=0.9, **sgd),
        case("cosine", relu, schedule="cosine", schedule_floor=0.1, **sgd),
        case("one_cycle", relu, schedule="one_cycle", **sgd),
        case("plateau", relu, schedule="plateau", schedule_epochs=2, schedule_factor=0.3,
             schedule_floor=0.001, optimizer="sgd", learning_rate=0.9),
        case("plateau_not_yet", relu, schedule="plateau", schedule_epochs=40,
             optimizer="sgd", learning_rate=0.9),
        case("warmup_cosine", relu, schedule="cosine", warmup_epochs=3, **sgd),
        case("adam_betas", relu, beta1=0.8, beta2=0.9, epsilon=1e-4, learning_rate=0.005),
        case("adamw_decay", relu, optimizer="adamw", weight_decay=0.3, learning_rate=0.005)]
    return make_group([10], cases, seed=1)


def normalized():
    return [dense(12), {"type": "batch_norm", "activation": "relu"},
            dense(8), {"type": "batch_norm", "activation": "relu"}]


def regularised_group():
    """Labels that are smoothed, and averages of the weights, running means among them."""
    sgd = {"optimizer": "sgd", "learning_rate": 0.03}
    return make_group([10], [
        case("sgd", normalized(), **sgd),
        case("smoothing", normalized(), label_smoothing=0.1, **sgd),
        case("smoothing_weighted", normalized(), label_smoothing=0.3, class_weights="balanced",
             **sgd),
        case("smoothing_sum", normalized(), label_smoothing=0.2, loss_reduction="sum",
             optimizer="sgd", learning_rate=0.01),
        case("smoothing_binary", normalized(), label_smoothing=0.2, loss="binary_cross_entropy",
             **sgd),
        case("ema", normalized(), average="ema", average_decay=0.9, **sgd),
        case("ema_slow", normalized(), average="ema", average_decay=0.99, learning_rate=0.005),
        case("swa", normalized(), average="swa", average_start=0.5, **sgd)], seed=31)


CONV = [{"type": "conv2d", "channels": 4, "activation": "relu"}, {"type": "max_pool"},
        {"type": "conv2d", "channels": 6, "padding": 1, "activation": "relu"},
        {"type": "avg_pool"}, {"type": "flatten"}]
CONV_NORM = [{"type": "conv2d", "channels": 4, "stride": 2, "padding": 1},
             {"type": "batch_norm", "activation": "relu"},
             {"type": "conv2d", "channels": 5, "kernel": 2}, {"type": "layer_norm"},
             {"type": "activation", "function": "elu"}, {"type": "flatten"}]
RESIDUAL = [dense(9), {"type": "residual", "layers": [
    {"type": "layer_norm"}, dense(9, "gelu"), dense(9)]},
    {"type": "residual", "layers": [{"type": "layer_norm"}, dense(9, "gelu")]}]


def one(kind, **options):
    return {"type": kind, "units": 7, **options}


GROUPS = {
    "dense": dense_group,
    "batch_norm": lambda: make_group([10], every_optimizer(normalized()), seed=24),
    "regularised": regularised_group,
    "lstm": lambda: make_group([7, 3], every_optimizer([dense(6, "relu"), one("lstm")], 2), seed=3),
    "gru": lambda: make_group([7, 3], every_optimizer([one("gru")], 2), seed=4),
    "conv": lambda: make_group([2, 10, 10], every_optimizer(CONV), seed=5),
    "rnn": lambda: make_group([7, 3], [case("adam", [one("rnn")], learning_rate=0.005)], seed=6),
    "lstm_both_ends": lambda: make_group([6, 3], [case("sequence", [
        one("lstm", bidirectional=True, **{"return": "sequence"})], learning_rate=0.005)],
        outputs=6, seed=7),
    "gru_both_ends": lambda: make_group([6, 3], [case("last", [
        one("gru", bidirectional=True)], learning_rate=0.005)], seed=8),
    "rnn_both_ends": lambda: make_group([6, 3], [case("last", [
        one("rnn", bidirectional=True)], learning_rate=0.005)], seed=9),
    "lstm_stacked": lambda: make_group([7, 3], [case("adam", [
        one("lstm", **{"return": "sequence"}), {"type": "layer_norm"},
        one("lstm", **{"return": "sequence"}), {"type": "batch_norm"}, one("gru"),
        dense(5, "tanh")], learning_rate=0.005)], seed=10),
    "conv_norm": lambda: make_group([1, 8, 8], [case("adam", CONV_NORM, learning_rate=0.005)],
                                    seed=11),
    "residual": lambda: make_group([10], [case("adam", RESIDUAL, learning_rate=0.005)], seed=12),
    "regression": lambda: make_group([8], [
        case(loss, [dense(10, "tanh")], loss=loss, huber_delta=0.4, learning_rate=0.005)
        for loss in ("mse", "mae", "huber")], classes=0, outputs=2, seed=13),
    "regression_steps": lambda: make_group([6, 3], [
        case(loss, [one("gru", **{"return": "sequence"})], loss=loss, learning_rate=0.005)
        for loss in ("mse", "mae")], classes=0, outputs=12, answers=6, seed=15),
    "binary": lambda: make_group([8], [case("binary_cross_entropy", [dense(10, "relu")],
                                            loss="binary_cross_entropy", learning_rate=0.005)],
                                 classes=2, seed=14),
}


def main():
    torch.set_num_threads(1)
    for name in sys.argv[1:] or GROUPS:
        write_group(name, GROUPS[name]())


if __name__ == "__main__":
    main()
