"""What a program's libraries write is read while it runs: files in the run's folder, files that it
opens elsewhere, and wandb.log, whether wandb is there or not; and what is read better later takes
the place of what was read before."""
import csv
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from supervised import Run  # noqa: E402
from tap import check, equal, run  # noqa: E402

LOGS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "logs")
# The program leaves logs, as real libraries wrote them, where it is told to.
LEAVES = """
import shutil
for source, target in zip(sys.argv[1::2], sys.argv[2::2]):
    target = os.path.join(os.environ["SWEEPD_RUN_DIR"], target)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copyfile(source, target)
"""


def log(name):
    return os.path.join(LOGS, name)


def expected(name, title):
    """What the library itself says was measured; a table says it in a column."""
    if name.endswith(".csv"):
        with open(log(name), encoding="utf-8") as f:
            return [float(row[title]) for row in csv.DictReader(f) if row[title]]
    with open(log("expected.json"), encoding="utf-8") as f:
        return json.load(f)[name][title]


def series(points, name):
    return [p["metrics"][name] for p in points if name in p.get("metrics", {})]


def points_of(r):
    """What counts at the end, and how often others' place was taken."""
    lines = r.lines()
    anew = [i for i, x in enumerate(lines) if x.get("anew")]
    points = [x for x in lines[anew[-1] if anew else 0:] if x["type"] == "point"]
    equal([p["point"] for p in points], [*range(1, len(points) + 1)])
    check(all(a["epoch"] < b["epoch"] for a, b in zip(points, points[1:])), points)
    return points, len(anew)


def reads(metric, program=LEAVES, arguments=(), goal="minimize", **config):
    config.setdefault("metric", {"name": metric, "goal": goal})
    with Run(program, *arguments, config=config) as r:
        status = r.start().wait()
        points, anew = points_of(r)
        with open(r.path("stderr"), encoding="utf-8") as f:
            said = f.read()
        equal((status, r.lines()[-1]["status"]), (0, "completed"), r.lines()[-1].get("text", "") + said)
        return points, anew, said


def close(a, b):
    """Some formats hold floats of 32 bits; NaN is a word on both sides."""
    equal(len(a), len(b), (a, b))
    check(all(x == y or abs(x - y) <= 1e-6 * max(1, abs(y)) for x, y in zip(a, b)), (a, b))


def test_libraries_files_in_the_runs_folder():
    cases = [
        ("keras/log.csv", "log.csv", "val_loss"),
        ("lightning/metrics.csv", "lightning_logs/version_0/metrics.csv", "val_loss"),
        ("lightning/board.tfevents", "lightning_logs/version_0/events.out.tfevents.1.h.7.0", "val_loss"),
        ("torch/writer.tfevents", "runs/a/events.out.tfevents.1700000000.h.7.0", "Loss/val"),
        ("tensorflow/two.tfevents", "events.out.tfevents.1700000000.h.7.0.v2", "val/loss"),
        ("trackio/lines.jsonl", "trackio/inbox/w/00000000.jsonl", "val/loss"),
        ("trackio/project.db", "trackio/project.db", "val/loss"),
        ("mlflow/mlflow.db", "mlflow.db", "train_loss"),
        ("wandb/run.wandb", "wandb/offline-run-1/run-1.wandb", "val_loss"),
    ]
    for name, target, title in cases:
        points, _, said = reads(title, arguments=(log(name), target))
        wanted = expected(name, title)
        # MLflow's has two runs: the one that was begun last counts
        close(series(points, title), wanted[-12:])
        check('"files"' in said, said)


def test_two_files_are_one_curve():
    points, _, _ = reads("val_epoch_loss", arguments=(
        log("keras/train.tfevents"), "logs/train/events.out.tfevents.1.h.7.0.v2",
        log("keras/validation.tfevents"), "logs/validation/events.out.tfevents.2.h.7.1.v2"))
    equal(len(points), len(expected("keras/validation.tfevents", "val_epoch_loss")))
    check(all({"epoch_loss", "val_epoch_loss"} <= set(p["metrics"]) for p in points), points[:2])


# Lines are given while the program waits: it goes on when the run's own file has them.
LIVE = """
import time
def until(text):
    while text not in open(os.path.join(os.environ["SWEEPD_RUN_DIR"], "run.jsonl")).read():
        time.sleep(0.01)
"""


def test_a_table_that_is_rewritten_is_followed():
    """As Lightning does: anew each time, with more columns. It lies in the program's own folder."""
    program = LIVE + """
os.chdir(os.path.dirname(sys.argv[0]))
rows = []
for epoch in range(4):
    rows.append({"epoch": epoch, "step": 10 * epoch, "train": 1.5, **({"loss": 1 / (1 + epoch)} if epoch else {})})
    names = [n for n in ("epoch", "step", "train", "loss") if any(n in r for r in rows)]
    with open("metrics.csv", "w") as f:
        f.write("\\n".join(",".join(str(r.get(n, "")) for n in names) for r in [{n: n for n in names}] + rows))
        f.write("\\n")
    if epoch == 3:
        until('"loss":0.3333')
"""
    with Run(program) as probe:
        home = probe.home
        with open(probe.config, encoding="utf-8") as f:
            config = json.load(f)
        config["directory"] = home
        with open(probe.config, "w", encoding="utf-8") as f:
            json.dump(config, f)
        equal(probe.start().wait(), 0, probe.lines())
        points, _ = points_of(probe)
    close(series(points, "loss"), [1 / 2, 1 / 3, 1 / 4])


def test_what_an_earlier_attempt_left_counts_for_nothing():
    with Run(LEAVES, log("keras/log.csv"), "new/log.csv", config={"metric": {"name": "val_loss"}}) as r:
        for name in ("old.csv", "lightning_logs/version_0/metrics.csv"):
            path = r.path(name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as f:
                f.write("epoch,val_loss\n" + "".join(f"{i},77\n" for i in range(1, 99)))
        equal(r.start().wait(), 0)
        close(series(points_of(r)[0], "val_loss"), expected("keras/log.csv", "val_loss"))


def test_text_is_replaced_by_what_is_better():
    program = LIVE + """
for epoch in range(1, 4):
    print("epoch", epoch, "loss", 9.0, flush=True)
until('"point":2')
with open(os.path.join(os.environ["SWEEPD_RUN_DIR"], "log.csv"), "w") as f:
    f.write("epoch,loss\\n1,3\\n2,2\\n3,1\\n4,0.5\\n")
"""
    points, anew, _ = reads("loss", program)
    equal((anew, series(points, "loss")), (1, [3, 2, 1, 0.5]))
    # what goes on instead stays behind
    program = program.replace("1,3\\n2,2\\n3,1\\n4,0.5", "7,1")
    points, anew, _ = reads("loss", program)
    equal((anew, series(points, "loss")), (0, [9, 9, 9, 1]))


def test_channels_that_are_not_listened_to():
    program = LEAVES + "tell(val_loss=1)\n"
    points, _, _ = reads("val_loss", program, (log("keras/log.csv"), "log.csv"), metrics_from=["files"])
    close(series(points, "val_loss"), expected("keras/log.csv", "val_loss"))
    points, _, _ = reads("val_loss", program, (log("keras/log.csv"), "log.csv"))
    equal(series(points, "val_loss"), [1], "the descriptor comes first")


def test_hostile_files():
    program = LIVE + """
top = os.environ["SWEEPD_RUN_DIR"]
os.symlink("/dev/zero", top + "/zero.csv")
os.mkfifo(top + "/fifo.csv")
os.symlink(top, top + "/around")
os.makedirs(top + "/" + "/".join("d" * 30), exist_ok=True)
for i in range(300):
    open(top + "/events.out.tfevents.%d.h.1.0" % i, "wb").write(bytes(range(i % 250)) * 9)
open(top + "/mlflow.db", "wb").write(b"SQLite format 3\\0" + os.urandom(5000))
open(top + "/huge.csv", "wb").truncate(1 << 33)
open(top + "/metrics.csv", "w").write("epoch,loss\\n1,0.25\\n2,nan\\n3,0.125\\n")
"""
    points, _, _ = reads("loss", program)
    equal(series(points, "loss"), [0.25, "nan", 0.125])


WANDB = """
import wandb
run = wandb.init(project="p", config={"lr": 9.9, "mine": 5})
assert wandb.config.lr == 0.125 and wandb.config["mine"] == 5, dict(wandb.config)
wandb.watch(None)
for epoch in range(3):
    wandb.log({"train": {"loss": 2.0}}, commit=False)
    wandb.log({"loss": 1 / (1 + epoch), "table": wandb.Table(columns=["a"]), "text": "x"})
    until('"loss":0.5') if epoch == 2 else None
wandb.summary["best"] = 0.25
wandb.finish()
"""


def test_wandb_that_is_not_installed():
    points, _, said = reads("loss", LIVE + WANDB, params={"lr": 0.125})
    close(series(points, "loss"), [1, 1 / 2, 1 / 3])
    close(series(points, "train/loss"), [2, 2, 2])
    equal(points[-1]["metrics"]["best"], 0.25)
    check("wandb is not installed" in said, said)


def test_wandb_that_is_installed_and_a_sitecustomize_of_ones_own():
    program = LIVE + """
import mine_was_read
import wandb
wandb.log({"loss": 1.0}, step=4)
wandb.log({"loss": 0.5}, step=5)
wandb.log({"loss": 0.25}, step=6)
until('"loss":0.5')
assert wandb.seen == [4, 5, 6], wandb.seen
"""
    with Run(program) as r:
        site = os.path.join(r.home, "site")
        os.makedirs(site + "/wandb/sdk")
        for name, text in {
                "sitecustomize.py": "import sys, types\nsys.modules['mine_was_read'] = types.ModuleType('m')\n",
                "wandb/__init__.py": "from wandb.sdk.wandb_run import Run, seen\nlog = Run().log\n",
                "wandb/sdk/__init__.py": "",
                "wandb/sdk/wandb_run.py": "seen = []\nclass Run:\n    def log(self, data, step=None, "
                                          "commit=None):\n        seen.append(step)\n"}.items():
            with open(os.path.join(site, name), "w", encoding="utf-8") as f:
                f.write(text)
        equal(r.start(env={**os.environ, "PYTHONPATH": site}).wait(), 0, r.lines())
        points, _ = points_of(r)
        equal([(p["epoch"], p["metrics"]["loss"]) for p in points], [(4, 1), (5, 0.5), (6, 0.25)])


def test_a_process_without_the_descriptor():
    """Started by the script, as launchers of several processes do."""
    program = """
import subprocess
subprocess.run([sys.executable, "-c", '''
import os
decoy = os.open("decoy", os.O_CREAT | os.O_RDWR)
os.dup2(decoy, int(os.environ["SWEEPD_METRICS_FD"]))
import wandb
wandb.init()
for step in range(3):
    wandb.log({"loss": 1.0 - step / 4})
wandb.finish()
assert os.path.getsize("decoy") == 0
'''], check=True)
"""
    points, _, _ = reads("loss", program)
    equal(series(points, "loss"), [1, 0.75, 0.5])


if __name__ == "__main__":
    run(test_libraries_files_in_the_runs_folder, test_two_files_are_one_curve,
        test_a_table_that_is_rewritten_is_followed,
        test_what_an_earlier_attempt_left_counts_for_nothing, test_text_is_replaced_by_what_is_better,
        test_channels_that_are_not_listened_to, test_hostile_files, test_wandb_that_is_not_installed,
        test_wandb_that_is_installed_and_a_sitecustomize_of_ones_own,
        test_a_process_without_the_descriptor)
