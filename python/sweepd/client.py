"""The daemon's methods, through its socket (docs/protocol.md)."""
from __future__ import annotations

import contextlib
import os
import threading
import time
import uuid
import weakref
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple, Union

from .connection import Connection, default_socket, number
from .errors import (Busy, CommitTimeout, ConnectionFailed, ConnectionLost, Error, RpcError,
                     ShuttingDown)
from .lease import Leases
from .study import Study
from .trial import Trial

ENDED = ("completed", "cancelled")
LASTING = frozenset(("submit", "wait", "backup", "relabel", "replay"))  # they take as long as it is
IDLE_SECONDS = 240  # a connection that was silent for longer is not used again; the daemon's: 600
PAUSES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # between attempts, the last one again and again

Row = Dict[str, Any]


class Event(NamedTuple):
    """A notification. `kind`: `run_started`, `point`, `label`, `run_paused`, `run_ended`,
    `stage_planned`, `sweep_changed`, `sweep_ended`, `lagged`, `snapshot`; `reconnected`: the daemon
    was away, and what happened meanwhile was not told."""

    kind: str
    sweep: Optional[int]
    run: Optional[int]
    params: Dict[str, Any]


def pauses() -> Iterator[float]:
    yield from PAUSES
    while True:
        yield PAUSES[-1]


_clients: "weakref.WeakSet[Client]" = weakref.WeakSet()


def _after_fork() -> None:
    """A child has connections, locks and a thread less than its parent; it makes its own."""
    for client in list(_clients):
        trials = list(client._leases._trials.values())
        client._begin()
        for trial in trials:
            trial._lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class Client:
    """Talks to sweepd. May be used by any number of threads, and goes with a process that is forked
    or to which it is pickled.

    `socket`: its path; as `sweepctl` finds it where there is none. `reconnect`: for how many
    seconds a daemon that was there and went away is waited for. `wait`: for how many a daemon that
    was never there is. `timeout`: so long an answer may take, where it does not wait for something
    to happen. `lease`: seconds after which a run goes back to the queue when its client is not
    heard of; a thread in the background is heard of."""

    def __init__(self, socket: Union[str, "os.PathLike[str]", None] = None, *,
                 reconnect: float = 300.0, wait: float = 0.0, timeout: float = 60.0,
                 lease: int = 60) -> None:
        self.socket = os.fspath(socket) if socket is not None else default_socket()
        self.reconnect_seconds = reconnect
        self.wait_seconds = wait
        self.timeout = timeout
        self.lease_seconds = lease
        self._was_there = False
        self._begin()
        _clients.add(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._idle: List[Tuple[float, Connection]] = []
        self._closed = False
        self._leases = Leases(self)
        self._metrics: Dict[int, str] = {}

    def __getstate__(self) -> Dict[str, Any]:
        return {"socket": self.socket, "reconnect": self.reconnect_seconds,
                "wait": self.wait_seconds, "timeout": self.timeout, "lease": self.lease_seconds}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"sweepd.Client({self.socket!r})"

    def close(self) -> None:
        """Ends its connections and its thread. Runs that were asked for and not told go back to the
        queue when their leases end."""
        self._leases.end()
        with self._lock:
            self._closed = True
        self._drop_idle()

    # --- connections ---

    def _take(self, method: str) -> Connection:
        timeout = None if method in LASTING else self.timeout
        while True:
            with self._lock:
                if self._closed:
                    raise Error("this client is closed")
                since, connection = self._idle.pop() if self._idle else (0.0, None)
            if connection is None:
                connection = Connection(self.socket, timeout)
                self._was_there = True
                return connection
            if time.monotonic() - since < IDLE_SECONDS:
                connection.socket.settimeout(timeout)
                return connection
            connection.close()

    def _put_back(self, connection: Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append((time.monotonic(), connection))
                return
        connection.close()

    def _drop_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for _, connection in idle:
            connection.close()

    def _once(self, method: str, params: Mapping[str, Any], sent: List[bool]) -> Any:
        connection = self._take(method)
        try:
            request = connection.send(method, dict(params))
            sent.append(True)
            result = connection.result(request)
        except RpcError:
            self._put_back(connection)
            raise
        except BaseException:  # also KeyboardInterrupt: an answer may still come on this one
            connection.close()
            raise
        self._put_back(connection)
        return result

    def call(self, method: str, *, again: bool = True, **params: Any) -> Any:
        """Any method of the protocol. A daemon that went away is waited for, and asked again, where
        `again` says that this is the same as asking once."""
        deadline = time.monotonic() + (self.reconnect_seconds if self._was_there
                                       else self.wait_seconds)
        for pause in pauses():
            sent: List[bool] = []
            try:
                return self._once(method, params, sent)
            except (ConnectionFailed, ShuttingDown, Busy, CommitTimeout) as e:
                error: Exception = e
                if isinstance(e, CommitTimeout) and not again:
                    raise
            except (OSError, EOFError) as e:
                self._drop_idle()  # of the same daemon
                error = ConnectionLost(f"{method}: the connection to {self.socket} was lost: {e}")
                error.__cause__ = e
                if sent and not again:
                    raise error
            if time.monotonic() + pause > deadline:
                raise error
            time.sleep(pause)
        raise AssertionError("unreachable")

    # --- sweeps ---

    def submit(self, spec: Optional[Mapping[str, Any]] = None, *, id: Optional[str] = None,
               **keys: Any) -> Study:
        """A sweep of that specification (docs/spec.md); `keys` are further keys of it. The same
        `id` submits once, however often it is called; without one each call is a sweep."""
        whole = {**(spec or {}), **keys}
        result = self.call("submit", spec=whole, id=id or str(uuid.uuid4()))
        return Study(self, result["sweep"], result)

    def plan(self, spec: Optional[Mapping[str, Any]] = None, **keys: Any) -> Row:
        """What `submit` would do: stages, runs, seconds; nothing is submitted."""
        result: Row = self.call("submit", spec={**(spec or {}), **keys}, dry_run=True)
        return result

    def create_study(self, parameters: Mapping[str, Any], *, metric: str = "value",
                     direction: str = "minimize", n_trials: int = 100, method: str = "tpe",
                     study_name: Optional[str] = None, **keys: Any) -> Study:
        """A sweep whose trials this program and others like it carry out: `submit` with the task
        `client`. `parameters` is the space, as in a specification: it is the study's, not said
        trial by trial. `keys`: further keys of the specification (`epochs`, `early_terminate`,
        `seed`, `objectives` in the place of metric and direction, …). The same `study_name` is the same study."""
        spec: Dict[str, Any] = {
            "task": {"client": {}}, "method": method, "run_cap": n_trials, "repeat": False,
            "metric": {"name": metric, "goal": direction}, "parameters": parameters, **keys}
        if "objectives" in keys:  # the first of them is the metric
            del spec["metric"]
        if study_name is not None:
            spec.setdefault("name", study_name)
        return self.submit(spec, id=study_name)

    def study(self, sweep: Union[int, Study]) -> Study:
        """One that is there."""
        study = Study(self, _id(sweep))
        study.show()
        return study

    def sweeps(self) -> Iterator[Row]:
        """All of them, a row each."""
        return self._pages("list", "sweeps")

    def _pages(self, method: str, rows: str, limit: Optional[int] = None,
               **params: Any) -> Iterator[Row]:
        cursor, left = None, limit
        while left is None or left > 0:
            page = dict(params, limit=min(left if left is not None else 1000, 1000))
            if cursor is not None:
                page["cursor"] = cursor
            result = self.call(method, **page)
            for row in result[rows]:
                yield {key: number(value) for key, value in row.items()}
            cursor = result["cursor"]
            if left is not None:
                left -= len(result[rows])
            if cursor is None:
                return

    def runs(self, sweep: Union[int, Study, None] = None) -> Iterator[Row]:
        """Its runs by number, a row each."""
        return self._pages("runs", "runs", **_sweep(sweep))

    def best(self, sweep: Union[int, Study, None] = None, n: int = 10) -> List[Row]:
        """The best `n` runs, the best first."""
        return list(self._pages("best", "runs", n, **_sweep(sweep)))

    def run(self, run: int) -> Row:
        """`run`: its row, `label`, `folder`, `weights`."""
        result: Row = self.call("run", run=run)
        return result

    def curve(self, run: int) -> Iterator[Row]:
        """Its points, a row each."""
        return self._pages("curve", "points", run=run)

    def status(self) -> Row:
        """The daemon: version, workers, what is in the way, …"""
        result: Row = self.call("status")
        return result

    def wait(self, sweep: Union[int, Study]) -> Row:
        """Until it has ended or waits for a person: `status`, `reason`."""
        result: Row = self.call("wait", sweep=_id(sweep))
        return result

    def pause(self, sweep: Union[int, Study]) -> Row:
        return self._change("pause", sweep=_id(sweep))

    def resume(self, sweep: Union[int, Study]) -> Row:
        return self._change("resume", sweep=_id(sweep))

    def cancel(self, sweep: Union[int, Study, None] = None, *,
               run: Optional[int] = None) -> Row:
        """A sweep, or one run."""
        if run is not None:
            return self._change("cancel", run=run)
        if sweep is None:
            raise TypeError("cancel: a sweep or a run")
        return self._change("cancel", sweep=_id(sweep))

    def delete(self, sweep: Union[int, Study]) -> Row:
        return self._change("delete", sweep=_id(sweep))

    def enqueue(self, sweep: Union[int, Study], params: Mapping[str, Any]) -> int:
        """A run with these values, beside those that the method proposes; its id."""
        return int(self._change("enqueue", sweep=_id(sweep), params=params)["run"])

    def _change(self, method: str, **params: Any) -> Row:
        result: Row = self.call(method, again=False, **params)
        return result

    # --- trials ---

    def ask(self, sweep: Union[int, Study]) -> Optional[Trial]:
        """The next trial to carry out; None: none at the moment, or none any more (`trials` knows
        which)."""
        return self._ask(_id(sweep))[0]

    def _ask(self, sweep: int) -> Tuple[Optional[Trial], str]:
        answer = self.call("ask", sweep=sweep, seconds=self.lease_seconds, lease=str(uuid.uuid4()))
        if answer["run"] is None:
            return None, answer["status"]
        trial = Trial(self, answer)
        self._leases.add(trial)
        return trial, "running"

    def trials(self, sweep: Union[int, Study]) -> Iterator[Trial]:
        """One trial after the other, until the sweep has ended. Waits while the search waits for
        other clients' results, or the sweep is paused or held. A trial that is left untold and
        forgotten goes back to the queue when its lease ends."""
        again = pauses()
        while True:
            trial, status = self._ask(_id(sweep))
            if trial is not None:
                again = pauses()
                yield trial
            elif status in ENDED:
                return
            else:
                time.sleep(next(again))

    def tell(self, trial: Trial, value: Any = None, **result: Any) -> str:
        """How a trial has ended: `Trial.tell`."""
        return trial.tell(value, **result)

    # --- what happens ---

    def watch(self, sweep: Union[int, Study, None] = None) -> Iterator[Event]:
        """What happens from the first `next` on, to one sweep until it has ended, else to all. Use
        it in a loop; leaving that ends the watch."""
        chosen = None if sweep is None else _id(sweep)
        first = True
        while True:
            with contextlib.ExitStack() as stack:
                connection = self._watching(chosen)
                stack.callback(connection.close)
                if not first:
                    yield Event("reconnected", chosen, None, {})
                first = False
                ended = None if chosen is None else self._ended(chosen)
                if ended is not None:
                    yield ended
                    return
                while True:
                    try:
                        message = connection.message()
                    except (OSError, EOFError):
                        break
                    event = _event(message)
                    yield event
                    if chosen is not None and event.kind == "sweep_ended":
                        return

    def _watching(self, sweep: Optional[int]) -> Connection:
        """A connection that watches; a daemon that went away is waited for."""
        deadline = time.monotonic() + (self.reconnect_seconds if self._was_there
                                       else self.wait_seconds)
        for pause in pauses():
            try:
                connection = Connection(self.socket, self.timeout)
            except ConnectionFailed:
                if time.monotonic() + pause > deadline:
                    raise
                time.sleep(pause)
                continue
            self._was_there = True
            try:
                connection.result(connection.send("watch", _sweep(sweep)))
                connection.socket.settimeout(None)
                return connection
            except (OSError, EOFError, ShuttingDown, Busy):
                connection.close()
                if time.monotonic() + pause > deadline:
                    raise
                time.sleep(pause)
            except BaseException:
                connection.close()
                raise
        raise AssertionError("unreachable")

    def _ended(self, sweep: int) -> Optional[Event]:
        """What a watcher of a sweep that has ended would have heard; None: it goes on."""
        row = self.call("show", sweep=sweep)["sweep"]
        if row["status"] not in ENDED:
            return None
        best = self.best(sweep, 1)
        return Event("sweep_ended", sweep, None,
                     {"sweep": sweep, "status": row["status"], "reason": row.get("reason"),
                      "best_run": best[0]["run_id"] if best else None})

    def _metric(self, sweep: int) -> str:
        """The name of what the sweep is ranked by."""
        if sweep not in self._metrics:
            spec = self.call("show", sweep=sweep)["sweep"]["spec"]
            self._metrics[sweep] = spec["metric"]["name"]
        return self._metrics[sweep]


def _event(message: Mapping[str, Any]) -> Event:
    params = message.get("params") or {}
    return Event(str(message.get("method", "")), params.get("sweep"), params.get("run"),
                 {key: number(value) for key, value in params.items()})


def _id(sweep: Union[int, Study]) -> int:
    return sweep.id if isinstance(sweep, Study) else int(sweep)


def _sweep(sweep: Union[int, Study, None]) -> Dict[str, int]:
    return {} if sweep is None else {"sweep": _id(sweep)}
