"""What a look at `sweepctl serve` costs where a sweep has many runs: seconds and bytes of each page.

usage: pages.py BUILD_DIR [RUNSxEPOCHS ...]    (default: 10000x10)
Clients ask for the runs and tell what the formula of first_paint.py makes of each; every seventh has failed. Of each page
the first look and the median of five further ones, over HTTP from this machine. Results are appended to tests/bench/results.jsonl.
"""
import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
if len(sys.argv) < 2:
    sys.exit(__doc__)
sys.path.insert(0, HERE)
from first_paint import PARAMETERS, curve  # noqa: E402
from sweepd import SWEEPCTL, Daemon  # noqa: E402

LOOKS = 5
CLIENTS = 8
KINDS = ("history", "curves", "parallel", "slice", "contour", "importance", "edf", "pareto", "timeline", "labels")


def tell(d, sweep, epochs, seed):
    """One client, until there is nothing more to ask for."""
    c, r = d.connect(), random.Random(seed)
    while (asked := c.call("ask", sweep=sweep)).get("run"):
        lease = {"run": asked["run"], "lease": asked["lease"]}
        c.call("report", **lease, points=list(curve(r, asked["params"], epochs)))
        failed = asked["run"] % 7 == 3
        c.call("tell", **lease, result={"status": "failed", "error": "exited", "text": "by the formula"} if failed
               else {"status": "completed"})
    c.close()


def carry_out(d, runs, epochs):
    sweep = d.submit({"name": f"{runs} runs of {epochs} epochs", "method": "random", "task": {"client": {}}, "seed": 1,
                      "metric": {"name": "val_loss"}, "parameters": PARAMETERS, "epochs": epochs, "run_cap": runs,
                      "repeat_share": 0})
    clients = [threading.Thread(target=tell, args=(d, sweep, epochs, i)) for i in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return sweep


def ask(port, path):
    """(seconds, bytes) of the whole answer."""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    begin = time.monotonic()
    c.request("GET", path)
    answer = c.getresponse()
    size = len(answer.read())
    seconds = time.monotonic() - begin
    c.close()
    if answer.status != 200:
        sys.exit(f"{path}: {answer.status}")
    return seconds, size


def price(port, path):
    first, size = ask(port, path)
    again = statistics.median(ask(port, path)[0] for _ in range(LOOKS))
    print(f"{path:40} {size:9} bytes, {first:6.3f} s, then {again:6.3f} s", flush=True)
    return {"page": path, "bytes": size, "first_seconds": round(first, 3), "seconds": round(again, 3)}


def main():
    for size in sys.argv[2:] or ["10000x10"]:
        runs, epochs = map(int, size.split("x"))
        with Daemon(workers=1) as d:
            sweep = carry_out(d, runs, epochs)
            ids = [r["run_id"] for r in d.call("runs", sweep=sweep, limit=8)["runs"]]
            site = subprocess.Popen([SWEEPCTL, "--socket", d.socket, "--json", "serve", "--listen", "127.0.0.1:0"],
                                    stdout=subprocess.PIPE, text=True, env=d.environment)
            port = urllib.parse.urlsplit(json.loads(site.stdout.readline())["url"]).port
            pages = ["/", f"/sweep/{sweep}", f"/sweep/{sweep}/runs", f"/run/{ids[0]}",
                     "/compare?" + "&".join(f"run={i}" for i in ids), "/guide", "/submit"]
            pages += [f"/sweep/{sweep}/plot?kind={kind}" for kind in KINDS]
            rows = [price(port, page) for page in pages]
            site.terminate()
            site.wait()
        with open(os.environ.get("RESULTS", os.path.join(HERE, "results.jsonl")), "a", encoding="utf-8") as f:
            f.write(json.dumps({"bench": "pages", "cpus": os.cpu_count(), "load": round(os.getloadavg()[0], 1),
                                "runs": runs, "epochs": epochs, "pages": rows}) + "\n")


if __name__ == "__main__":
    main()
