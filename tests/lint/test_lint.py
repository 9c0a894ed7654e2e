"""The house's rules over the whole tree; each rule is first shown to be able to fail."""
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import rules  # noqa: E402
from tap import check, equal, run  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def sources():
    for folder in rules.FOLDERS:
        for base, _, files in os.walk(os.path.join(ROOT, folder)):
            for name in sorted(files):
                if name.endswith((".c", ".h")):
                    path = os.path.join(base, name)
                    with open(path, encoding="utf-8") as f:
                        yield os.path.relpath(path, ROOT), f.read()


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def test_each_rule_can_fail():
    for rule, planted in rules.PLANTED.items():
        for path, text in planted:
            check(list(rule(path, text)), f"{rule.__name__} lets {text[:40]!r} in {path} pass")
    equal(set(rules.PLANTED), set(rules.RULES), "rules with a planted violation")


def over_the_tree(rule):
    complaints = [c for path, text in sources() for c in rule(path, text)]
    check(not complaints, "\n" + "\n".join(complaints[:60]))


def tree_test(rule):
    def test():
        over_the_tree(rule)
    test.__name__ = f"test_{rule.__name__}"
    return test


def test_files_are_there():
    check(len(list(sources())) > 80, "the tree was found")


def test_headers_compile_alone_and_twice():
    def compiles(name):
        with tempfile.NamedTemporaryFile("w", suffix=".c") as f:
            f.write(f'#include "{name}"\n#include "{name}"\ntypedef int not_empty;\n')
            f.flush()
            return subprocess.run(["cc", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Werror",
                                   "-Wno-unused-function", "-Wno-unused-variable",
                                   "-fsyntax-only", "-I", ROOT, "-I", ROOT + "/include", f.name],
                                  capture_output=True, text=True)
    with tempfile.NamedTemporaryFile("w", suffix=".h") as planted:
        planted.write("int f(size_t a);\n")
        planted.flush()
        check(compiles(planted.name).returncode, "a header that lacks an include is found")
    headers = [p for p, _ in sources() if p.endswith(".h")]
    for path in headers:
        name = path[len("include/"):] if path.startswith("include/") else path
        done = compiles(name)
        check(done.returncode == 0, f"{path}:\n{done.stderr}")


def test_no_header_cycles():
    def cycle(graph):
        state = {}

        def visit(node, trail):
            if state.get(node) == 1:
                return trail + [node]
            if node in state:
                return None
            state[node] = 1
            for other in graph.get(node, ()):
                found = visit(other, trail + [node])
                if found:
                    return found
            state[node] = 2
            return None
        for node in graph:
            found = visit(node, [])
            if found:
                return found
        return None
    check(cycle({"a": ["b"], "b": ["a"]}), "a planted cycle is found")
    graph = {}
    for path, text in sources():
        if path.endswith(".h"):
            name = path[len("include/"):] if path.startswith("include/") else path
            graph[name] = [n for kind, n in rules.INCLUDE.findall(text) if kind == '"']
    found = cycle(graph)
    check(not found, f"{found}")


def test_exceptions_are_needed():
    """An arrow that points the wrong way no more must not be allowed any longer."""
    there = {(path, name) for path, text in sources() for _, name in rules.INCLUDE.findall(text)}
    stale = {e for e in rules.EXCEPTIONS if e not in there or rules.may_include(*e)}
    check(not stale, f"not needed any more: {sorted(stale)}")


def test_architecture_names_every_folder():
    text = read("ARCHITECTURE.md")
    folders = {os.path.dirname(p) for p, _ in sources()}
    missing = [f for f in sorted(folders) if f + "/" not in text and f not in text]
    check(not missing, f"ARCHITECTURE.md does not name {missing}")
    for place in re.findall(r"`((?:common|daemon|worker|client|schema|include|tests|docs)/[\w/.*-]+)`",
                            text):
        if "*" not in place:
            check(os.path.exists(os.path.join(ROOT, place)), f"ARCHITECTURE.md names {place}")


def test_ci_calls_the_readme_command():
    check("./bootstrap test" in read("README.md"), "README.md names the test command")
    check('bootstrap" test' in read(".ci/run"), ".ci/run calls it")
    check("./bootstrap demo" in read("README.md"), "README.md names the demo command")


def test_verbs_are_documented():
    """Every verb stands in the manual. Completions ask the program: test_completions.py."""
    with open(os.path.join(ROOT, "client", "client.h"), encoding="utf-8") as f:
        verbs = re.findall(r'^\s+X\((\w+), "\w+",', f.read(), re.M)
    check(len(verbs) >= 19, f"verbs were found: {verbs}")
    manual = read("docs/man/sweepctl.1")
    missing = [v for v in verbs if not re.search(rf"\b{v}\b", manual)]
    check(not missing, f"not in the manual: {missing}")


def test_errors_are_documented():
    with open(os.path.join(ROOT, "include", "sweep", "err.h"), encoding="utf-8") as f:
        rows = re.findall(r'X\(ERR_\w+, -\d+, "(\w+)", (-\d+)\)', f.read())
    check(len(rows) >= 16, "the table was found")
    text = read("docs/protocol.md")
    missing = [r for r in rows if f"| {r[1]} | `{r[0]}` |" not in text]
    check(not missing, f"docs/protocol.md lacks {missing}")


def test_patterns_are_documented_in_both_languages():
    """docs/patterns.md has each pattern's row in Chinese as table `patterns` has it."""
    text, header = read("docs/patterns.md"), read("include/sweep/pattern.h")
    english, chinese = header.split("#define PATTERN_ZH_MAP")
    names = dict(re.findall(r'X\((\w+), "(\w+)"', english))
    literals = r'((?:"[^"]*"[\s\\]*)+)'
    rows = re.findall(r"X\((\w+)" + 4 * (r",[\s\\]*" + literals) + r"\)", chinese)
    check(len(rows) == len(names) == 14, f"{len(rows)} rows in Chinese, {len(names)} patterns")
    for row in rows:
        cells = ["".join(re.findall(r'"([^"]*)"', cell)) or "–" for cell in row[1:]]
        line = f"| `{names[row[0]]}` | " + " | ".join(cells) + " |"
        check(line in text, f"docs/patterns.md lacks {line}")
        check(text.count(f"| `{names[row[0]]}` |") >= 2, f"{names[row[0]]} in both languages")


def test_shell_scripts_parse():
    for path in ("bootstrap", ".ci/run", "tests/lib/demo.sh", "dist/debian/build",
                 "dist/debian/sweepd.prerm", "dist/debian/sweepd.postrm",
                 "dist/completions/sweepctl.bash", "dist/completions/sweepd.bash"):
        shell = "bash" if path.endswith(".bash") else "sh"
        done = subprocess.run([shell, "-n", os.path.join(ROOT, path)], capture_output=True,
                              text=True)
        check(done.returncode == 0, done.stderr)


def test_unit_tests_report_each_test():
    """cmocka speaks TAP where it is told to; else meson counts the program as skipped."""
    silent = []
    for folder, _, files in os.walk(os.path.join(ROOT, "tests")):
        for name in (f for f in files if f.endswith(".c")):
            text = read(os.path.join(folder, name))
            if "cmocka_run_group_tests" in text and "CM_OUTPUT_TAP" not in text:
                silent.append(name)
    check(not silent, f"without cmocka_set_message_output(CM_OUTPUT_TAP): {silent}")


if __name__ == "__main__":
    run(test_files_are_there, test_each_rule_can_fail, *map(tree_test, rules.RULES),
        test_headers_compile_alone_and_twice, test_no_header_cycles, test_exceptions_are_needed,
        test_architecture_names_every_folder, test_ci_calls_the_readme_command,
        test_verbs_are_documented, test_errors_are_documented,
        test_patterns_are_documented_in_both_languages, test_shell_scripts_parse,
        test_unit_tests_report_each_test)
