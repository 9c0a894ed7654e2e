"""The socket: where it is, and JSON lines on it."""
from __future__ import annotations

import json
import math
import os
import socket
import stat
import struct
from typing import Any, Dict, Optional

from .errors import ConnectionFailed, PermissionDenied, from_reply

LINE_BYTES = 1 << 20  # of a request, with its end


def _environment(name: str) -> str:
    return os.environ.get(name, "")


def _absolute(name: str) -> str:
    path = _environment(name)
    return path if path.startswith("/") else ""


def _state(tail: str) -> str:
    base = _absolute("XDG_STATE_HOME")
    return os.path.join(base or os.path.expanduser("~/.local/state"), tail)


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False


def _noted() -> str:
    """What the file DATABASE.socket says, of a daemon that was started in another environment."""
    database = _environment("SWEEPD_DB") or _state("sweepd/sweeps.db")
    try:
        with open(database + ".socket", encoding="utf-8", errors="surrogateescape") as f:
            path = f.readline(4096).rstrip("\n")
    except OSError:
        return ""
    return path if path.startswith("/") and _is_socket(path) else ""


def _own_runtime() -> str:
    path = f"/run/user/{os.geteuid()}"
    try:
        status = os.stat(path)
    except OSError:
        return ""
    return path if stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() else ""


def default_socket() -> str:
    """As sweepctl finds it."""
    if _environment("SWEEPD_SOCKET"):
        return _environment("SWEEPD_SOCKET")
    runtime = _absolute("XDG_RUNTIME_DIR") or _own_runtime()
    path = os.path.join(runtime, "sweepd/sock") if runtime else _state("sweepd/run/sock")
    return path if _is_socket(path) else _noted() or path


def _check_peer(sock: socket.socket, path: str) -> None:
    """A daemon of one's own, of root's, or of whoever owns the folder of the socket."""
    if not hasattr(socket, "SO_PEERCRED"):
        return
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    uid = struct.unpack("3i", raw)[1]
    if uid in (os.geteuid(), 0) or os.stat(os.path.dirname(path) or ".").st_uid == uid:
        return
    raise PermissionDenied(f"{path}: user {uid} answers there, not a daemon of your own or of root")


def plain(value: Any) -> Any:
    """As the protocol wants it: numbers that are not finite as words, those of numpy and torch as
    Python's, tuples and mappings as lists and objects."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        return "nan" if math.isnan(value) else "+inf" if value > 0 else "-inf"
    if hasattr(value, "items"):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset, range)):
        return [plain(v) for v in value]
    if hasattr(value, "item"):  # numpy's, torch's, jax's
        return plain(value.item())
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "__float__"):
        return plain(float(value))
    raise TypeError(f"{value!r} ({type(value).__name__}): neither a number, a text, true or false, "
                    f"a list nor a dict")


def number(value: Any) -> Any:
    """The protocol's word for a number that is not finite as that number."""
    words = {"nan": math.nan, "+inf": math.inf, "-inf": -math.inf}
    return words.get(value, value) if isinstance(value, str) else value


class Connection:
    """One client of the socket. Of one thread at a time."""

    def __init__(self, path: str, timeout: Optional[float] = None) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        try:
            self.socket.settimeout(timeout)
            self.socket.connect(path)
            _check_peer(self.socket, path)
        except PermissionDenied:
            self.socket.close()
            raise
        except OSError as e:
            self.socket.close()
            raise ConnectionFailed(f"{path}: {e.strerror or e}; is sweepd running? "
                                   f"`sweepctl start` starts it") from e
        self.file = self.socket.makefile("rb")
        self.last_id = 0

    def send(self, method: str, params: Dict[str, Any]) -> int:
        self.last_id += 1
        line = json.dumps({"jsonrpc": "2.0", "id": self.last_id, "method": method,
                           "params": plain(params)}, allow_nan=False).encode() + b"\n"
        if len(line) > LINE_BYTES:
            raise ValueError(f"{method}: a request of {len(line)} bytes; at most {LINE_BYTES}")
        self.socket.sendall(line)
        return self.last_id

    def message(self) -> Dict[str, Any]:
        """The next one: a reply or a notification."""
        line = self.file.readline()
        if not line.endswith(b"\n"):
            raise EOFError("the daemon closed the connection")
        message = json.loads(line)
        if not isinstance(message, dict):
            raise EOFError("what answers there is no sweepd")
        return message

    def result(self, request: int) -> Any:
        """Of that request; notifications before it are passed over."""
        while True:
            message = self.message()
            if "method" in message:
                continue
            if "error" in message and message.get("id") in (request, None):
                raise from_reply(message["error"])
            if message.get("id") == request:
                return message.get("result")

    def close(self) -> None:
        self.file.close()
        self.socket.close()
