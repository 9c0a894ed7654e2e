"""The examples of docs/protocol.md, sent to a real daemon in their order.

A fenced block ```json-rpc holds lines "--> request" and "<-- reply". In a reply "…" stands for
any value, and members that are not shown may be there.
"""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import SOURCE, Daemon, make_data  # noqa: E402
from tap import check, run  # noqa: E402


def blocks():
    with open(os.path.join(SOURCE, "docs", "protocol.md"), encoding="utf-8") as f:
        return re.findall(r"^```json-rpc\n(.*?)^```", f.read(), re.M | re.S)


def matches(shown, seen):
    """shown, from the document, describes seen."""
    if shown == "…":
        return True
    if isinstance(shown, dict):
        return isinstance(seen, dict) and all(
            k in seen and matches(v, seen[k]) for k, v in shown.items())
    if isinstance(shown, list):
        if "…" in shown:
            return isinstance(seen, list)
        return isinstance(seen, list) and len(shown) == len(seen) and all(
            matches(a, b) for a, b in zip(shown, seen))
    return shown == seen


def is_meant(shown, seen):
    """Notifications may come between: of other sweeps, whose workers still end, and of points."""
    if "method" not in shown:
        return "id" in seen
    return (seen.get("method") == shown["method"]
            and seen["params"].get("sweep") == shown["params"].get("sweep"))


def test_matching_can_fail():
    check(matches({"a": "…"}, {"a": 1, "b": 2}), "wildcard and more members")
    check(not matches({"a": 1}, {"a": 2}), "a wrong value")
    check(not matches({"a": 1}, {}), "a missing member")
    check(not matches([1], [1, 2]), "a longer list")


def test_examples():
    examples = blocks()
    check(len(examples) >= 10, f"{len(examples)} examples in docs/protocol.md")
    with Daemon() as d:
        data = make_data(d.home)
        c = d.connect()
        sent = 0
        for block in examples:
            for line in block.splitlines():
                line = line.strip().replace("/data/digits", data)
                if line.startswith("-->"):
                    c.send(line[3:].strip().encode() + b"\n")
                    sent += 1
                elif line.startswith("<--"):
                    shown = json.loads(line[3:])
                    while True:
                        seen = json.loads(c.line())
                        if is_meant(shown, seen):
                            break
                    check(matches(shown, seen), f"\nshown {line[3:]}\nseen  {json.dumps(seen)}")
        check(sent >= 10, f"{sent} requests were sent")
        c.close()


if __name__ == "__main__":
    run(test_matching_can_fail, test_examples)
