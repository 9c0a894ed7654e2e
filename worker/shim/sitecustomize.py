"""Python reads this before a program of sweepd's (sweep-worker puts its folder in front of
PYTHONPATH), so that a script needs no change:

- what it says by wandb.log is a line on SWEEPD_METRICS_FD at once;
- where wandb is not installed, a stand-in has init, log, config, finish, summary and watch;
- which files it opens for writing is told to the worker, which reads those that are curves.

The sitecustomize of its own, if there is one, is read after this. Nothing here may hurt a program:
what goes wrong is passed over.
"""
import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
_RUN_DIR = os.environ.get("SWEEPD_RUN_DIR", "")
_FILE_ENDS = (".csv", ".tsv", ".log")
_FILES_MAX = 64


# --- what is told to the worker ------------------------------------------------------------------

def _own_pipe():
    """The descriptor of metrics, if this process has it: a number that was inherited may be another
    file by now."""
    import stat
    try:
        fd = int(os.environ["SWEEPD_METRICS_FD"])
        st = os.fstat(fd)
    except (KeyError, ValueError, OSError):
        return None
    is_kind = stat.S_ISFIFO(st.st_mode) or stat.S_ISREG(st.st_mode)
    mine = is_kind and str(st.st_ino) == os.environ.get("SWEEPD_METRICS_PIPE")
    return fd if mine else None


def _append(name, text):
    if not os.path.isdir(_RUN_DIR):
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    fd = os.open(os.path.join(_RUN_DIR, name), flags, 0o600)
    try:
        os.write(fd, text)
    finally:
        os.close(fd)


def _tell(row):
    import json
    line = (json.dumps(row) + "\n").encode("utf-8")
    fd = _own_pipe()
    if fd is None:
        _append("wandb-log.jsonl", line)
        return
    while line:
        line = line[os.write(fd, line):]


def _numbers(data, prefix, out):
    for key, value in dict(data).items():
        name = prefix + str(key)
        if isinstance(value, dict):
            _numbers(value, name + "/", out)
        elif not isinstance(value, (bool, str, bytes)) and hasattr(value, "__float__"):
            try:
                out[name] = float(value)
            except (TypeError, ValueError, RuntimeError, OverflowError):
                pass
    return out


class _Rows(object):
    """wandb.log as lines, with W&B's own steps: each call is one, but for commit=False."""

    def __init__(self):
        self.step = 0
        self.pending = {}
        self.names = set()

    def log(self, data, step=None, commit=None, *_more, **_others):
        self.pending.update(_numbers(data, "", {}))
        if step is not None:
            self.step = max(self.step, int(step))
        if step is not None or commit is None or commit:
            self.flush()
        if (step is None and commit is None) or commit:
            self.step += 1

    def flush(self):
        if self.pending:
            self.names.update(self.pending)
            _tell(dict({"step": self.step}, **self.pending))
        self.pending = {}

    def end(self, summary):
        """What was put into the summary alone belongs to the last step."""
        self.flush()
        last = {k: v for k, v in _numbers(summary, "", {}).items() if k not in self.names}
        if last:
            self.names.update(last)
            _tell(last)


_rows = _Rows()


# --- wandb, where it is installed ----------------------------------------------------------------

def _hear(module):
    import functools
    inner = module.Run.log

    @functools.wraps(inner)
    def log(self, *args, **kwargs):
        result = inner(self, *args, **kwargs)
        try:
            _rows.log(*args, **kwargs)
        except Exception:
            pass
        return result
    module.Run.log = log


class _Watcher(object):
    """Finds wandb's own Run as ever, and listens to it."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "wandb.sdk.wandb_run":
            return None
        from importlib.machinery import PathFinder
        spec = PathFinder.find_spec(name, path, target)
        loader = getattr(spec, "loader", None)
        if hasattr(loader, "exec_module"):
            inner = loader.exec_module

            def exec_module(module):
                inner(module)
                try:
                    _hear(module)
                except Exception:
                    pass
            loader.exec_module = exec_module
        return spec


# --- wandb, where it is not ----------------------------------------------------------------------

class _Nothing(object):
    """Takes everything and does nothing: tables, images, artifacts."""

    def __init__(self, *args, **kwargs):
        pass

    def __call__(self, *args, **kwargs):
        return self

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return False

    def __iter__(self):
        return iter(())


def _sweep_params():
    """The file that wandb itself would read: a name in quotes and its value, each in one line."""
    import io
    import json
    try:
        with io.open(os.environ["WANDB_SWEEP_PARAM_PATH"], encoding="utf-8") as f:
            lines = f.read().split("\n")
        return {json.loads(name[:-1]): json.loads(value[len("  value: "):])
                for name, value in zip(lines, lines[1:]) if value.startswith("  value: ")}
    except (KeyError, ValueError, EnvironmentError):
        return {}


class _Config(dict):
    """What the sweep gives counts, whatever the script says after."""

    def __init__(self):
        self._locked = _sweep_params()
        dict.__init__(self, self._locked)

    def __setitem__(self, key, value):
        if key not in self.__dict__.get("_locked", {}):
            dict.__setitem__(self, key, value)

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name)

    def __setattr__(self, name, value):
        if name.startswith("_"):
            self.__dict__[name] = value
        else:
            self[name] = value

    def update(self, values=None, **more):
        more.pop("allow_val_change", None)
        values = values if values is not None else {}
        for key, value in dict(values if hasattr(values, "keys") else vars(values), **more).items():
            self[key] = value

    def setdefaults(self, values):
        for key, value in dict(values).items():
            self.setdefault(key, value)
        return self

    def as_dict(self):
        return dict(self)


class _Summary(dict):
    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name)

    def __setattr__(self, name, value):
        self[name] = value


class _Run(object):
    def __init__(self):
        self.config = _Config()
        self.summary = _Summary()
        self.id = self.name = os.environ.get("WANDB_RUN_ID", "run")
        self.sweep_id = os.environ.get("WANDB_SWEEP_ID")
        self.dir = _RUN_DIR or os.getcwd()
        self.project = self.entity = self.group = self.url = ""

    @property
    def step(self):
        return _rows.step

    def log(self, data, step=None, commit=None, *more, **others):
        self.summary.update(_numbers(data, "", {}))
        _rows.log(data, step, commit)

    def finish(self, *args, **kwargs):
        _rows.end(self.summary)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.finish()
        return False

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing()


def _fill(module):
    run = _Run()

    def init(*args, **kwargs):
        sys.stderr.write("sweepd: wandb is not installed: what is logged by it is read, and "
                         "nothing else of it is there\n")
        config = kwargs.get("config", args[1] if len(args) > 1 else None)
        if config is not None and not isinstance(config, str):
            run.config.update(config)
        module.run = run
        return run

    def refuse(name):
        def refused(*args, **kwargs):
            raise RuntimeError("wandb." + name + ": wandb is not installed; what stands in for it "
                               "under sweepd has no server")
        return refused

    def anything(name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing()

    import atexit
    atexit.register(run.finish)
    for name in ("sweep", "agent", "controller", "Api", "restore"):
        setattr(module, name, refuse(name))
    module.init, module.run = init, None
    module.login = lambda *args, **kwargs: True
    module.log, module.finish = run.log, run.finish
    module.config, module.summary = run.config, run.summary
    module.watch = module.unwatch = module.define_metric = module.save = _Nothing()
    module.__version__ = "0.0.0+sweepd"
    module.__getattr__ = anything


class _Loader(object):
    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        _fill(module)


def _asks():
    """The file that imports; libraries that only look whether wandb is there must not find it."""
    library = os.path.dirname(os.path.abspath(os.__file__))
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith("<frozen") and os.path.abspath(name) != os.path.abspath(__file__) \
                and os.path.dirname(name) != os.path.join(library, "importlib"):
            return name
        frame = frame.f_back
    return ""


class _StandIn(object):
    """Asked last: nobody else has found it."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "wandb":
            return None
        asks = _asks()
        library = os.path.dirname(os.path.abspath(os.__file__))
        if "site-packages" in asks or "dist-packages" in asks or asks.startswith(library + os.sep):
            return None
        from importlib.machinery import ModuleSpec
        return ModuleSpec("wandb", _Loader, origin="sweepd")


# --- files ---------------------------------------------------------------------------------------

_opened = set()


def _is_new(path):
    """Behind what others have written nobody could tell whose rows are whose."""
    try:
        return os.stat(path).st_size == 0
    except OSError:
        return True


def _on_event(event, args):
    if event != "open" or len(_opened) >= _FILES_MAX:
        return
    try:
        path, mode, flags = args
        if not isinstance(path, str) or not (path.endswith(_FILE_ENDS) or ".tfevents." in path):
            return
        writes = any(c in mode for c in "wxa+") if isinstance(mode, str) \
            else flags & (os.O_WRONLY | os.O_RDWR)
        path = os.path.abspath(path)
        if not writes or path in _opened or "\n" in path:
            return
        truncates = "w" in mode or "x" in mode if isinstance(mode, str) else flags & os.O_TRUNC
        _opened.add(path)
        if truncates or _is_new(path):
            _append("opened-files", (path + "\n").encode("utf-8"))
    except Exception:
        pass


# --- the beginning -------------------------------------------------------------------------------

def _install():
    sys.meta_path.insert(0, _Watcher)
    sys.meta_path.append(_StandIn)
    if _RUN_DIR and hasattr(sys, "addaudithook"):
        sys.addaudithook(_on_event)


def _go_on():
    """The sitecustomize that Python would have found without this one."""
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec
    here = os.path.realpath(_HERE)
    sys.path[:] = [p for p in sys.path if os.path.realpath(p or ".") != here]
    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


try:
    _install()
except Exception:
    pass
_go_on()
