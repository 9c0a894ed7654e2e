"""The searches of target.py, and configurations trained again. What has been done is kept."""
import concurrent.futures
import contextlib
import itertools
import json
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import sweepd  # noqa: E402
from sweepd import Daemon, RpcError  # noqa: E402

sweepd.TIMEOUT_SECONDS = 3600
STARTED = time.monotonic()
PEER = os.path.join(HERE, "target_peer.py")
REPEATS = [1001, 1002, 1003]


class OutOfTime(Exception):
    pass


def finite(value):
    return value if isinstance(value, (int, float)) and math.isfinite(value) else None


# --- what is kept --------------------------------------------------------------------------------

class Bench:
    """A task with one seed: what was found out about it so far, a file each."""

    FAR = 0.25  # a configuration whose first repeat is so much worse is not repeated again

    def __init__(self, folder, task, seed, options):
        self.folder, self.task, self.seed, self.options = folder, task, seed, options
        both = getattr(options, "side_by_side", False)
        self.at_once = options.workers * (2 if both else 1)  # when repeated
        os.makedirs(folder, exist_ok=True)
        self.keep("task", task)

    def path(self, name):
        return os.path.join(self.folder, name + ".json")

    def has(self, name):
        return os.path.exists(self.path(name))

    def load(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return json.load(f)

    def keep(self, name, what):
        with open(self.path(name) + ".new", "w", encoding="utf-8") as f:
            json.dump(what, f)
        os.rename(self.path(name) + ".new", self.path(name))

    def kept(self, name, make, seconds):
        if not self.has(name):
            left = 60 * self.options.minutes - (time.monotonic() - STARTED)
            if seconds > left:
                raise OutOfTime(f"{name} takes {seconds:.0f} s, {max(left, 0):.0f} are left")
            print(f"{self.task['name']}, seed {self.seed}: {name}", flush=True)
            self.keep(name, make())
        return self.load(name)

    def repeated(self, side, keys, seeds=len(REPEATS)):
        """For each configuration, what each of the first so many seeds came to."""
        ours = side in ("ours", "slowed")
        name = "repeats-" + ("sweepd" if ours else "torch")
        done = self.load(name) if self.has(name) else {}
        jobs = [(key, seed) for key in dict.fromkeys(keys) for seed in REPEATS[:seeds]
                if f"{seed} {key}" not in done]
        run = repeat_ours if ours else repeat_peer
        portion = 4 * self.at_once
        for i in range(0, len(jobs), portion):
            if time.monotonic() - STARTED > 60 * self.options.minutes:
                raise OutOfTime("no time is left for repeats")
            part = jobs[i:i + portion]
            for (key, seed), result in zip(part, run(self, part)):
                done[f"{seed} {key}"] = result
            self.keep(name, done)
        return [[done[f"{seed} {key}"] for seed in REPEATS[:seeds]] for key in keys]

    def slower(self):
        """How many times as long PyTorch takes for an epoch, by batch size."""
        sizes = self.task["parameters"]["batch_size"]["values"]
        return self.kept("slower", lambda: {str(b): slower_at(self, b) for b in sizes}, 60)

    def versions(self):
        def make():
            import optuna
            import torch
            return {"optuna": optuna.__version__, "torch": torch.__version__}
        return self.kept("versions", make, 0)


# --- Optuna with PyTorch -------------------------------------------------------------------------

def peer_process(bench, *arguments):
    return subprocess.Popen([sys.executable, PEER, arguments[0], bench.path("task"),
                             *map(str, arguments[1:])], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)


def peer_points(process, start, end, found):
    for line in process.stdout:
        p = json.loads(line)
        if p["at"] > end:
            break
        run = str(p["run"])
        found["configurations"].setdefault(run, json.dumps(p["parameters"], sort_keys=True))
        found["points"].append((p["at"] - start, run, finite(p["value"])))


def search_peer(bench, rule, begin=lambda: None):
    """Data is loaded and PyTorch imported before the clock starts: with begin."""
    import optuna
    seconds, n = bench.task["seconds"], bench.options.workers
    with contextlib.suppress(FileNotFoundError):
        os.remove(os.path.join(bench.folder, rule + ".db"))
    storage = f"sqlite:///{bench.folder}/{rule}.db"
    found = {"seconds": seconds, "configurations": {}, "points": [], "load": [os.getloadavg()[0]]}
    optuna.create_study(study_name="target", storage=storage)  # the tables, before they are shared
    processes = [peer_process(bench, "search", storage, rule, bench.seed, seconds, i)
                 for i in range(n)]
    try:
        for p in processes:
            if p.stdout.readline() != "ready\n":
                raise RuntimeError("a process of the peer's did not come up")
        begin()
        start = time.monotonic()
        for p in processes:
            p.stdin.write("go\n")
            p.stdin.flush()
        readers = [threading.Thread(target=peer_points, args=(p, start, start + seconds, found))
                   for p in processes]
        for r in readers:
            r.start()
        time.sleep(seconds)
    finally:
        for p in processes:
            p.kill()
            p.wait()
    for r in readers:
        r.join()
    found["load"].append(os.getloadavg()[0])
    found["points"].sort()
    found["runs"] = len(found["configurations"])
    best = min((p for p in found["points"] if p[2] is not None), key=lambda p: p[2], default=None)
    found["winner"] = best and found["configurations"][best[1]]
    return found


def peer_answers(process, jobs, epochs):
    """One process's share, one after the other."""
    for key, seed in jobs:
        process.stdin.write(json.dumps({"parameters": json.loads(key), "seed": seed,
                                        "epochs": epochs}) + "\n")
    process.stdin.close()
    return [json.loads(line) for line in process.stdout]


def repeat_peer(bench, jobs, epochs=None):
    n = min(bench.at_once, len(jobs))
    processes = [peer_process(bench, "repeat") for _ in range(n)]
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        shares = list(pool.map(lambda i: peer_answers(processes[i], jobs[i::n],
                                                      epochs or bench.task["epochs"]), range(n)))
    if any(p.wait() != 0 for p in processes):
        raise RuntimeError("PyTorch failed at a repeat")
    return [shares[i % n][i // n] for i in range(len(jobs))]


# --- ours ----------------------------------------------------------------------------------------

def specification(bench, **more):
    task = bench.task
    files = task["files"]
    data = {"format": "npy", "task": "regression" if task["regression"] else "classification"}
    for part, prefix in (("train", ""), ("validation", "validation_"), ("test", "test_")):
        data[prefix + "path"], data[prefix + "target_path"] = files[part]
    model = {"type": task["model"]}
    if task["model"] == "lstm":
        model.update(dense_before=0, dense_after=0)
    return {"name": task["name"], "metric": {"name": "val_loss", "goal": "minimize"}, "data": data,
            "model": model, "parameters": task["parameters"], "epochs": task["epochs"], **more}


class Listener(threading.Thread):
    """Notes when each point of a sweep is told."""

    def __init__(self, d):
        super().__init__(daemon=True)
        self.connection = d.connect()
        self.connection.call("watch")
        self.points, self.batch_sizes, self.ended = [], {}, threading.Event()

    def run(self):
        with contextlib.suppress(OSError, ValueError):
            while line := self.connection.line():
                self.take(json.loads(line), time.monotonic())

    def finish(self):
        self.connection.socket.shutdown(socket.SHUT_RDWR)
        self.join()
        self.connection.close()

    def take(self, message, now):
        p = message.get("params", {})
        if message.get("method") == "point":
            self.points.append((now, str(p["run"]), finite(p["val_loss"])))
        elif message.get("method") == "run_started":
            self.batch_sizes[str(p["run"])] = (p["params"] or {}).get("batch_size")
        elif message.get("method") == "sweep_ended" or p.get("status") == "held":
            self.ended.set()


def configuration(d, run, epochs):
    """Of a run, as a specification of one run from scratch to the end, without its seed."""
    (sweep,), = d.sql("SELECT sweep_id FROM runs WHERE id = ?", int(run))
    spec = json.loads(d.ctl("best", sweep, "--spec", "--run", run, check=0).stdout)
    for key in ("seed", "split_seed", "start_from", "name", "max_hours", "early_terminate",
                "warm_start"):
        spec.pop(key, None)
    return json.dumps({**spec, "epochs": epochs, "run_cap": 1}, sort_keys=True)


def winner_of(d):
    """The best mean over two seeds or more, of the last sweep that has one; else the best run."""
    rows = d.sql("SELECT run_id FROM best_configurations WHERE rank = 1 AND repetitions > 1"
                 " ORDER BY sweep_id DESC")
    rows = rows or d.sql("SELECT id FROM runs WHERE rank_key IS NOT NULL ORDER BY rank_key, id")
    return str(rows[0][0]) if rows else None


def seeds_of(d, points):
    """(when, the run that had it first, metric) of each completed run whose configuration has two
    or more: it has ended with its last point."""
    ends = {run: at for at, run, _ in points}
    rows = d.sql("SELECT id, CASE kind WHEN 'repeat' THEN parent_id ELSE id END, metric_value"
                 " FROM runs WHERE status = 'completed' AND rank_key IS NOT NULL")
    rows = [(ends[str(run)], str(root), value) for run, root, value in rows if str(run) in ends]
    roots = [root for _, root, _ in rows]
    several = {root for root in set(roots) if roots.count(root) > 1}
    return sorted(row for row in rows if row[1] in several)


def collect(bench, d, start, points, seconds):
    """As search_peer has it."""
    epochs, best = bench.task["epochs"], math.inf
    points = sorted((at - start, run, v) for at, run, v in points if at - start <= seconds)
    found = {"seconds": seconds, "points": points, "configurations": {}}
    for _, run, value in points:
        if value is not None and value < best:
            best = value
            found["configurations"].setdefault(run, configuration(d, run, epochs))
    found["seeds"] = seeds_of(d, points)
    for _, root, _ in found["seeds"]:
        if root not in found["configurations"]:
            found["configurations"][root] = configuration(d, root, epochs)
    winner = winner_of(d)
    found["winner"] = winner and configuration(d, winner, epochs)
    found["runs"] = len({run for _, run, _ in points})
    return found


def search_ours(bench, side, begin=lambda: None):
    seconds = bench.task["seconds"]
    spec = specification(bench, **{"method": "coarse_to_fine", "max_hours": seconds / 3600,
                                   "run_cap": 2000, "seed": bench.seed, **bench.options.ours})
    slower = bench.slower() if side == "slowed" else None
    load = [os.getloadavg()[0]]
    arguments = held_worker(bench) if slower else ()
    with Daemon(workers=bench.options.workers, arguments=arguments) as d:
        listener = Listener(d)
        listener.start()
        with Slower(d, listener, slower):
            begin()
            start = time.monotonic()
            sweep = d.submit(spec)
            listener.ended.wait(start + seconds - time.monotonic())
            load.append(os.getloadavg()[0])
            if not listener.ended.is_set():
                with contextlib.suppress(RpcError):  # it ends in this moment
                    d.call("cancel", sweep=sweep)
                d.wait(sweep)
        found = collect(bench, d, start, list(listener.points), seconds)
        found["load"] = load
        listener.finish()
    return found


def repeat_ours(bench, jobs, more=None):
    with Daemon(workers=bench.at_once) as d:
        sweeps = [d.submit({**json.loads(key), "seed": seed, "name": "repeat", **(more or {})})
                  for key, seed in jobs]
        return [result_of(d, sweep) for sweep in sweeps]


def result_of(d, sweep):
    d.wait(sweep)
    (run, validation, test), = d.sql("SELECT id, val_loss, test_loss FROM runs WHERE sweep_id = ?",
                                     sweep)
    epochs = [s for s, in d.sql("SELECT seconds FROM curves WHERE run_id = ? ORDER BY point", run)]
    return {"validation": finite(validation), "test": finite(test),
            "seconds": sum(epochs) / max(len(epochs), 1)}


# --- held back -----------------------------------------------------------------------------------

def slower_at(bench, batch_size):
    """Of one middling configuration, as many at once as there are workers."""
    space, n = bench.task["parameters"], bench.options.workers
    p = {"learning_rate": 0.001, "batch_size": batch_size, "optimizer": "adam", "dropout": 0.1,
         "depth": space["depth"]["max"] // 2 + 1, "width": space["width"]["values"][1]}
    key = json.dumps(specification(bench, method="random", run_cap=1, repeat_share=0,
                                   parameters={k: {"values": [v]} for k, v in p.items()}))
    theirs = repeat_peer(bench, [(json.dumps(p), s) for s in range(n)], 3)
    ours = repeat_ours(bench, [(key, s) for s in range(n)], {"epochs": 3})
    return sum(r["seconds"] for r in theirs) / sum(r["seconds"] for r in ours)


def held_worker(bench):
    """A program that stops itself before it becomes the worker."""
    path = os.path.join(bench.folder, "held-worker")
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"#!/bin/sh\nkill -STOP $$\nexec '{sweepd.WORKER}' \"$@\"\n")
    os.chmod(path, 0o755)
    return ["--worker-program", path]


class Slower:
    """Workers run that many times as slowly: each begins stopped, runs for TURN, and stands for the
    rest. Without factors: they run as they are."""

    TURN = 0.01

    def __init__(self, d, listener, factors):
        self.d, self.listener, self.factors = d, listener, factors
        self.over = threading.Event()
        self.due = {}  # pid: when its next turn begins

    def __enter__(self):
        self.thread = threading.Thread(target=self.turns, daemon=True)
        if self.factors:
            self.thread.start()

    def __exit__(self, *exc):
        self.over.set()
        if self.factors:
            self.thread.join()

    def children(self):
        pid = self.d.process.pid
        pids = set()
        for task in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{task}/children") as f:
                pids.update(map(int, f.read().split()))
        return pids

    def factor(self, pid):
        """By the batch size of the run whose folder its command line names."""
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().decode(errors="replace")
        except OSError:
            return 1
        _, _, behind = words.partition(self.d.db + ".runs/")
        run = "".join(itertools.takewhile(str.isdigit, behind))
        size = self.listener.batch_sizes.get(run)
        return self.factors.get(str(size), 1) if behind else 1

    def turns(self):
        while not self.over.is_set():
            now = time.monotonic()
            with contextlib.suppress(OSError):
                for pid in self.children():
                    self.turn(pid, now)
            time.sleep(self.TURN / 2)
        for pid in self.children():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGCONT)

    def turn(self, pid, now):
        begins, ends, factor = self.due.get(pid, (0, 0, 0))
        with contextlib.suppress(OSError):
            if now >= begins:
                factor = max(self.factor(pid), 1)
                os.kill(pid, signal.SIGCONT)
                self.due[pid] = now + self.TURN * factor, now + self.TURN, factor
            elif now >= ends and factor > 1:
                os.kill(pid, signal.SIGSTOP)
