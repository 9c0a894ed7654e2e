"""What `meson install` puts where: every file is listed here and belongs to a Debian package, and the
programs work from there."""
import fnmatch
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import BUILD, SOURCE  # noqa: E402
from tap import check, equal, run  # noqa: E402

FILES = """
bin/sweep-worker
bin/sweepctl
bin/sweepd
lib/systemd/system/sweepd.service
lib/systemd/system/sweepd.socket
lib/systemd/user/sweepd.service
lib/systemd/user/sweepd.socket
lib/sysusers.d/sweepd.conf
libexec/sweepd/shim/sitecustomize.py
libexec/sweepd/sweep-worker
share/bash-completion/completions/sweep-worker
share/bash-completion/completions/sweepctl
share/bash-completion/completions/sweepd
share/doc/sweepd/CHANGELOG.md
share/doc/sweepd/README.md
share/doc/sweepd/database.md
share/fish/vendor_completions.d/sweep-worker.fish
share/fish/vendor_completions.d/sweepctl.fish
share/fish/vendor_completions.d/sweepd.fish
share/man/man1/sweep-worker.1
share/man/man1/sweepctl.1
share/man/man1/sweepd.1
share/man/man5/sweepd-spec.5
share/man/man7/sweepd-protocol.7
share/sweepd/spec.schema.json
share/zsh/site-functions/_sweepctl
share/zsh/site-functions/_sweepd
""".split()
# Of docs/ all but what is for those who build it.
INSIDE = ("invariants.md", "testing.md", "decisions", "man")


def docs():
    """Paths below share/doc/sweepd of what docs/ has for people, and of the events' programs."""
    for name in os.listdir(os.path.join(SOURCE, "dist", "on-event")):
        yield "share/doc/sweepd/examples/on-event/" + name
    root = os.path.join(SOURCE, "docs")
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), root)
            if path.split(os.sep)[0] not in INSIDE:
                yield "share/doc/sweepd/" + path


class Installed:
    """The build, installed in a folder of its own."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="sweepd-installed-")
        done = subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet",
                               "--destdir", self.folder], capture_output=True, text=True)
        equal(done.returncode, 0, done.stdout + done.stderr)
        self.prefix = next(os.path.dirname(path) for path, _, _ in os.walk(self.folder)
                           if path.endswith("/bin"))
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def files(self):
        return sorted(os.path.relpath(os.path.join(folder, name), self.prefix)
                      for folder, _, names in os.walk(self.prefix) for name in names)


def test_every_file_is_listed():
    with Installed() as i:
        equal(i.files(), sorted(FILES + list(docs())), "installed files")
        check(any(name.startswith("share/doc/sweepd/examples/") for name in i.files()), "examples")


def as_packaged(path):
    """Where dist/debian/rules puts a file of meson's."""
    return "usr/" + path.replace("zsh/site-functions", "zsh/vendor-completions")


def test_every_file_has_a_package():
    """And no line of a package's list is for nothing."""
    patterns = []
    for path in glob.glob(os.path.join(SOURCE, "dist", "debian", "*.install")):
        with open(path, encoding="utf-8") as f:
            patterns += [line.split()[0] for line in f if line.strip()]
    check("usr/bin/sweepd" in patterns, patterns)
    with Installed() as i:
        files = [as_packaged(path) for path in i.files()]

    def belongs(path, pattern):
        return fnmatch.fnmatch(path, pattern) or path.startswith(pattern + "/")

    for path in files:
        check(any(belongs(path, p) for p in patterns), f"{path} is in no package")
    for pattern in patterns:
        check(any(belongs(p, pattern) for p in files), f"nothing is {pattern}")


def test_programs_work_from_there():
    with Installed() as i:
        for name in ("sweepd", "sweepctl", "sweep-worker"):
            done = subprocess.run([os.path.join(i.prefix, "bin", name), "--version"],
                                  capture_output=True, text=True)
            check(done.returncode == 0 and done.stdout.startswith(name + " "), done)
        with open(os.path.join(i.prefix, "lib/systemd/system/sweepd.service"),
                  encoding="utf-8") as f:
            start = re.search(r"^ExecStart=(\S+)$", f.read(), re.M).group(1)
        equal(i.folder + start, os.path.join(i.prefix, "bin", "sweepd"), "the unit's program")
        environment = {**os.environ, "HOME": i.folder, "XDG_STATE_HOME": i.folder + "/state",
                       "XDG_CACHE_HOME": i.folder + "/cache", "XDG_RUNTIME_DIR": i.folder + "/run"}
        environment.pop("SWEEPD_WORKER", None)
        done = subprocess.run([i.folder + start, "--check"], capture_output=True, text=True,
                              env=environment)
        check('"blas"' in done.stdout.lower(), f"the worker was found: {done.stdout} {done.stderr}")


def test_the_version_is_one():
    def found(pattern, *path):
        with open(os.path.join(SOURCE, *path), encoding="utf-8") as f:
            return re.search(pattern, f.read(), re.M).group(1)

    version = found(r"version: '([\d.]+)'", "meson.build")
    equal(found(r"^sweepd \((.*?)\)", "dist", "debian", "changelog"), version, "of the packages")
    equal(found(r"^## ([\d.]+)", "CHANGELOG.md"), version, "of the changelog")
    if os.path.exists(os.path.join(SOURCE, "python", "pyproject.toml")):
        equal(found(r'^version = "(.*?)"', "python", "pyproject.toml"), version, "of the client")


if __name__ == "__main__":
    run(test_every_file_is_listed, test_every_file_has_a_package, test_programs_work_from_there,
        test_the_version_is_one)
