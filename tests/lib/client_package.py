"""The Python client, python/sweepd, under a name of its own: `sweepd` is the tests' module."""
import importlib.util
import os
import sys

PACKAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
                       "python")


def load():
    folder = os.path.join(PACKAGE, "sweepd")
    spec = importlib.util.spec_from_file_location(
        "sweepd_client", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder])
    module = importlib.util.module_from_spec(spec)
    sys.modules["sweepd_client"] = module
    spec.loader.exec_module(module)
    return module


sweepd = load()
