"""What the daemon keeps in memory of a sweep's runs: so much for each, whatever came of them."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon  # noqa: E402
from tap import check, equal, run  # noqa: E402

FEW, MANY = 2000, 4000
AT_ONCE = 50  # requests on their way
BYTES_PER_RUN = {"grown": 2048, "restarted": 3072}  # a start has read rows, and let go of them
SANITIZED = "san" in os.path.basename(os.environ["BUILD"])  # freed memory is kept for a while

PARAMETERS = {"lr": {"min": 0.001, "max": 1.0, "distribution": "log_uniform_values"},
              "layers": {"min": 1, "max": 8}, "kind": {"values": ["cnn", "mlp"]}}


def pipelined(connection, requests):
    """The results of all of them, asked before the first is read: their commits are few."""
    lines = [json.dumps({"jsonrpc": "2.0", "id": i, "method": method, "params": params})
             for i, (method, params) in enumerate(requests)]
    connection.send("".join(line + "\n" for line in lines).encode())
    results = {}
    while len(results) < len(lines):
        message = json.loads(connection.line())
        results[message["id"]] = message["result"]
    return [results[i] for i in range(len(lines))]


def carry_out(connection, sweep, runs):
    """By a client; which they are and what came of them."""
    asked = pipelined(connection, [("ask", {"sweep": sweep})] * runs)
    pipelined(connection, [("tell", {"run": a["run"], "lease": a["lease"],
                                     "result": {"value": a["params"]["lr"]}}) for a in asked])
    return len({a["run"] for a in asked})


def memory_bytes(d):
    with open(f"/proc/{d.process.pid}/status", encoding="ascii") as f:
        return next(1024 * int(x.split()[1]) for x in f if x.startswith("VmRSS"))


def memory_with(runs):
    """Resident, with so many runs of one open sweep behind it; and after a restart."""
    with Daemon(workers=1) as d:
        sweep = d.submit({"name": "asked", "task": {"client": {}}, "method": "random",
                          "run_cap": runs + 1, "repeat_share": 0, "epochs": 1,
                          "metric": {"name": "score", "goal": "minimize"},
                          "parameters": PARAMETERS})
        c = d.connect()
        done = sum(carry_out(c, sweep, AT_ONCE) for _ in range(runs // AT_ONCE))
        equal(done, runs)
        c.close()
        grown = memory_bytes(d)
        d.kill()
        d.start()
        equal(d.call("show", sweep=sweep)["sweep"]["status"], "running", "it is open")
        return grown, memory_bytes(d)


def test_memory_follows_the_runs():
    if SANITIZED:
        print("# not under a sanitizer, which keeps what was freed")
        return
    few, many = memory_with(FEW), memory_with(MANY)
    for what, less, more in zip(("grown", "restarted"), few, many):
        each = (more - less) / (MANY - FEW)
        print(f"# {what}: {less >> 10} KiB with {FEW} runs, {more >> 10} KiB with {MANY}: "
              f"{each:.0f} bytes a run")
        check(each <= BYTES_PER_RUN[what], f"{what}: {each:.0f} bytes a run")


run(test_memory_follows_the_runs)
