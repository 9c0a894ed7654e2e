"""One run that is a program of one's own, supervised by sweep-worker as the daemon starts it: stdout is
run.jsonl, locked."""
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile

from sweepd import TIMEOUT_SECONDS, WORKER
from tap import check, equal

TELL = """
import json, os, sys
out = os.fdopen(int(os.environ["SWEEPD_METRICS_FD"]), "w", 1)
def tell(**metrics):
    out.write(json.dumps(metrics) + "\\n")
"""


class Run:
    """One run's folder and its supervisor."""

    def __init__(self, program, *arguments, config=None, name="program", python=True):
        self.home = os.path.realpath(tempfile.mkdtemp(prefix="sweepd-command-"))
        self.folder = os.path.join(self.home, "7")
        os.mkdir(self.folder)
        path = os.path.join(self.home, name)
        if program is not None:
            with open(path, "w", encoding="utf-8") as f:
                f.write(f"#!{sys.executable}\n{TELL}{program}" if python else program)
            os.chmod(path, 0o700)
        config = {"version": 1, "task": "command", "command": [path, *arguments],
                  "metric": {"name": "loss"}, "epochs": 3, "seed": "18446744073709551615",
                  "run_id": 7, **(config or {})}
        self.config = os.path.join(self.folder, "config.json")
        with open(self.config, "w", encoding="utf-8") as f:
            json.dump(config, f)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.home)

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, stdout=None, **more):
        with open(stdout or self.path("run.jsonl"), "ab") as out, \
                open(self.path("stderr"), "ab") as err:
            if not stdout:
                fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return subprocess.Popen([WORKER, self.config], stdin=subprocess.DEVNULL, stdout=out,
                                    stderr=err, start_new_session=True, **more)

    def finish(self):
        """(exit status, points, result)"""
        status = self.start().wait(TIMEOUT_SECONDS)
        check(not self.locked(), "the lock is free")
        lines = self.lines()
        equal(lines[0]["type"], "start")
        equal(lines[-1]["type"], "result", lines)
        return status, lines[1:-1], lines[-1]

    def lines(self):
        with open(self.path("run.jsonl"), encoding="utf-8") as f:
            return [json.loads(x) for x in f]

    def locked(self):
        with open(self.path("run.jsonl"), "rb") as f:
            try:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return False
            except BlockingIOError:
                return True

    def stderr(self):
        with open(self.path("stderr"), "rb") as f:
            return f.read()
