"""A test is a function; run() calls each, prints TAP, and fails the program if one fails."""
import os
import sys
import time
import traceback


class Skip(Exception):
    """Raised by a test that cannot run here; the reason is printed."""


def check(condition, message="check failed"):
    if not condition:
        raise AssertionError(message)


def equal(seen, asked, what=""):
    if seen != asked:
        raise AssertionError(f"{what}: asked {asked!r}, seen {seen!r}")


def equal_rows(seen, asked, what):
    """Of two lists of rows that differ, the first rows that only one has."""
    if seen == asked:
        return
    has, wants = set(seen), set(asked)
    missing = [r for r in asked if r not in has][:2]
    added = [r for r in seen if r not in wants][:2]
    raise AssertionError(f"{what}: {len(seen)} rows, asked {len(asked)}; only asked: {missing!r}; "
                         f"only seen: {added!r}")


def until(condition, what, seconds=240):
    """Waits until that holds, as long as it takes: a process may stand still for many seconds, and
    the limit only ends what would never end."""
    deadline = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < deadline, f"{what}: not within {seconds} s")
        time.sleep(0.005)


def run(*tests):
    only = os.environ.get("TEST_ONLY")
    tests = [t for t in tests if not only or only in t.__name__]
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for number, test in enumerate(tests, 1):
        start = time.monotonic()
        try:
            test()
            print(f"ok {number} {test.__name__} # {time.monotonic() - start:.1f} s", flush=True)
        except Skip as reason:
            print(f"ok {number} {test.__name__} # SKIP {reason}", flush=True)
        except BaseException:  # also a KeyboardInterrupt: said, then the next test
            failed += 1
            for line in traceback.format_exc().splitlines():
                print(f"# {line}", flush=True)
            print(f"not ok {number} {test.__name__}", flush=True)
    sys.exit(1 if failed else 0)
