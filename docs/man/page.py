"""Writes a page of docs/ as a manual page: page.py PAGE.md NAME SECTION DATE WHAT > NAME.SECTION

Of Markdown it knows what those pages use. A table becomes a list with a tag a row, for 80 columns
are too few for most of them, which is why this is none of the programs that do it. Prints mdoc(7).
"""
import re
import sys
import textwrap

WIDE = 8  # a list's indent
COLUMNS = 78


def escape(text):
    """As roff takes it for text: nothing of it is an escape."""
    return text.replace("\\", "\\e").replace("´", "\\'").replace("`", "\\(ga")


def unasked(line):
    """A line of text that is no request."""
    return "\\&" + line if line.startswith((".", "'")) else line


def argument(text):
    """Behind a macro: none of its words is a macro, too."""
    return re.sub(r"(?<!\S)(?=[A-Z%][A-Za-z]{1,2}(?!\S))", r"\\&", text)


def inline(text):
    """Code and emphasis as fonts; of a link what it says, and where it leads outside of docs/."""
    done = []
    code = r"(``+)\s?(.+?)\s?\1|`([^`]+)`"
    link = r"!?\[((?:[^\[\]`]|`[^`]*`)+)\]\(([^)\s]*)\)"
    strong = r"\*\*(.+?)\*\*"
    slant = r"(?<![\w*])[*_]([^*_\s](?:[^*_]*[^*_\s])?)[*_](?![\w*])"
    at = 0
    for found in re.finditer(f"{code}|{link}|{strong}|{slant}", text):
        done.append(escape(text[at:found.start()]))
        at = found.end()
        _, doubled, single, label, target, bold, italic = found.groups()
        if doubled or single:
            done.append(f"\\fB{escape(doubled or single)}\\fR")
        elif label:
            outside = target.startswith("http")
            done.append(inline(label) + (f" <{escape(target)}>" if outside else ""))
        elif bold:
            done.append(f"\\fB{inline(bold).replace(chr(92) + 'fR', chr(92) + 'fB')}\\fR")
        else:
            done.append(f"\\fI{escape(italic)}\\fR")
    return "".join(done) + escape(text[at:])


def sentences(text):
    """A sentence a line, as roff wants it, in lines that fit, none of which begins as a request."""
    text = re.sub(r"\s+", " ", re.sub(r"<sup>(.*?)</sup>", r"^(\1)", text.strip()))
    text = re.sub(r"(?<=[^.\s][^.\s][.?!]) (?=\\f[BI]|[A-Z(\[\"“])", "\n", inline(text))
    lines = [part for line in text.split("\n")
             for part in textwrap.wrap(line, COLUMNS, break_long_words=False,
                                       break_on_hyphens=False)]
    return "\n".join(map(unasked, lines))


def cells(line):
    """The cells of a table's row; a bar in code, or behind a backslash, divides nothing."""
    parts = re.findall(r"(?:``.+?``|`[^`]*`|\\.|[^|`\\]|`)+|\|", line.strip().strip("|"))
    row, empty = [], True
    for part in parts:
        if part == "|":
            if empty:
                row.append("")
            empty = True
        else:
            row.append(part.strip().replace("\\|", "|"))
            empty = False
    return row + [""] if empty else row


def table(lines):
    head, rows = cells(lines[0]), [cells(line) for line in lines[2:]]
    yield f".Bl -tag -width {'n' * WIDE}"
    for row in rows:
        yield ".It " + (argument(inline(row[0])) or "\\&")
        said = [(name, cell) for name, cell in zip(head[1:], row[1:]) if cell not in ("", "–", "-")]
        for i, (name, cell) in enumerate(said):
            named = name and len(head) > 2
            if i:
                yield ".br"
            yield sentences((f"_{name.strip('`')}_: " if named else "") + cell)
        if not said:
            yield "\\&"
    yield ".El"


def display(lines):
    yield ".Bd -literal -offset indent"
    for line in lines:
        yield unasked(escape(line)) or "\\&"
    yield ".Ed"


def take_while(lines, at, wanted):
    end = at
    while end < len(lines) and wanted(lines[end]):
        end += 1
    return lines[at:end], end


def item(lines, at, marker):
    """A list's item: the rest of its first line, and what is indented below it."""
    first = re.sub(marker, "", lines[at], count=1)
    more, at = take_while(lines, at + 1, lambda line: re.match(r"\s+\S", line)
                          and not re.match(marker, line))
    return " ".join([first] + [line.strip() for line in more]), at


def items(lines, at):
    numbered = re.match(r"\d+\. ", lines[at])
    marker = r"\d+\. +" if numbered else r"[-*] +"
    yield f".Bl {'-enum' if numbered else '-bullet'}"
    while at < len(lines) and re.match(marker, lines[at]):
        text, at = item(lines, at, marker)
        yield ".It"
        yield sentences(text)
    yield ".El"
    yield at


def body(lines):
    """The page as (kind, lines) of mdoc; kind "head" needs no .Pp behind it."""
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip() or line.startswith("<!--"):
            at += 1
        elif line.startswith("```"):
            taken, end = take_while(lines, at + 1, lambda l: not l.startswith("```"))
            at = end + 1
            yield "block", list(display(taken))
        elif line.startswith("    "):
            taken, at = take_while(lines, at, lambda l: l.startswith("    ") or not l.strip())
            while not taken[-1].strip():
                taken.pop()
            yield "block", list(display([l[4:] for l in taken]))
        elif line.startswith("#"):
            depth = len(line) - len(line.lstrip("#"))
            title = line.strip("# ")
            macro, title = (".Sh", escape(title.upper())) if depth <= 2 else (".Ss", inline(title))
            yield "head", [f"{macro} {argument(title)}"]
            at += 1
        elif line.startswith("|"):
            taken, at = take_while(lines, at, lambda l: l.startswith("|"))
            yield "block", list(table(taken))
        elif re.match(r"([-*]|\d+\.) ", line):
            *made, at = items(lines, at)
            yield "block", made
        else:
            taken, at = take_while(lines, at, lambda l: l.strip() and not re.match(
                r"```|#|\||<!--|[-*] |\d+\. ", l))
            yield "text", [sentences(" ".join(taken))]


def page(text, name, section, date, what):
    lines = text.split("\n")
    yield from (f".Dd {date}", f".Dt {name.upper()} {section}", ".Os", ".Sh NAME", f".Nm {name}",
                f".Nd {escape(what)}", ".Sh DESCRIPTION")
    after = "head"
    for kind, made in body(lines[1:]):
        if kind == "text" and after != "head":
            yield ".Pp"
        yield from made
        after = kind
    others = [("sweep-worker", 1), ("sweepctl", 1), ("sweepd", 1), ("sweepd-spec", 5),
              ("sweepd-protocol", 7)]
    yield ".Sh SEE ALSO"
    yield " ,\n".join(f".Xr {other} {number}" for other, number in others if other != name)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as f:
        sys.stdout.reconfigure(encoding="utf-8")
        print("\n".join(page(f.read(), *sys.argv[2:])))
