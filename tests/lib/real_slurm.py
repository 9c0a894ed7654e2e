"""A Slurm of the test's own on this machine: munged, slurmctld and a few slurmd below one folder, on
ports of their own. Nothing of the system's is touched."""
import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time

from tap import Skip, until

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel")
PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"

CONF = """ClusterName=test
SlurmctldHost={host}(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket={root}/munge/sock
CredType=cred/munge
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={port}
SlurmctldPidFile={root}/run/ctld.pid
SlurmdPidFile={root}/run/%n.pid
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool/%n
SlurmctldLogFile={root}/log/ctld.log
SlurmdLogFile={root}/log/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=1
SlurmdParameters=config_overrides
ReturnToService=2
MinJobAge=300
KillWait=5
SlurmctldTimeout=30
SlurmdTimeout=30
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
"""


def require():
    missing = [name for name in NEEDED if not shutil.which(name, path=PATH)]
    if missing:
        raise Skip(f"no {', '.join(missing)} here (Debian: slurmctld slurmd slurm-client munge)")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Slurm:
    """Nodes n1, n2, … of so many processors; partitions low (its jobs are put back into the queue
    by those of high) and high."""

    def __init__(self, root, nodes=2, processors=2, more=""):
        self.root, self.more = root, more  # more: lines of slurm.conf
        self.nodes = [f"n{i + 1}" for i in range(nodes)]
        self.processors = processors
        self.conf = os.path.join(root, "slurm.conf")
        self.running = {}

    def environment(self):
        return {"SLURM_CONF": self.conf, "PATH": PATH}

    def call(self, *words, check=True):
        done = subprocess.run(words, env={**os.environ, **self.environment()}, text=True,
                              capture_output=True, timeout=60)
        if check and done.returncode != 0:
            raise AssertionError(f"{words}: {done.stderr}")
        return done.stdout

    def start_process(self, name, *words):
        with open(os.path.join(self.root, "log", f"{name}.out"), "ab") as log:
            self.running[name] = subprocess.Popen(
                words, env={**os.environ, **self.environment()}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)

    def start_controller(self):
        self.start_process("ctld", "slurmctld", "-D", "-f", self.conf)

    def start_node(self, node):
        self.start_process(node, "slurmd", "-D", "-f", self.conf, "-N", node)

    def signal(self, name, number):
        self.running[name].send_signal(number)

    def kill(self, name):
        self.signal(name, signal.SIGKILL)
        self.running.pop(name).wait()

    def wipe(self):
        """Its daemons forget all jobs; what these have started lives on."""
        for name in ("ctld", *self.nodes):
            self.kill(name)
        for folder in ("state", *(f"spool/{n}" for n in self.nodes)):
            shutil.rmtree(os.path.join(self.root, folder))
            os.mkdir(os.path.join(self.root, folder))
        self.start_controller()
        for node in self.nodes:
            self.start_node(node)

    def write_conf(self):
        host = socket.gethostname().split(".")[0]
        port, *ports = free_ports(1 + len(self.nodes))
        names = ",".join(self.nodes)
        lines = [f"NodeName={n} NodeHostname={host} NodeAddr=127.0.0.1 Port={p} "
                 f"CPUs={self.processors} State=UNKNOWN" for n, p in zip(self.nodes, ports)]
        lines.append(f"PartitionName=low Nodes={names} Default=YES MaxTime=1:00:00 PriorityTier=1 "
                     "GraceTime=5 State=UP")
        lines.append(f"PartitionName=high Nodes={names} MaxTime=1:00:00 PriorityTier=10 "
                     "PreemptMode=OFF State=UP")
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(CONF.format(host=host, root=self.root, user=getpass.getuser(), port=port))
            f.write("\n".join([*lines, self.more]) + "\n")

    def idle_nodes(self):
        return self.call("sinfo", "-h", "-N", "-t", "idle", "-o", "%N", check=False).split()

    def __enter__(self):
        for folder in ("state", "run", "log", "munge", *(f"spool/{n}" for n in self.nodes)):
            os.makedirs(os.path.join(self.root, folder))
        os.chmod(self.root, 0o755)
        os.chmod(os.path.join(self.root, "munge"), 0o755)
        key = os.path.join(self.root, "munge", "key")
        with open(key, "wb") as f:
            f.write(os.urandom(1024))
        os.chmod(key, 0o400)
        self.write_conf()
        munge = os.path.join(self.root, "munge")
        self.start_process("munged", "munged", "--foreground", "--force", "--key-file", key,
                           "--socket", munge + "/sock", "--pid-file", munge + "/pid",
                           "--log-file", munge + "/log", "--seed-file", munge + "/seed")
        until(lambda: os.path.exists(munge + "/sock"), "munged is there")
        self.start_controller()
        for node in self.nodes:
            self.start_node(node)
        until(lambda: set(self.idle_nodes()) >= set(self.nodes), "the nodes are idle", 120)
        return self

    def __exit__(self, *exc):
        with contextlib.suppress(Exception):
            self.call("scancel", "--user", getpass.getuser(), check=False)
            deadline = time.monotonic() + 20
            while self.call("squeue", "-h", check=False).strip() and time.monotonic() < deadline:
                time.sleep(0.2)
        for name in list(self.running):
            self.kill(name)
        for pid in self.steps():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def processes(self, file, word, *settings):
        """Those of this Slurm, with that word in that file of proc(5), and such an environment."""
        found, wanted = [], {s.encode() for s in (f"SLURM_CONF={self.conf}", *settings)}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/{file}", encoding="utf-8", errors="replace") as f:
                    text = f.read()
                with open(f"/proc/{pid}/environ", "rb") as f:
                    environment = set(f.read().split(b"\0"))
                if word in text and wanted <= environment:
                    found.append(int(pid))
        return found

    def steps(self):
        """Of its jobs: nobody's children once their node's daemon was killed."""
        return self.processes("comm", "slurmstepd")

    def processes_of(self, job, word):
        """Of a task of an array, with that word on its command line."""
        array, task = job.split("_")
        return self.processes("cmdline", word, f"SLURM_ARRAY_JOB_ID={array}",
                              f"SLURM_ARRAY_TASK_ID={task}")
