"""Runs the meson tests of each build directory and ends with `N passed, N failed`.

usage: run_tests.py BUILD_DIR [SANITIZED_BUILD_DIR]. One alone runs every suite. Of two, the second,
built with AddressSanitizer and UndefinedBehaviorSanitizer, runs all but lint (which reads sources
only) and `once`; the first runs those, and again what is looked at in both (suite `plain`, the
numbers, the crashes).
Every test point of a TAP program counts; a program that ends badly counts as one failure more.
"""
import json
import os
import re
import subprocess
import sys

POINT = re.compile(r"^(not )?ok\b(?!.*# SKIP)", re.M)
TIMEOUTS = "10"  # times what meson gives a test: it ends only what would never end
# Four more than there are processors: many tests wait, for a disk or another process.
PROCESSES = str(min(8, os.cpu_count() or 1) + 4)
SKIPPED = re.compile(r"^ok\b.*# SKIP.*$", re.M)


def scratch(build):
    """A folder for the tests' files in the build directory, unless sockets in it would have names
    too long for the kernel."""
    folder = os.path.abspath(os.path.join(build, "tmp"))
    if len(folder) > 50:
        return os.environ.get("TMPDIR", "/tmp")
    os.makedirs(folder, exist_ok=True)
    return folder


def what_failed(output):
    """The lines of a TAP output but its good points: the reasons, at most 60 of them."""
    return [x for x in output.splitlines() if not re.match(r"ok\b|1\.\.", x)][-60:]


def run(build, arguments):
    """(passed, failed, skipped) of one build directory."""
    environment = dict(os.environ, TMPDIR=scratch(build), PYTHONDONTWRITEBYTECODE="1",
                       ASAN_OPTIONS="detect_leaks=1:strict_string_checks=1:abort_on_error=0",
                       UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1")
    log = os.path.join(build, "meson-logs", "testlog.json")
    if os.path.exists(log):
        os.remove(log)
    print(f"== {build}", flush=True)
    status = subprocess.run(["meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs",
                             "--num-processes", PROCESSES, "--timeout-multiplier", TIMEOUTS,
                             *arguments], env=environment).returncode
    passed = failed = skipped = 0
    if not os.path.exists(log):
        return 0, 1, 0
    with open(log, encoding="utf-8") as f:
        for entry in map(json.loads, f):
            output = entry.get("stdout") or ""
            points = [m.group(1) for m in POINT.finditer(output)]
            bad = sum(1 for p in points if p)
            passed += len(points) - bad
            failed += bad
            skips = SKIPPED.findall(output)
            skipped += len(skips)
            for line in skips:
                print(f"skipped: {entry['name']}: {line}")
            good = entry["result"] in ("OK", "SKIP")
            if not good:
                print(f"failed: {entry['name']}: what it said", *what_failed(output), sep="\n  ")
            if not points and not skips:  # not TAP: the program is one test
                passed, failed = (passed + 1, failed) if good else (passed, failed + 1)
            elif not good and not bad:    # TAP was fine, its end was not
                failed += 1
    if status != 0 and failed == 0:
        failed = 1
    return passed, failed, skipped


def compile_log(build):
    return os.path.join(build, "meson-logs", "compile.txt")


def compile_beside(build):
    """What the second build needs is compiled while the first is tested, which often waits."""
    with open(compile_log(build), "w", encoding="utf-8") as log:
        return subprocess.Popen(["nice", "ninja", "-C", build], stdout=log)


def main():
    builds = sys.argv[1:]
    if not 1 <= len(builds) <= 2:
        sys.exit("usage: run_tests.py BUILD_DIR [SANITIZED_BUILD_DIR]")
    plain = ("lint", "once", "plain", "numeric", "crash")
    suites = ([x for name in plain for x in ("--suite", name)],
              ["--no-suite", "lint", "--no-suite", "once"])
    totals = [0, 0, 0]
    compiling = compile_beside(builds[1]) if len(builds) == 2 else None
    for index, build in enumerate(builds):
        if index and compiling.wait() != 0:
            with open(compile_log(build), encoding="utf-8") as f:
                print(f.read()[-6000:], "the build failed:", build)
            totals[1] += 1
            break
        arguments = suites[index] if len(builds) == 2 else []
        for i, n in enumerate(run(build, arguments)):
            totals[i] += n
    tail = f", {totals[2]} skipped" if totals[2] else ""
    print(f"{totals[0]} passed, {totals[1]} failed{tail}")
    sys.exit(1 if totals[1] or not totals[0] else 0)


if __name__ == "__main__":
    main()
