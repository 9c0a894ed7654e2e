"""What a look at `sweepctl serve` costs where a sweep has many runs: seconds and bytes of each page.

usage: pages.py BUILD_DIR [RUNSxEPOCHS ...]    (default: 10000x10)
The sweep is that of first_paint.py, and has ended. Of each page the first look and the median of five further ones, over HTTP
from this machine. Results are appended to tests/bench/results.jsonl.
"""
import http.client
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
if len(sys.argv) < 2:
    sys.exit(__doc__)
sys.path.insert(0, HERE)
from first_paint import carry_out  # noqa: E402
from sweepd import SWEEPCTL, Daemon  # noqa: E402

LOOKS = 5
KINDS = ("history", "curves", "parallel", "slice", "contour", "importance", "edf", "pareto", "timeline", "labels")


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
