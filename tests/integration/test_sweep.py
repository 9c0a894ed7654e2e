"""A whole sweep through the real programs: submit, train, label, ask with SQL."""
import json
import os
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon, make_data, slow_spec, small_spec  # noqa: E402
from tap import check, equal, run, until  # noqa: E402


def test_coarse_to_fine_end_to_end():
    with Daemon() as d:
        data = make_data(d.home)
        sweep = d.submit(small_spec(data))
        ended = d.wait(sweep)
        equal(ended["status"], "completed", "sweep status")
        equal(d.sql("SELECT count(*) FROM runs WHERE sweep_id=?", sweep), [(20,)], "runs")
        equal(d.sql("SELECT count(*) FROM curves"), [(120,)], "points: 20 runs x 6 epochs")
        equal(d.sql("SELECT count(*) FROM labels l LEFT JOIN patterns p ON p.name=l.pattern "
                    "WHERE p.name IS NULL"), [(0,)], "labels that are no pattern")
        equal(d.sql("SELECT count(*) FROM labels"), [(20,)], "every run has a label")
        stages = d.sql("SELECT stage, count(*) FROM runs GROUP BY stage ORDER BY min(number)")
        equal([s for s, _ in stages], ["coarse", "fine", "optimizers", "sgd"], "order of stages")
        check(dict(stages)["coarse"] <= 8, "coarse is at most 40 %")
        rates = [r for r, in d.sql("SELECT learning_rate FROM runs ORDER BY number LIMIT 3")]
        equal(rates, [0.1, 0.01, 0.001], "large learning rates first (G2.1)")
        equal({o for o, in d.sql("SELECT optimizer FROM runs WHERE stage='coarse'")}, {"adam"})
        equal({o for o, in d.sql("SELECT optimizer FROM runs WHERE stage='sgd'")}, {"sgd"})
        best = d.sql("SELECT rank, val_loss FROM best_runs WHERE sweep_id=?", sweep)
        equal([r for r, _ in best], list(range(1, len(best) + 1)), "ranks count from 1")
        losses = [v for _, v in best if isinstance(v, float)]
        equal(losses, sorted(losses), "best first")
        check(losses[0] < 0.7, f"learns: best validation loss {losses[0]}")


def test_weights_of_the_best_three_are_kept():
    with Daemon() as d:
        sweep = d.submit(small_spec(make_data(d.home)))
        equal(d.wait(sweep)["status"], "completed")
        runs = d.db + ".runs"
        kept = {int(r) for r in os.listdir(runs)
                if r.isdigit() and os.path.exists(os.path.join(runs, r, "best.safetensors"))}
        best = {r for r, in d.sql("SELECT run_id FROM best_runs WHERE rank<=3")}
        equal(kept, best, "runs with weights")
        path = os.path.join(runs, str(min(best)), "best.safetensors")
        with open(path, "rb") as f:
            header = json.loads(f.read(int.from_bytes(f.read(8), "little")))
        check("0.weight" in header, f"safetensors header: {list(header)}")


def test_grid_and_random():
    with Daemon() as d:
        data = make_data(d.home)
        grid = small_spec(data, method="grid", run_cap=None, epochs=2, parameters={
            "learning_rate": {"values": [0.1, 0.01, 0.001]}, "depth": {"values": [1, 2]}})
        a = d.submit(grid)
        b = d.submit(small_spec(data, method="random", run_cap=7, epochs=2))
        equal(d.wait(a)["status"], "completed")
        equal(d.wait(b)["status"], "completed")
        equal(d.sql("SELECT learning_rate, depth FROM runs WHERE sweep_id=? ORDER BY number", a),
              [(0.1, 1), (0.1, 2), (0.01, 1), (0.01, 2), (0.001, 1), (0.001, 2)])
        equal(d.sql("SELECT count(*) FROM runs WHERE sweep_id=?", b), [(7,)])


def test_same_bits_with_one_worker_and_with_two():
    rows = []
    with tempfile.TemporaryDirectory(prefix="sweepd-data-") as home:
        data = make_data(home)
        for workers in (1, 2):
            with Daemon(workers=workers) as d:
                equal(d.wait(d.submit(small_spec(data)))["status"], "completed")
                rows.append(d.canonical())
    check(len(rows[0]) >= 120, "canonical_content has the points")
    equal(rows[0], rows[1], "canonical_content")


def test_readers_are_never_locked_out():
    with Daemon() as d:
        stop, errors, reads = threading.Event(), [], [0]

        def read():
            while not stop.is_set():
                done = subprocess.run(
                    ["sqlite3", d.db, "SELECT * FROM best_runs WHERE sweep_id=1 LIMIT 10"],
                    capture_output=True, text=True)
                if done.returncode or done.stderr:
                    errors.append(done.stderr)
                reads[0] += 1

        reader = threading.Thread(target=read)
        reader.start()
        try:
            d.wait(d.submit(small_spec(make_data(d.home))))
            until(lambda: reads[0] > 5, "the reader runs")
            d.stop()
        finally:
            stop.set()
            reader.join()
        equal(errors, [], "errors of the reader")


def test_pause_resume_cancel_delete():
    with Daemon(workers=1) as d:
        data = make_data(d.home, samples=2000)
        sweep = d.submit(slow_spec(data, run_cap=12, epochs=6000))
        d.call("pause", sweep=sweep)
        equal(d.sql("SELECT status FROM sweeps WHERE id=?", sweep), [("paused",)])
        d.call("resume", sweep=sweep)
        check(d.sql("SELECT status FROM sweeps WHERE id=?", sweep)[0][0] in ("running", "queued"))
        done = d.ctl("delete", sweep, check=1)
        check("running" in done.stderr or "queued" in done.stderr, done.stderr)
        d.call("cancel", sweep=sweep)
        equal(d.ctl("wait", sweep).returncode, 1, "wait on a cancelled sweep")
        # The sweep is cancelled at once; its worker may need a moment to end.
        while "still have a worker" in (done := d.ctl("delete", sweep)).stderr:
            time.sleep(0.01)
        equal(done.returncode, 0, done.stderr)
        equal(d.sql("SELECT count(*) FROM runs"), [(0,)])
        done = d.ctl("show", sweep, check=1)
        check(str(sweep) in done.stderr, done.stderr)
        equal(d.submit(small_spec(data, run_cap=4, epochs=1)), sweep + 1, "ids are not reused")


def test_cancel_one_run():
    with Daemon(workers=1) as d:
        sweep = d.submit(slow_spec(make_data(d.home, samples=2000), run_cap=4, epochs=6000))
        watch = d.connect()
        watch.call("watch", sweep=sweep)
        run_id = d.sql("SELECT min(id) FROM runs")[0][0]
        d.ctl("cancel", "--run", run_id, check=0)
        while d.sql("SELECT status FROM runs WHERE id=?", run_id) != [("cancelled",)]:
            check(watch.line(), "watch ended early")
        watch.close()
        d.call("cancel", sweep=sweep)


def test_after_waits_for_the_other_sweep():
    with Daemon(workers=2) as d:
        data = make_data(d.home)
        a = d.submit(small_spec(data, method="random", run_cap=6))
        b = d.submit(small_spec(data, method="random", run_cap=2, after=a))
        equal(d.wait(b)["status"], "completed")
        equal(d.sql("SELECT (SELECT max(ended_at) FROM runs WHERE sweep_id=?) <= "
                    "(SELECT min(started_at) FROM runs WHERE sweep_id=?)", a, b), [(1,)])


if __name__ == "__main__":
    run(test_coarse_to_fine_end_to_end, test_weights_of_the_best_three_are_kept,
        test_grid_and_random, test_same_bits_with_one_worker_and_with_two,
        test_readers_are_never_locked_out, test_pause_resume_cancel_delete, test_cancel_one_run,
        test_after_waits_for_the_other_sweep)
