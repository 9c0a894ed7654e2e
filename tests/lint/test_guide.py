"""docs/guide.md has every point of the tuning guide, and what it names is there. Each rule is first
shown to be able to fail."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from tap import check, equal, run  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GUIDE = "docs/guide.md"
INVARIANTS = "docs/invariants.md"
POINTS = [f"G{chapter}.{i}" for chapter, count in ((1, 3), (2, 2), (3, 4), (4, 8))
          for i in range(1, count + 1)]
# where points are cited: folder → endings
CITED = {"": (".md",), "client": (".c", ".h"), "common": (".c", ".h"), "daemon": (".c", ".h"),
         "docs": (".md", ".json", ".1"), "include": (".h",), "schema": (".sql", ".md", ".json"),
         "tests": (".c", ".h", ".py", ".md"), "worker": (".c", ".h")}
CITATION = re.compile(r"(?<![A-Za-z0-9_])G[0-9](?:\.[0-9]+)?(?![A-Za-z0-9_])")
ROW = re.compile(r'^\| <a id="([^"]*)"></a>(\S+) \| (.+?) \| (.+?) \| (.+?) \|$', re.M)
# `path` (`name`, `name`) or `path`: `name`
NAMED = re.compile(r"`([\w./-]+/[\w./-]+)`(?::? \(?((?:`[^`/ ]+`(?:, )?)+))?")
# What defines a name: a test, any word, a table of rows.
TEST = r"^(?:.*(?:cmocka_unit_test\w*|CASE|TEST)\(|def )%s(?:[,)]|\(\):$)"
WORD = r"(?<!\w)%s(?!\w)"
TABLE = r"#define %s\(X\)|\b%s\b(?:\[\w*\])?(?:\)?\(.*)? = |VIEW %s |^static bool %s\("
FOLDERS = ("client/", "common/", "daemon/", "include/", "schema/", "tests/", "worker/")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def files_of(folder, endings):
    for base, folders, names in os.walk(os.path.join(ROOT, folder)):
        if not folder:
            folders.clear()
        for name in sorted(names):
            if name.endswith(endings):
                yield os.path.relpath(os.path.join(base, name), ROOT)


def places(text):
    """(path, [names]) of every file that the text names."""
    for path, names in NAMED.findall(text):
        if path.startswith(FOLDERS):
            yield path, re.findall(r"`([^`]+)`", names)


# --- rules: each yields complaints ----------------------------------------------------------------

def points_have_rows(text):
    """Each point once, in order, under its own anchor, with a file and a test."""
    rows = ROW.findall(text)
    if [row[1] for row in rows] != POINTS:
        yield f"rows of {[row[1] for row in rows]}, not of {POINTS}"
    for anchor, point, says, code, tests in rows:
        if anchor != point.lower():
            yield f"{point}: the anchor is {anchor!r}"
        if f"\n## {point[:2]} " not in text[:text.index(f'id="{anchor}"')]:
            yield f"{point}: its chapter has no heading"
        if not any(True for _ in places(code)):
            yield f"{point}: no file carries it out"
        if not any(path.startswith("tests/") and names for path, names in places(tests)):
            yield f"{point}: no test shows it"
        if len(says) < 40:
            yield f"{point}: says nothing"


def named_files_exist(text, source=read):
    for path, names in places(text):
        try:
            there = source(path)
        except FileNotFoundError:
            yield f"{path} does not exist"
            continue
        for name in names:
            if not re.search((TEST if path.startswith("tests/") else WORD) % re.escape(name), there,
                             re.M):
                yield f"{path} has no {name}"


def links_lead_somewhere(text, exists=os.path.exists):
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        if not exists(os.path.join(ROOT, "docs", target)):
            yield f"a link to {target}"


def cited_points_exist(path, text, known):
    for line, content in enumerate(text.splitlines(), 1):
        for point in CITATION.findall(content):
            if point not in known:
                yield f"{path}:{line} cites {point}"


def readme_links(text):
    for target in (GUIDE, "schema/README.md"):
        if f"]({target})" not in text:
            yield f"README.md has no link to {target}"


def recipes_are_true(text):
    """Rows of CONTRIBUTING.md: files are there, folders where a name is left open, tables where
    they are said to be. A file without a folder lies in that of the file before it."""
    def full(path):
        return os.path.join(ROOT, path)

    for row in re.findall(r"^\| .*", text, re.M):
        folder = ""
        for path in re.findall(r"`([\w./-]+\.[a-z0-9]+)`", row):
            folder = os.path.dirname(path) or folder
            path = os.path.join(folder, os.path.basename(path))
            if not os.path.exists(full(folder if re.search("NAME|VERB|NNN", path) else path)):
                yield f"CONTRIBUTING.md names {path}"
        for names, path in re.findall(r"((?:`\w+`(?: and )?)+) in `([\w./-]+)`", row):
            for name in re.findall(r"\w+", names.replace(" and ", " ")):
                said = TABLE % (name, name, name, name)
                if os.path.exists(full(path)) and not re.search(said, read(path), re.M):
                    yield f"CONTRIBUTING.md: no {name} in {path}"


# --- tests ----------------------------------------------------------------------------------------

def none(complaints):
    complaints = list(complaints)
    check(not complaints, "\n" + "\n".join(complaints[:40]))


def expect(complaints, words):
    complaints = list(complaints)
    check(any(words in c for c in complaints), f"{words!r} is not said: {complaints[:5]}")


def change(text, old, new):
    check(old in text, f"{old!r} was found")
    return text.replace(old, new, 1)


def test_each_rule_can_fail():
    text = read(GUIDE)
    row = next(r for r in text.splitlines() if 'id="g3.1"' in r)
    _, says, code, tests = row.split(" | ")
    for planted, words in (
            (change(text, row + "\n", ""), "rows of"),
            (change(text, row, row + "\n" + row), "rows of"),
            (change(text, 'id="g3.1"', 'id="g3.2"'), "the anchor is 'g3.2'"),
            (change(text, "\n## G3 ", "\n## "), "G3.1: its chapter"),
            (change(text, code, "the worker"), "G3.1: no file"),
            (change(text, tests, "a person, who looks |"), "G3.1: no test"),
            (change(text, says, "NaN"), "G3.1: says nothing")):
        expect(points_have_rows(planted), words)
    there = {"daemon/a.c": "int ab;\n", "tests/a.c": "cmocka_unit_test(one)\nint two;\n",
             "tests/a.py": "def three():\n    four = 1\n"}

    def source(path):
        if path not in there:
            raise FileNotFoundError(path)
        return there[path]

    none(named_files_exist("`daemon/a.c` (`ab`), `tests/a.c`: `one`, `tests/a.py` (`three`)",
                           source))
    for planted, words in (("x: `daemon/b.c`, y", "daemon/b.c does not exist"),
                           ("`daemon/a.c` (`a`)", "daemon/a.c has no a"),
                           ("`daemon/a.c` (`ab`, `b`)", "daemon/a.c has no b"),
                           ("`tests/a.c` (`one`, `two`)", "tests/a.c has no two"),
                           ("(`tests/a.py`: `four`)", "tests/a.py has no four")):
        expect(named_files_exist(planted, source), words)
    expect(links_lead_somewhere("[a](no-such.md)"), "no-such.md")
    for unknown in ("G" + "4.9", "G" + "5.1", "G" + "5", "G" + "1.10", "G" + "3.0"):
        for planted in (f"/* ({unknown}) */", f'"{unknown}"', f"（{unknown}）", f"{unknown}: so"):
            expect(cited_points_exist("a.c", "\n" + planted, set(POINTS)), f"a.c:2 cites {unknown}")
    none(cited_points_exist("a.c", "PRESET_GUIDE_G3_2 MG1.5 G2 (G4.8).", {"G2", "G4.8"}))
    for planted, words in (("`daemon/serve/dispatcher.c`", "names daemon/serve/dispatcher.c"),
                           ("`daemon/searching/NAME.c`", "names daemon/searching"),
                           ("`daemon/causes/cause.c` or `why.c`", "names daemon/causes/why.c"),
                           ("`METHOD_MAP` in `include/sweep/spec.h`", "no METHOD_MAP in include"),
                           ("`rows` and `other` in `common/label/pattern.c`", "no other in")):
        expect(recipes_are_true(f"| {planted} |"), words)
    expect(readme_links("docs/guide.md schema/README.md"), "docs/guide.md")
    expect(readme_links("[a](docs/guide.md)"), "schema/README.md")


def test_every_point_has_its_row():
    none(points_have_rows(read(GUIDE)))


def test_what_it_names_exists():
    text = read(GUIDE)
    none(named_files_exist(text))
    none(links_lead_somewhere(text))
    # Nothing that looks like a path or a test escaped the rule.
    seen = {path for path, _ in places(text)}
    equal({p for p in re.findall(r"`([^` ]+/[^` ]+)`", text)} - seen, set(), "not looked at")


def sentences_have_tests(text):
    """Each row of docs/invariants.md once, in order, with a test."""
    rows = re.findall(r"^\| (\d+\.\d+) \| (.+?) \| (.+?) \|$", text, re.M)
    if [r[0] for r in rows] != sorted({r[0] for r in rows}):
        yield "the rows are not in order"
    for number, says, tests in rows:
        if not any(path.startswith("tests/") and names for path, names in places(tests)):
            yield f"{number}: no test shows it"
        if len(says) < 40:
            yield f"{number}: says nothing"


def test_what_always_holds_has_tests():
    text = read(INVARIANTS)
    row = next(x for x in text.splitlines() if x.startswith("| 2.1 "))
    tests = row.split(" | ")[2]
    expect(sentences_have_tests(change(text, tests, "we hope |")), "2.1: no test")
    expect(sentences_have_tests(change(text, row, row + "\n" + row)), "not in order")
    expect(named_files_exist(change(text, "`test_power_cuts`", "`test_power`")), "has no test_power")
    check(text.count("\n| ") > 20, "rows were found")
    none(sentences_have_tests(text))
    none(named_files_exist(text))
    none(links_lead_somewhere(text))


def test_points_are_known_wherever_they_are_cited():
    known = set(POINTS) | {point[:2] for point in POINTS}
    paths = [p for folder, endings in CITED.items() for p in files_of(folder, endings)]
    check(len(paths) > 300, f"{len(paths)} files were found")
    cited = [p for p in paths if CITATION.search(read(p))]
    check(len(cited) > 40, f"{len(cited)} files cite the guide")
    none(c for p in cited for c in cited_points_exist(p, read(p), known))


def test_what_contributing_says_is_there():
    text = read("CONTRIBUTING.md")
    check(text.count("_MAP`") >= 9, "the table was found")
    none(recipes_are_true(text))


def test_readme_links_to_it():
    none(readme_links(read("README.md")))


if __name__ == "__main__":
    run(test_each_rule_can_fail, test_every_point_has_its_row, test_what_it_names_exists,
        test_what_always_holds_has_tests,
        test_points_are_known_wherever_they_are_cited, test_what_contributing_says_is_there,
        test_readme_links_to_it)
