"""What a daemon costs that has thousands of runs on hundreds of slots of a cluster: the daemon, the
spool on disk and its database are real; Slurm is the tests' own, and its pilots are played by one
process (tests/lib/many_pilots.py) that does the file work of each, but for what it would compute.
In the middle the daemon is killed, and pilots are lost all the while. What is in the database at
the end is checked, not only counted. Appends one JSON line to tests/bench/results.jsonl.

usage: slurm_scale.py BUILD_DIR [--runs 10000] [--slots 500] [--seconds 2] [--die-every 200]
                      [--no-kill] [--dry]
A run takes up to --seconds; with every Nth its pilot is lost. --dry: nothing is appended.
"""
import argparse
import json
import os
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
if len(sys.argv) < 2:
    sys.exit(__doc__)
os.environ["BUILD"] = os.path.abspath(sys.argv[1])
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
import many_pilots  # noqa: E402
from fake_slurm import Cluster  # noqa: E402
from sweepd import Daemon  # noqa: E402
from tap import until  # noqa: E402


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid):
    """Its largest so far."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(x.split()[1]) for x in f if x.startswith("VmHWM")) / 1024


def files_below(path):
    return sum(len(files) + len(folders) for _, folders, files in os.walk(path))


class Watch(threading.Thread):
    """Looks at the daemon from outside, as a person would: how long `status` takes, how many pilots
    it knows; and how many files the spool has."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.daemon_seen, self.is_over = daemon, threading.Event()
        self.answers, self.files, self.pilots = [], 0, 0
        self.memory, self.cpu, self.cpu_before = 0, 0, 0

    def look(self):
        d = self.daemon_seen
        start = time.monotonic()
        clusters = d.call("status")["clusters"]
        self.answers.append(time.monotonic() - start)
        self.pilots = max([self.pilots] + [c["pilots_running"] for c in clusters])
        self.files = max(self.files, files_below(d.db + ".spool"))
        self.memory = max(self.memory, memory_mib(d.process.pid))
        self.cpu = cpu_seconds(d.process.pid)

    def run(self):
        while not self.is_over.wait(0.5):
            try:
                self.look()
            except OSError:
                pass  # it is killed and started

    def next_daemon(self):
        self.cpu_before += self.cpu
        self.cpu = 0


def restart(d, watch, pilots):
    """Killed; then how long it takes until it knows its pilots again."""
    d.kill()
    watch.next_daemon()
    start = time.monotonic()
    d.start()
    ready = time.monotonic() - start
    until(lambda: sum(c["pilots_running"] for c in d.call("status")["clusters"]) >= pilots,
          "the pilots are known again")
    return ready, time.monotonic() - start


def ended_runs(d):
    return d.sql("SELECT count(*) FROM runs WHERE status = 'completed'")[0][0]


def measure(given, d, cluster):
    watch = Watch(d)
    start = time.monotonic()
    watch.start()
    sweep = d.submit(many_pilots.spec(d.home, given.runs, given.slots))
    again = None
    if not given.no_kill:
        until(lambda: ended_runs(d) >= given.runs // 2, "half of them have ended", 3600)
        again = restart(d, watch, given.slots * 9 // 10)
    while True:
        try:
            ended = d.wait(sweep)
            break
        except OSError:
            pass
    seconds = time.monotonic() - start
    until(lambda: not d.call("status")["clusters"], "the pilots have gone", 600)
    left = files_below(d.db + ".spool")
    watch.is_over.set()
    watch.join()
    good, facts = many_pilots.stored(d, given.runs)
    answers = sorted(watch.answers)
    return good and ended["status"] == "completed" and left == 0, {
        "bench": "slurm_scale", "runs": given.runs, "slots": given.slots,
        "run_seconds": given.seconds, "seconds": round(seconds, 1),
        "runs_per_second": round(given.runs / seconds, 1), "pilots_at_once": watch.pilots,
        "daemon_cpu_seconds": round(watch.cpu + watch.cpu_before, 1),
        "daemon_memory_mib": round(watch.memory, 1), "spool_files_most": watch.files,
        "spool_files_left": left,
        "status_ms_median": round(1000 * answers[len(answers) // 2], 1),
        "status_ms_most": round(1000 * answers[-1], 1),
        "jobs": len(cluster.states()),
        "sbatch_calls": len(cluster.memory.read("calls").splitlines()),
        "restart_ready_seconds": again and round(again[0], 2),
        "restart_known_seconds": again and round(again[1], 2),
        "stored": facts, "cores": os.cpu_count(), "load": round(os.getloadavg()[2], 1)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--runs", type=int, default=10000)
    parser.add_argument("--slots", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--die-every", type=int, default=200)
    parser.add_argument("--no-kill", action="store_true")
    parser.add_argument("--dry", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sweepd-scale-") as home:
        d = Daemon(workers=1, home=home, arguments=("--slurm-seconds", "2"))
        cluster = Cluster(home)
        d.environment.update(cluster.environment())
        players = many_pilots.start(cluster, given.seconds, given.die_every)
        try:
            with d:
                good, line = measure(given, d, cluster)
        finally:
            players.kill()
            players.wait()
        print(json.dumps(line), flush=True)  # before all is removed, which takes its time
        if not given.dry:
            with open(os.path.join(HERE, "results.jsonl"), "a", encoding="utf-8") as f:
                f.write(json.dumps(line) + "\n")
    if not good:
        sys.exit("what is stored is wrong, or files were left in the spool")


if __name__ == "__main__":
    main()
