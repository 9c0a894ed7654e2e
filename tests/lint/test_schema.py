"""schema/README.md draws and lists the database as its migrations make it. Each rule is first shown
to be able to fail."""
import os
import re
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from tap import check, equal, run  # noqa: E402

SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "schema")
# "│   ├─< curves         run_id → runs": what it hangs on, one or many, table, its columns
TREE_LINE = re.compile(r"^((?:[│ ]   )*)(?:[├└]─([<o]) )?(\w+) *(.*)$")
REFERENCE = re.compile(r"(\w+) ([→⇢]) (\w+)(?:, |$)")
RELATION = re.compile(r"^    (\w+) (\|\||\|o)--o([{|]) (\w+) : (\w+)$|^    (\w+) \{$", re.M)


def read(name):
    with open(os.path.join(SCHEMA, name), encoding="utf-8") as f:
        return f.read()


def migrations():
    return sorted(n for n in os.listdir(SCHEMA) if re.fullmatch(r"\d+_\w+\.sql", n))


def drop_views(db):
    for name, in db.execute("SELECT name FROM sqlite_schema WHERE type = 'view'").fetchall():
        db.execute(f"DROP VIEW {name}")


def new_database():
    """As the daemon makes it: from some version on no view stands while migrations run."""
    last = int(re.search(r"#define SCHEMA_LAST_WITH_VIEWS (\d+)", read("schema.h"))[1])
    db = sqlite3.connect(":memory:")
    for version, name in enumerate(migrations(), 1):
        if version > last:
            drop_views(db)
        db.executescript(read(name))
    drop_views(db)
    db.executescript(read("views.sql"))
    return db


class Database:
    """What the diagrams say of it: tables, and the references of each."""

    def __init__(self, db):
        names = "SELECT name FROM sqlite_schema WHERE type = ? AND name NOT LIKE 'sqlite_%'"
        self.tables = {t for t, in db.execute(names, ("table",))}
        self.views = {v for v, in db.execute(names, ("view",))}
        self.columns = {t: {name: (kind, key > 0) for _, name, kind, _, _, key
                            in db.execute(f"PRAGMA table_info({t})")} for t in self.tables}
        self.references = {(t, row[3], row[2]) for t in self.tables
                           for row in db.execute(f"PRAGMA foreign_key_list({t})")}
        self.optional = {(t, row[1]) for t in self.tables
                         for row in db.execute(f"PRAGMA table_info({t})") if not row[3]}
        self.alone = {(t, c) for t, columns in self.columns.items() for c, (_, key)
                      in columns.items() if key and sum(k for _, k in columns.values()) == 1}


def blocks(text):
    """The tree and the mermaid diagram."""
    tree = re.search(r"^```\n(sweeps .*?)^```$", text, re.M | re.S)
    drawn = re.search(r"^```mermaid\nerDiagram\n(.*?)^```$", text, re.M | re.S)
    check(tree and drawn, "both diagrams were found")
    return tree[1], drawn[1]


# --- rules: each yields complaints ----------------------------------------------------------------

def differ(what, seen, asked):
    for entry in sorted(asked - seen):
        yield f"{what} lacks {entry}"
    for entry in sorted(seen - asked):
        yield f"{what} has {entry}, the database has not"


def tree_is_right(text, d):
    tables, references, above = [], set(), []
    for line in blocks(text)[0].splitlines():
        indent, many, table, rest = TREE_LINE.match(line).groups()
        depth = len(indent) // 4 + (many is not None)
        above = above[:depth] + [table]
        tables.append(table)
        found = REFERENCE.findall(rest)
        if ", ".join(" ".join(reference) for reference in found) != rest:
            yield f"tree: {rest!r} cannot be read"
        for column, arrow, to in found:
            if arrow == "→":
                references.add((table, column, to))
            elif column not in d.columns.get(table, ()) or to not in d.tables:
                yield f"tree: there is no {table}.{column}, or no {to}"
            elif (table, column, to) in d.references:
                yield f"tree: {table}.{column} is a foreign key"
        if depth:
            keys = [c for c, arrow, to in found if arrow == "→" and to == above[depth - 1]]
            if not keys:
                yield f"tree: {table} hangs on {above[depth - 1]} without a foreign key"
            elif (many == "o") != ((table, keys[0]) in d.alone):
                yield f"tree: one {table} or many?"
    yield from differ("tree", set(tables), d.tables)
    yield from differ("tree", references, d.references)
    if len(tables) != len(set(tables)):
        yield "tree: a table twice"


def drawing_is_right(text, d):
    drawn = blocks(text)[1]
    references, tables = set(), set()
    for to, may_lack, many, table, column, block in RELATION.findall(drawn):
        if block:
            tables.add(block)
            continue
        references.add((table, column, to))
        if (may_lack == "|o") != ((table, column) in d.optional - d.alone):
            yield f"drawing: may {table}.{column} be NULL?"
        if (many == "|") != ((table, column) in d.alone):
            yield f"drawing: one {table} or many?"
    yield from differ("drawing", tables, d.tables)
    yield from differ("drawing", references, d.references)
    foreign = {(t, c) for t, c, _ in d.references}
    keys = {(t, c) for t, columns in d.columns.items() for c, (_, key) in columns.items() if key}
    shown = set()
    for table, body in re.findall(r"^    (\w+) \{\n(.*?)^    \}$", drawn, re.M | re.S):
        for line in body.splitlines():
            kind, column, *marks = line.split(maxsplit=2)
            shown.add((table, column))
            asked = ", ".join(["PK"] * ((table, column) in keys)
                              + ["FK"] * ((table, column) in foreign))
            if d.columns.get(table, {}).get(column, ("",))[0] != kind:
                yield f"drawing: there is no {table}.{column} of type {kind}"
            elif "".join(marks) != asked:
                yield f"drawing: {table}.{column} is {asked!r}"
    for table, column in sorted((keys | foreign) - shown):
        yield f"drawing: {table} lacks its key {column}"


def rows_are_there(text, d):
    """A row for each table and view under its heading, and no other."""
    for heading, names in (("Tables", d.tables), ("Views", d.views)):
        section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
        yield from differ(heading, set(re.findall(r"^\| `(\w+)` \|", section, re.M)), names)


def files_are_built(text, names):
    """A migration that meson.build does not name is no part of the daemon."""
    listed = re.findall(r"^  '(\d+_\w+\.sql)',$", text, re.M)
    if listed != names:
        yield f"meson.build lists {listed}, there are {names}"


# --- tests ----------------------------------------------------------------------------------------

def none(complaints):
    complaints = list(complaints)
    check(not complaints, "\n" + "\n".join(complaints[:40]))


def test_each_rule_can_fail():
    text, d = read("README.md"), Database(new_database())

    def planted(rule, old, new, *words):
        check(old in text, f"{old!r} was found")
        complaints = list(rule(text.replace(old, new, 1), d))
        for word in words:
            check(any(word in c for c in complaints), f"{word!r} is not said: {complaints}")

    planted(tree_is_right, "├─< findings           sweep_id → sweeps\n", "", "lacks findings",
            "lacks ('findings', 'sweep_id', 'sweeps')")
    planted(tree_is_right, "patterns\nevents", "patterns\nothers\nevents", "has others")
    planted(tree_is_right, "patterns\nevents", "patterns\npatterns\nevents", "twice")
    planted(tree_is_right, "└─o labels", "└─< labels", "one labels or many")
    planted(tree_is_right, "├─< findings", "├─o findings", "one findings or many")
    planted(tree_is_right, "run_id ⇢ runs", "run_id → runs", "has ('decisions', 'run_id'")
    planted(tree_is_right, "parent_id → runs", "parent_id ⇢ runs", "parent_id is a foreign key")
    planted(tree_is_right, "after_sweep ⇢", "after_run ⇢", "no sweeps.after_run")
    planted(tree_is_right, "treats_pattern ⇢ patterns", "treats_pattern", "cannot be read")
    planted(tree_is_right, "│   ├─< curves", "├─< curves    ", "hangs on sweeps without")
    planted(drawing_is_right, "    sweeps ||--o{ runs : sweep_id\n", "", "lacks ('runs', 'sweep")
    planted(drawing_is_right, "runs ||--o{ curves", "sweeps ||--o{ curves", "has ('curves', 'run")
    planted(drawing_is_right, "runs |o--o{ runs", "runs ||--o{ runs", "runs.parent_id be NULL")
    planted(drawing_is_right, "runs ||--o| labels", "runs ||--o{ labels", "one labels or many")
    planted(drawing_is_right, "    patterns {", "    rules {", "lacks patterns", "has rules")
    planted(drawing_is_right, "TEXT handle", "INTEGER handle", "no runs.handle of type INTEGER")
    planted(drawing_is_right, "INTEGER flop", "INTEGER pid", "no runs.pid of type INTEGER")
    planted(drawing_is_right, "INTEGER layer PK\n", "INTEGER layer\n", "layer_stats.layer is 'PK'")
    planted(drawing_is_right, "        INTEGER point PK\n", "", "curves lacks its key point")
    planted(rows_are_there, "| `curves` |", "| `points` |", "Tables lacks curves", "has points")
    planted(rows_are_there, "| `best_runs` |", "| best_runs |", "Views lacks best_runs")
    check(list(files_are_built(read("meson.build"), migrations()[:-1])), "a file too many is seen")
    check(list(files_are_built(read("meson.build").replace("  '001", "  '000"), migrations())),
          "another file is seen")


def test_the_database_is_made():
    d = Database(new_database())
    check({"sweeps", "runs", "curves", "decisions"} <= d.tables, f"{d.tables}")
    check("canonical_content" in d.views, f"{d.views}")
    check(("labels", "pattern", "patterns") in d.references, f"{d.references}")
    numbers = [int(name[:3]) for name in migrations()]
    equal(numbers, list(range(1, len(numbers) + 1)), "numbers without a gap")
    none(files_are_built(read("meson.build"), migrations()))


def test_the_diagrams_are_right():
    d = Database(new_database())
    none(tree_is_right(read("README.md"), d))
    none(drawing_is_right(read("README.md"), d))


def test_every_table_and_view_has_its_row():
    none(rows_are_there(read("README.md"), Database(new_database())))


if __name__ == "__main__":
    run(test_each_rule_can_fail, test_the_database_is_made, test_the_diagrams_are_right,
        test_every_table_and_view_has_its_row)
