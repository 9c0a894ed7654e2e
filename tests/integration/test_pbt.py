"""Population-based training by the real programs: weights go on through checkpoints, to the same
bits at any number of workers and through kills, and no checkpoint is left."""
import glob
import json
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon, make_data, small_spec  # noqa: E402
from tap import check, equal, run, until  # noqa: E402
from test_resume import expect_undisturbed, slow_data  # noqa: E402

MEMBERS, EPOCHS, PERTURB = 8, 6, 2
GENERATIONS = EPOCHS // PERTURB


def population(folder, **changes):
    return small_spec(folder, **{
        "method": "pbt", "epochs": EPOCHS, "perturb": PERTURB, "run_cap": MEMBERS * GENERATIONS + 1,
        "model": {"type": "mlp", "width": 16, "depth": 2, "normalization": "batch"},
        "train": {"optimizer": "adam", "schedule": "cosine"},
        "parameters": {"learning_rate": {"min": 0.0003, "max": 0.3,
                                         "distribution": "log_uniform_values"},
                       "batch_size": {"values": [8, 32]}},
        "repeat_share": None, **changes})


def curve(d, run_id):
    return d.sql("SELECT epoch, train_loss, val_loss, learning_rate FROM curves WHERE run_id = ? "
                 "ORDER BY point", run_id)


def lineages(d):
    """Of each run of the last generation: (id, params) of its runs from the first one on."""
    known = {r[0]: r for r in d.sql("SELECT id, params, parent_id, number FROM runs")}
    for last in [r for r in known.values() if r[3] >= MEMBERS * (GENERATIONS - 1)]:
        line = [last]
        while line[0][2] is not None:
            line.insert(0, known[line[0][2]])
        yield [(r[0], r[1]) for r in line]


def alone(folder, params):
    """The curve of a plain training with those values."""
    with Daemon(workers=1) as other:
        other.wait(other.submit(population(
            folder, method="grid", run_cap=None, perturb=None,
            parameters={k: {"values": [v]} for k, v in json.loads(params).items()})))
        return curve(other, 1)


def test_members_go_on_where_they_were():
    """One that never gave way is a plain training, to the bit; the others begin with weights that
    are better than none."""
    stayed = moved = 0
    with Daemon(workers=2) as d:
        folder = make_data(d.home)
        equal(d.wait(d.submit(population(folder)))["status"], "completed")
        equal(d.sql("SELECT status, count(*) FROM runs GROUP BY status"),
              [("completed", MEMBERS * GENERATIONS)])
        for line in lineages(d):
            whole = [point for run_id, _ in line for point in curve(d, run_id)]
            equal([p[0] for p in whole], [float(e) for e in range(1, EPOCHS + 1)])
            if len({params for _, params in line}) > 1:
                moved += 1
                check(whole[PERTURB][1] < whole[0][1], f"it goes on: {whole}")
            elif not stayed:
                stayed += 1
                equal(whole, alone(folder, line[-1][1]))
        check(stayed and moved, f"{stayed} stayed, {moved} moved")
        equal(glob.glob(d.db + ".runs/*/checkpoint"), [])


def test_same_through_kills():
    with Daemon(workers=3) as d:
        spec = population(slow_data())
        sweep = d.submit(spec)
        for count in (2, 9, 14, 20):
            until(lambda: d.sql("SELECT count(*) FROM runs WHERE status = 'completed'")[0][0]
                  >= count, f"{count} runs have ended")
            d.kill()
            if count != 9:
                d.signal_workers(signal.SIGKILL)
            d.start()
        expect_undisturbed(d, sweep, spec)


def test_what_cannot_be_copied_is_refused():
    with Daemon(workers=1) as d:
        folder = make_data(d.home)
        for changes, key in (({"parameters": {"depth": {"min": 1, "max": 3}}}, "depth"),
                             ({"run_cap": 11}, "$.run_cap")):
            done = d.ctl("submit", "-", text=json.dumps(population(folder, **changes)))
            check(done.returncode != 0 and key in done.stderr, done.stderr)


if __name__ == "__main__":
    run(test_members_go_on_where_they_were, test_same_through_kills,
        test_what_cannot_be_copied_is_refused)
