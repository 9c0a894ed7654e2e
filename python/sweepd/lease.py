"""Leases: while a trial is carried out, a thread in the background is heard of for it."""
from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Optional

from .errors import Error

if TYPE_CHECKING:
    from .client import Client
    from .trial import Trial


class Leases:
    """Those of a client. Trials are held weakly: one that its program forgot is given up."""

    def __init__(self, client: "Client") -> None:
        self._trials: "weakref.WeakValueDictionary[str, Trial]" = weakref.WeakValueDictionary()
        self._interval = max(client.lease_seconds / 4.0, 0.2)
        self._condition = threading.Condition()
        self._thread: Optional[threading.Thread] = None
        self._ended = False

    def add(self, trial: "Trial") -> None:
        with self._condition:
            if trial.lease in self._trials and self._thread is not None:
                return
            self._trials[trial.lease] = trial
            if self._thread is None and not self._ended:
                self._thread = threading.Thread(target=self._keep, name="sweepd-leases",
                                                daemon=True)
                self._thread.start()

    def drop(self, trial: "Trial") -> None:
        with self._condition:
            self._trials.pop(trial.lease, None)

    def end(self) -> None:
        with self._condition:
            self._ended = True
            self._condition.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=1.0)

    def _keep(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._ended, self._interval)
                if self._ended or not self._trials:
                    self._thread = None
                    return
                trials = list(self._trials.values())
            for trial in trials:
                if self._ended:
                    break
                try:
                    trial._be_heard_of()
                except Error:
                    continue  # told to the trial's own thread, when it reports
            del trials[:]
            trial = None  # type: ignore[assignment]
