"""Power cuts: what a client was told is there after the next boot, and the night ends as if
nothing had been."""
import os
import random
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from golden import is_sanitized  # noqa: E402
from power import Disk, preloaded_worker  # noqa: E402
from sweepd import Daemon, make_data, small_spec  # noqa: E402
from tap import Skip, check, equal, equal_rows, run, until  # noqa: E402

CUTS = int(os.environ.get("CRASH_CUTS", "6"))
RUNS = 12


def wait_for_points(d, count):
    until(lambda: d.sql("SELECT count(*) FROM curves")[0][0] >= count, "points are stored")


def told(d, sweep):
    """What a client hears of the sweep's runs that have ended."""
    return {r["run_id"]: (r["status"], r["metric_value"]) for r in d.call("runs", sweep=sweep)["runs"]
            if r["status"] == "completed"}


def cut(d, disk, rng):
    before = told(d, 1)
    d.kill()
    d.signal_workers(signal.SIGKILL)  # the power is gone for them too
    disk.cut(rng)
    d.start()
    after = told(d, 1)
    lost = {k: v for k, v in before.items() if after.get(k) != v}
    equal(lost, {}, "completed runs that were told")


def whole_weights(d):
    """Every run that the sweep keeps weights of can be exported."""
    for run_id, in d.sql("SELECT run_id FROM best_runs WHERE sweep_id = 1 ORDER BY rank LIMIT 3"):
        out = os.path.join(d.home, f"{run_id}.safetensors")
        d.ctl("export", run_id, "-o", out, "--force", check=0)
        check(os.path.getsize(out) > 100, f"weights of run {run_id}")


def test_power_cuts():
    if is_sanitized():
        raise Skip("a preloaded shim and a sanitizer do not go together")
    rng = random.Random(int(os.environ.get("CRASH_SEED", "11")))
    with tempfile.TemporaryDirectory(prefix="sweepd-power-") as home:
        spec = small_spec(make_data(home, samples=800), method="random", run_cap=RUNS, epochs=24,
                          model={"type": "mlp", "width": 64, "activation": "relu"})
        with Daemon(workers=2) as d:
            equal(d.wait(d.submit(spec))["status"], "completed")
            undisturbed = d.canonical()
        disk = Disk(os.path.join(home, "state"), os.path.join(home, "durable"))
        os.makedirs(disk.root)
        worker = preloaded_worker(home, disk.environment())
        with Daemon(workers=2, home=home, environment=disk.environment(),
                    arguments=["--checkpoint-seconds", "0", "--worker-program", worker]) as d:
            d.submit(spec)
            for n in range(CUTS):
                wait_for_points(d, min((n + 1) * 24 * RUNS // (CUTS + 1), 24 * RUNS - 1))
                time.sleep(rng.random() * 0.03)
                cut(d, disk, rng)
            equal(d.wait(1)["status"], "completed")
            equal_rows(d.canonical(), undisturbed, "canonical_content")
            whole_weights(d)


if __name__ == "__main__":
    run(test_power_cuts)
