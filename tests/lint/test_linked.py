"""What decides is linked by its tests without libuv, SQLite and BLAS.

usage: test_linked.py LOOP NUMERIC TEST..., the daemon, a program that computes, and the executables
of the tests. The first two show that the check can fail."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from tap import check, run  # noqa: E402

# library → name of its file, prefix of its functions: linked in whole, it is no file beside
LIBRARIES = {
    "libuv": (r"libuv\b", r"uv_"),
    "SQLite": (r"libsqlite3\b", r"sqlite3_"),
    "BLAS": (r"lib(open|c|gsl)?(blas|cblas|lapack)", r"(cblas|openblas)_|[sd]gemm_|LAPACKE_"),
}


def needed(program):
    text = subprocess.run(["readelf", "-d", program], capture_output=True, text=True,
                          check=True).stdout
    return re.findall(r"\(NEEDED\).*\[(.+)\]", text)


def names(program):
    text = subprocess.run(["nm", "-P", program], capture_output=True, text=True, check=True).stdout
    return [line.split()[0].split("@")[0] for line in text.splitlines()]


def linked(program):
    """The libraries of LIBRARIES in the program, by its dynamic section or by its symbols."""
    files, functions = needed(program), names(program)
    return {library for library, (file, prefix) in LIBRARIES.items()
            if any(re.match(file, f) for f in files) or
            any(re.match(prefix, f) for f in functions)}


def test_can_fail():
    check(linked(LOOP) >= {"libuv", "SQLite"}, f"{LOOP}: only {linked(LOOP)} found")
    check("BLAS" in linked(NUMERIC), f"{NUMERIC}: only {linked(NUMERIC)} found")


def test_deciding_code_alone():
    check(len(TESTS) > 20, f"{len(TESTS)} tests")
    found = {os.path.basename(t): sorted(linked(t)) for t in TESTS}
    check(not any(found.values()), str({t: f for t, f in found.items() if f}))
    check(all(any("libcmocka" in f for f in needed(t)) for t in TESTS), "they are tests")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit("usage: test_linked.py LOOP NUMERIC TEST...")
    LOOP, NUMERIC, TESTS = sys.argv[1], sys.argv[2], sys.argv[3:]
    run(test_can_fail, test_deciding_code_alone)
