"""A trial: a run of a sweep that this program carries out."""
from __future__ import annotations

import math
import threading
import time
import traceback
import warnings
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence, Union

from .connection import plain
from .errors import (CommitTimeout, ConnectionLost, LeaseLost, NotFound, RpcError, TrialPruned,
                     Unsupported, WrongState)

if TYPE_CHECKING:
    from .client import Client

POINTS_MAX = 1000  # of one request
WAITS = (0.02, 0.05, 0.1, 0.2, 0.5)
ENDED = ("completed", "failed", "stopped", "cancelled")


class Trial:
    """Comes from `Client.ask`, `Client.trials`, `Study.ask`.

    `params`: name and value of every parameter; `number` within the sweep, `run`: its id; `seed`;
    `epochs`: its horizon, and `until_epoch`: as far as it may go before it is compared with others;
    `status`: `running`, `waiting` (for that comparison), `stopped` or `cancelled` (there is nothing
    to tell), `completed`, `failed`, `lost` (another client's now)."""

    def __init__(self, client: "Client", asked: Mapping[str, Any]) -> None:
        self._client = client
        self._lock = threading.RLock()
        self.sweep: int = asked["sweep"]
        self.run: int = asked["run"]
        self.number: int = asked["number"]
        self.lease: str = asked["lease"]
        self.params: Dict[str, Any] = dict(asked["params"])
        self.seed: int = int(asked["seed"])
        self.epochs: int = asked["epochs"]
        self.until_epoch: int = asked["until_epoch"]
        self.kind: str = asked["kind"]
        self.stage: str = asked["stage"]
        self.reason: str = asked["reason"]
        self.status: str = "running"
        self._pending: List[Dict[str, Any]] = []
        self._taken = 0  # points that the daemon has
        self._shift = 0  # 1 where steps are counted from 0
        self._last = 0.0

    def __repr__(self) -> str:
        return f"<sweepd.Trial {self.number} of sweep {self.sweep}: {self.status}, {self.params}>"

    def __getstate__(self) -> Dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_lock"}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.RLock()
        if self.is_open:
            self._client._leases.add(self)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("suggest_"):
            raise Unsupported(
                f"{name}: the space is the study's, not said trial by trial (create_study("
                f"parameters={{…}})); the value is trial.params[NAME]")
        raise AttributeError(f"a trial has no {name}")

    def __enter__(self) -> "Trial":
        return self

    def __exit__(self, kind: Any, error: Optional[BaseException], trace: Any) -> bool:
        """Tells how it ended, where that was not told: as failed after an exception, which goes
        on, but a TrialPruned."""
        if isinstance(error, TrialPruned):
            if self.is_open and not self._last:
                self.tell(status="failed", text="pruned before it reported anything")
        if error is None or isinstance(error, TrialPruned):
            if self.is_open:
                self.tell()
            return error is not None
        if isinstance(error, Exception):
            self._tell_exception(error)
        else:
            self._client._leases.drop(self)  # interrupted: another client begins it anew
        return False

    # --- what it is ---

    @property
    def is_open(self) -> bool:
        return self.status in ("running", "waiting")

    @property
    def waiting(self) -> bool:
        """At a rung, until the runs that it is compared with have come as far."""
        return self.status == "waiting"

    # --- reporting ---

    def report(self, *args: Any, step: Optional[float] = None, **metrics: Any) -> None:
        """A point: `report(3, val_loss=0.4)`, `report({"val/loss": 0.4}, step=3)`, or as with
        Optuna `report(0.4, 3)`, `report(0.4, step=3)`: a value of the study's metric. Steps
        (epochs, where there are rungs) grow; those counted from 0 are counted from 1. Never waits
        for other trials: at a rung, points behind it are sent when it goes on."""
        at, values = self._read_report(args, step, metrics)
        with self._lock:
            if not self.is_open:
                return
            if not self._last and not self._shift and at == 0:
                self._shift = 1
            at += self._shift
            if not at > self._last or not math.isfinite(at):
                raise ValueError(f"step {at - self._shift:g}: above {self._last - self._shift:g}, "
                                 f"that of the point before it")
            self._last = at
            self._pending.append({"epoch": at, **values})
            self._send()

    def _read_report(self, args: Any, step: Any, metrics: Dict[str, Any]) -> Any:
        args = list(args)
        values: Dict[str, Any] = dict(metrics)
        if args and isinstance(args[0], Mapping):
            values = {**args.pop(0), **values}
        elif len(args) == 2 or (len(args) == 1 and not metrics and step is not None):
            values[self._client._metric(self.sweep)] = args.pop(0)  # as Optuna has it
        if args and step is None:
            step = args.pop(0)
        if step is None:
            step = values.pop("epoch", None) if "epoch" in values else values.pop("step", None)
        if "epoch" in values:
            raise TypeError("report: a step and an epoch; which of them counts?")
        if args or step is None or not values:
            raise TypeError("report(step, NAME=value, …), report({NAME: value, …}, step=step) or "
                            "report(value, step)")
        return _step(step), {name: _number(name, value) for name, value in values.items()}

    def _send(self) -> None:
        """Pending points, as far as they are taken. The lock is held."""
        while self._pending and self.status == "running":
            before = len(self._pending)
            self._exchange(self._pending[:POINTS_MAX])
            if len(self._pending) == before:
                return

    def _exchange(self, points: List[Dict[str, Any]]) -> None:
        """A report, whose points are there once however often the connection is lost."""
        self._client._leases.add(self)  # a forked process's own thread
        try:
            answer = self._report(points)
        except LeaseLost as e:
            self._lost(e)
            return
        except (WrongState, NotFound):
            self._look()
            return
        except RpcError:
            del self._pending[:]
            raise
        if answer["verdict"] == "stop":
            self._end(answer["status"])
            return
        del self._pending[:answer["points"] - self._taken]
        self._taken = answer["points"]
        self.until_epoch = answer["until_epoch"]
        self.status = "running" if answer["verdict"] == "go_on" else "waiting"

    def _report(self, points: List[Dict[str, Any]]) -> Any:
        if points:
            try:
                return self._client.call("report", again=False, run=self.run, lease=self.lease,
                                         points=points)
            except (ConnectionLost, CommitTimeout):
                pass  # how many there are says whether these are
        return self._client.call("report", run=self.run, lease=self.lease)

    def _be_heard_of(self) -> None:
        """By the thread of the leases; not while the trial's own is heard of anyway."""
        if self._lock.acquire(blocking=False):
            try:
                if self.is_open:
                    self._exchange([])
            finally:
                self._lock.release()

    def _look(self) -> None:
        """What has become of it, where the daemon takes nothing of it any more."""
        status = self._client.run(self.run)["run"]["status"]
        self._end(status if status in ENDED else "lost")

    def _lost(self, error: RpcError) -> None:
        self._end("lost")
        warnings.warn(f"trial {self.number}: {error.message}", RuntimeWarning, stacklevel=4)

    def _end(self, status: str) -> None:
        self.status = status
        del self._pending[:]
        self._client._leases.drop(self)

    def should_stop(self, wait: bool = True) -> bool:
        """Whether there is nothing more to do: a rule or a person has stopped it. At a rung this
        waits for the runs that it is compared with; with `wait=False` it does not (`waiting` says
        that it is undecided), for a program that carries out several trials in one thread."""
        with self._lock:
            self._send()
            if wait:
                self._wait()
            return not self.is_open

    should_prune = should_stop

    def _wait(self) -> None:
        waits = 0
        while self.status == "waiting":
            self._exchange([])
            if self.status == "waiting":
                time.sleep(WAITS[min(waits, len(WAITS) - 1)])
                waits += 1
            else:
                self._send()

    # --- its end ---

    def tell(self, value: Union[float, Sequence[float], Mapping[str, Any], None] = None, *,
             status: str = "completed", error: Optional[str] = None, text: Optional[str] = None,
             **metrics: Any) -> str:
        """How it ended; its status then. `value` is that of the study's metric, where it was not
        reported as a point, or a list of those of all its objectives, in their order; `metrics`
        (or a dict) are a last point. `status="failed"` with `error`
        (`exited`, `out_of_memory`, `timeout`, `not_a_number`, `data_error`, `config_error`,
        `worker_crash`) and `text`. Where it was stopped, there is nothing to tell, and telling
        changes nothing."""
        values = {**value, **metrics} if isinstance(value, Mapping) else dict(metrics)
        with self._lock:
            if not self.is_open:
                return self.status
            if status == "completed":
                if values:
                    at = max(float(self.epochs), math.floor(self._last) + 1.0)
                    self.report(values, step=at - self._shift)
                self.should_stop()
            result: Dict[str, Any] = {"status": status}
            for key, given in (("error", error), ("text", text)):
                if given is not None:
                    result[key] = given
            if isinstance(value, (list, tuple)):
                result["values"] = [_number("values", v) for v in value]
            elif value is not None and not isinstance(value, Mapping):
                result["value"] = _number("value", value)
            while self.is_open:
                self._tell(result)
            return self.status

    def _tell(self, result: Dict[str, Any]) -> None:
        try:
            answer = self._client.call("tell", again=False, run=self.run, lease=self.lease,
                                       result=result)
        except (ConnectionLost, CommitTimeout):
            status = self._client.run(self.run)["run"]["status"]
            if status in ENDED:
                self._end(status)
        except LeaseLost as e:
            self._lost(e)
        except (WrongState, NotFound):
            self._exchange([])
            self._wait()
        else:
            self._end(answer["status"])

    def _tell_exception(self, error: BaseException) -> None:
        short = "".join(traceback.format_exception_only(type(error), error)).strip()
        memory = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
        self.tell(status="failed", error="out_of_memory" if memory else "exited", text=short)


def _step(step: Any) -> float:
    step = plain(step)
    if isinstance(step, bool) or not isinstance(step, (int, float)):
        raise TypeError(f"step {step!r}: a number")
    return step


def _number(name: str, value: Any) -> Any:
    value = plain(value)
    if value is None or value in ("nan", "+inf", "-inf"):
        return value
    if isinstance(value, (int, float)):
        return value + 0
    raise TypeError(f"{name}={value!r}: a number")
