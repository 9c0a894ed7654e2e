"""What a run costs in processor time, daemon, workers and what forks them apart: of the trainer
(one epoch of 100 samples) and of a program that does nothing, two workers. A loaded machine makes
all of it dearer by a fifth or so: builds are compared in turn. Appends one JSON line a build to
tests/bench/results.jsonl.

usage: run_cost.py BUILD_DIR... [--runs N] [--tries N] [--dry]   (release builds)
Of each the least of all tries. Files go below TMPDIR: one in memory, or it is the file system that
is measured. The aim: 2.5 ms, which are 800 a second on two cores.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))


def trainer(sweepd, daemon, runs):
    return {"name": "one-epoch", "method": "random", "run_cap": runs, "epochs": 1, "seed": 1,
            "repeat_share": 0,
            "data": {"path": sweepd.make_data(daemon.home, samples=200), "format": "idx",
                     "limit": 120, "validation": 20},
            "model": {"width": 16, "depth": 1},
            "parameters": {"learning_rate": {"min": 1e-4, "max": 1e-1,
                                             "distribution": "log_uniform_values"}}}


def program(sweepd, daemon, runs):
    return {"name": "nothing", "method": "random", "run_cap": runs, "epochs": 1, "seed": 1,
            "repeat_share": 0, "metric": {"name": "loss", "goal": "minimize"},
            "task": {"command": [os.path.join(sweepd.BUILD, "tests", "bench", "tells_one")]},
            "parameters": {"x": {"min": 0.0, "max": 1.0}}}


def stat(pid):
    """Milliseconds of the process itself, and of its children that have ended."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    tick = 1000 / os.sysconf("SC_CLK_TCK")
    return [tick * (int(fields[i]) + int(fields[i + 1])) for i in (11, 13)]


def used(pid):
    """The same, and of those that start workers and live."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        servers = [int(x) for x in f.read().split()]
    return [*stat(pid), sum(stat(x)[0] for x in servers)]


def one_try(runs):
    """In a process of its own, for the library has one build."""
    import sweepd  # pylint: disable=import-outside-toplevel
    out = {}
    for make in (trainer, program):
        with sweepd.Daemon(workers=2) as d:
            d.wait(d.submit(make(sweepd, d, 50)))
            begin = used(d.process.pid)
            ended = d.wait(d.submit(make(sweepd, d, runs)))
            assert ended["status"] == "completed", ended
            out[make.__name__] = [round((b - a) / runs, 3)
                                  for a, b in zip(begin, used(d.process.pid))]
    print(json.dumps(out))


def main():
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument("builds", nargs="+")
    p.add_argument("--runs", type=int, default=1000)
    p.add_argument("--tries", type=int, default=3)
    p.add_argument("--dry", action="store_true")
    p.add_argument("--one-try", action="store_true", help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.one_try:
        return one_try(a.runs)
    tries = {b: [] for b in a.builds}
    for _ in range(a.tries):
        for build in a.builds:
            text = subprocess.run([sys.executable, "-B", __file__, build, "--one-try",
                                   "--runs", str(a.runs)], check=True, stdout=subprocess.PIPE,
                                  env={**os.environ, "BUILD": os.path.abspath(build)}).stdout
            tries[build].append(json.loads(text))
    for build in a.builds:
        line = {"bench": "run_cost", "unit": "ms of processor time a run", "aim": "<= 2.5",
                "runs": a.runs, "tries": a.tries}
        for kind in ("trainer", "program"):
            best = min((t[kind] for t in tries[build]), key=sum)
            line[kind] = {"daemon": best[0], "workers": best[1], "fork_server": best[2],
                          "all": round(sum(best), 3)}
        line.update(load=round(os.getloadavg()[0], 1), cores=os.cpu_count())
        print(json.dumps(line), flush=True)
        if not a.dry:
            with open(os.path.join(HERE, "results.jsonl"), "a", encoding="utf-8") as f:
                f.write(json.dumps(line) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
