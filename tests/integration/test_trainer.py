"""What can be trained, through the daemon, as a user would: every kind of model and of data file,
remedies as settings, weights of another run, and what a wrong shape is answered with."""
import json
import os
import struct
import subprocess
import sys
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import WORKER, Daemon, RpcError, make_data, small_spec  # noqa: E402
from tap import check, equal, run  # noqa: E402


class Numbers:
    """A small generator of its own, so that the files are the same everywhere."""

    def __init__(self, seed):
        self.state = seed * 2654435761 % 2 ** 32

    def __call__(self):
        """[-1, 1)"""
        self.state = (1103515245 * self.state + 12345) % 2 ** 31
        return self.state / 2 ** 30 - 1


def npy(shape, kind, values):
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    code = {"<f4": "f", "<i8": "q"}[kind]
    return (b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
            + struct.pack(f"<{len(values)}{code}", *values))


def make_sequences(path, samples=240, steps=12, features=3):
    """Which of two slopes a noisy sequence has; npz with x and y."""
    draw = Numbers(7)
    x, y = [], []
    for i in range(samples):
        slope = 0.15 if i % 2 else -0.15
        y.append(i % 2)
        for t in range(steps):
            x += [slope * t + 0.5 * draw() for _ in range(features)]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("x.npy", npy((samples, steps, features), "<f4", x))
        z.writestr("y.npy", npy((samples,), "<i8", y))


def make_table(path, rows, seed, classes=None):
    """Two numbers, one colour, and a target that follows from them: a class name or a number."""
    draw = Numbers(seed)
    colours = ("blue", "green", "red, dark")
    with open(path, "w", encoding="utf-8") as f:
        f.write("width,height,colour,target\r\n")
        for i in range(rows):
            a, b, c = draw(), draw(), i % 3
            value = 2 * a - b + 0.5 * c
            target = classes[int(value > 0.5)] if classes else f"{value:.6f}"
            f.write(f'{a:.5f},{b:.5f},"{colours[c]}",{target}\r\n')


def spec_of(data, model, train=None, parameters=None, **more):
    return {"name": "trainer", "method": "grid", "data": data, "model": model,
            "train": train or {}, "seed": 5, "epochs": 6,
            "parameters": parameters or {"learning_rate": {"values": [0.01]}}, **more}


def finish(d, spec):
    """The sweep's id; every run of it must have completed."""
    sweep = d.submit(spec)
    equal(d.wait(sweep)["status"], "completed", d.sql(
        "SELECT status, error_text FROM runs WHERE sweep_id = ?", sweep))
    return sweep


def best(d, sweep, column):
    return d.sql(f"SELECT {column} FROM best_runs WHERE sweep_id = ? AND rank = 1", sweep)[0][0]


def test_every_kind_of_model():
    conv = [{"type": "conv2d", "channels": 4, "activation": "activation"},
            {"type": "batch_norm"}, {"type": "max_pool"}, {"type": "flatten"},
            {"type": "residual", "repeat": "depth", "layers": [
                {"type": "dense", "units": 36, "activation": "gelu"},
                {"type": "dropout", "rate": "dropout"}]}]
    with Daemon() as d:
        sequences = os.path.join(d.home, "sequences.npz")
        make_sequences(sequences)
        images = {"path": make_data(d.home), "format": "idx", "validation": 100}
        data = {"path": sequences, "format": "npz", "validation": 60}
        for kind in ("rnn", "gru", "lstm"):
            sweep = finish(d, spec_of(data, {"type": kind, "width": 12, "depth": 1},
                                      {"batch_size": 16}, epochs=12, parameters={
                                          "model.dense_after": {"values": [1, 2]},
                                          "model.bidirectional": {"values": [False, True]}}))
            check(best(d, sweep, "val_acc") > 0.9, f"{kind} learns")
            equal(d.sql("SELECT count(*), count(DISTINCT flop), min(flop) > 0 FROM runs "
                        "WHERE sweep_id = ?", sweep), [(4, 4, 1)], "each run says its operations")
        sweep = finish(d, spec_of(images, {"type": "sequential", "layers": conv}, epochs=15,
                                  parameters={"depth": {"values": [1, 2]},
                                              "dropout": {"values": [0.0, 0.3]},
                                              "activation": {"values": ["elu", "relu"]}}))
        check(best(d, sweep, "val_acc") > 0.8, best(d, sweep, "val_acc"))
        equal(d.sql("SELECT count(*) FROM runs WHERE sweep_id = ?", sweep), [(8,)])
        sweep = finish(d, spec_of(images, {"layers": [{"type": "flatten"}, {"type": "dense"}]},
                                  epochs=1, parameters={"model.type": {
                                      "values": ["mlp", "sequential"]}}))
        equal(d.sql("SELECT count(DISTINCT val_loss) FROM runs WHERE sweep_id = ?", sweep), [(2,)])


def test_tables_classify_and_regress():
    with Daemon() as d:
        named, numbers = os.path.join(d.home, "c.csv"), os.path.join(d.home, "r.csv")
        make_table(named, 300, 1, classes=("yes", "no"))
        make_table(numbers, 300, 2)
        make_table(os.path.join(d.home, "test.csv"), 80, 3)
        sweep = finish(d, spec_of(
            {"path": named, "format": "csv", "validation": 80, "target": "target"}, {},
            {"class_weights": "balanced", "loss": "binary_cross_entropy"}, epochs=15,
            parameters={"data.scale": {"values": ["none", "standard", "min_max"]}},
            metric={"name": "val_f1"}))
        check(best(d, sweep, "metric_value") > 0.9, "F1")
        sweep = finish(d, spec_of(
            {"path": numbers, "format": "csv", "validation": 80,
             "test_path": os.path.join(d.home, "test.csv")}, {}, epochs=25,
            parameters={"train.loss": {"values": ["mse", "mae", "huber"]},
                        "learning_rate": {"values": [0.01, 0.003]}},
            metric={"name": "val_r2"}))
        check(best(d, sweep, "metric_value") > 0.95, "R²")
        tested = d.sql("SELECT rank FROM best_runs WHERE sweep_id = ? AND test_loss IS NOT NULL "
                       "ORDER BY rank", sweep)
        equal(tested, [(1,), (2,), (3,)], "the winners alone are tested")
        equal(d.sql("SELECT count(*) FROM curves c JOIN runs r ON r.id = c.run_id "
                    "WHERE r.sweep_id = ? AND c.val_acc IS NOT NULL", sweep), [(0,)])


def test_remedies_are_settings():
    with Daemon() as d:
        data = {"path": make_data(d.home), "format": "idx", "validation": 100}
        sweep = finish(d, spec_of(data, {}, parameters={
            "train.schedule": {"values": ["step", "exponential", "cosine", "one_cycle",
                                          "plateau"]},
            "train.clip": {"values": ["value", "norm", "global_norm"]}},
            train={"l2": 0.001, "warmup_epochs": 1}))
        equal(d.sql("SELECT count(*), count(DISTINCT learning_rate) > 10, min(penalty) > 0 "
                    "FROM curves"), [(90, 1, 1)])
        # G3.3: the guide's own clipping, to the letter
        sweep = finish(d, spec_of(data, {}, train={"preset": "guide_g3_2"},
                                  parameters={"depth": {"values": [1]}}))
        settings = json.loads(d.sql("SELECT settings FROM runs WHERE sweep_id = ?", sweep)[0][0])
        equal({k: settings["train"][k] for k in ("optimizer", "learning_rate", "momentum",
                                                 "clip_min", "clip_max", "l2", "loss_reduction")},
              {"optimizer": "momentum", "learning_rate": 0.001, "momentum": 0.5, "clip_min": 0.1,
               "clip_max": 5, "l2": 0.01, "loss_reduction": "sum"})
        # G4.8: cut where it no longer gets better
        sweep = d.submit(spec_of(data, {}, train={"patience": 2}, epochs=200,
                                 parameters={"learning_rate": {"values": [0.3]}}))
        d.wait(sweep)
        status, reason, points = d.sql(
            "SELECT status, stop_reason, (SELECT count(*) FROM curves WHERE run_id = runs.id) "
            "FROM runs WHERE sweep_id = ?", sweep)[0]
        equal(status, "stopped")
        check(reason.startswith("early_stopping: ") and points < 200, reason)


def test_start_from_another_run():
    with Daemon() as d:
        data = {"path": make_data(d.home), "format": "idx", "validation": 100}
        first = finish(d, spec_of(data, {"width": 16}, epochs=8))
        parent = d.sql("SELECT id, val_loss FROM runs WHERE sweep_id = ?", first)[0]
        fresh = finish(d, spec_of(data, {"width": 16}, epochs=1))
        tuned = finish(d, spec_of(data, {"width": 16}, epochs=1, start_from=parent[0],
                                  parameters={"train.freeze": {"values": [0, 1, 2]}}))
        check(best(d, tuned, "val_loss") < best(d, fresh, "val_loss"), "it starts trained")
        equal(d.sql("SELECT count(DISTINCT val_loss) FROM runs WHERE sweep_id = ?", tuned),
              [(3,)], "frozen or not")
        try:
            d.submit(spec_of(data, {"width": 17}, start_from=parent[0]))
            wrong = d.wait(4)["status"], d.sql("SELECT error_text FROM runs WHERE sweep_id = 4")
            check("0.weight" in str(wrong) and "[16, 64]" in str(wrong), wrong)
        except RpcError as e:  # refused at once is as good, if it says as much
            check("0.weight" in e.message, e.message)


def refused(d, spec, *words):
    try:
        sweep = d.submit(spec)
    except RpcError as e:
        for word in words:
            check(word in e.message, f"{word!r} in {e.message!r}")
        return
    raise AssertionError(f"sweep {sweep} was accepted")


def test_shapes_that_do_not_fit():
    with Daemon() as d:
        images = {"path": make_data(d.home), "format": "idx", "validation": 100}
        table = os.path.join(d.home, "r.csv")
        make_table(table, 100, 2)
        numbers = {"path": table, "format": "csv", "validation": 20}
        refused(d, spec_of(images, {"type": "sequential", "layers": [
            {"type": "conv2d", "kernel": 9}]}), "layer 0 (conv2d)", "[8, 8]")
        refused(d, spec_of(images, {"type": "sequential", "layers": [{"type": "conv2d"}]}),
                "layer 1 (dense)", "flatten", "[16, 6, 6]")
        refused(d, spec_of(numbers, {"type": "lstm"}), "layer 2 (lstm)", "[128]")
        refused(d, spec_of(numbers, {}, {"loss": "cross_entropy"}), "train.loss")
        refused(d, spec_of(images, {"type": "sequential", "layers": [{"type": "dens"}]}),
                "$.model.layers[0].type", "dense")
        refused(d, spec_of(images, {"type": "sequential", "layers": [
            {"type": "dense", "units": 0}]}), "$.model.layers[0].units", "1 to 65536")
        refused(d, spec_of(images, {"type": "mlp", "layers": []}), "$.model.layers")
        refused(d, spec_of(images, {}, {"learning_rat": 1}), "learning_rate")
        equal(d.sql("SELECT count(*) FROM sweeps"), [(0,)], "nothing is half-accepted")


def test_same_bits_whatever_the_workers():
    parameters = {"learning_rate": {"min": 0.001, "max": 0.1,
                                    "distribution": "log_uniform_values"},
                  "dropout": {"values": [0.0, 0.4]},
                  "model.normalization": {"values": ["none", "batch", "layer"]}}

    def content(workers):
        with Daemon(workers=workers) as d:
            data = {"path": folder, "format": "idx", "validation": 100}
            finish(d, spec_of(data, {"residual": True}, method="random", run_cap=8,
                              parameters=parameters))
            return d.canonical()
    with Daemon() as home:
        folder = make_data(home.home)
        equal(content(1), content(2), "canonical content")


def test_worker_by_hand_with_each_format():
    with Daemon() as d:
        table = os.path.join(d.home, "t.tsv")
        with open(table, "w", encoding="utf-8") as f:
            for i in range(60):
                f.write(f"{i % 7}\t{i % 5}\t{int(i % 7 > 3)}\n")
        svm = os.path.join(d.home, "t.svm")
        with open(svm, "w", encoding="utf-8") as f:
            for i in range(60):
                f.write(f"{'+1' if i % 7 > 3 else '-1'} 1:{i % 7} 3:{i % 5}\n")
        for path, form in ((table, "tsv"), (svm, "libsvm")):
            config = os.path.join(d.home, "config.json")
            with open(config, "w", encoding="utf-8") as f:
                json.dump({"data": {"path": path, "format": form, "validation": 10}, "epochs": 2,
                           "model": {"width": 4}}, f)
            done = subprocess.run([WORKER, config], capture_output=True, text=True,
                                  env=d.environment)
            equal(done.returncode, 0, done.stderr)
            points = [json.loads(x) for x in done.stdout.splitlines() if '"type":"point"' in x]
            check(points[-1]["val_acc"] is not None, f"{form} classifies")


def test_every_number_of_a_list_is_swept():
    layers = [{"type": "conv2d", "channels": "channels", "kernel": "kernel",
               "stride": "model.stride", "padding": "model.padding", "activation": "activation"},
              {"type": "max_pool", "size": "model.pool_size"}, {"type": "flatten"}]
    swept = {"channels": [2, 3], "kernel": [2, 3], "model.stride": [1, 2],
             "model.padding": [0, 1], "model.pool_size": [1, 2]}
    with Daemon() as d:
        data = {"path": make_data(d.home), "format": "idx", "validation": 100}
        model = {"type": "sequential", "layers": layers}
        sweep = finish(d, spec_of(data, model, epochs=1, parameters={
            k: {"values": v} for k, v in swept.items()}))
        equal(d.sql("SELECT count(*), count(DISTINCT val_loss) FROM runs WHERE sweep_id = ?",
                    sweep), [(32, 32)], "32 nets")
        refused(d, spec_of(data, model, parameters={"kernel": {"values": [3, 9]}}),
                "layer 0 (conv2d)", "kernel 9")
        refused(d, spec_of(data, {}, parameters={"kernel": {"values": [3, 9]}}),
                "$.parameters.kernel", "no layer says")


def test_answers_at_each_step():
    """Labels and numbers of every step of a sequence; a network that answers once is refused."""
    draw, samples, steps = Numbers(11), 80, 6
    x = [draw() for _ in range(samples * steps * 2)]
    y = [x[2 * i] - x[2 * i + 1] for i in range(samples * steps)]
    layers = [{"type": "gru", "units": 8, "return": "sequence"}]
    with Daemon() as d:
        data = {"path": os.path.join(d.home, "steps.npz"), "format": "npz", "validation": 20}
        for kind, values, column in (("<f4", y, "val_r2"),
                                     ("<i8", [int(v > 0) for v in y], "val_acc")):
            with zipfile.ZipFile(data["path"], "w") as z:
                z.writestr("x.npy", npy((samples, steps, 2), "<f4", x))
                z.writestr("y.npy", npy((samples, steps), kind, values))
            sweep = finish(d, spec_of(data, {"type": "sequential", "layers": layers}, epochs=20,
                                      train={"batch_size": 8}, metric={"name": column}))
            check(best(d, sweep, "metric_value") > 0.8, (column, best(d, sweep, "metric_value")))
            if column == "val_acc":
                refused(d, spec_of(data, {"type": "gru"}), "$.model", "6 labels", "sequence")


def test_small_spec_trains_with_each_optimizer():
    with Daemon() as d:
        names = ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "adagrad", "adadelta"]
        sweep = finish(d, small_spec(make_data(d.home), method="grid", run_cap=None, epochs=1,
                                     parameters={"optimizer": {"values": names}}))
        equal(d.sql("SELECT optimizer FROM runs WHERE sweep_id = ? ORDER BY number", sweep),
              [(n,) for n in names])


if __name__ == "__main__":
    run(test_every_kind_of_model, test_tables_classify_and_regress, test_remedies_are_settings,
        test_start_from_another_run, test_shapes_that_do_not_fit,
        test_same_bits_whatever_the_workers, test_worker_by_hand_with_each_format,
        test_every_number_of_a_list_is_swept, test_answers_at_each_step,
        test_small_spec_trains_with_each_optimizer)
