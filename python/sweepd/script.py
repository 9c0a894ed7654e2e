"""In a script that a sweep runs, and that runs by itself as well: its parameters in, its metrics out.

A sweep's supervisor says by `SWEEPD_…` variables what a run is given; without them parameters are
the defaults, and metrics are printed. No daemon is talked to here."""
from __future__ import annotations

import json
import math
import os
import stat
import sys
import threading
from typing import Any, Dict, Mapping, Optional

from .connection import number, plain

LINE_BYTES = 65536  # of a line of metrics, with its end
NAMES_MAX, NAME_BYTES = 64, 128

_lock = threading.Lock()
_warned: Dict[str, bool] = {}


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def running() -> bool:
    """Whether a sweep runs this script."""
    return bool(os.environ.get("SWEEPD_PARAMS") or os.environ.get("SWEEPD_PARAMS_FILE"))


def _given() -> Dict[str, Any]:
    text = os.environ.get("SWEEPD_PARAMS")
    path = os.environ.get("SWEEPD_PARAMS_FILE")
    if not text and path:
        with open(path, encoding="utf-8") as f:
            text = f.read()
    given = json.loads(text) if text else {}
    if not isinstance(given, dict):
        raise ValueError("SWEEPD_PARAMS: a JSON object")
    return given


class Params(Dict[str, Any]):
    """A dict whose items are attributes, too."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"no parameter {name}; there are: {', '.join(self)}") from None


def params(defaults: Optional[Mapping[str, Any]] = None, **more: Any) -> Params:
    """The run's parameters over these defaults; the defaults alone where no sweep runs this."""
    return Params({**(defaults or {}), **more, **_given()})


def log(metrics: Optional[Mapping[str, Any]] = None, step: Optional[float] = None,
        **more: Any) -> None:
    """Numbers by name, at one `step` (or `epoch`, as one of them). They are a point of the run's
    curve; where no sweep runs this they are printed. Never ends a training."""
    values = {**(metrics or {}), **more}
    if step is not None:
        values["step"] = step
    kept: Dict[str, Any] = {}
    for name, value in values.items():
        read = _read(value)
        if read is None or len(str(name).encode("utf-8", "replace")) > NAME_BYTES:
            _warn(f"{name}: not logged; a number, by a name of at most {NAME_BYTES} bytes")
        else:
            kept[str(name)] = read
    if len(kept) > NAMES_MAX + 1:
        _warn(f"{len(kept)} numbers in one log(); the first {NAMES_MAX} are kept of a point")
    if kept:
        _write(kept)


def _read(value: Any) -> Any:
    """A number as the line has it; None: it is none."""
    try:
        value = plain(value)
        if isinstance(value, bool):
            return int(value)
        if isinstance(value, str):
            return value if value in ("nan", "+inf", "-inf") else None
        return value if isinstance(value, (int, float)) else None
    except Exception:  # of a stranger's __float__: metrics never end a training
        return None


def _warn(text: str) -> None:
    with _lock:
        if text in _warned:
            return
        _warned[text] = True
    print(f"sweepd: {text}", file=sys.stderr)


def _descriptor() -> int:
    """That of the supervisor; -1: none. A program that was started by the run's own has the
    variable, but perhaps another file there; `SWEEPD_METRICS_PIPE` is the inode of the right one."""
    try:
        fd = int(os.environ.get("SWEEPD_METRICS_FD", ""))
        status = os.fstat(fd)
    except (ValueError, OSError):
        return -1
    inode = os.environ.get("SWEEPD_METRICS_PIPE")
    if stat.S_ISREG(status.st_mode):  # of a program that can resume; without the inode anybody's
        return fd if inode == str(status.st_ino) else -1
    if not (stat.S_ISFIFO(status.st_mode) or stat.S_ISSOCK(status.st_mode)):
        return -1
    return fd if not inode or inode == str(status.st_ino) else -1


def _write(values: Dict[str, Any]) -> None:
    line = (json.dumps(values, allow_nan=False) + "\n").encode()
    fd = _descriptor()
    with _lock:
        if not running() and fd < 0:
            print(_sentence(values), flush=True)
        elif fd < 0 or len(line) > LINE_BYTES or not _write_all(fd, line):
            print("::sweepd " + line.decode().rstrip("\n"), flush=True)


def _write_all(fd: int, line: bytes) -> bool:
    try:
        while line:
            line = line[os.write(fd, line):]
    except OSError:
        return False
    return True


def _sentence(values: Mapping[str, Any]) -> str:
    """`step 3 val_loss 0.41`"""
    head = {name: values[name] for name in ("epoch", "step") if name in values}
    words = []
    for name, value in {**head, **values}.items():
        value = number(value)
        short = format(value, ".6g") if isinstance(value, float) and math.isfinite(value) else value
        words.append(f"{name} {short}")
    return " ".join(words)


def should_stop() -> bool:
    """Whether the run is to end: write a checkpoint, and exit (the task's `stop_seconds`)."""
    path = os.environ.get("SWEEPD_STOP_FILE")
    return bool(path) and os.path.exists(path or "")


def _int(name: str, default: Optional[int]) -> Optional[int]:
    text = os.environ.get(name)
    return int(text) if text else default


def epochs(default: Optional[int] = None) -> Optional[int]:
    """How far the run is to go this time."""
    return _int("SWEEPD_EPOCHS", default)


def seed(default: Optional[int] = None) -> Optional[int]:
    """The run's seed."""
    return _int("SWEEPD_SEED", default)


def run_id() -> Optional[int]:
    return _int("SWEEPD_RUN_ID", None)


def run_dir(default: Optional[str] = None) -> Optional[str]:
    """A folder of the run's own."""
    return os.environ.get("SWEEPD_RUN_DIR") or default


def checkpoint_dir(default: Optional[str] = None) -> Optional[str]:
    """Where a run that can resume leaves what it goes on from."""
    return os.environ.get("SWEEPD_CHECKPOINT_DIR") or default


def resume_from() -> Optional[str]:
    """The same folder, where an earlier attempt has left something in it."""
    return os.environ.get("SWEEPD_RESUME_FROM") or None
