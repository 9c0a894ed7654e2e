"""The Python client: studies that are carried out by it, through kills, lost answers, forks and
threads; what a script has of it, under a sweep and alone; and the wheel."""
import glob
import json
import math
import multiprocessing
import os
import pickle
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from client_package import PACKAGE, sweepd  # noqa: E402
from sweepd import SOURCE, Daemon  # noqa: E402  (the tests' own module of that name)
from tap import Skip, check, equal, run, until  # noqa: E402

SPACE = {"lr": {"min": 0.001, "max": 1.0, "distribution": "log_uniform_values"},
         "layers": {"min": 1, "max": 8}, "kind": {"values": ["cnn", "mlp"]}}
RUNGS = {"type": "median", "min_iter": 1, "every": 1, "startup": 2, "lag": 2}


def score(params, epoch):
    return params["layers"] - abs(params["lr"] - 0.1) - 1 / epoch + (params["kind"] == "cnn")


def study_of(client, **more):
    return client.create_study(SPACE, **{"metric": "score", "direction": "maximize",
                                         "method": "random", "n_trials": 9, "epochs": 4, "seed": 5,
                                         **more})


def carry_out(trial):
    for epoch in range(1, trial.epochs + 1):
        trial.report(epoch, score=score(trial.params, epoch))
        if trial.should_stop():
            return
    trial.tell()


def undisturbed(**more):
    with Daemon(workers=1) as d, sweepd.Client(d.socket) as client:
        study = study_of(client, **more)
        for trial in client.trials(study):
            carry_out(trial)
        equal(study.status, "completed")
        return d.canonical()


class Proxy:
    """A socket before the daemon's. Every so-manieth answer is lost, with its connection, after the
    daemon has done what it was asked."""

    def __init__(self, d, lose_every=0):
        self.target, self.lose_every = d.socket, lose_every
        self.path = os.path.join(d.home, "proxy")
        self.answers, self.requests = 0, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, client):
        with client, socket.socket(socket.AF_UNIX) as daemon:
            daemon.connect(self.target)
            asks, answers = client.makefile("rb"), daemon.makefile("rb")
            for line in asks:
                self.requests.append(json.loads(line))
                daemon.sendall(line)
                answer = answers.readline()
                self.answers += 1
                if not answer or (self.lose_every and self.answers % self.lose_every == 0):
                    return
                client.sendall(answer)

    def count(self, method):
        return sum(r["method"] == method for r in list(self.requests))


def test_a_study():
    with Daemon(workers=1) as d, sweepd.Client(d.socket) as client:
        study = study_of(client)
        for trial in client.trials(study):
            check(isinstance(trial.params["layers"], int), trial.params)
            carry_out(trial)
            equal(trial.status, "completed")
            equal(trial.tell(), "completed", "again")
        equal(client.ask(study), None)
        rows = list(study.runs())
        equal([r["number"] for r in rows], list(range(9)))
        best = max(rows, key=lambda r: r["metric_value"])
        equal((study.best_value, study.best_params), (best["metric_value"], best["params"]))
        equal([r["rank"] for r in study.best(3)], [1, 2, 3])
        equal([p["epoch"] for p in client.curve(rows[0]["run_id"])], [1, 2, 3, 4])
        equal(study.wait()["status"], "completed")
        equal([s["id"] for s in client.sweeps()], [study.id])
        equal(client.study(study.id), study)


def test_names_of_optuna():
    """objective, optimize, report(value, step), should_prune, TrialPruned, ask and tell."""
    def objective(trial):
        for step in range(4):
            trial.report(score(trial.params, step + 1), step)
            if trial.should_prune():
                raise sweepd.TrialPruned()
        return score(trial.params, 4)

    with Daemon(workers=1) as d, sweepd.Client(d.socket) as client:
        study = study_of(client, n_trials=12, early_terminate=RUNGS)
        study.optimize(objective, n_trials=3)
        trial = study.ask()
        try:
            trial.suggest_float("lr", 0, 1)
        except sweepd.Unsupported as e:
            check("trial.params[NAME]" in str(e), e)
        else:
            raise AssertionError("suggested")
        study.tell(trial, 0.25)
        study.optimize(objective, n_jobs=3)
        statuses = [r["status"] for r in study.runs()]
        equal((len(statuses), set(statuses)), (12, {"completed", "stopped"}))


def test_several_objectives():
    """A list in their order, or by their names; the front."""
    with Daemon(workers=1) as d, sweepd.Client(d.socket) as client:
        study = client.create_study({"x": {"min": 0.0, "max": 1.0}}, n_trials=8, repeat_share=0,
                                    objectives=[{"name": "loss", "goal": "minimize"}, "latency"])
        study.optimize(lambda trial: (trial.params["x"], 1 - trial.params["x"]), n_trials=4)
        for trial in study:
            trial.tell(loss=trial.params["x"], latency=1 - trial.params["x"])
        front = study.front()
        equal(len(front), 8, "x and 1 - x: none betters another")
        for row in front:
            check(abs(row["objectives"]["latency"] - 1 + row["params"]["x"]) < 1e-12, row)


def test_an_objective_that_fails():
    def objective(trial):
        if trial.number == 1:
            raise MemoryError("no room")
        if trial.number == 2:
            raise KeyError("x")
        if trial.number == 3:
            raise sweepd.TrialPruned()
        return {"score": trial.number, "other": math.nan}

    with Daemon(workers=1) as d, sweepd.Client(d.socket) as client:
        study = study_of(client, n_trials=6)
        study.optimize(objective, catch=(MemoryError,), n_trials=2)
        try:
            study.optimize(objective)
        except KeyError:
            pass
        else:
            raise AssertionError("no exception")
        study.optimize(objective)
        equal([(r["status"], r["error_class"], r["metric_value"]) for r in study.runs()],
              [("completed", None, 0.0), ("failed", "out_of_memory", None),
               ("failed", "exited", None), ("failed", "exited", None), ("completed", None, 4.0),
               ("completed", None, 5.0)])


def test_the_same_through_lost_answers():
    """Every third answer is lost after its request was carried out."""
    with Daemon(workers=1) as d:
        proxy = Proxy(d)
        with sweepd.Client(proxy.path) as client:
            client.status()
            proxy.lose_every = 3
            study = study_of(client, study_name="lossy", early_terminate=RUNGS)
            equal(study_of(client, study_name="lossy", early_terminate=RUNGS), study)
            for trial in client.trials(study):
                carry_out(trial)
            proxy.lose_every = 0
            equal(study.status, "completed")
        equal(d.canonical(), undisturbed(name="lossy", early_terminate=RUNGS), "content")
        check(proxy.answers > 60, proxy.answers)


def test_the_same_through_kills_of_the_daemon():
    """Four threads; the daemon is killed three times beside them."""
    with Daemon(workers=1) as d, sweepd.Client(d.socket) as client:
        study = study_of(client, n_trials=24, early_terminate=RUNGS)
        points = []
        errors = []

        def work():
            try:
                for trial in client.trials(study):
                    carry_out(trial)
                    points.append(trial.number)
            except BaseException as e:
                errors.append(e)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for so_many in 3, 8, 14:
            until(lambda: len(points) >= so_many or errors, "trials")
            d.kill()
            d.start()
        for thread in threads:
            thread.join()
        equal(errors, [])
        equal(sorted(points), list(range(24)), "each once")
        equal(study.status, "completed")
        equal(d.canonical(), undisturbed(n_trials=24, early_terminate=RUNGS), "content")


def test_several_trials_in_one_thread():
    """They ask whether they may go on without waiting for each other."""
    with Daemon(workers=1) as d, sweepd.Client(d.socket) as client:
        study = study_of(client, early_terminate=RUNGS)
        open_trials = {}
        while True:
            while len(open_trials) < 3 and (trial := client.ask(study)):
                open_trials[trial] = 0
            if not open_trials:
                break
            for trial in list(open_trials)[::-1]:  # the latest first: it has to wait
                if trial.should_stop(wait=False):
                    del open_trials[trial]
                elif not trial.waiting and open_trials[trial] == trial.epochs:
                    trial.tell()
                    del open_trials[trial]
                elif not trial.waiting:
                    open_trials[trial] += 1
                    trial.report(open_trials[trial],
                                 score=score(trial.params, open_trials[trial]))
        equal(study.status, "completed")
        equal(d.canonical(), undisturbed(early_terminate=RUNGS), "content")


def test_points_behind_a_rung():
    """A trial that never asks whether it is to stop: what it reports while it waits comes later."""
    with Daemon(workers=1) as d, sweepd.Client(d.socket) as client:
        study = study_of(client, n_trials=3, early_terminate={**RUNGS, "startup": 1, "lag": 1})
        first, second, third = (client.ask(study) for _ in range(3))
        for epoch in range(1, 5):
            third.report(epoch, score=10 + epoch)
        check(third.waiting, third)
        equal([p["epoch"] for p in client.curve(third.run)], [1])
        teller = threading.Thread(target=third.tell)
        teller.start()
        carry_out(first)
        carry_out(second)
        teller.join()
        equal((first.status, third.status), ("completed", "completed"))
        equal([p["epoch"] for p in client.curve(third.run)], [1, 2, 3, 4])


def test_a_lease_is_kept_and_lost():
    with Daemon(workers=1) as d:
        proxy = Proxy(d)
        with sweepd.Client(proxy.path) as client:
            client._leases._interval = 0.01
            study = study_of(client, n_trials=2)
            trial = client.ask(study)
            until(lambda: proxy.count("report") > 3, "it is heard of")
            equal(trial.status, "running")
            client.cancel(run=trial.run)
            until(lambda: trial.status == "cancelled", "it hears of it")
            check(trial.should_stop(), "nothing more to do")
            equal(trial.tell(1), "cancelled", "nothing to tell")
        with sweepd.Client(d.socket, lease=1) as client:
            client._leases.end()  # as a machine that sleeps
            trial = client.ask(study)
            until(lambda: d.sql("SELECT status FROM runs WHERE id = ?", trial.run) != [("running",)],
                  "its lease ends")
            with warnings.catch_warnings(record=True) as seen:
                warnings.simplefilter("always")
                trial.report(1, score=1)
            equal((trial.status, trial.should_stop(), len(seen)), ("lost", True, 1), seen)
            equal(trial.tell(3), "lost")


def test_a_forgotten_trial_is_not_heard_of():
    with Daemon(workers=1) as d, sweepd.Client(d.socket) as client:
        client._leases._interval = 0.01
        study = study_of(client, n_trials=2)
        client.ask(study)  # and dropped
        until(lambda: client._leases._thread is None, "the thread has nothing to do")
        with client.ask(study) as trial:
            trial.report({"score": 1}, step=1)
        equal(trial.status, "completed")


def in_child(client, study, results):
    for trial in client.trials(study):
        carry_out(trial)
        results.put((os.getpid(), trial.number))


def test_processes():
    """Forked ones that have their parent's client, while its thread is at work, and new ones."""
    for how in "fork", "spawn":
        context = multiprocessing.get_context(how)
        with Daemon(workers=1) as d, sweepd.Client(d.socket) as client:
            client._leases._interval = 0.001
            study = study_of(client)
            own = client.ask(study)
            results = context.Queue()
            children = [context.Process(target=in_child, args=(client, study, results))
                        for _ in range(3)] if how == "fork" else []
            for child in children:
                child.start()
            carry_out(own)
            if how == "spawn":
                client, study = pickle.loads(pickle.dumps((client, study)))
                while trial := client.ask(study):
                    trial = pickle.loads(pickle.dumps(trial))
                    carry_out(trial)
            for child in children:
                child.join()
                equal(child.exitcode, 0)
            equal(study.wait()["status"], "completed")
            equal({r["status"] for r in study.runs()}, {"completed"})


def raises(kind, call, *arguments, **keys):
    try:
        reply = call(*arguments, **keys)
    except kind as e:
        return e
    raise AssertionError(f"no {kind.__name__}: {reply}")


def test_errors():
    with tempfile.TemporaryDirectory() as home:
        client = sweepd.Client(os.path.join(home, "none"))
        check("sweepctl start" in str(raises(sweepd.ConnectionFailed, client.status)))
    with Daemon(workers=1) as d, sweepd.Client(d.socket) as client:
        e = raises(sweepd.InvalidValue, study_of, client, method="bayes", n_trials=0)
        equal((e.error, e.key), ("invalid_value", e.problems[0]["key"]))
        check(len(e.problems) == 2 and isinstance(e, ValueError), e.problems)
        equal(pickle.loads(pickle.dumps(e)).problems, e.problems)
        raises(sweepd.UnknownKey, study_of, client, epohcs=3)
        raises(sweepd.NotFound, client.study, 99)
        study = study_of(client, n_trials=3)
        trial = client.ask(study)
        raises(sweepd.MissingKey, trial.tell)
        raises(TypeError, trial.report, 1)
        raises(TypeError, trial.report, 1, score="good")
        trial.report({"score": 1, "step": 2})
        raises(ValueError, trial.report, 2, score=1)
        raises(TypeError, trial.report, {"score": 1, "epoch": 2}, step=3)
        equal(trial.tell(math.nan), "completed")
        equal([r["metric_value"] for r in study.runs()][0], 1.0)
        study = study_of(client, method="tpe", n_trials=40)
        equal(study.enqueue({"lr": 0.5, "layers": 2, "kind": "cnn"}) > 0, True)
        study.cancel()
        raises(sweepd.WrongState, study.pause)
        plan = client.plan({"task": {"client": {}}, "method": "grid", "epochs": 1,
                            "metric": {"name": "x", "goal": "minimize"},
                            "parameters": {"a": {"values": [1, 2]}}})
        equal(plan["runs"], 2)
    raises(sweepd.Error, client.status)


def test_watch():
    with Daemon(workers=1) as d, sweepd.Client(d.socket) as client:
        study = study_of(client, n_trials=3)
        seen = []

        def watch():
            for event in client.watch(study):
                seen.append(event)

        watcher = threading.Thread(target=watch)
        watcher.start()
        trial, step = client.ask(study), 0
        while ("point", trial.run) not in [(e.kind, e.run) for e in seen]:
            step += 1
            trial.report(step, score=step)
        trial.tell()
        d.kill()
        d.start()
        until(lambda: "reconnected" in [e.kind for e in seen], "it watches again")
        for trial in client.trials(study):
            carry_out(trial)
        watcher.join()
        kinds = [e.kind for e in seen]
        equal((kinds[-1], seen[-1].params["status"]), ("sweep_ended", "completed"))
        equal([e.kind for e in study.watch()], ["sweep_ended"])


SCRIPT = f"#!{sys.executable} -S" + r"""
import os, sys, sweepd
p = sweepd.params(lr=0.5, batch=8)
class Scalar:
    def item(self):
        return 0.25
assert p.batch == 8 and sweepd.seed(1) is not None
for epoch in range(1, (sweepd.epochs(2)) + 1):
    sweepd.log({"val/loss": p["lr"] / epoch, "t": Scalar()}, step=epoch)
sweepd.log(step=epoch + 1, x=float("nan"), word="no number", flag=True, **{"val/loss": 9})
print("stop", sweepd.should_stop(), sweepd.running())
"""


def test_a_script():
    """Alone it prints; under a sweep it has the run's parameters and reports them."""
    with tempfile.TemporaryDirectory() as home:
        path = os.path.join(home, "script.py")
        with open(path, "w", encoding="utf-8") as f:
            f.write(SCRIPT)
        os.chmod(path, 0o700)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SWEEPD_")}
        environment["PYTHONPATH"] = PACKAGE
        alone = subprocess.run([path], env=environment, capture_output=True, text=True, check=True)
        equal(alone.stdout, "step 1 val/loss 0.5 t 0.25\nstep 2 val/loss 0.25 t 0.25\n"
                            "step 3 x nan flag 1 val/loss 9\nstop False False\n")
        check("word: not logged" in alone.stderr, alone.stderr)
        with Daemon() as d, sweepd.Client(d.socket) as client:
            study = client.submit(
                {"task": {"command": [path], "environment": {"PYTHONPATH": PACKAGE}},
                 "metric": {"name": "val/loss", "goal": "minimize"}, "method": "grid", "epochs": 3},
                parameters={"lr": {"values": [0.1, 0.4]}})
            equal(study.wait()["status"], "completed", d.sql("SELECT error_text FROM runs"))
            equal([r["metric_value"] for r in study.best()], [0.1 / 3, 0.4 / 3])
            equal(d.sql("SELECT name, value FROM metrics WHERE run_id = 1 AND point = 4 "
                        "AND name <> 'step' ORDER BY name"),
                  [("flag", 1.0), ("val/loss", 9.0), ("x", "nan")])


def test_a_descriptor_that_is_not_ours():
    """A program that the run's own has started has the variable, but another file there."""
    with tempfile.TemporaryDirectory() as home:
        path = os.path.join(home, "precious")
        read, write = os.pipe()
        with open(path, "wb") as f:
            for fd, inode in (f.fileno(), ""), (write, "1"), (write, str(os.fstat(write).st_ino)):
                environment = {**os.environ, "PYTHONPATH": PACKAGE, "SWEEPD_PARAMS": "{}",
                               "SWEEPD_METRICS_FD": str(fd), "SWEEPD_METRICS_PIPE": inode}
                done = subprocess.run(
                    [sys.executable, "-c", "import sweepd; sweepd.log({'a': 1}, 2)"],
                    env=environment, pass_fds=[fd], capture_output=True, text=True, check=True)
                if inode not in ("", "1"):
                    equal((done.stdout, os.read(read, 99)), ("", b'{"a": 1, "step": 2}\n'))
                else:
                    equal(done.stdout, '::sweepd {"a": 1, "step": 2}\n')
        os.close(read)
        os.close(write)
        equal(os.path.getsize(path), 0)


def test_every_python_there_is():
    """What 3.9 and later cannot read is found by those that are there."""
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    found = {minor: path for minor in range(9, 15) for path in
             [shutil.which(f"python3.{minor}"), *glob.glob(f"{pyenv}/versions/3.{minor}.*/bin/python3")]
             if path}
    for path in found.values():
        done = subprocess.run([path, "-W", "error", "-c", "import sweepd; sweepd.log(a=1)"],
                              env={**os.environ, "PYTHONPATH": PACKAGE}, capture_output=True,
                              text=True)
        if "command not found" not in done.stderr:  # a shim without its version
            equal((done.returncode, done.stdout), (0, "a 1\n"), done.stderr)


def test_the_wheel():
    with open(os.path.join(PACKAGE, "pyproject.toml"), encoding="utf-8") as f:
        version = re.search(r'^version = "(.*)"$', f.read(), re.M).group(1)
    equal(sweepd.__version__, version)
    with open(os.path.join(SOURCE, "meson.build"), encoding="utf-8") as f:
        equal(re.search(r"version: '(.*?)'", f.read()).group(1), version, "the daemon's")
    python = os.environ.get("BUILD_PYTHON", sys.executable)
    there = subprocess.run([python, "-c", "import setuptools, wheel"], capture_output=True)
    if there.returncode != 0:
        raise Skip("setuptools and wheel are not there (BUILD_PYTHON names a python that has them)")
    with tempfile.TemporaryDirectory() as home:
        shutil.copytree(PACKAGE, os.path.join(home, "source"))
        done = subprocess.run([python, "-c", "import setuptools.build_meta as b; "
                               "print(b.build_wheel('..'))"], cwd=os.path.join(home, "source"),
                              capture_output=True, text=True)
        equal(done.returncode, 0, done.stderr)
        wheel = os.path.join(home, f"sweepd-{version}-py3-none-any.whl")
        check(os.path.exists(wheel), os.listdir(home))
        done = subprocess.run([sys.executable, "-c", "import sweepd; print(sweepd.__file__)"],
                              env={**os.environ, "PYTHONPATH": wheel}, capture_output=True,
                              text=True, cwd=home)
        check(done.stdout.startswith(wheel), done.stdout + done.stderr)


if __name__ == "__main__":
    run(test_a_study, test_names_of_optuna, test_several_objectives, test_an_objective_that_fails,
        test_the_same_through_lost_answers, test_the_same_through_kills_of_the_daemon,
        test_several_trials_in_one_thread, test_points_behind_a_rung,
        test_a_lease_is_kept_and_lost, test_a_forgotten_trial_is_not_heard_of, test_processes,
        test_errors, test_watch, test_a_script, test_a_descriptor_that_is_not_ours,
        test_every_python_there_is, test_the_wheel)
