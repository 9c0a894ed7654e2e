"""Client of sweepd, the hyperparameter sweep daemon.

    client = sweepd.Client()                       # ask, report and tell; submit, best, watch
    params = sweepd.params(lr=0.01)                # in a script that a sweep runs, or by itself
    sweepd.log({"val_loss": 0.4}, step=1)
"""
from .client import Client, Event
from .errors import (Busy, CommitTimeout, ConnectionFailed, ConnectionLost, DataError, Error,
                     InternalError, InvalidRequest, InvalidValue, LeaseLost, LimitExceeded,
                     MissingKey, NotFound, PermissionDenied, RpcError, ShuttingDown, StorageError,
                     TrialPruned, UnknownKey, Unsupported, WrongState, WrongType)
from .script import (Params, checkpoint_dir, epochs, log, params, resume_from, run_dir, run_id,
                     running, seed, should_stop)
from .study import Study
from .trial import Trial

__version__ = "0.1.0"

__all__ = [
    "Busy", "Client", "CommitTimeout", "ConnectionFailed", "ConnectionLost", "DataError", "Error",
    "Event", "InternalError", "InvalidRequest", "InvalidValue", "LeaseLost", "LimitExceeded",
    "MissingKey", "NotFound", "Params", "PermissionDenied", "RpcError", "ShuttingDown",
    "StorageError", "Study", "Trial", "TrialPruned", "UnknownKey", "Unsupported", "WrongState",
    "WrongType", "checkpoint_dir", "epochs", "log", "params", "resume_from", "run_dir", "run_id",
    "running", "seed", "should_stop",
]
