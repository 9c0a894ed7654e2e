"""The figures of the code base: lines, functions, arguments, circles, tests.

usage: figures.py [--json] [-v] [--build BUILD_DIR] [SOURCE_DIR]. SOURCE_DIR: any checkout, this one
without it, so that two can be compared. BUILD_DIR: where its objects are, SOURCE_DIR/build without
it; without objects the circles of calls are not measured. -v lists the functions of many arguments.

What counts. Lines: all of a file, blank ones and comments too. A function: one written out in a .c
or .h file; its lines go from its opening to its closing brace, both counted; its arguments are the
declared ones, `...` not among them. Functions made by macros count once at most, where their text
stands outside a #define. p90: the smallest value that at least 90 % do not exceed.
"""
import argparse
import json
import math
import os
import re
import statistics
import sys

import circles
import rules

MANY_ARGUMENTS = 6
LONG_FILE = 500
LONG_FUNCTIONS = (60, 100)
# What of tests/ is no test: benchmarks and their results, corpora, stored expectations.
NOT_TESTS = ("bench", "corpus", "golden", "reference")
NAMED_GROUP = re.compile(r"(\w*)\s*\(")


def without_directives(code):
    """Preprocessor lines, continued ones too, become empty."""
    return re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", lambda m: "\n" * m.group(0).count("\n"), code,
                  flags=re.M)


def closing(code, start):
    """Index of the bracket that closes the one at start; the end of the text if none does."""
    depth = 0
    for match in re.compile(r"[(\[{)\]}]").finditer(code, start):
        depth += 1 if match.group(0) in "([{" else -1
        if depth == 0:
            return match.start()
    return len(code)


def groups(head):
    """(word before it or "", content) of every bracket of the head that is inside no other."""
    at, found = 0, []
    while match := NAMED_GROUP.search(head, at):
        end = closing(head, match.end() - 1)
        found.append((match.group(1), head[match.end():end]))
        at = end + 1
    return found


def split_arguments(text):
    """The declared arguments, without `void` and `...`."""
    parts, depth = [""], 0
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    parts = [" ".join(p.split()) for p in parts]
    return [p for p in parts if p not in ("", "void", "...")]


def declarator(head):
    """(name, arguments) of a function definition's head, None if it is none."""
    head = head.strip()
    while match := re.search(r"__attribute__\s*(?=\()", head):
        head = head[:match.start()] + " " + head[closing(head, match.end()) + 1:]
    head = head.strip()
    if not head.endswith(")") or re.search(r"(?<![=!<>])=(?!=)", head):
        return None
    found = groups(head)
    if not found[-1][0] and len(found) > 1:  # returns a pointer to a function: int (*f(int a))(int)
        return declarator(found[-2][1].lstrip("* \n"))
    functions = [g for g in found if g[0] and not g[0].isupper()] or found
    name, arguments = functions[-1]
    return (name, split_arguments(arguments)) if name else None


def definitions(text):
    """(name, line of the opening brace, lines, arguments) of each function of a C text."""
    code = without_directives(rules.strip(text))
    at = 0
    while match := re.compile(r"[;{}]").search(code, at):
        head, start = code[at:match.start()], match.start()
        at = start + 1
        if match.group(0) != "{":
            continue
        function = declarator(head)
        # Branches of an #if may open or close twice: column 0 ends what is open.
        end = code.find("\n}", start) + 1 or len(code)
        if not function or code[start - 1] != "\n":
            end = min(end, closing(code, start))
        at = end + 1
        if function:
            first = code.count("\n", 0, start) + 1
            yield function[0], first, code.count("\n", start, end) + 1, function[1]


def spread(values):
    """Median, 90th percentile and maximum with its name, of (value, name)."""
    if not values:
        return None
    ordered = sorted(values)
    p90 = ordered[math.ceil(0.9 * len(ordered)) - 1][0]
    return {"median": statistics.median(v for v, _ in ordered), "p90": p90,
            "max": ordered[-1][0], "max_name": ordered[-1][1]}


def folder_figures(texts):
    """Figures of a set of files; texts: path → text."""
    lengths = [(text.count("\n"), path) for path, text in texts.items()]
    functions = [(path, *d) for path, text in texts.items() for d in definitions(text)]
    named = [(lines, f"{path}:{first} {name}()") for path, name, first, lines, _ in functions]
    many = [(len(arguments), f"{path}:{first} {name}()")
            for path, name, first, _, arguments in functions if len(arguments) >= MANY_ARGUMENTS]
    return {
        "files": len(texts), "lines": sum(n for n, _ in lengths), "file_lines": spread(lengths),
        "functions": len(functions), "function_lines": spread(named),
        "long_files": sorted(((n, p) for n, p in lengths if n > LONG_FILE), reverse=True),
        "long_functions": {limit: sorted((f for f in named if f[0] > limit), reverse=True)
                           for limit in LONG_FUNCTIONS},
        "many_arguments": sorted(many, key=lambda f: (-f[0], f[1])),
        "many_arguments_percent": 100.0 * len(many) / len(functions) if functions else 0.0,
    }


def test_lines(root):
    """(C lines, Python lines) below tests/ but in folders of NOT_TESTS."""
    count = {".c": 0, ".h": 0, ".py": 0}
    for base, folders, names in os.walk(os.path.join(root, "tests")):
        folders[:] = [f for f in folders if f not in NOT_TESTS]
        for name in names:
            ending = os.path.splitext(name)[1]
            if ending in count:
                with open(os.path.join(base, name), encoding="utf-8") as f:
                    count[ending] += f.read().count("\n")
    return count[".c"] + count[".h"], count[".py"]


def call_circles(build, root):
    """Circles of calls, None where the objects are not there or not all of them."""
    if not os.path.exists(os.path.join(build, "compile_commands.json")):
        return None
    made = circles.objects(build, root)
    if not made or circles.not_built(circles.sources(root), made):
        return None
    return circles.components(circles.called(*circles.symbols(made)))


def measure(root, build):
    texts = circles.sources(root)
    per_folder = {folder: folder_figures({p: t for p, t in texts.items()
                                          if p.startswith(folder + "/")})
                  for folder in circles.FOLDERS}
    total = folder_figures(texts)
    c_lines, python_lines = test_lines(root)
    return {
        "folders": {**per_folder, "all": total},
        "include_circles": circles.components(circles.included(texts)),
        "call_circles": call_circles(build, root),
        "tests": {"c_lines": c_lines, "python_lines": python_lines,
                  "to_source": (c_lines + python_lines) / total["lines"] if total["lines"] else 0},
    }


def table(figures):
    yield f"{'':24}{'lines a file':>18}{'':11}{'lines a function':>20}{MANY_ARGUMENTS:8} or more"
    yield (f"{'folder':8}{'files':>7}{'lines':>9}{'median':>8}{'p90':>5}{'max':>5}"
           f"{'functions':>11}{'median':>10}{'p90':>5}{'max':>5}{'arguments':>16}")
    for name, f in figures["folders"].items():
        file, function = (s or {"median": 0, "p90": 0, "max": 0}
                          for s in (f["file_lines"], f["function_lines"]))
        yield (f"{name:8}{f['files']:7}{f['lines']:9}"
               f"{file['median']:8g}{file['p90']:5}{file['max']:5}{f['functions']:11}"
               f"{function['median']:10g}{function['p90']:5}{function['max']:5}"
               f"{len(f['many_arguments']):7} = {f['many_arguments_percent']:4.1f} %")


def listing(title, rows, shown=True):
    yield f"{title}: {len(rows)}"
    if shown:
        yield from (f"  {number:4}  {name}" for number, name in rows)


def circle_lines(what, found):
    if found is None:
        yield f"circles of {what}: not measured (no build directory with all objects)"
        return
    yield f"circles of {what}: {len(found)}"
    for circle in found:
        yield f"  {len(circle):4}  {', '.join(circle)}"


def printed(figures, verbose=False):
    """The figures as lines of text."""
    total, tests = figures["folders"]["all"], figures["tests"]
    yield from table(figures)
    yield ""
    for what in ("file", "function"):
        longest = [(f[what + "_lines"]["max"], f[what + "_lines"]["max_name"])
                   for name, f in figures["folders"].items()
                   if name != "all" and f[what + "_lines"]]
        yield from listing(f"longest {what} of each folder", longest)
    yield from listing(f"files over {LONG_FILE} lines", total["long_files"])
    for limit, functions in total["long_functions"].items():
        yield from listing(f"functions over {limit} lines", functions)
    title = (f"functions with {MANY_ARGUMENTS} or more arguments"
             f" ({total['many_arguments_percent']:.1f} %)")
    yield from listing(title, total["many_arguments"], verbose)
    yield from circle_lines("includes", figures["include_circles"])
    yield from circle_lines("calls", figures["call_circles"])
    yield (f"test : source lines = {tests['to_source']:.2f}: {tests['c_lines']} C and "
           f"{tests['python_lines']} Python below tests/, without folders "
           f"{' '.join(NOT_TESTS)}, to {total['lines']} C of {' '.join(circles.FOLDERS)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--json", action="store_true", help="all figures as one JSON object")
    parser.add_argument("-v", action="store_true", help="list the functions of many arguments")
    parser.add_argument("--build", help="build directory (SOURCE_DIR/build)")
    parser.add_argument("root", nargs="?", default=circles.ROOT, metavar="SOURCE_DIR")
    options = parser.parse_args()
    if not any(os.path.isdir(os.path.join(options.root, f)) for f in circles.FOLDERS):
        sys.exit(f"figures.py: {options.root}: has none of the folders {' '.join(circles.FOLDERS)}")
    figures = measure(options.root, options.build or os.path.join(options.root, "build"))
    if options.json:
        print(json.dumps(figures, indent=1))
    else:
        print(*printed(figures, options.v), sep="\n")


if __name__ == "__main__":
    main()
