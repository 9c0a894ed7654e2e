"""Scripts that know nothing of us, or little: where and with what they are started, how they are
stopped, how those that can resume go on, what rungs mean for them, and how their log is followed."""
import json
import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import SWEEPCTL, TIMEOUT_SECONDS, Daemon  # noqa: E402
from tap import check, equal, run  # noqa: E402

HEAD = f"#!{sys.executable} -SE" + r"""
import json, os, signal, sys
out = os.fdopen(int(os.environ["SWEEPD_METRICS_FD"]), "w", 1)
def tell(**metrics):
    out.write(json.dumps(metrics) + "\n")
"""
TELLS = HEAD + r"""
print(json.dumps({"cwd": os.getcwd(), "argv": sys.argv[1:], "environment": dict(os.environ),
                  "params": open(os.environ["SWEEPD_PARAMS_FILE"]).read(),
                  "wandb": open(os.environ["WANDB_SWEEP_PARAM_PATH"]).read()}))
tell(loss=1)
"""
# Leaves its epoch in the checkpoint folder, and goes on from there; waits at the gate in epoch 3.
RESUMES = HEAD + r"""
home = os.path.dirname(sys.argv[0])
where = os.path.join(os.environ["SWEEPD_CHECKPOINT_DIR"], "deep", "epoch")
first = 0
if "SWEEPD_RESUME_FROM" in os.environ:
    first = int(open(where).read()) + 1
with open(home + "/attempts", "a") as f:
    f.write(f"{os.environ['SWEEPD_RUN_ID']} {first} {os.environ['SWEEPD_EPOCHS']}\n")
for epoch in range(max(0, first - ONE_BACK), int(os.environ["SWEEPD_EPOCHS"])):
    if epoch == GATE and os.path.exists(home + "/gate"):
        open(home + "/gate").read()
    tell(epoch=epoch, loss=10 - epoch + float(json.loads(os.environ["SWEEPD_PARAMS"])["n"]))
    os.makedirs(os.path.dirname(where), exist_ok=True)
    with open(where + ".new", "w") as f:
        f.write(str(epoch))
    os.replace(where + ".new", where)
"""
# Knows nothing of budgets, and of stopping only what it must.
ANEW = HEAD + r"""
home = os.path.dirname(sys.argv[0])
n = float(json.loads(os.environ["SWEEPD_PARAMS"])["n"])
with open(home + "/attempts", "a") as f:
    f.write(f"{os.environ['SWEEPD_RUN_ID']} 0 {os.environ['SWEEPD_EPOCHS']}\n")
for epoch in range(1, 10):
    tell(epoch=epoch, loss=n + 1 / epoch)
"""
STOPS = HEAD + r"""
signal.signal(signal.SIGTERM, signal.SIG_IGN)
home = os.path.dirname(sys.argv[0])
tell(epoch=1, loss=1)
tell(epoch=2, loss=1)
open(home + "/up", "w").close()
stop = os.environ["SWEEPD_STOP_FILE"]
import time
while not os.path.exists(stop):
    time.sleep(0.01)
open(home + "/saw", "w").close()
"""


class Home(tempfile.TemporaryDirectory):
    def __init__(self):
        super().__init__(prefix="sweepd-programs-")

    def __enter__(self):
        self.path = os.path.realpath(super().__enter__())
        return self

    def file(self, name):
        return os.path.join(self.path, name)

    def script(self, text, name="program"):
        with open(self.file(name), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.file(name), 0o700)
        return self.file(name)

    def read(self, name):
        with open(self.file(name), encoding="utf-8") as f:
            return f.read()


def spec(program, *words, task=None, **more):
    return {"name": "own", "task": {"command": [program, *words], **(task or {})},
            "metric": {"name": "loss", "goal": "minimize"}, "method": "grid", "epochs": 9,
            "parameters": {"n": {"values": [1]}}, "seed": 3, **more}


def completed(d, sweep):
    equal(d.wait(sweep)["status"], "completed", d.sql("SELECT error_text FROM runs"))


def printed(d, run_id=1):
    with open(f"{d.db}.runs/{run_id}/stderr", encoding="utf-8") as f:
        return json.loads(f.readline())


def until(d, what, wanted=True):
    """Without a clock of its own: the test program's limit ends it."""
    while (seen := what()) != wanted:
        check(d.call("status") is not None, seen)


def test_folder_and_environment_of_the_submitter():
    with Home() as home, Daemon() as d:
        program = home.script(TELLS)
        os.mkdir(home.file("here"))
        # as a person submits: by sweepctl, in a folder, with variables
        environment = {**os.environ, "MY_VARIABLE": "mine", "API_TOKEN": "sesam", "LATER": "gone",
                       "STORE": "https://me:sesam@host/x", "SWEEPD_SEED": "no"}
        text = json.dumps(spec(program, "${args}", task={
            "environment": {"LATER": None, "OTHER": "added", "OMP_NUM_THREADS": "3"}}))
        done = subprocess.run([SWEEPCTL, "--socket", d.socket, "submit", "-"], input=text, text=True,
                              cwd=home.file("here"), env=environment, capture_output=True,
                              timeout=TIMEOUT_SECONDS, check=False)
        equal(done.returncode, 0, done.stderr)
        completed(d, 1)
        said = printed(d)
        got = said["environment"]
        equal(said["cwd"], home.file("here"))
        equal([got.get(x) for x in ("MY_VARIABLE", "API_TOKEN", "LATER", "OTHER", "SWEEPD_SEED",
                                    "SWEEPD_SWEEP_ID", "SWEEPD_RUN_ID")],
              ["mine", "sesam", None, "added", d.sql("SELECT seed FROM runs")[0][0], "1", "1"])
        equal((got["OMP_NUM_THREADS"], got["PYTHONUNBUFFERED"]), ("3", "1"))
        check(int(got["MKL_NUM_THREADS"]) >= 1)
        equal((json.loads(said["params"]), got["WANDB_MODE"], got["WANDB_SWEEP_ID"]),
              ({"n": 1}, "offline", "1"))
        equal(said["wandb"], 'wandb_version: 1\n\n"n":\n  value: 1\n')
        equal(got["MLFLOW_TRACKING_URI"], f"sqlite:///{d.db}.runs/1/mlflow.db")
        # recorded, and shown without what is secret
        task = json.loads(d.sql("SELECT spec FROM sweeps")[0][0])["task"]
        equal(task["base_environment"]["API_TOKEN"], "sesam")
        shown = d.call("show", sweep=1)["sweep"]["spec"]["task"]
        equal([shown["base_environment"][x] for x in ("MY_VARIABLE", "API_TOKEN", "STORE")],
              ["mine", "***", "***"])
        equal((shown["directory"], shown["environment"]["LATER"]), (home.file("here"), None))
        check("sesam" not in json.dumps(d.call("show", sweep=1)))


def test_without_a_word_the_daemons_own():
    with Home() as home, Daemon(environment={"MY_OWN": "daemon's"}) as d:
        completed(d, d.submit(spec(home.script(TELLS), "${envvar:MY_OWN}", "${envvar:NONE_SUCH}")))
        said = printed(d)
        equal((said["cwd"], said["argv"]), (f"{d.db}.runs/1", ["daemon's", "NONE_SUCH"]))
        equal(said["environment"]["MY_OWN"], "daemon's")
        check("base_environment" not in d.sql("SELECT spec FROM sweeps")[0][0])


def test_words_of_every_kind():
    parameters = {"lr": {"value": 0.5}, "flag": {"value": True}, "off": {"value": False},
                  "name": {"values": ["a b"]}}
    cases = {
        "${args}": ["--lr=0.5", "--flag=True", "--off=False", "--name=a b"],
        "${args_no_equals}": ["--lr", "0.5", "--flag", "True", "--off", "False", "--name", "a b"],
        "${args_no_hyphens}": ["lr=0.5", "flag=True", "off=False", "name=a b"],
        "${args_no_boolean_flags}": ["--lr=0.5", "--flag", "--name=a b"],
        "${args_append_hydra}": ["+lr=0.5", "+flag=True", "+off=False", "+name='a b'"],
        "${args_override_hydra}": ["++lr=0.5", "++flag=True", "++off=False", "++name='a b'"],
        "${args_json}": ['{"lr":0.5,"flag":true,"off":false,"name":"a b"}'],
        "<${args_no_boolean_flags}>": ["<--lr=0.5 --flag --name=a b>"],
        "x${env}y": ["x/usr/bin/envy"], "$${args}": ["${args}"],
    }
    with Home() as home, Daemon() as d:
        completed(d, d.submit(spec(home.script(TELLS), *cases, "${args_json_file}", "${run_id}",
                                   parameters=parameters, task={"python_values": True})))
        equal(printed(d)["argv"], [*[w for words in cases.values() for w in words],
                                   f"{d.db}.runs/1/params.json", "1"])


def test_one_that_can_resume_goes_on_after_a_kill():
    """Whether it says again what it said, or goes on behind it."""
    goes_on_after_a_kill("2")
    goes_on_after_a_kill("0")


def goes_on_after_a_kill(back):
    with Home() as home, Daemon() as d:
        os.mkfifo(home.file("gate"))
        text = RESUMES.replace("ONE_BACK", back).replace("GATE", "3")
        sweep = d.submit(spec(home.script(text), task={"can_resume": True}))
        with open(home.file("gate"), "w", encoding="utf-8"):  # it is there, its third epoch not over
            until(d, lambda: d.sql("SELECT count(*) FROM curves"), [(2,)])
            points = d.sql("SELECT point, epoch, seconds FROM curves")
            d.signal_workers(signal.SIGKILL)
            os.unlink(home.file("gate"))
            # nobody else opens the gate, so until its death the program stands there
            until(d, lambda: len(home.read("attempts").splitlines()), 2)
        completed(d, sweep)
        equal(home.read("attempts").splitlines(), ["1 0 9", "1 3 9"])
        # what it says again of epochs that are known changes nothing, and nothing is missing
        equal(d.sql("SELECT point, epoch, seconds FROM curves WHERE point <= 2"), points)
        equal([x for x, in d.sql("SELECT epoch FROM curves ORDER BY point")], [*range(1, 10)])
        equal(d.sql("SELECT metric_value FROM runs"), [(3,)])
        equal(d.sql("SELECT count(*) FROM events WHERE kind = 'nondeterminism'"), [(0,)])
        d.call("delete", sweep=sweep)
        until(d, lambda: os.path.exists(f"{d.db}.runs/1"), False)


HALVING = {"type": "successive_halving", "min_iter": 2, "eta": 2, "lag": 1, "startup": 1}


def test_rungs_of_one_that_can_resume():
    with Home() as home, Daemon(workers=1) as d:
        text = RESUMES.replace("ONE_BACK", "0").replace("GATE", "99")
        sweep = d.submit(spec(home.script(text), task={"can_resume": True}, epochs=8,
                              parameters={"n": {"values": [1, 2, 3, 4]}}, early_terminate=HALVING))
        completed(d, sweep)
        best = d.sql("SELECT id FROM runs WHERE status = 'completed' ORDER BY id LIMIT 1")[0][0]
        check(d.sql("SELECT count(*) FROM runs WHERE status = 'stopped'")[0][0] > 0)
        mine = [x.split()[1:] for x in home.read("attempts").splitlines() if x.split()[0] == str(best)]
        equal(mine, [["0", "2"], ["2", "4"], ["4", "8"]], "each goes on where it was")
        equal(d.sql("SELECT count(*), max(epoch) FROM curves WHERE run_id = ?", best), [(8, 8)])


def test_rungs_of_one_that_cannot():
    with Home() as home, Daemon(workers=1) as d:
        sweep = d.submit(spec(home.script(ANEW), epochs=8, early_terminate={**HALVING, "every": 3},
                              parameters={"n": {"values": [1, 2, 3, 4]}}))
        completed(d, sweep)
        best = d.sql("SELECT id FROM runs WHERE status = 'completed' ORDER BY id LIMIT 1")[0][0]
        mine = [x.split()[1:] for x in home.read("attempts").splitlines() if x.split()[0] == str(best)]
        equal(mine, [["0", "2"], ["0", "5"], ["0", "8"]], "it is begun anew, to the next rung")
        equal(d.sql("SELECT max(epoch) FROM curves WHERE run_id = ?", best), [(9,)])
        for run_id, status in d.sql("SELECT id, status FROM runs WHERE status = 'stopped'"):
            check(d.sql("SELECT max(epoch) FROM curves WHERE run_id = ?", run_id)[0][0] in (2, 5))
        # where nothing is said of the rungs they are not each epoch, which would be very dear
        d.submit(spec(home.file("program"), early_terminate={"type": "median"}))
        stop = json.loads(d.sql("SELECT spec FROM sweeps WHERE id = 2")[0][0])["early_terminate"]
        equal(stop.get("eta"), 3, stop)


def test_the_stop_file_comes_before_the_signals():
    with Home() as home, Daemon() as d:
        sweep = d.submit(spec(home.script(STOPS), task={"stop_seconds": 600, "grace_seconds": 0.5}))
        until(d, lambda: os.path.exists(home.file("up")))
        d.call("cancel", sweep=sweep)
        until(d, lambda: os.path.exists(home.file("saw")))
        equal(d.wait(sweep)["status"], "cancelled")
        until(d, lambda: d.worker_pids(), [])


SOMETIMES = HEAD + r"""
n = json.loads(os.environ["SWEEPD_PARAMS"])["n"]
tell(**{"loss" if n % 2 else "val_los": n})
"""


def test_a_metric_once_and_one_that_some_runs_call_otherwise():
    with Home() as home, Daemon() as d:
        once = d.submit(spec(home.script(HEAD + "tell(loss=1)\n", "once")))
        some = d.submit(spec(home.script(SOMETIMES), parameters={"n": {"values": [1, 2, 3, 4]}}))
        most = d.submit(spec(home.file("program"), parameters={"n": {"values": [1, 2, 4, 6, 8]}}))
        completed(d, once)
        completed(d, some)
        equal(d.sql("SELECT number, status FROM runs WHERE sweep_id = ? ORDER BY number", some),
              [(0, "completed"), (1, "failed"), (2, "completed"), (3, "failed")])
        for text, in d.sql("SELECT error_text FROM runs WHERE status = 'failed'"):
            check('"loss"' in text and "reported: val_los" in text, text)
        reply = d.wait(most)
        check(reply["status"] == "held" and "4 of 5 runs failed alike (exited)" in reply["reason"], reply)


def test_a_log_is_followed_to_its_end():
    text = HEAD + r"""
home = os.path.dirname(sys.argv[0])
print("begins", flush=True)
open(home + "/gate").read()
for i in range(20000):
    print("line", i)
tell(loss=1)
"""
    with Home() as home, Daemon() as d:
        os.mkfifo(home.file("gate"))
        d.submit(spec(home.script(text)))
        until(d, lambda: d.call("log", run=1)["text"], "begins\n")
        with subprocess.Popen([SWEEPCTL, "--socket", d.socket, "log", "1", "-f"],
                              stdout=subprocess.PIPE, text=True) as follower:
            equal(follower.stdout.readline(), "begins\n")
            with open(home.file("gate"), "w", encoding="utf-8"):
                pass
            rest = follower.stdout.read()
        equal(follower.returncode, 0)
        check(rest.endswith("line 19998\nline 19999\n"), rest[-200:])


def test_a_long_log_has_both_its_ends():
    """Whole characters, though the pieces in which it is asked for end anywhere."""
    text = HEAD + r"""
print("begins")
for i in range(20000):
    print("Zeile %d: äöü€😀" % i)
tell(loss=1)
"""
    with Home() as home, Daemon() as d:
        completed(d, d.submit(spec(home.script(text))))
        log = d.ctl("log", 1, check=0).stdout
        check(log.startswith("begins\nZeile 0: äöü€😀\n"), log[:99])
        check(log.endswith("Zeile 19999: äöü€😀\n"), log[-99:])
        lines = log.splitlines()
        cut = next(i for i, line in enumerate(lines) if "bytes left out" in line)
        check(len(log.encode()) > 2 ** 17, len(log))
        bad = [x for x in lines[:cut - 1] + lines[cut + 2:] if not x.endswith("äöü€😀") and x != "begins"]
        equal(bad, [])


if __name__ == "__main__":
    run(test_folder_and_environment_of_the_submitter, test_without_a_word_the_daemons_own,
        test_words_of_every_kind, test_one_that_can_resume_goes_on_after_a_kill,
        test_rungs_of_one_that_can_resume, test_rungs_of_one_that_cannot,
        test_the_stop_file_comes_before_the_signals,
        test_a_metric_once_and_one_that_some_runs_call_otherwise, test_a_log_is_followed_to_its_end,
        test_a_long_log_has_both_its_ends)
