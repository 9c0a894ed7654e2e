"""The figures of tests/lint/figures.py are right on texts whose figures are known."""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import circles  # noqa: E402
import figures  # noqa: E402
import rules  # noqa: E402
from tap import check, equal, run  # noqa: E402

ARGUMENTS_MAX = 8
ARGUMENTS_PERCENT = 2  # of the functions may have figures.MANY_ARGUMENTS, and not even so many
# The matrix product has the argument list that BLAS gave it.
LONG_ARGUMENT_LISTS = {("worker/nn/gemm.c", "gemm"), ("worker/nn/gemm.c", "gemm_naive")}
# head of a definition → (name, number of arguments), None where it is none
HEADS = {
    "int f(void)": ("f", 0),
    "int f()": ("f", 0),
    "static struct run *f(const char *name, int n)": ("f", 2),
    "int f(int a, int b,\n      int c, int d,\n      int e, int g)": ("f", 6),
    "void f(int a, void (*done)(void *data, int status, int more), void *data)": ("f", 3),
    "void f(double x[static 2], int (*at)[3])": ("f", 2),
    "int (*f(int a, int b))(int, int, int)": ("f", 2),
    "static int (*f(int a, void (*g)(int, int)))(int)": ("f", 2),
    "void f(struct errbuf *e, const char *format, ...)": ("f", 2),
    "static inline __attribute__((always_inline)) void f(int a, int b)": ("f", 2),
    '__attribute__((target_clones("avx2", "default"), hot))\nvoid f(int a)': ("f", 1),
    "void f(int a __attribute__((unused)), int b)": ("f", 2),
    "CLONES(a, b, c) static void f(int a)": ("f", 1),
    "MAP(ROW)\nstatic void f(int a, int b)": ("f", 2),
    "void f(int a) PRINTF_LIKE(1, 2)": ("f", 1),
    "struct run": None,
    "static const struct option options[] =": None,
    "static const int sizes[] = SIZES(1, 2)": None,
    "typedef struct": None,
}
TEXT = """/* { int no(int a) { } */
#define EACH(X) \\
    X(int, one) {
struct pair {
    int a, b;
};
static const struct pair pairs[] = {{1, 2}, {3, 4}};
static int one(void) { return '{'; }
int
two(int a, int b)
{
    struct pair p = {a, b};
    if (a) {
        puts("}");
    }
    return p.a;
}
#ifdef X
int three(int a) {
#else
int three(int a, int b) {
#endif
    return a;
}
int four(int a, int b, int c, int d, int e, int f)
{
#if X
    if (a) {
#else
    if (b) {
#endif
        a++;
    }
    return a;
}
int five(void)
{
}
"""


def test_heads():
    for head, asked in HEADS.items():
        seen = figures.declarator(head)
        equal(seen and (seen[0], len(seen[1])), asked, head)


def test_definitions():
    seen = {name: (first, lines, len(arguments))
            for name, first, lines, arguments in figures.definitions(TEXT)}
    equal(seen, {"one": (8, 1, 0), "two": (11, 7, 2), "three": (19, 6, 1), "four": (26, 10, 6),
                 "five": (37, 2, 0)}, "name: line of the brace, lines, arguments")


def test_spread():
    equal(figures.spread([]), None, "of nothing")
    values = [(n, str(n)) for n in range(1, 11)]
    equal(figures.spread(values), {"median": 5.5, "p90": 9, "max": 10, "max_name": "10"}, "1 … 10")
    equal(figures.spread([(3, "a")]), {"median": 3, "p90": 3, "max": 3, "max_name": "a"}, "one")


def write(root, path, text):
    os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
    with open(os.path.join(root, path), "w", encoding="utf-8") as f:
        f.write(text)


def figures_of(*arguments):
    return subprocess.run([sys.executable, "-B", figures.__file__, *arguments], check=True,
                          capture_output=True, text=True).stdout


def test_another_checkout():
    """A made-up tree in which each figure has something to show."""
    with tempfile.TemporaryDirectory() as root:
        write(root, "daemon/a.c", TEXT + "/* */\n" * 480)
        write(root, "daemon/b.h", '#include "daemon/c.h"\n')
        write(root, "daemon/c.h", '#include "daemon/b.h"\n')
        write(root, "worker/a.c", "int f(void)\n{\n" + "    g();\n" * 99 + "}\n")
        write(root, "tests/unit/test_a.c", "\n" * 100)
        write(root, "tests/lib/a.py", "\n" * 50)
        for path in ("tests/bench/a.c", "tests/fuzz/corpus/a.c", "tests/golden/a.py"):
            write(root, path, "\n" * 1000)
        seen = json.loads(figures_of("--json", root))
        total = seen["folders"]["all"]
        equal((total["files"], seen["folders"]["daemon"]["files"]), (4, 3), "files")
        equal(total["long_files"], [[518, "daemon/a.c"]], "long files")
        equal(total["long_functions"], {"60": [[101, "worker/a.c:2 f()"]],
                                        "100": [[101, "worker/a.c:2 f()"]]}, "long functions")
        equal(total["many_arguments"], [[6, "daemon/a.c:26 four()"]], "many arguments")
        equal(seen["include_circles"], [["daemon/b.h", "daemon/c.h"]], "circles of includes")
        equal(seen["call_circles"], None, "no objects, no circles of calls")
        equal(seen["tests"], {"c_lines": 100, "python_lines": 50, "to_source": 150 / 622}, "tests")
        text = figures_of("-v", root)
        for line in ("   518  daemon/a.c", "   101  worker/a.c:2 f()",
                     "     6  daemon/a.c:26 four()",
                     "     2  daemon/b.h, daemon/c.h", "circles of calls: not measured"):
            check(line in text, f"{line!r} is not in\n{text}")


def test_every_function_of_the_tree_is_found():
    """The rule on sizes and the figures see the same bodies."""
    for path, text in circles.sources(circles.ROOT).items():
        plain = {(first, lines) for _, first, lines in rules.functions(text)}
        seen = {(first, lines) for _, first, lines, _ in figures.definitions(text)}
        check(plain <= seen, f"{path}: not seen: {sorted(plain - seen)}")


def argument_complaints(texts):
    """What texts (path → text) have too many arguments of."""
    named = [(len(arguments), path, name) for path, text in texts.items()
             for name, _, _, arguments in figures.definitions(text)]
    many = [f for f in named if f[0] >= figures.MANY_ARGUMENTS]
    if len(many) * 100 >= ARGUMENTS_PERCENT * len(named):
        yield (f"{len(many)} of {len(named)} functions have {figures.MANY_ARGUMENTS} arguments or "
               f"more; less than {ARGUMENTS_PERCENT} % may")
    yield from (f"{path}: {name}() has {count} arguments; at most {ARGUMENTS_MAX}"
                for count, path, name in many
                if count > ARGUMENTS_MAX and (path, name) not in LONG_ARGUMENT_LISTS)


def test_functions_have_few_arguments():
    def function(count):
        return "int f(" + ", ".join(f"int a{i}" for i in range(count)) + ")\n{\n}\n"

    fifty = {f"daemon/a{i}.c": function(1) for i in range(50)}
    equal(list(argument_complaints({**fifty, "daemon/b.c": function(8)})), [], "1 of 51")
    for planted, said in [({"daemon/b.c": function(9)}, "f() has 9 arguments"),
                          ({"daemon/b.c": function(6), "daemon/c.c": function(6)}, "2 of 52")]:
        complaints = list(argument_complaints({**fifty, **planted}))
        check(len(complaints) == 1 and said in complaints[0], f"planted: {complaints}")
    texts = circles.sources(circles.ROOT)
    complaints = list(argument_complaints(texts))
    check(not complaints, "\n" + "\n".join(complaints))
    long = {(path, name) for path, text in texts.items()
            for name, _, _, arguments in figures.definitions(text)
            if len(arguments) > ARGUMENTS_MAX}
    equal(long, LONG_ARGUMENT_LISTS, "the long argument lists that are allowed")


if __name__ == "__main__":
    run(test_heads, test_definitions, test_spread, test_another_checkout,
        test_every_function_of_the_tree_is_found, test_functions_have_few_arguments)
