"""No circle of files; every check is first shown to be able to fail.

usage: test_circles.py BUILD_DIR, with the objects of all three programs."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import circles  # noqa: E402
from tap import check, equal, run  # noqa: E402

# Two files that need each other by a call and by a row of a table; each has a static `own` too.
TABLE = """int low(int a);
static int own(int a) { return a + 1; }
int high(int a) { return low(own(a)); }
"""
ROWS = """int high(int a);
static int own(int a) { return a + 2; }
int low(int a) { return own(a); }
int (*const rows[])(int) = {high, own};
"""


def test_components():
    equal(circles.components({}), [], "nothing")
    equal(circles.components({"a": {"b", "c"}, "b": {"c"}, "c": set()}), [], "no circle")
    equal(circles.components({"a": {"b"}, "b": {"a"}}), [["a", "b"]], "two")
    equal(circles.components({"a": {"a"}}), [["a"]], "itself")
    equal(circles.components({"a": {"b"}, "b": {"c"}, "c": {"d"}, "d": {"b"}, "e": {"f"},
                              "f": {"e", "a"}}), [["b", "c", "d"], ["e", "f"]], "two circles")
    chain = {str(i): {str(i + 1)} for i in range(300)}
    equal(circles.components(chain), [], "a chain")
    equal(len(circles.components({**chain, "300": {"0"}})[0]), 301, "a ring")


def test_includes_can_fail():
    texts = {"include/sweep/a.h": '#include "sweep/b.h"\n', "include/sweep/b.h": "\n",
             "daemon/x/c.h": '#  include "d.h"\n', "daemon/x/d.h": '#include "daemon/x/c.h"\n',
             "daemon/e.c": '#include "daemon/x/c.h"\n#include <d.h>\n',
             "daemon/d.h": '/* #include "daemon/d.h" */\n'}
    graph = circles.included(texts)
    equal(graph["include/sweep/a.h"], {"include/sweep/b.h"}, "a shared header")
    equal(graph["daemon/e.c"], {"daemon/x/c.h", "daemon/d.h"}, "from the root, from beside")
    equal(circles.components(graph), [["daemon/x/c.h", "daemon/x/d.h"]], "the circle")


def compiled(folder, **texts):
    """object → daemon/NAME.c for each given text."""
    made = {}
    for name, text in texts.items():
        source, target = os.path.join(folder, name + ".c"), os.path.join(folder, name + ".o")
        with open(source, "w", encoding="utf-8") as f:
            f.write(text)
        subprocess.run(["cc", "-c", "-O2", "-o", target, source], check=True)
        made[target] = f"daemon/{name}.c"
    return made


def test_calls_can_fail():
    with tempfile.TemporaryDirectory() as folder:
        made = compiled(folder, table=TABLE, rows=ROWS)
        graph = circles.called(*circles.symbols(made))
        found = circles.components(graph)
        equal(found, [["daemon/rows.c", "daemon/table.c"]], "the circle")
        equal(list(circles.describe(found[0], graph)),
              ["daemon/rows.c -> daemon/table.c (high)", "daemon/table.c -> daemon/rows.c (low)"],
              "what makes it: no static, the row of the table too")
        check(list(circles.verdict(found, allowed=())), "it is a complaint")
        made = compiled(folder, table=TABLE, rows=ROWS.replace("high, ", ""))
        equal(circles.components(circles.called(*circles.symbols(made))), [], "without the row")


def test_symbols_stay_in_their_folder():
    graph = circles.called({"daemon/a.c": {"run"}, "worker/a.c": {"run"}, "worker/b.c": set()},
                           {"worker/b.c": {"run", "puts"}, "daemon/a.c": {"run"}})
    equal(graph, {"daemon/a.c": {}, "worker/a.c": {}, "worker/b.c": {"worker/a.c": ["run"]}},
          "each program has a `run` of its own")


def test_crossings():
    below = {"common/spec/a.c": {"common/task/b.c": ["f"]},
             "common/task/b.c": {"common/base/c.c": ["g"]}, "daemon/a/b.c": {"daemon/c/d.c": ["h"]}}
    equal(list(circles.crossings(below)), [], "downwards, and another folder")
    equal(list(circles.crossings({"common/task/b.c": {"common/spec/a.c": ["f", "g"]}})),
          ["common/task/b.c calls f, g of common/spec/a.c: no arrow leads there"], "upwards")
    check(list(circles.crossings({"common/new/b.c": {"common/base/a.c": ["f"]}})), "a new room")


def test_verdict():
    circle, other = ["daemon/a.c", "daemon/b.c"], ["worker/a.c", "worker/b.c"]
    equal(list(circles.verdict([circle, other], allowed=({*other},))),
          ["a circle of 2 files: daemon/a.c, daemon/b.c"], "one is allowed, one is not")
    equal(list(circles.verdict([circle], allowed=({"daemon/a.c", "daemon/b.c"},))), [], "allowed")
    for gone in ({"daemon/a.c", "daemon/c.c"}, {"daemon/a.c", "daemon/b.c", "daemon/c.c"}):
        complaints = list(circles.verdict([circle], allowed=(gone,)))
        equal(len(complaints), 2, f"neither allowed nor there: {complaints}")
    equal(circles.not_built({"daemon/a.c": "", "daemon/a.h": "", "daemon/b.c": ""},
                            {"a.o": "daemon/a.c"}), ["daemon/b.c"], "a file of no object")


def test_tree():
    lines, complaints = circles.report(BUILD, circles.ROOT)
    for line in lines:
        print(f"# {line}", flush=True)
    files = set(circles.objects(BUILD, circles.ROOT).values())
    for folder in ("common", "daemon", "worker", "client"):
        check(sum(f.startswith(folder + "/") for f in files) > 10, f"objects of {folder}/")
    check(not complaints, "\n" + "\n".join(complaints))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: test_circles.py BUILD_DIR")
    BUILD = sys.argv[1]
    run(test_components, test_includes_can_fail, test_calls_can_fail,
        test_symbols_stay_in_their_folder, test_crossings, test_verdict, test_tree)
