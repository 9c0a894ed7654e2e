"""What a start costs where much has been done, and where much is still open: seconds from exec to
the ready line, memory once idle, `list` and `best`.

usage: start.py BUILD_DIR [--open SWEEPS] [--runs RUNS]   (a release build)
The database holds 10,000 ended sweeps and RUNS (1,000,000) runs; then, in another one, SWEEPS
(2,000) open ones are submitted and the daemon killed and started again. Files go below TMPDIR.
"""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
if len(sys.argv) < 2:
    sys.exit(__doc__)
os.environ["BUILD"] = os.path.abspath(sys.argv[1])
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
from sweepd import BUILD, Daemon, make_data, small_spec  # noqa: E402


def option(name, default):
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default


def memory_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(x.split()[1]) for x in f if x.startswith("VmRSS")) / 1024


def start_seconds(d):
    begin = time.monotonic()
    d.start()
    return time.monotonic() - begin


def call_ms(d, method, **params):
    """Median and worst of 20, over one connection."""
    c = d.connect()
    times = []
    for _ in range(20):
        begin = time.monotonic()
        c.call(method, **params)
        times.append(1000 * (time.monotonic() - begin))
    c.close()
    return f"{statistics.median(times):.1f} ms (worst {max(times):.1f})"


def ended(home, sweeps, runs):
    d = Daemon(home=home)
    os.makedirs(os.path.dirname(d.db), mode=0o700)
    subprocess.run([os.path.join(BUILD, "tests", "bench", "fill_store"), d.db, str(runs),
                    f"--sweeps={sweeps}", "--points=2"], check=True)
    size = os.path.getsize(d.db) / 2**20
    print(f"{sweeps} ended sweeps, {runs} runs ({size:.0f} MiB)", flush=True)
    for what in ("first start", "second start"):
        print(f"  {what}: ready in {start_seconds(d):.2f} s", flush=True)
        if what == "first start":
            d.stop()
    print(f"  memory: {memory_mib(d.process.pid):.1f} MiB")
    print(f"  list: {call_ms(d, 'list')}, its last page: {call_ms(d, 'list', cursor=sweeps - 100)}")
    print(f"  best: {call_ms(d, 'best')}, of the first sweep: {call_ms(d, 'best', sweep=1)}")
    time.sleep(7)  # free memory is given back by a timer
    print(f"  memory, idle: {memory_mib(d.process.pid):.1f} MiB", flush=True)
    d.kill()
    print(f"  start after a kill: ready in {start_seconds(d):.2f} s", flush=True)
    d.stop()


def still_open(home, sweeps):
    with Daemon(workers=1, home=home) as d:
        data = make_data(d.home)
        c = d.connect()
        long = small_spec(data, method="random", run_cap=1, epochs=1000000)
        blocker = c.call("submit", spec=long)["sweep"]
        spec = small_spec(data, after=blocker)
        begin = time.monotonic()
        for _ in range(sweeps):
            c.call("submit", spec=spec)
        c.close()
        print(f"{sweeps} open sweeps, submitted in {time.monotonic() - begin:.1f} s")
        print(f"  memory: {memory_mib(d.process.pid):.1f} MiB")
        d.kill()
        print(f"  start after a kill: ready in {start_seconds(d):.2f} s")
        time.sleep(7)
        print(f"  memory: {memory_mib(d.process.pid):.1f} MiB; list: {call_ms(d, 'list')}")
        d.kill()


if __name__ == "__main__":
    subprocess.run(["ninja", "-C", BUILD, "tests/bench/fill_store"], check=True,
                   stdout=subprocess.DEVNULL)
    folder = tempfile.mkdtemp(prefix="sweepd-start-")
    try:
        still_open(tempfile.mkdtemp(dir=folder), option("--open", 2000))
        ended(tempfile.mkdtemp(dir=folder), 10000, option("--runs", 1000000))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
