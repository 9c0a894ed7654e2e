"""What can go wrong, a class for each name that the protocol has (`data.error`)."""
from __future__ import annotations

from typing import Any, Dict, List, Optional


class Error(Exception):
    """Any error of this package."""


class ConnectionFailed(Error):
    """No daemon answers at the socket."""


class ConnectionLost(Error):
    """The daemon went away during a request that cannot be sent twice: it may have been carried
    out."""


class Unsupported(Error):
    """What the library whose names these are can do, and sweepd cannot."""


class TrialPruned(Error):
    """Raised by an objective that has been told to stop; `Study.optimize` knows it."""


class RpcError(Error):
    """The daemon refuses. `key` is the path of what is wrong, `value` what was given, `allowed`
    what may be; `problems` all of them where a specification has several."""

    def __init__(self, message: str, code: int = 0, data: Optional[Dict[str, Any]] = None) -> None:
        super().__init__(message)
        data = data or {}
        self.message = message
        self.code = code
        self.error: str = data.get("error", "")
        self.key: str = data.get("key", "")
        self.value: str = data.get("value", "")
        self.allowed: str = data.get("allowed", "")
        self.problems: List[Dict[str, Any]] = data.get("problems") or []

    def __reduce__(self) -> Any:
        data = {"error": self.error, "key": self.key, "value": self.value,
                "allowed": self.allowed, "problems": self.problems}
        return type(self), (self.message, self.code, data)


class InvalidRequest(RpcError):
    """No request that the daemon understands (also `parse_error`, `method_not_found`): another
    version of it, perhaps."""


class InvalidValue(RpcError, ValueError):
    """Of the right type, but not allowed."""


class WrongType(RpcError, TypeError):
    """Of another type."""


class UnknownKey(InvalidValue):
    """A key that does not exist; `allowed` names those that do."""


class MissingKey(InvalidValue):
    """A key that must be there."""


class NotFound(RpcError, LookupError):
    """No such sweep, run or data set."""


class WrongState(RpcError):
    """Not in the state that the sweep or run is in."""


class LeaseLost(WrongState):
    """The run is another client's now, or waits for one: this one was not heard of for too long."""


class DataError(RpcError):
    """The data cannot be read, is damaged or is not what it claims to be."""


class StorageError(RpcError):
    """A file, socket or the database failed (`io_error`)."""


class LimitExceeded(RpcError):
    """Too many or too large."""


class Busy(RpcError):
    """Too many clients, or that submit is under way already."""


class ShuttingDown(RpcError):
    """The daemon is ending."""


class PermissionDenied(RpcError):
    """It belongs to somebody else."""


class CommitTimeout(RpcError):
    """The database did not take the change in time; it may still be made (`timeout`)."""


class InternalError(RpcError):
    """A fault of the daemon itself."""


CLASSES = {
    "parse_error": InvalidRequest,
    "invalid_request": InvalidRequest,
    "method_not_found": InvalidRequest,
    "invalid_value": InvalidValue,
    "wrong_type": WrongType,
    "unknown_key": UnknownKey,
    "missing_key": MissingKey,
    "internal_error": InternalError,
    "not_found": NotFound,
    "wrong_state": WrongState,
    "data_error": DataError,
    "io_error": StorageError,
    "limit_exceeded": LimitExceeded,
    "busy": Busy,
    "shutting_down": ShuttingDown,
    "permission_denied": PermissionDenied,
    "timeout": CommitTimeout,
}


def from_reply(error: Dict[str, Any]) -> RpcError:
    data = error.get("data") or {}
    kind = CLASSES.get(data.get("error", ""), RpcError)
    if kind is WrongState and data.get("key") == "$.lease":
        kind = LeaseLost
    return kind(str(error.get("message", "")), int(error.get("code", 0)), data)
