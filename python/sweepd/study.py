"""A sweep that is there, and what is asked of it."""
from __future__ import annotations

import threading
import time
from typing import (TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple,
                    Type)

from .trial import Trial

if TYPE_CHECKING:
    from .client import Client, Event, Row


class Study:
    """A sweep, by its `id`: of a client's own trials (`Client.create_study`), or of any task."""

    def __init__(self, client: "Client", id: int,
                 submitted: Optional[Mapping[str, Any]] = None) -> None:
        self.client = client
        self.id = id
        self.notes: List[str] = list((submitted or {}).get("notes") or [])

    def __int__(self) -> int:
        return self.id

    __index__ = __int__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Study) and (self.id, self.client.socket) == (other.id,
                                                                              other.client.socket)

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<sweepd.Study {self.id}>"

    # --- trials ---

    def ask(self) -> Optional[Trial]:
        """As `Client.ask`."""
        return self.client.ask(self)

    def __iter__(self) -> Iterator[Trial]:
        """As `Client.trials`."""
        return self.client.trials(self)

    def tell(self, trial: Trial, value: Any = None, **result: Any) -> str:
        return trial.tell(value, **result)

    def optimize(self, objective: Callable[[Trial], Any], n_trials: Optional[int] = None,
                 timeout: Optional[float] = None, n_jobs: int = 1,
                 catch: Tuple[Type[Exception], ...] = ()) -> None:
        """Carries trials out until the sweep has ended, or `n_trials` of them, or no more are begun
        after `timeout` seconds. What `objective` returns (a value of the metric, a dict of several,
        or None where it reported) is told. An exception fails its trial and goes on to the caller,
        unless it is one of `catch`; `sweepd.TrialPruned` ends a trial with what it reported."""
        job = _Job(self, objective, n_trials, timeout, catch)
        threads = [threading.Thread(target=job.work, daemon=True) for _ in range(n_jobs - 1)]
        for thread in threads:
            thread.start()
        job.work()
        for thread in threads:
            thread.join()
        if job.error is not None:
            raise job.error

    # --- what came of it ---

    def show(self) -> "Row":
        """The daemon's `show`: sweep, stages, configurations, labels, findings, …"""
        result: "Row" = self.client.call("show", sweep=self.id)
        return result

    @property
    def status(self) -> str:
        return str(self.show()["sweep"]["status"])

    def runs(self) -> Iterator["Row"]:
        return self.client.runs(self)

    def best(self, n: int = 10) -> List["Row"]:
        return self.client.best(self, n)

    @property
    def best_trial(self) -> "Row":
        """The row of the best run: `run_id`, `params`, `metric_value`, …"""
        best = self.client.best(self, 1)
        if not best:
            raise ValueError(f"sweep {self.id}: no run has a value yet")
        return best[0]

    def front(self) -> List["Row"]:
        """Of a study with several objectives: the configurations that no other one betters in all,
        a row each (`objectives`, `params`, `run_id`, `repetitions`, …)."""
        return list(self.client.call("best", sweep=self.id, limit=1)["front"])

    @property
    def best_params(self) -> Dict[str, Any]:
        return dict(self.best_trial["params"])

    @property
    def best_value(self) -> float:
        return float(self.best_trial["metric_value"])

    def watch(self) -> Iterator["Event"]:
        return self.client.watch(self)

    def wait(self) -> "Row":
        return self.client.wait(self)

    def pause(self) -> "Row":
        return self.client.pause(self)

    def resume(self) -> "Row":
        return self.client.resume(self)

    def cancel(self) -> "Row":
        return self.client.cancel(self)

    def enqueue(self, params: Mapping[str, Any]) -> int:
        return self.client.enqueue(self, params)

    enqueue_trial = enqueue


class _Job:
    """What `optimize` does, by as many threads as it is called by."""

    def __init__(self, study: Study, objective: Callable[[Trial], Any], n_trials: Optional[int],
                 timeout: Optional[float], catch: Tuple[Type[Exception], ...]) -> None:
        self.study, self.objective, self.catch = study, objective, catch
        self.left = n_trials
        self.deadline = None if timeout is None else time.monotonic() + timeout
        self.error: Optional[BaseException] = None
        self.lock = threading.Lock()

    def _may_begin(self) -> bool:
        with self.lock:
            late = self.deadline is not None and time.monotonic() >= self.deadline
            if self.error is not None or late or self.left == 0:
                return False
            if self.left is not None:
                self.left -= 1
            return True

    def work(self) -> None:
        trials = iter(self.study)
        try:
            while self._may_begin():
                trial = next(trials, None)
                if trial is None:
                    return
                self._carry_out(trial)
        except BaseException as e:
            with self.lock:
                self.error = self.error or e

    def _carry_out(self, trial: Trial) -> None:
        try:
            with trial:
                trial.tell(self.objective(trial))
        except self.catch:
            pass
