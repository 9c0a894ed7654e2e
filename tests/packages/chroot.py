"""The Debian packages in a bare Debian, by one command (as root, with debootstrap; minutes):

    [SAMPLES=N] python3 -B tests/packages/chroot.py DEBS [FOLDER] [SUITE]

DEBS: what dist/debian/build made. FOLDER: where the Debian is made (a temporary one); a Debian that is
there already is taken. SUITE: bookworm. Shows that the packages install, that the demo's sweep runs, that
an upgrade and a killed daemon in the middle of the same sweep leave its workers alive and its content
as it was, that the Python client is there, and that what is removed leaves nothing behind.
"""
import glob
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from tap import check, equal, run, until  # noqa: E402

DEBS = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else None
FOLDER = os.path.abspath(sys.argv[2]) if len(sys.argv) > 2 else tempfile.mkdtemp(prefix="sweepd-root-")
SUITE = sys.argv[3] if len(sys.argv) > 3 else "bookworm"
USER, HOME = "tester", "/home/tester"
SECONDS = 7200  # where something never ends
SAMPLES = int(os.environ.get("SAMPLES", 0))  # of the demo's data, where all would take too long
MOUNTS = ("proc", "sys", "dev", "dev/pts")
# What apt, dpkg and systemd themselves keep of any package that was there.
TRACES = re.compile(r"^/(var/(lib/(dpkg|apt|systemd|pam|misc|python)|cache|log)|etc/(ld\.so\.cache|"
                    r"\.pwd\.lock|machine-id|(passwd|group|shadow|gshadow|subuid|subgid)-?$|ssl|alternatives|"
                    r"pam\.d|systemd|mailcap|rc.\.d)|home|tmp|run|proc|sys|dev|debs|root|boot)(/|$|\.)?")
state = {}


def inside(*command, user=None, ok=True, text=None):
    """Carries that out in the Debian; what it printed."""
    place = ["chroot"] + ([f"--userspec={user}:{user}"] if user else []) + [FOLDER]
    home = HOME if user else "/root"
    words = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": home, "LC_ALL": "C.UTF-8",
             "DEBIAN_FRONTEND": "noninteractive", "TERM": "dumb", "SWEEPD_WORKER_NICE": "0"}
    done = subprocess.run(place + list(map(str, command)), env=words, capture_output=True, text=True,
                          input=text, timeout=SECONDS, cwd="/")
    check(done.returncode == 0 or not ok, f"{command}: {done.stdout[-2000:]} {done.stderr[-2000:]}")
    return done.stdout


def ctl(*words, **options):
    return inside("sweepctl", *words, user=USER, **options)


def sql(query):
    path = FOLDER + HOME + "/.local/state/sweepd/sweeps.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        return connection.execute(query).fetchall()


def files():
    """Every path but those of other file systems."""
    done = subprocess.run(["find", FOLDER, "-xdev", "-printf", "/%P\\n"], capture_output=True,
                          text=True, check=True)
    return {path for path in done.stdout.split("\n") if path and not TRACES.match(path)}


def processes():
    """pid -> what it executes, of those that live in the Debian."""
    found = {}
    for root in glob.glob("/proc/[0-9]*/root"):
        try:
            if os.path.realpath(root) == FOLDER:
                pid = int(root.split("/")[2])
                found[pid] = os.readlink(f"/proc/{pid}/exe")
        except OSError:
            pass
    return found


def pid_of(name):
    return next((pid for pid, exe in processes().items() if f"/{name}" in exe), None)


def next_version(deb, folder):
    """The same package with a higher version: what an upgrade does to files it does to any."""
    tree = os.path.join(folder, "tree")
    shutil.rmtree(tree, ignore_errors=True)
    subprocess.run(["dpkg-deb", "-R", deb, tree], check=True)
    control = os.path.join(tree, "DEBIAN", "control")
    with open(control, encoding="utf-8") as f:
        text = re.sub(r"^(Version: .*)$", r"\1+next", f.read(), flags=re.M)
    with open(control, "w", encoding="utf-8") as f:
        f.write(text)
    made = os.path.join(folder, os.path.basename(deb).replace("_", "+next_", 1))
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b", tree, made], check=True,
                   stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return "/debs/" + os.path.basename(made)


def test_a_bare_debian():
    if not os.path.exists(os.path.join(FOLDER, "usr/bin/apt-get")):
        subprocess.run(["debootstrap", "--variant=minbase", SUITE, FOLDER], check=True,
                       stdout=subprocess.DEVNULL)
    os.chmod(FOLDER, 0o755)  # a temporary one is its maker's alone, and it is everybody's / there
    for name in MOUNTS:
        if not os.path.ismount(f"{FOLDER}/{name}"):
            subprocess.run(["mount", "--bind", f"/{name}", f"{FOLDER}/{name}"], check=True)
    with open(f"{FOLDER}/usr/sbin/policy-rc.d", "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\nexit 101\n")
    os.chmod(f"{FOLDER}/usr/sbin/policy-rc.d", 0o755)
    os.makedirs(FOLDER + "/debs", exist_ok=True)
    for deb in glob.glob(DEBS + "/*.deb"):
        shutil.copy(deb, FOLDER + "/debs")
    inside("useradd", "-m", USER, ok=False)
    inside("apt-get", "update")
    equal([inside("which", name, ok=False) for name in ("sweepd", "gcc")], ["", ""], "it is bare")
    state["before"] = files()


def deb(name):
    return next(path.removeprefix(FOLDER) for path in glob.glob(f"{FOLDER}/debs/{name}_*.deb")
                if "+next" not in path)


def test_the_packages_install():
    inside("apt-get", "install", "-y", "--no-install-recommends", deb("sweepd"),
           deb("python3-sweepd"), "dataset-fashion-mnist")
    equal(inside("dpkg", "--audit"), "")
    equal(inside("getent", "passwd", "sweepd").split(":")[5], "/var/lib/sweepd", "the unit's user")
    equal(inside("systemctl", "is-enabled", "sweepd.service", "sweepd.socket", ok=False).split(),
          ["disabled", "disabled"], "nobody was asked")
    equal(pid_of("sweepd"), None, "nothing was started")
    for program in ("sweepd", "sweepctl", "sweep-worker"):
        check(inside(program, "--version").startswith(program), program)


def demo():
    """Without treatments: a second sweep has learnt from the first one's which remedy helps."""
    spec = json.loads(inside("cat", "/usr/share/doc/sweepd/examples/fashion.json"))
    spec["treat"] = False
    if SAMPLES:
        spec["data"] |= {"limit": SAMPLES, "validation": SAMPLES // 6}
    return json.dumps(spec)


def test_the_demo():
    ctl("start", "--workers", 2)
    spec = demo()
    ctl("submit", "-", "--watch", text=spec)
    equal(sql("SELECT count(*) FROM runs WHERE status IN ('completed', 'stopped')"), [(40,)])
    check("winner" in ctl("best", 1), "best")
    check("fashion" in ctl("morning"), "morning")
    ctl("report", 1, "--force", "-o", HOME + "/night.html")
    with open(FOLDER + HOME + "/night.html", encoding="utf-8") as f:
        check("<svg" in f.read(), "the report")


def test_an_upgrade_in_the_middle():
    """A daemon of the old version with workers of the old and the new one; then one of the new."""
    newer = next_version(FOLDER + deb("sweepd"), FOLDER + "/debs")
    ctl("submit", "-", text=demo())
    running = "SELECT handle FROM runs WHERE sweep_id=2 AND status='running'"
    until(lambda: sql("SELECT count(*)>5 FROM runs WHERE sweep_id=2 AND status='completed'")[0][0]
          and sql(running), "a few runs", SECONDS)
    daemon = pid_of("sweepd")
    inside("dpkg", "-i", newer)
    check("+next" in inside("dpkg-query", "-W", "sweepd"), "the new version is installed")
    equal(pid_of("sweepd"), daemon, "the upgrade ended nobody's daemon")
    check("(deleted)" in os.readlink(f"/proc/{daemon}/exe"), "it is the old program")
    done = sql("SELECT count(*) FROM runs WHERE sweep_id=2 AND status='completed'")[0][0]
    until(lambda: sql("SELECT count(*) FROM runs WHERE sweep_id=2 AND status='completed'")[0][0]
          > done + 2, "it goes on", SECONDS)
    lives = {}

    def has_workers():
        lives.update({pid: exe for pid, exe in processes().items() if "sweep-worker" in exe})
        return lives

    until(has_workers, "workers", SECONDS)
    os.kill(daemon, 9)
    until(lambda: pid_of("sweepd") is None, "the kill")
    ctl("start", "--workers", 2)
    check("(deleted)" not in os.readlink(f"/proc/{pid_of('sweepd')}/exe"), "the new program")
    print(f"# workers that outlived the old daemon: {lives}", flush=True)
    ctl("wait", 2)
    rows = [sql("SELECT number, kind, stage, params, status FROM runs WHERE sweep_id=%d "
                "ORDER BY number" % i) for i in (1, 2)]
    equal(rows[1], rows[0], "the same runs")
    curves = [sql("SELECT r.number, c.point, c.train_loss, c.val_loss, c.grad_norm, l.pattern FROM runs r "
                  "JOIN curves c ON c.run_id=r.id LEFT JOIN labels l ON l.run_id=r.id "
                  "WHERE r.sweep_id=%d ORDER BY 1, 2" % i) for i in (1, 2)]
    check(len(curves[0]) > 200, "there is something to compare")
    equal(curves[1], curves[0], "the same curves and labels, to the bit")
    adopted = sql("SELECT count(*) FROM events WHERE kind LIKE '%adopt%'")
    print(f"# {len(curves[0])} points equal; adoptions: {adopted[0][0]}", flush=True)


def test_the_python_client():
    text = """
import sweepd
client = sweepd.Client()
study = client.create_study({"x": {"min": 0.0, "max": 1.0}}, metric="loss", n_trials=5)
for trial in client.trials(study):
    trial.report(1, loss=trial.params["x"])
    trial.tell()
print(study.best_params)
"""
    check("'x'" in inside("python3", "-c", text, user=USER), "a study")


def test_what_is_removed_leaves_nothing():
    ctl("shutdown")
    until(lambda: pid_of("sweepd") is None, "the end")
    os.makedirs(FOLDER + "/var/cache/sweepd", exist_ok=True)
    installed = inside("dpkg-query", "-W", "-f", "${Package}\\n").split()
    inside("apt-get", "purge", "-y", "sweepd", "python3-sweepd")
    inside("apt-get", "purge", "-y", "--auto-remove", "dataset-fashion-mnist")
    inside("apt-get", "autoremove", "-y", "--purge")
    check("sweepd" in installed and "sweepd" not in
          inside("dpkg-query", "-W", "-f", "${Package}\\n").split(), "it is gone")
    check(not os.path.exists(FOLDER + "/var/cache/sweepd"), "the cache too")
    left = sorted(files() - state["before"])
    equal([path for path in left if "sweep" in path], [], "of ours")
    print(f"# of other packages that were needed: {left[:20]}", flush=True)


def test_the_end():
    for name in reversed(MOUNTS):
        subprocess.run(["umount", f"{FOLDER}/{name}"], check=True)


if __name__ == "__main__":
    if DEBS is None:
        sys.exit(__doc__)
    run(test_a_bare_debian, test_the_packages_install, test_the_demo, test_an_upgrade_in_the_middle,
        test_the_python_client, test_what_is_removed_leaves_nothing, test_the_end)
