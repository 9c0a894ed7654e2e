"""Circles of files: of includes, from the sources; of calls, from the symbols of the object files.

usage: circles.py [BUILD_DIR [SOURCE_DIR]]. Prints every circle with what makes it, and fails if one
is not in ALLOWED, or if an entry of ALLOWED is no circle any more.

A file refers to another of its top-level folder when its object names a symbol that the other
defines: a function called, or a function or a table whose address is taken. A row of a table that
holds a function refers to that function's file; a call through the row refers to nobody. So a
circle is a set of files of which each needs, directly or not, all others to be linked.
Within common/ the calls must follow the arrows too: its headers, in include/, tell no rooms apart.
"""
import json
import os
import re
import subprocess
import sys

import rules

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDERS = ("include", "common", "daemon", "worker", "client")
# Circles that still stand, each as the set of its files, none missing; empty is the goal.
ALLOWED = ()


def components(graph):
    """The sets of more than one node that reach each other (Tarjan 1972), and nodes that name
    themselves; graph: node → nodes it refers to."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            members = stack[stack.index(node):]
            del stack[stack.index(node):]
            if len(members) > 1 or node in graph.get(node, ()):
                found.append(sorted(members))
    for node in sorted(graph):
        if node not in index:
            visit(node)
    return sorted(found)


def included(texts):
    """file → files of the tree it includes; texts: path → text."""
    graph = {}
    for path, text in texts.items():
        graph[path] = set()
        for _, name in rules.INCLUDE.findall(re.sub(r"/\*.*?\*/", "", text, flags=re.S)):
            beside = os.path.join(os.path.dirname(path), name)
            graph[path].update([p for p in (name, "include/" + name, beside) if p in texts][:1])
    return graph


def sources(root, folders=FOLDERS):
    """path → text of the C files below the folders."""
    texts = {}
    for folder in folders:
        for base, _, names in os.walk(os.path.join(root, folder)):
            for name in names:
                if name.endswith((".c", ".h")):
                    path = os.path.join(base, name)
                    with open(path, encoding="utf-8") as f:
                        texts[os.path.relpath(path, root)] = f.read()
    return dict(sorted(texts.items()))


def objects(build, root):
    """object file → source file, of the programs' folders; what was not built is left out. A file
    compiled more than once counts by its program's object, else by the newest."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as f:
        commands = json.load(f)
    found = {}
    for entry in commands:
        source = os.path.realpath(os.path.join(entry["directory"], entry["file"]))
        path = os.path.relpath(source, os.path.realpath(root))
        made = os.path.join(entry["directory"], entry["output"])
        folder = path.split("/")[0]
        if folder in FOLDERS and os.path.exists(made):
            own = entry["output"].startswith(folder + "/")
            found.setdefault(path, []).append((own, os.stat(made).st_mtime_ns, made))
    return {max(candidates)[2]: path for path, candidates in found.items()}


def symbols(made):
    """(file → symbols it defines for others, file → symbols it wants); made: object → file."""
    defined, wanted = {}, {}
    for path in made.values():
        defined.setdefault(path, set())
        wanted.setdefault(path, set())
    if not made:
        return defined, wanted
    listing = subprocess.run(["nm", "-g", "-P", "-A", *made], capture_output=True, text=True,
                             check=True).stdout
    for line in listing.splitlines():
        name, _, rest = line.partition(": ")
        symbol, kind = rest.split()[:2]
        into = wanted if kind in "Uwv" else defined
        into[made[name]].add(symbol)
    return defined, wanted


def called(defined, wanted):
    """file → {file of the same top-level folder it refers to → the symbols}."""
    home = {}
    for path, names in defined.items():
        for name in names:
            home.setdefault((path.split("/")[0], name), path)
    graph = {path: {} for path in defined}
    for path, names in wanted.items():
        for name in sorted(names):
            other = home.get((path.split("/")[0], name), path)
            if other != path:
                graph[path].setdefault(other, []).append(name)
    return graph


def describe(circle, graph):
    """The lines `a.c -> b.c (symbols)` of one circle."""
    for path in circle:
        for other in sorted(graph[path]):
            if other in circle:
                names = graph[path][other] if isinstance(graph[path], dict) else ["include"]
                yield f"{path} -> {other} ({', '.join(names)})"


def crossings(graph):
    """Complaints: calls within common/ that go where no arrow leads; graph: as called() gives."""
    for path, others in sorted(graph.items()):
        room = path.split("/")[1]
        for other, names in sorted(others.items()):
            if path.startswith("common/") and other.split("/")[1] not in \
                    rules.COMMON_ARROWS.get(room, ()):
                yield f"{path} calls {', '.join(names)} of {other}: no arrow leads there"


def not_built(texts, made):
    """Source files of which no object was found: their references are unknown."""
    return sorted(p for p in set(texts) - set(made.values()) if p.endswith(".c"))


def verdict(circles, allowed=ALLOWED):
    """Complaints: circles that are not allowed, allowed ones that are gone."""
    seen = [set(c) for c in circles]
    for circle in circles:
        if set(circle) not in allowed:
            yield f"a circle of {len(circle)} files: {', '.join(circle)}"
    for entry in allowed:
        if entry not in seen:
            yield f"ALLOWED names what is no circle: {', '.join(sorted(entry))}"


def report(build, root):
    """(lines to print, complaints) of a tree and its build directory."""
    texts, made = sources(root), objects(build, root)
    lines, complaints, every = [], [], []
    calls = called(*symbols(made))
    for what, graph in (("includes", included(texts)), ("calls", calls)):
        circles = components(graph)
        every += circles
        lines.append(f"circles of {what}: {len(circles)}, files: {len(graph)}")
        for circle in circles:
            allowed = ", allowed" if set(circle) in ALLOWED else ""
            lines.append(f"  {circle[0].split('/')[0]}/: {len(circle)} files{allowed}")
            lines += ["    " + line for line in describe(circle, graph)]
    complaints += [f"{p} was not built: its calls are unknown" for p in not_built(texts, made)]
    return lines, complaints + list(crossings(calls)) + list(verdict(every))


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "build")
    root = sys.argv[2] if len(sys.argv) > 2 else ROOT
    if not os.path.exists(os.path.join(build, "compile_commands.json")):
        sys.exit(f"circles.py: {build}: no build directory (compile_commands.json)")
    lines, complaints = report(build, root)
    print("\n".join(lines + [f"not allowed: {c}" for c in complaints]))
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
