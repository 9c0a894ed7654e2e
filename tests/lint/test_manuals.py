"""The manual pages: mandoc finds nothing to warn of, also in those that are made of docs/*.md, and
these say all that their source says."""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
sys.path.insert(0, os.path.join(ROOT, "docs", "man"))
import page  # noqa: E402
from tap import Skip, check, equal, run  # noqa: E402

MADE = {"spec.md": ("sweepd-spec", "5"), "protocol.md": ("sweepd-protocol", "7")}


def read(*parts):
    with open(os.path.join(ROOT, *parts), encoding="utf-8") as f:
        return f.read()


def made(source):
    return "\n".join(page.page(read("docs", source), *MADE[source], "January 1, 2026", "a page"))


def complaints(text, section="1"):
    """What mandoc warns of; that other pages are not installed here is none of theirs."""
    if shutil.which("mandoc") is None:
        raise Skip("mandoc is not installed")
    with tempfile.NamedTemporaryFile("w", suffix="." + section, encoding="utf-8") as f:
        f.write(text)
        f.flush()
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", f.name],
                              capture_output=True, text=True)
    return [line for line in done.stdout.splitlines() if "referenced manual not found" not in line]


def test_mandoc_can_complain():
    check(complaints(".Dd January 1, 2026\n.Dt X 1\n.Os\n.Sh NAME\n.Nm x\n.Sh DESCRIPTION\n.Xy\n"),
          "a page that is wrong")


def test_pages_by_hand():
    for path in sorted(glob.glob(os.path.join(ROOT, "docs", "man", "*.1"))):
        equal(complaints(read(path)), [], path)


def test_pages_that_are_made():
    for source in MADE:
        equal(complaints(made(source), MADE[source][1]), [], source)


def test_nothing_of_the_markup_is_left():
    for source in MADE:
        outside = re.sub(r"^\.Bd.*?^\.Ed", "", made(source), flags=re.S | re.M)
        plain = re.sub(r"\\fB.*?\\fR", "", outside, flags=re.S)
        for mark in ("](", "|---", "<sup>", "<!--"):
            check(mark not in plain, f"{source}: {mark} in {plain[plain.find(mark) - 60:][:120]!r}")


def test_every_key_is_there():
    """The first cell of each row of each table, and each heading."""
    for source in MADE:
        text = made(source)
        tags = re.findall(r"^\.It (\S.*)$", text, re.M)
        rows = [line for line in read("docs", source).split("\n")
                if line.startswith("| ") and "---" not in line]
        check(len(rows) > 60, f"{source}: {len(rows)} rows")
        equal(len([line for line in read("docs", source).split("\n") if re.match(r"\|-", line)])
              + len(tags), len(rows), f"{source}: one tag a row, but for the tables' heads")
        for title in re.findall(r"^##+ (.*)$", read("docs", source), re.M):
            forms = [page.argument(page.inline(title)), page.argument(page.escape(title.upper()))]
            check(any(f" {form}\n" in text for form in forms), f"{source}: {title}")


def verbs_of(table):
    return set(re.findall(r'^    X\(\w+, "([a-z]+)",', table, re.M)) - {"help"}


def listed(readme):
    row, = re.findall(r"^\| `sweepctl` \| `([a-z ]+)`;", readme, re.M)
    return set(row.split())


def test_the_readme_lists_every_verb():
    verbs, readme = verbs_of(read("client", "client.h")), read("README.md")
    check(len(verbs) > 30, verbs)
    equal(listed(readme), verbs)
    equal(verbs - listed(readme.replace("show runs watch", "show watch")), {"runs"}, "it can fail")


def test_parts():
    """Each rule of the maker, on a page where it can be seen to fail."""
    text = "\n".join(page.page(
        "# T\n\nAa.\n.B `c|d` and [e](f.md), [g](https://h). `I` goes.\n\n- **x** y\n  z\n- w\n\n"
        ".d.\n\n| k | v |\n|---|---|\n| `a` | be. C |\n\n    .code \\n\n", "t", "7", "January 1, 2026", "t"))
    for part in ("Aa. .B \\fBc|d\\fR and e, g <https://h>.\n\\fBI\\fR goes.",
                 ".It\n\\fBx\\fR y z\n.It\nw\n.El", ".It \\fBa\\fR\nbe.\nC\n.El", ".Pp\n\\&.d.\n", "\\&.code \\en"):
        check(part in text, f"{part!r} in {text!r}")


if __name__ == "__main__":
    run(test_mandoc_can_complain, test_pages_by_hand, test_pages_that_are_made,
        test_nothing_of_the_markup_is_left, test_every_key_is_there,
        test_the_readme_lists_every_verb, test_parts)
