"""Bad input gets an error that names the key or place, and leaves nothing behind."""
import gzip
import json
import os
import shutil
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon, RpcError, make_data, slow_spec, small_spec  # noqa: E402
from tap import check, equal, run  # noqa: E402


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
        while not d.sql("SELECT 1 FROM runs WHERE error_class='data_error' LIMIT 1"):
            check(d.sql("SELECT status FROM sweeps") == [("running",)], "no run saw the change")
            time.sleep(0.05)
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
    run(test_spec_values, test_json_that_is_none, test_damaged_data, test_label_out_of_range,
        test_data_changed_after_submit, test_a_line_that_never_ends,
        test_a_client_that_never_reads, test_client_usage)
