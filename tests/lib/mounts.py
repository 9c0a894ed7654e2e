"""File systems of a test's own: small ones, and ones that do not answer. Where none can be mounted,
the test that wants one is skipped by name."""
import contextlib
import ctypes
import os
import shutil
import subprocess
import tempfile

from tap import Skip

# linux/fanotify.h
CLASS_CONTENT, CLOEXEC = 0x4, 0x1
MARK_ADD, MARK_MOUNT = 0x1, 0x10
OPEN_PERM, ON_FOLDERS = 0x10000, 0x40000000
AT_FDCWD = -100


def mount(*words):
    done = subprocess.run(["mount", *words], capture_output=True, text=True)
    return done.returncode == 0


@contextlib.contextmanager
def file_system(options):
    """In memory, empty; its folder."""
    home = tempfile.mkdtemp(prefix="sweepd-mount-")
    if not shutil.which("mount") or not mount("-t", "tmpfs", "-o", options, "none", home):
        os.rmdir(home)
        raise Skip("no file system of our own can be mounted")
    try:
        yield home
    finally:
        subprocess.run(["umount", "-l", home], check=False)
        os.rmdir(home)


def remount(home, options):
    if not mount("-o", "remount," + options, home):
        raise AssertionError(f"{home} cannot be remounted {options}")


@contextlib.contextmanager
def hung(home):
    """Meanwhile nothing there can be opened, nor is it refused: who asks waits, as for a server that
    is gone. The kernel asks a watcher for leave, and this one says nothing."""
    libc = ctypes.CDLL(None, use_errno=True)
    watcher = libc.fanotify_init(CLASS_CONTENT | CLOEXEC, os.O_RDONLY)
    marked = watcher >= 0 and libc.fanotify_mark(
        watcher, MARK_ADD | MARK_MOUNT, ctypes.c_uint64(OPEN_PERM | ON_FOLDERS), AT_FDCWD,
        home.encode()) == 0
    try:
        if not marked:
            raise Skip(f"nothing can be made to hang: {os.strerror(ctypes.get_errno())}")
        yield
    finally:
        if watcher >= 0:
            os.close(watcher)
