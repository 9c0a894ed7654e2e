"""sbatch, squeue and scancel without a cluster: a folder is the controller's memory, and a job is a
process of this machine. Called by one of those names this file is that command; imported, it is the
cluster as a test sees it, with everything that goes wrong on one."""
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time

COMMANDS = ("sbatch", "squeue", "scancel")
UNREACHABLE = "Unable to contact slurm controller (connect failure)"


class Memory:
    """The folder. What changes it holds its lock: commands run side by side."""

    def __init__(self, root):
        self.root = root

    def path(self, *names):
        return os.path.join(self.root, *names)

    @contextlib.contextmanager
    def lock(self):
        with open(self.path("lock"), "a") as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            yield

    def read(self, *names, default=""):
        try:
            with open(self.path(*names), encoding="utf-8") as f:
                return f.read()
        except OSError:
            return default

    def write(self, text, *names):
        with open(self.path(*names) + ".tmp", "w", encoding="utf-8") as f:
            f.write(str(text))
        os.replace(self.path(*names) + ".tmp", self.path(*names))

    def jobs(self):
        with contextlib.suppress(FileNotFoundError):
            return sorted(os.listdir(self.path("jobs")), key=lambda j: list(map(int, j.split("_"))))
        return []

    def job(self, job):
        return json.loads(self.read("jobs", job, "job") or "{}")

    def put_job(self, job, **changes):
        self.write(json.dumps({**self.job(job), **changes}), "jobs", job, "job")

    def pid(self, job):
        return int(self.read("jobs", job, "pid") or 0)

    def tick(self):
        """What a scheduler does now and then: jobs that ended are seen to have, others begin."""
        running = 0
        for job in self.jobs():
            j = self.job(job)
            if j["state"] == "RUNNING" and self.read("jobs", job, "exit"):
                self.end(job, j)
            running += self.job(job)["state"] == "RUNNING"
        room = int(self.read("slots", default="1000") or 0) - running
        for job in self.jobs():
            if room > 0 and self.job(job)["state"] == "PENDING" and not self.job(job).get("held"):
                self.begin(job)
                room -= 1

    def end(self, job, j):
        status = self.read("jobs", job, "exit")
        after = j.get("after", "COMPLETED" if status == "0" else "FAILED")
        os.remove(self.path("jobs", job, "exit"))
        if after == "REQUEUE":
            self.put_job(job, state="PENDING", restarts=j["restarts"] + 1, after="COMPLETED")
        else:
            self.put_job(job, state=after)

    def tell(self, *words):
        """To whoever plays the jobs: many_pilots.py."""
        with open(self.path("events"), "a", encoding="utf-8") as f:
            f.write(" ".join(map(str, words)) + "\n")

    def begin(self, job):
        j = self.job(job)
        self.put_job(job, state="RUNNING")
        if self.read("played"):
            self.tell("begin", job, j["restarts"])
            return
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.path("jobs", job, "pid"))
        if os.fork() == 0:
            run_step(self, job, j)
        os.wait()
        while not self.pid(job):
            time.sleep(0.001)


def run_step(memory, job, j):
    """In a process of its own: starts the script and waits for its end."""
    os.setsid()
    if os.fork() != 0:
        os._exit(0)
    array, task = job.split("_")
    log = os.open(j["output"].replace("%A", array).replace("%a", task),
                  os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    null = os.open(os.devnull, os.O_RDWR)
    for fd, to in ((null, 0), (log, 1), (log, 2)):
        os.dup2(fd, to)
    os.closerange(3, 1000)
    environment = {**os.environ, "SLURM_ARRAY_JOB_ID": array, "SLURM_ARRAY_TASK_ID": task,
                   "SLURM_JOB_ID": str(int(array) + int(task))}
    if j["restarts"]:
        environment["SLURM_RESTART_COUNT"] = str(j["restarts"])
    step = subprocess.Popen([j["script"]], env=environment, start_new_session=True)
    memory.write(step.pid, "jobs", job, "pid")
    memory.write(step.wait(), "jobs", job, "exit")
    os._exit(0)


# --- the commands ---------------------------------------------------------------------------------

def options_of(arguments):
    options, words = {}, []
    for a in arguments:
        if a.startswith("--"):
            name, _, value = a[2:].partition("=")
            options[name] = value
        else:
            words.append(a)
    return options, words


def sbatch(memory, options, words):
    refusal = memory.read("refuse")
    if refusal:
        sys.exit(f"sbatch: error: Batch job submission failed: {refusal}")
    first, last = map(int, options["array"].split("-"))
    number = int(memory.read("next", default="1"))
    memory.write(number + last + 1, "next")
    memory.write(memory.read("calls") + json.dumps([options, words]) + "\n", "calls")
    for task in range(first, last + 1):
        os.makedirs(memory.path("jobs", f"{number}_{task}"))
        memory.put_job(f"{number}_{task}", name=options["job-name"], state="PENDING", restarts=0,
                       script=words[-1], output=options["output"], options=options)
    memory.tick()
    print(number)


def squeue(memory, options, words):
    names = options["name"].split(",")
    memory.tick()
    for job in memory.jobs():
        j = memory.job(job)
        if j["name"] in names and not j.get("forgotten"):
            print(f"{job}|{j.get('shown', j['state'])}|{j['name']}|None")


def scancel(memory, options, words):
    memory.tick()
    for job in memory.jobs():
        j = memory.job(job)
        if j["name"] != options.get("name") or options.get("state", j["state"]) != j["state"]:
            continue
        if j["state"] == "PENDING":
            memory.put_job(job, state="CANCELLED")
        elif j["state"] == "RUNNING":
            memory.put_job(job, after="CANCELLED")
            if memory.read("played"):
                memory.tell("term", job)
            else:
                os.kill(memory.pid(job), signal.SIGTERM)


def main():
    memory = Memory(os.environ["FAKE_SLURM"])
    if memory.read("down"):
        sys.exit(f"{sys.argv[0]}: error: {UNREACHABLE}")
    with memory.lock():
        {"sbatch": sbatch, "squeue": squeue, "scancel": scancel}[os.path.basename(sys.argv[0])](
            memory, *options_of(sys.argv[1:]))


# --- as a test sees it ----------------------------------------------------------------------------

class Cluster:
    def __init__(self, home):
        self.root = os.path.join(home, "fake-slurm")
        self.bin = os.path.join(self.root, "bin")
        os.makedirs(os.path.join(self.root, "jobs"))
        os.makedirs(self.bin)
        for name in COMMANDS:
            path = os.path.join(self.bin, name)
            with open(path, "w", encoding="utf-8") as f:
                f.write(f"#!/bin/sh\nexec {sys.executable} -SE "
                        f"{os.path.join(self.bin, '.fake', name)} \"$@\"\n")
            os.chmod(path, 0o700)
        os.makedirs(os.path.join(self.bin, ".fake"))
        for name in COMMANDS:
            os.symlink(os.path.abspath(__file__), os.path.join(self.bin, ".fake", name))
        self.memory = Memory(self.root)

    def environment(self):
        return {"FAKE_SLURM": self.root, "PATH": self.bin + os.pathsep + os.environ["PATH"]}

    def states(self):
        return {job: self.memory.job(job)["state"] for job in self.memory.jobs()}

    def running(self):
        """Jobs whose process lives, or that are played."""
        return [job for job, state in self.states().items()
                if state == "RUNNING" and not self.memory.read("jobs", job, "exit")]

    def pid(self, job):
        return self.memory.pid(job)

    def set(self, name, text):
        self.memory.write(text, name)

    def put(self, job, **changes):
        with self.memory.lock():
            self.memory.put_job(job, **changes)

    def signal(self, job, number):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid(job), number)

    def preempt(self, job):
        """A job of higher rank wants its place: it is told to end, and begins again later."""
        self.put(job, after="REQUEUE")
        self.signal(job, signal.SIGTERM)

    def fail_node(self, job):
        """It is gone at once, and begins again elsewhere."""
        self.put(job, after="REQUEUE")
        self.signal(job, signal.SIGKILL)

    def time_out(self, job):
        """It is warned, and over."""
        self.put(job, after="TIMEOUT")
        self.signal(job, signal.SIGUSR1)

    def kill_all(self):
        for job in self.running():
            self.signal(job, signal.SIGKILL)


if __name__ == "__main__":
    main()
