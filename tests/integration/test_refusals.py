"""Bad input gets an error that names the key or place, and leaves nothing behind."""
import gzip
import io
import json
import os
import shutil
import struct
import sys
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon, RpcError, make_data, slow_spec, small_spec  # noqa: E402
from tap import check, equal, run, until  # noqa: E402


def refused(d, spec, *words):
    """Submitting spec is refused by a message that has all the words; no sweep is stored."""
    try:
        d.call("submit", spec=spec)
    except RpcError as e:
        text = json.dumps([e.message, e.data])
        for word in words:
            check(word in text, f"{word!r} is not in {text}")
    else:
        raise AssertionError(f"accepted: {spec}")
    equal(d.sql("SELECT count(*) FROM sweeps"), [(0,)], "sweeps stored")


def raw(d, text):
    """The reply to one raw line."""
    c = d.connect()
    c.send(text + b"\n")
    line = c.line()
    c.close()
    return json.loads(line)


def test_spec_values():
    with Daemon() as d:
        data = make_data(d.home)
        ok = small_spec(data)
        refused(d, {**ok, "epoch": 3}, "$.epoch", "epochs")
        refused(d, {**ok, "model": {"type": "mlp", "widht": 3}}, "$.model.widht", "width")
        refused(d, {**ok, "epochs": "ten"}, "$.epochs", "ten")
        refused(d, {**ok, "method": "corse_to_fine"}, "$.method", "coarse_to_fine")
        refused(d, {**ok, "run_cap": 0}, "$.run_cap", "0")
        refused(d, {**ok, "parameters": {"depth": {"min": 3, "max": 1}}}, "$.parameters.depth")
        refused(d, {**ok, "parameters": {"optimizer": {"values": ["adm"]}}},
                "$.parameters.optimizer.values", "adm", "adam")
        refused(d, {**ok, "parameters": {"learning_rate": {"values": []}}},
                "$.parameters.learning_rate.values")
        refused(d, {**ok, "data": {"path": "/nowhere", "format": "idx", "validation": 10}},
                "$.data.path", "/nowhere")
        refused(d, {**ok, "data": {"name": "no-such-set", "validation": 10}}, "$.data.name",
                "no-such-set")
        refused(d, {**ok, "data": {"path": data, "format": "idx", "validation": 100000}},
                "$.data.validation")


def test_runs_that_would_fail():
    """What only one of a sweep's runs could not do is said at submit, with that run's settings."""
    with Daemon() as d:
        data = {"path": make_data(d.home), "format": "idx", "validation": 100}
        ok = small_spec(data["path"], parameters={"learning_rate": {"values": [0.01, 0.1]}},
                        method="grid")

        def case(parameters, *words, **changes):
            refused(d, {**ok, "parameters": parameters, **changes}, *words)

        def values(*v):
            return {"values": list(v)}

        case({"width": values(8, 65536), "depth": values(1, 256)}, "$.model", "GiB", "depth 256",
             "width 65536", model={})
        case({"width": {"min": 8, "max": 65536}, "depth": {"min": 1, "max": 256}}, "$.model", "GiB",
             model={}, method="random", run_cap=3)
        vectors = write(d, "v.npz", npz(x=npy((200, 3), floats(600)), y=npy((200,), bytes(800))))
        case({"model.type": values("mlp", "lstm")}, "$.model", "(lstm)", "model.type lstm",
             model={"width": 8}, data={"path": vectors, "format": "npz", "validation": 20})
        case({"train.freeze": values(0, 1, 9)}, "$.train.freeze", "9", "3 layers")
        case({"data.limit": values(200, 100000)}, "$.data.limit", "100000")
        case({"train.loss": values("cross_entropy", "mse")}, "$.train.loss", "cross_entropy",
             data={**data, "task": "regression"})
        case({"depth": values(1, 3)}, "$.model", "layer 3 (max_pool)", "[1, 1, 1]", "depth 3",
             model={"type": "sequential", "layers": [
                 {"type": "conv2d", "channels": 1, "kernel": 4},
                 {"type": "max_pool", "repeat": "depth"}, {"type": "flatten"}]})
        refused(d, {**ok, "metric": {"name": "val_r2"}}, "$.metric.name", "val_acc")
        numbers = {**data, "task": "regression"}
        refused(d, {**ok, "data": numbers, "metric": {"name": "val_f1"}}, "$.metric.name", "val_r2")
        refused(d, {**ok, "data": numbers, "train": {"class_weights": "balanced"}},
                "$.train.class_weights", "none")
        refused(d, {**ok, "train": {"loss": "mse", "label_smoothing": 0.1}},
                "$.train.label_smoothing", "0: only cross_entropy")


def test_weights_of_another_network():
    with Daemon() as d:
        data = make_data(d.home)
        spec = small_spec(data, method="grid", parameters={"learning_rate": {"values": [0.01]}})
        sweep = d.submit(spec)
        d.wait(sweep)
        try:
            d.submit({**spec, "start_from": 1, "model": {"width": 17}})
        except RpcError as e:
            for word in ("$.start_from", "0.weight", "[16, ", "[17, "):
                check(word in e.message, e.message)
        else:
            raise AssertionError("weights of another network were accepted")
        again = d.submit({**spec, "start_from": 1})
        equal(d.wait(again)["status"], "completed", "the same network")


def test_json_that_is_none():
    with Daemon() as d:
        data = make_data(d.home)
        spec = json.dumps(small_spec(data))
        line = b'{"jsonrpc":"2.0","id":1,"method":"submit","params":{"spec":%s}}'
        for bad in (spec.replace('"epochs": 6', '"epochs": NaN'),
                    spec.replace('"epochs": 6', '"epochs": 1e999'),
                    spec.replace('"epochs": 6', '"epochs": 6, "epochs": 7')):
            check(bad != spec, "the spec was changed")
            reply = raw(d, line % bad.encode())
            equal(reply["error"]["code"], -32700, bad)
        deep = b"[" * 10000 + b"]" * 10000
        equal(raw(d, line % deep)["error"]["code"], -32700, "10,000 levels")
        equal(raw(d, b"[]")["error"]["code"], -32600, "batch")
        reply = raw(d, b'{"jsonrpc":"2.0","id":7,"method":"sumbit","params":{}}')
        equal((reply["id"], reply["error"]["code"]), (7, -32601))
        check("submit" in json.dumps(reply), "near miss of the method")
        equal(d.sql("SELECT count(*) FROM sweeps"), [(0,)])


def damaged(d, name, change):
    """A copy of a good data set whose file `name` went through change(bytes)."""
    good = make_data(d.home)
    bad = os.path.join(d.home, "bad")
    shutil.rmtree(bad, ignore_errors=True)
    shutil.copytree(good, bad)
    for file in os.listdir(bad):
        if file.startswith(name):
            path = os.path.join(bad, file)
            with open(path, "rb") as f:
                content = change(f.read())
            with open(path, "wb") as f:
                f.write(content)
            return bad, path
    raise AssertionError(f"no {name} in {os.listdir(bad)}")


def plain(data):
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def test_damaged_data():
    with Daemon() as d:
        def case(name, change, *words):
            folder, path = damaged(d, name, change)
            refused(d, small_spec(folder), "$.data.path", os.path.basename(path), *words)

        case("train-images", lambda b: gzip.compress(plain(b))[:-400])
        case("train-images", lambda b: struct.pack(">I", 0xDEADBEEF) + plain(b)[4:], "magic number")
        case("train-images", lambda b: struct.pack(">I", 0x0C03) + plain(b)[4:], "0x0c")
        case("train-images", lambda b: plain(b)[:-7])
        case("train-labels", lambda b: plain(b)[:-1])
        case("train-images", lambda b: plain(b)[:4] + b"\xff" * 4 + plain(b)[8:])
        case("train-images", lambda b: b"")
        case("train-labels", lambda b: struct.pack(">II", 0x0801, 3) + bytes(3))


def test_label_out_of_range():
    with Daemon() as d:
        folder, path = damaged(d, "t10k-labels", lambda b: plain(b)[:8] + b"\xfa" + plain(b)[9:])
        refused(d, small_spec(folder), "$.data.path", os.path.basename(path), "250")


def test_data_changed_after_submit():
    with Daemon(workers=1) as d:
        folder, path = damaged(d, "train-labels", lambda b: b)
        sweep = d.submit(slow_spec(folder, run_cap=400, epochs=4))
        d.call("pause", sweep=sweep)
        with open(path, "rb") as f:
            content = bytearray(plain(f.read()))
        content[8:40] = bytes(reversed(content[8:40]))
        with open(path, "wb") as f:
            f.write(content)
        d.call("resume", sweep=sweep)
        until(lambda: d.sql("SELECT 1 FROM runs WHERE error_class='data_error' LIMIT 1"),
              "a run sees the change")
        d.call("cancel", sweep=sweep)


def write(d, name, content):
    path = os.path.join(d.home, name)
    with open(path, "wb") as f:
        f.write(content if isinstance(content, bytes) else content.encode())
    return path


def csv_text(rows=60, header="a,b,c,kind", change=None):
    """Two classes that three columns tell apart; change(row, fields) edits a row's fields."""
    lines = [header]
    for i in range(rows):
        fields = [str(i * 7 % 11), str(i % 2 + i * 3 % 5 / 10), str(i), ("left", "right")[i % 2]]
        lines.append(",".join(change(i, fields) if change else fields))
    return "\r\n".join(lines) + "\r\n"


def file_spec(path, kind, **data):
    """A sweep of two tiny runs over a file."""
    data = {"path": path, "format": kind, "validation": 20, **data}
    return small_spec(None, data={k: v for k, v in data.items() if v is not None},
                      method="grid", parameters={"learning_rate": {"values": [0.01, 0.1]}},
                      epochs=2, run_cap=None)


def npy(shape, body, kind="<f4"):
    """An array in NumPy's format, version 1.0, whatever its body."""
    head = repr({"descr": kind, "fortran_order": False, "shape": shape})
    head = head.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + body


def npz(**arrays):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, content in arrays.items():
            z.writestr(name + ".npy", content)
    return out.getvalue()


def floats(n):
    return struct.pack(f"<{n}f", *(i % 13 / 7 for i in range(n)))


def test_csv_that_is_none():
    def edit(row, column, text):
        return csv_text(change=lambda i, f: [*f[:column], text, *f[column + 1:]] if i == row else f)

    with Daemon() as d:
        def case(content, *words, **data):
            refused(d, file_spec(write(d, "t.csv", content), "csv", **data), "$.data.", *words)

        case("", "t.csv")
        case(csv_text(change=lambda i, f: f[:-1] if i == 30 else f), "t.csv", "32")
        case(edit(5, 3, ""), "t.csv", "7")
        case(csv_text()[:-9] + '"', "t.csv", "61")
        case(csv_text(), "$.data.target", "kindd", "kind", target="kindd")
        case(csv_text(), "$.data.target", "9", target=9)
        case(csv_text(), "t.csv", "regression", "left", task="regression")
        case(csv_text(), "$.data.task", "classification", target="b", task="classification")
        case(csv_text(), "$.data.limit", "61", limit=61)
        case(csv_text(), "$.data.validation", "60", validation=60)


def test_files_that_disagree():
    with Daemon() as d:
        train = write(d, "train.csv", csv_text())

        def case(content, key, *words, **data):
            other = write(d, "other.csv", content)
            data = {key: other, **({"validation": None} if key == "validation_path" else {})}
            refused(d, file_spec(train, "csv", **data), "$.data." + key, "other.csv", *words)

        odd = csv_text(9).replace("left", "middle")
        case(odd, "validation_path", "middle", "left", "right")
        case(odd, "test_path", "middle", "left", "right")
        case(csv_text(9, "a,b,d,kind"), "test_path")
        case("a,b,kind\n1,2,left\n", "validation_path")
        refused(d, file_spec(train, "csv", test_path=d.home + "/none.csv"), "$.data.test_path",
                "none.csv")
        x, y = write(d, "x.npy", npy((40, 3), floats(120))), write(d, "y.npy", npy((40,), bytes(160)))
        short = write(d, "short.npy", npy((5, 2), floats(10)))
        refused(d, file_spec(x, "npy", target_path=y, test_path=short, test_target_path=y),
                "$.data.test_", "40", "5")
        y5 = write(d, "y5.npy", npy((5,), bytes(20)))
        refused(d, file_spec(x, "npy", target_path=y, test_path=short, test_target_path=y5),
                "$.data.test_path", "[2]", "[3]")
        bad = write(d, "bad.npy", npy((5,), struct.pack("<5f", 0, 0, 0, float("nan"), 0)))
        wide = write(d, "wide.npy", npy((5, 3), floats(15)))
        refused(d, file_spec(x, "npy", target_path=y, test_path=wide, test_target_path=bad),
                "$.data.test_target_path", "bad.npy", "sample 4", "nan")


def test_arrays_that_claim_too_much():
    with Daemon() as d:
        y = write(d, "y.npy", npy((40,), bytes(160)))
        for shape in ((10**12, 3), (2**62, 4), (40, 2**40), (-1, 3), (0, 3), (40, 3, 3, 3, 3)):
            refused(d, file_spec(write(d, "x.npy", npy(shape, floats(120))), "npy", target_path=y),
                    "$.data.path", "x.npy")
            path = write(d, "x.npz", npz(x=npy(shape, floats(120)), y=npy((40,), bytes(160))))
            refused(d, file_spec(path, "npz"), "$.data.path", "x.npz")
        good = npz(x=npy((40, 3), floats(120)), y=npy((40,), bytes(160)))
        refused(d, file_spec(write(d, "cut.npz", good[:-40]), "npz"), "$.data.path", "cut.npz")
        refused(d, file_spec(write(d, "t.svm", "1 1:2 3:\n"), "libsvm"), "$.data.path", "t.svm", "1")
        sweep = d.submit(file_spec(write(d, "good.npz", good), "npz"))
        equal(d.wait(sweep)["status"], "completed", "the daemon goes on")


def findings(d, sweep, kind):
    return d.sql('SELECT "row", "column", count FROM findings WHERE sweep_id=? AND kind=? '
                 'ORDER BY id', sweep, kind)


def test_holes_are_held():
    """G3.1: in the input; a constant column is scaled to 0."""
    def holes(i, f):
        return [f[0], ("nan", "-inf")[i == 50], *f[2:]] if i in (3, 50) else f

    with Daemon() as d:
        raw = write(d, "raw.csv", csv_text(change=holes))
        flat = write(d, "flat.csv", csv_text(change=lambda i, f: [f[0], "4", *f[2:]]))
        held = d.submit(file_spec(raw, "csv"))
        equal(d.sql("SELECT status FROM sweeps WHERE id=?", held), [("held",)])
        equal(findings(d, held, "nan_in_input"), [(4, 2, 1)])
        equal(findings(d, held, "inf_in_input"), [(51, 2, 1)])
        scaled = d.submit(file_spec(flat, "csv", scale="standard"))
        equal(findings(d, scaled, "constant_column"), [(None, 2, 1)])
        equal(d.wait(scaled)["status"], "completed", "a constant column becomes 0")
        for path, data in ((flat, {}), (flat, {"scale": "min_max", "on_nan": "drop"}),
                           (raw, {"on_nan": "drop"}),
                           (raw, {"scale": "standard", "on_nan": "impute"})):
            sweep = d.submit(file_spec(path, "csv", **data))
            equal(d.wait(sweep)["status"], "completed", f"{path} {data}")
            equal(d.sql("SELECT count(*) FROM curves c JOIN runs r ON r.id=c.run_id WHERE "
                        "r.sweep_id=? AND (typeof(c.train_loss)='text' OR "
                        "typeof(c.val_loss)='text')", sweep), [(0,)], "points that are no numbers")


def test_what_a_person_should_know():
    """Findings that hold nothing: leaking rows, classes out of balance."""
    with Daemon() as d:
        rows = csv_text(60, change=lambda i, f: [*f[:3], "left" if i else "right"])
        train = write(d, "train.csv", rows)
        lines = rows.split("\r\n")
        valid = write(d, "valid.csv", "\r\n".join([lines[0], "1,2,77,left", lines[9], lines[1]]))
        sweep = d.submit(file_spec(train, "csv", validation=None, validation_path=valid))
        equal(d.wait(sweep)["status"], "completed")
        equal(findings(d, sweep, "duplicate_rows"), [(3, None, 2)])
        equal(findings(d, sweep, "class_imbalance"), [(None, None, 1)])


def test_validation_file_changed_after_submit():
    with Daemon(workers=1) as d:
        train = write(d, "train.csv", csv_text())
        valid = write(d, "valid.csv", csv_text(10))
        spec = file_spec(train, "csv", validation=None, validation_path=valid)
        spec["train"] = {"batch_size": 1}
        sweep = d.submit({**spec, "method": "random", "run_cap": 400, "epochs": 40})
        d.call("pause", sweep=sweep)
        write(d, "valid.csv", csv_text(11))
        d.call("resume", sweep=sweep)
        until(lambda: d.sql("SELECT 1 FROM runs WHERE error_class='data_error' LIMIT 1"),
              "a run sees the change")
        d.call("cancel", sweep=sweep)


def test_a_line_that_never_ends():
    with Daemon() as d:
        c = d.connect()
        chunk = b"x" * 65536
        try:
            for _ in range(64):
                c.send(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            line = c.line()
        except ConnectionResetError:
            line = b""
        if line:
            equal(json.loads(line)["error"]["code"], -32600)
            try:
                equal(c.line(), b"", "the connection is closed")
            except ConnectionResetError:
                pass
        equal(d.call("status")["running"], 0, "the daemon goes on")


def test_a_client_that_never_reads():
    with Daemon(workers=2) as d:
        data = make_data(d.home)
        deaf = d.connect()
        request = b'{"jsonrpc":"2.0","id":1,"method":"data","params":{}}\n'
        deaf.socket.settimeout(5)
        try:
            for _ in range(4000):
                deaf.send(request * 50)
        except OSError:
            pass
        equal(d.wait(d.submit(small_spec(data, run_cap=4, epochs=1)))["status"], "completed")
        with open(f"/proc/{d.process.pid}/status", encoding="ascii") as f:
            rss = next(int(x.split()[1]) for x in f if x.startswith("VmRSS"))
        limit = 400 if "sanitize" in os.environ["BUILD"] else 64
        check(rss < limit * 1024, f"memory stays bounded: {rss} KiB")
        deaf.close()


def test_client_usage():
    with Daemon() as d:
        d.ctl("sumbit", check=2)
        d.ctl("submit", check=2)
        d.ctl("show", "abc", check=2)
        d.ctl("show", 99, check=1)
        d.ctl("best", "-n", "zero", check=2)
        done = d.ctl("submit", "-", text='{"data": 5}', check=1)
        check("$.data" in done.stderr, done.stderr)
        done = d.ctl("submit", "-", text="{", check=None)
        check(done.returncode in (1, 2) and done.stderr, "not JSON")
    done = d.ctl("status")
    equal(done.returncode, 3, "no daemon")
    check("start" in done.stderr, done.stderr)


if __name__ == "__main__":
    run(test_spec_values, test_runs_that_would_fail, test_weights_of_another_network,
        test_json_that_is_none, test_damaged_data, test_label_out_of_range,
        test_data_changed_after_submit, test_csv_that_is_none, test_files_that_disagree,
        test_arrays_that_claim_too_much, test_holes_are_held, test_what_a_person_should_know,
        test_validation_file_changed_after_submit, test_a_line_that_never_ends,
        test_a_client_that_never_reads, test_client_usage)
