"""The full screen of watch, on a pseudo-terminal: it fills it, obeys keys, leaves it as it was, and
costs little; where there is none it prints lines."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import sys
import tempfile
import termios
import threading
import time
import types

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import SWEEPCTL, Daemon, make_data, slow_spec, small_spec  # noqa: E402
from tap import check, equal, run  # noqa: E402

ENTERED, LEFT = b"\x1b[?1049h", b"\x1b[?1049l"


class Screen:
    """sweepctl on a terminal of that size; bytes are what it wrote so far."""

    def __init__(self, daemon, *words, size=(80, 24), **environment):
        self.bytes = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
            os.execve(SWEEPCTL, [SWEEPCTL, "--socket", daemon.socket, *map(str, words)],
                      {"TERM": "xterm", "LANG": "C.UTF-8", "PATH": os.environ["PATH"],
                       "HOME": daemon.home, **environment})

    def until(self, what, start=0):
        """Reads until that (bytes) stands behind start."""
        deadline = time.monotonic() + 240
        while what not in self.bytes[start:]:
            check(time.monotonic() < deadline, f"{what!r} does not come: {self.bytes[-3000:]!r}")
            if not self.read():
                break
        check(what in self.bytes[start:], f"ended without {what!r}: {self.bytes[-3000:]!r}")

    def read(self):
        try:
            ready = select.select([self.fd], [], [], 1)[0]
            more = os.read(self.fd, 65536) if ready else b" "
        except OSError:  # the other end is closed
            more = b""
        self.bytes += more if more != b" " else b""
        return more

    def press(self, keys):
        os.write(self.fd, keys)

    def end(self):
        """Its exit status, when it has ended."""
        while self.read():
            pass
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_a_sweep_to_its_end():
    """Nobody presses a key: it leaves by itself, and the report stands behind it."""
    with Daemon() as d:
        spec = slow_spec(make_data(d.home), run_cap=4, epochs=600)  # longer than a look
        d.ctl("submit", "-", text=json.dumps(spec), check=0)
        s = Screen(d, "watch", 1)
        equal(s.end(), 0)
        check(s.bytes.startswith(ENTERED), s.bytes[:80])
        before, _, after = s.bytes.partition(LEFT)
        check(after and b"best runs of sweep 1" in after and b"sqlite3" in after, after[-2000:])
        check("sweep 1: val_loss minimized".encode() in before, "the page")
        check(b"\xe2\xa1" in before or b"\xe2\xa0" in before, "braille")


def test_keys_of_a_sweep_that_goes_on():
    with Daemon() as d:
        d.ctl("submit", "-", text=json.dumps(slow_spec(make_data(d.home), run_cap=200,
                                                       name="程 \u0301 long" * 8)), check=0)
        s = Screen(d, "watch", size=(120, 40))
        s.until(b"running")
        for keys, what in ((b"\r", b"of sweep 1"), (b"l", b"wrote"), (b"\x1b[D\x1b[D", b"parameters"),
                           (b"/adam\r", b"filter adam"), (b"?", b"the next sweep"), (b"?", b"runs,")):
            start = len(s.bytes)
            s.press(keys)
            s.until(what, start)
        fcntl.ioctl(s.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 50, 0, 0))
        start = len(s.bytes)
        os.kill(s.pid, signal.SIGWINCH)
        s.until(b"\x1b[2J", start)
        s.press(b"q")
        equal(s.end(), 0)
        check(s.bytes.rstrip().endswith(LEFT), s.bytes[-200:])
        s = Screen(d, "watch", 1)
        s.until(b"running")
        s.press(b"\x03")  # Ctrl-C
        equal(s.end(), 130)
        check(b"sweep 1 goes on" in s.bytes.partition(LEFT)[2], s.bytes[-300:])


def test_without_colour_or_unicode():
    with Daemon() as d:
        d.ctl("submit", "-", text=json.dumps(slow_spec(make_data(d.home), run_cap=4)), check=0)
        s = Screen(d, "watch", 1, NO_COLOR="1", LANG="C")
        equal(s.end(), 0)
        page = s.bytes.partition(LEFT)[0]
        check(all(b < 0x7f for b in page), "ASCII alone")
        check(not re.search(rb"\x1b\[[0-9;]+m", page), "no attribute")
        s = Screen(d, "watch", 1, TERM="dumb")
        equal(s.end(), 0)
        check(b"\x1b" not in s.bytes, "no escape sequence")


def test_piped_in():
    """The specification comes through a pipe, keys from the terminal."""
    with Daemon() as d:
        spec = os.path.join(d.home, "spec.json")
        with open(spec, "w") as f:
            json.dump(small_spec(make_data(d.home)), f)
        pid, fd = pty.fork()
        if pid == 0:
            os.execve("/bin/sh", ["sh", "-c", f"cat {spec} | {SWEEPCTL} --socket {d.socket} "
                                  "submit - --watch"],
                      {"TERM": "xterm", "PATH": os.environ["PATH"], "HOME": d.home})
        s = Screen.__new__(Screen)
        s.bytes, s.pid, s.fd = b"", pid, fd
        equal(s.end(), 0)
        check(ENTERED in s.bytes and b"best runs" in s.bytes.partition(LEFT)[2], s.bytes[-500:])


def test_a_call_that_takes_its_time():
    """A daemon that answers only when the terminal shows that it is waited for."""
    with tempfile.TemporaryDirectory() as home:
        shown = threading.Event()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(home + "/sock")
        listener.listen()

        def answer():
            lines = listener.accept()[0].makefile("rwb")
            request = json.loads(lines.readline())
            shown.wait(240)
            lines.write(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": {
                "looked": 1, "changed": 0, "moved": []}}).encode() + b"\n")
            lines.flush()

        threading.Thread(target=answer, daemon=True).start()
        s = Screen(types.SimpleNamespace(socket=home + "/sock", home=home), "relabel")
        s.until(b"the daemon judges stored runs: 2.0 s")
        shown.set()
        equal(s.end(), 0)
        check(b"\x1b[K1 runs judged again" in s.bytes, s.bytes)
        listener.close()


if __name__ == "__main__":
    run(test_a_sweep_to_its_end, test_keys_of_a_sweep_that_goes_on, test_without_colour_or_unicode,
        test_piped_in, test_a_call_that_takes_its_time)
