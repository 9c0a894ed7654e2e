"""How soon a sweep is seen, and how smoothly it moves: `sweepctl report` beside optuna-dashboard on `export --optuna`
of the same sweep, in a headless Chromium.

usage: first_paint.py BUILD_DIR [OPTUNA_DASHBOARD [RUNSxEPOCHS ...]]    (default: 1000x100 10000x10)
OPTUNA_DASHBOARD: the program, of a virtual environment; "" leaves it out. A client tells the daemon what a formula makes
of each configuration, by `import`, whose limit is 100,000 points. For each size a line: seconds that `report` takes, bytes, seconds
from the address to the first text or picture painted, to the first chart and to the last event of loading (the median of
five), the same of the dashboard's page of the study (its server was warmed by one look), and frames a second while the
page scrolls from end to end and while a filter is dragged along an axis, with the longest wait for one.
Frames are those that the page's script is given, and, as `drawn`, those that the browser says it has drawn; on a machine
that others use, `cpu_ms_per_frame` says more: processor time of the busiest thread for a frame. The browser draws without a
graphics processor: the figures are those of software rendering. Results are appended to tests/bench/results.jsonl.
"""
import collections
import json
import math
import os
import random
import socket
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
if len(sys.argv) < 2:
    sys.exit(__doc__)
os.environ["BUILD"] = os.path.abspath(sys.argv[1])
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import sweepd  # noqa: E402
from browser import Browser  # noqa: E402
from sweepd import Daemon, RpcError  # noqa: E402

sweepd.TIMEOUT_SECONDS = 3600
LOOKS = 5
PARAMETERS = {"learning_rate": {"min": 1e-5, "max": 1.0, "distribution": "log_uniform_values"},
              "layers": {"min": 1, "max": 8}, "width": {"min": 16, "max": 512},
              "dropout": {"min": 0.0, "max": 0.9}, "optimizer": {"values": ["sgd", "adam", "adamw", "rmsprop"]}}


# --- the sweep -------------------------------------------------------------------------------------

def draw(r):
    return {"learning_rate": 10 ** r.uniform(-5, 0), "layers": r.randint(1, 8), "width": r.randint(16, 512),
            "dropout": r.uniform(0, 0.9), "optimizer": r.choice(PARAMETERS["optimizer"]["values"])}


def curve(r, p, epochs):
    """Learning, overfitting, diverging or stuck, by its parameters."""
    off = math.log10(p["learning_rate"]) + 2.5 + (p["optimizer"] == "sgd")
    speed, best = 6 * math.exp(-off * off) / epochs, 0.2 + 0.1 * abs(p["dropout"] - 0.3) + 0.02 * p["layers"]
    over = max(0.0, 0.5 - p["dropout"]) * p["width"] / 512
    for e in range(1, epochs + 1):
        train = best * 0.5 + 2 * math.exp(-speed * e) + r.gauss(0, 0.01)
        val = best + 2 * math.exp(-speed * e) + over * (e / epochs) ** 2 + r.gauss(0, 0.02)
        if off > 2:
            train, val = train * 1.1 ** e, val * 1.1 ** e
        yield {"epoch": e, "train_loss": max(1e-3, train), "val_loss": max(1e-3, val)}


def carry_out(d, runs, epochs):
    r, c, us = random.Random(1), d.connect(), 1_700_000_000_000_000
    c.call("import", id=f"{runs}x{epochs}", sweep={"source": "a formula", "spec": {
        "name": f"{runs} runs of {epochs} epochs", "method": "by_hand", "task": {"client": {}},
        "metric": {"name": "val_loss"}, "parameters": PARAMETERS, "epochs": epochs, "run_cap": runs, "repeat_share": 0}})
    waiting = []
    for i in range(runs):
        p = draw(r)
        waiting.append({"params": p, "status": "stopped" if i % 7 == 3 else "completed", "started": us + i * 4_000_000,
                        "ended": us + i * 4_000_000 + 30_000_000, "points": list(curve(r, p, epochs))})
        if len(waiting) * epochs >= 2000 or i == runs - 1:
            c.call("import", id=f"{runs}x{epochs}", runs=waiting)
            waiting = []
    while True:
        try:
            return c.call("import", id=f"{runs}x{epochs}", end=True)["sweep"]
        except RpcError as e:
            if e.data["error"] != "timeout":  # a slow disk: asked again
                raise


# --- looks -----------------------------------------------------------------------------------------

SEEN = """new Promise(function (done) {
  var chart = 0;
  (function look() {
    var e = document.querySelector(%s), paint = performance.getEntriesByName("first-contentful-paint")[0];
    var nav = performance.getEntriesByType("navigation")[0];
    if (!chart && e && e.getBoundingClientRect().height > 0) chart = performance.now();
    if (chart && paint && nav.loadEventEnd > 0) done([paint.startTime, chart, nav.loadEventEnd]);
    else requestAnimationFrame(look);
  })();
})"""


def look(url, chart):
    """Seconds to the first paint, to the first chart, to the end of loading, in a browser that knows nothing of it yet."""
    with Browser() as b:
        b.events = []
        b.tell("Page.navigate", url=url)
        while not any(m.get("method") == "Page.frameNavigated" for m in b.events):
            b.note(b.message())
        return [ms / 1000 for ms in b.run(SEEN % json.dumps(chart))]


def looks(url, chart):
    all_looks = [look(url, chart) for _ in range(LOOKS)]
    return dict(zip(("first_paint", "first_chart", "loaded"),
                    (round(statistics.median(v), 3) for v in zip(*all_looks))))


COUNT = """window.frames_ = []; window.counting = true;
(function tick(t) { window.frames_.push(t); if (window.counting) requestAnimationFrame(tick); })(performance.now());"""


def frames(b, act):
    """Frames a second while act goes on."""
    drawn, busy = 0, collections.Counter()
    b.tell("Tracing.start", transferMode="ReportEvents", traceConfig={"includedCategories": [
        "toplevel", "disabled-by-default-devtools.timeline.frame", "devtools.timeline.frame"]})
    b.run(COUNT)
    begin = time.monotonic()
    act()
    seconds = time.monotonic() - begin
    times = b.run("(function () { window.counting = false; return window.frames_; })()")
    b.events = []
    b.tell("Tracing.end")
    while not any(m.get("method") == "Tracing.tracingComplete" for m in b.events):
        b.note(b.message())
    for m in b.events:
        if m.get("method") == "Tracing.dataCollected":
            for e in m["params"]["value"]:
                drawn += e["name"] == "DrawFrame"
                if e["name"] == "ThreadControllerImpl::RunTask":
                    busy[e["pid"], e["tid"]] += e.get("tdur", 0)
    gaps = [y - x for x, y in zip(times, times[1:])]
    return {"frames_per_second": round(len(gaps) / seconds, 1), "drawn_per_second": round(drawn / seconds, 1),
            "longest_wait_ms": round(max(gaps), 1),
            "cpu_ms_per_frame": round(max(busy.values()) / 1000 / max(1, len(gaps)), 1)}


def scroll(b):
    height = b.run("document.documentElement.scrollHeight")
    for _ in range(0, height, 240):
        b.tell("Input.dispatchMouseEvent", type="mouseWheel", x=20, y=400, deltaX=0, deltaY=240)


def brush(b):
    box = b.run("(function () { var r = document.querySelector('.explore svg.chart').getBoundingClientRect(); "
                "return [r.left, r.top, r.width, r.height]; })()")
    x, top, bottom = box[0] + 70, box[1] + box[3] * 30 / 300, box[1] + box[3] * 245 / 300
    b.tell("Input.dispatchMouseEvent", type="mousePressed", x=x, y=bottom, button="left", clickCount=1)
    for turn in range(4):
        for i in range(60):
            y = bottom + (top - bottom) * (i if turn % 2 == 0 else 60 - i) / 60
            b.tell("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y, button="left", buttons=1)
    b.tell("Input.dispatchMouseEvent", type="mouseReleased", x=x, y=top, button="left", clickCount=1)


def moves(url):
    with Browser() as b:
        b.go(url)
        scrolled = frames(b, lambda: scroll(b))
        b.run("document.querySelector('.explore').scrollIntoView()")
        b.until("document.querySelector('.explore form') && document.querySelector('.explore svg.chart')")
        b.run("document.querySelector('.explore svg.chart').scrollIntoView({block: 'center'})")
        return {"scroll": scrolled, "brush": frames(b, lambda: brush(b))}


# --- both ------------------------------------------------------------------------------------------

def ours(d, sweep):
    path = os.path.join(d.home, f"night{sweep}.html")
    begin = time.monotonic()
    d.ctl("report", sweep, "-o", path, "--force", check=0)
    seconds = time.monotonic() - begin
    return {"seconds": round(seconds, 2), "bytes": os.path.getsize(path), **looks("file://" + path, "svg.chart"),
            **moves("file://" + path)}


class Dashboard:
    def __init__(self, program, path):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.process = subprocess.Popen([program, "sqlite:///" + path, "--port", str(self.port)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        while self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return f"http://127.0.0.1:{self.port}/dashboard/studies/1"
            except OSError:
                time.sleep(0.1)
        sys.exit("optuna-dashboard has ended")

    def __exit__(self, *exc):
        self.process.terminate()
        self.process.wait()


def theirs(d, sweep, program):
    path = os.path.join(d.home, f"night{sweep}.db")
    begin = time.monotonic()
    d.ctl("export", sweep, "--optuna", path, check=0)
    seconds = time.monotonic() - begin
    with Dashboard(program, path) as url:
        look(url, ".main-svg")
        return {"seconds": round(seconds, 2), "bytes": os.path.getsize(path), **looks(url, ".main-svg")}


def main():
    program = sys.argv[2] if len(sys.argv) > 2 else ""
    for size in sys.argv[3:] or ["1000x100", "10000x10"]:
        runs, epochs = map(int, size.split("x"))
        with Daemon(workers=1) as d:
            sweep = carry_out(d, runs, epochs)
            row = {"bench": "first_paint", "cpus": os.cpu_count(), "load": round(os.getloadavg()[0], 1), "runs": runs,
                   "epochs": epochs, "report": ours(d, sweep)}
            if program:
                row["optuna_dashboard"] = theirs(d, sweep, program)
        text = json.dumps(row)
        print(text, flush=True)
        with open(os.environ.get("RESULTS", os.path.join(HERE, "results.jsonl")), "a") as f:
            f.write(text + "\n")


if __name__ == "__main__":
    main()
