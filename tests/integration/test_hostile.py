"""Names of strangers, values that are none, sweeps with nothing in them: every verb that prints, every page, chart, report and
export says something sensible of each, obeys none, and never ends by a signal."""
import contextlib
import csv
import json
import os
import pty
import re
import sqlite3
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import foreign  # noqa: E402
from sweepd import SWEEPCTL, Daemon  # noqa: E402
from tap import Skip, check, equal, run  # noqa: E402
from test_exports import FORMS  # noqa: E402
from test_plot import KINDS  # noqa: E402
from test_serve import BUILT, Site  # noqa: E402

COMMANDS = "\u009b31m\u202e\u2066\u0085"  # what a terminal or a reader's eye would obey; the daemon lets them through
NAME = "<script>alert('x')</script> \"n\" ]]> &amp; " + COMMANDS
UNSAFE = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
WORDS = "\x1b]0;obey\x07\x1b[2J</pre><b>\r\n" + NAME + " "
LR = {"lr": {"min": 0.001, "max": 1.0, "distribution": "log_uniform_values"}}
STRANGE = {name: {"values": ["<b>cnn</b>", "\"' `id` $(id)", COMMANDS + name[:9]]} for name in (
    "__proto__", "constructor", "<b onclick=x>", "../../etc/passwd", "$(touch obeyed)", "=1+1", "_wandb", "\"'", "a b", "学习",
    COMMANDS, "x" * 63)}
LIMITS = {f"{i:02}" + "é" * 30: {"values": [f"{k:03}" + "v" * 60 for k in range(4)]} for i in range(64)}
SERIES = {"<i>loss": 1, "../up": 2, "/abs": 3, COMMANDS: 4, "=1+1": 5, "_step": 6, "m" * 120: 7}
LARGEST, SMALLEST = 1.7976931348623157e308, 5e-324
TAGS = {"html", "head", "meta", "link", "script", "title", "body", "a", "header", "nav", "ul", "li", "p", "main", "h1", "h2", "h3",
        "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "form", "label", "input", "select", "option", "textarea",
        "button", "progress", "span", "dl", "dt", "dd", "pre", "code", "section", "details", "summary", "figure", "figcaption",
        "style", "svg", "desc", "g", "rect", "line", "circle", "path", "text"}


def losses(*values):
    return [{"epoch": e, "train_loss": v, "val_loss": v} for e, v in enumerate(values, 1)]


def carry_out(d, results, parameters, **changes):
    """A run for each; a result is its points, or how it ended. The sweep is ended then."""
    spec = {"name": NAME, "task": {"client": {}}, "method": "random", "run_cap": max(len(results), 1), "epochs": 12,
            "metric": {"name": "val_loss"}, "parameters": parameters, "repeat_share": 0, **changes}
    sweep = d.submit({k: v for k, v in spec.items() if v is not None})
    c = d.connect()
    for result in results:
        asked = c.call("ask", sweep=sweep)
        if "lease" not in asked:  # so many failures hold it
            break
        lease = {"run": asked["run"], "lease": asked["lease"]}
        if isinstance(result, list):
            c.call("report", **lease, points=result)
            result = {"status": "completed"}
        c.call("tell", **lease, result=result)
    c.close()
    if d.call("show", sweep=sweep)["sweep"]["status"] not in ("completed", "held"):
        d.call("cancel", sweep=sweep)
    return sweep


FAILED = {"status": "failed", "error": "exited", "text": WORDS + "y" * 10000}


def sweeps_of(d):
    """By what they are."""
    return {
        "none": carry_out(d, [], STRANGE),
        "one": carry_out(d, [losses(0.5)], STRANGE),
        "failed": carry_out(d, [FAILED] * 3, STRANGE),
        "held": carry_out(d, [FAILED] * 8, STRANGE, limits={"failures": 5}),
        "nan": carry_out(d, [losses("nan", "nan", "nan")] * 4, {**LR, **STRANGE}),
        "infinite": carry_out(d, [losses("+inf", 1), losses(1, "-inf"), losses("nan", "+inf"), losses("+inf")], LR),
        "largest": carry_out(d, [losses(LARGEST, v, -v) for v in (LARGEST, -LARGEST, SMALLEST, -SMALLEST, 0)] * 2, LR),
        "alike": carry_out(d, [losses(1, 1, 1)] * 9, {"lr": {"value": 3}, **STRANGE}),
        "strange": carry_out(d, [[{"epoch": e, "train_loss": 1 / e, "val_loss": i + 1 / e, **SERIES} for e in range(1, 7)]
                                 for i in range(12)], {**LR, **STRANGE}, metric={"name": "<i>loss", "goal": "minimize"}),
        "limits": carry_out(d, [losses(*(1 / e for e in range(1, 9)))] * 8, LIMITS, name="é" * 63),
        "goals": carry_out(d, [{"values": [i, -i, 5]} for i in range(6)], STRANGE, metric=None, objectives=[
            {"name": name, "goal": goal} for name, goal in (("val_loss", "minimize"), ("<b>fair", "maximize"),
                                                            (COMMANDS + "third", "minimize"))]),
    }


def runs_of(d, sweep):
    return [r["run_id"] for r in d.call("runs", sweep=sweep)["runs"]]


def harmless(text, what):
    found = UNSAFE.search(text)
    if found:
        raise AssertionError(f"{what}: {found.group()!r} in {text[max(found.start() - 60, 0):found.end() + 20]!r}")


def documents(text):
    return [json.loads(line) for line in text.split("\n") if line]


def on_a_terminal(d, *words):
    """What sweepctl writes to a terminal, and its status."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(SWEEPCTL, [SWEEPCTL, "--socket", d.socket, *map(str, words)],
                  {**d.environment, "TERM": "dumb", "LANG": "C.UTF-8"})
    told = b""
    with contextlib.suppress(OSError):  # the other end is closed
        while part := os.read(fd, 65536):
            told += part
    os.close(fd)
    return told.decode().replace("\r\n", "\n"), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def verbs_for(d, sweep, run_ids):
    words = [("list",), ("show", sweep), ("runs", sweep), ("best", sweep), ("morning", sweep), ("importance", sweep),
             ("explain", "--sweep", sweep), ("events", sweep), ("watch", sweep), ("wait", sweep), ("replay", "--sweep", sweep)]
    for r in run_ids[:2]:
        words += [("run", r), ("explain", r), ("curve", r), ("log", r), ("events", "--run", r)]
    return words


def test_what_is_printed():
    """Piped and on a terminal, as text and as JSON."""
    with Daemon(workers=1) as d:
        for kind, sweep in sweeps_of(d).items():
            run_ids = runs_of(d, sweep)
            for words in verbs_for(d, sweep, run_ids):
                what = f"{kind}: {' '.join(map(str, words))}"
                piped = d.ctl(*words)
                check(piped.returncode in (0, 1), f"{what}: {piped.returncode} {piped.stderr}")
                check(piped.returncode == 0 or piped.stderr or words[0] in ("watch", "wait"), f"{what}: without a word")
                harmless(piped.stdout + piped.stderr, what)
                document = d.ctl(*words, "--json")
                equal(document.returncode, piped.returncode, what)
                told = documents(document.stdout)
                for options in ((), ("--json",)):
                    text, status = on_a_terminal(d, *words, *options)
                    equal(status, piped.returncode, f"{what} on a terminal")
                    harmless(text, f"{what} {options} on a terminal")
                if piped.returncode == 0 and words[0] != "morning":  # ago
                    equal(documents(text), told, what)
            spec = d.ctl("best", sweep, "--spec")
            if spec.returncode == 0:
                harmless(on_a_terminal(d, "best", sweep, "--spec")[0], kind)
                d.ctl("submit", "-", "--dry-run", text=spec.stdout, check=0)
            else:
                check("no run has a result" in spec.stderr, f"{kind}: {spec.stderr}")
        check(not os.path.exists("obeyed"), "nothing was obeyed")


def test_charts():
    with Daemon(workers=1) as d:
        for kind, sweep in sweeps_of(d).items():
            for plot in KINDS:
                done = d.ctl("plot", plot, sweep, check=0)
                root = ElementTree.fromstring(done.stdout)
                harmless(done.stdout, f"{kind}: {plot}")
                for e in root.iter():
                    tag = e.tag.rpartition("}")[2]
                    check(tag in TAGS, f"{kind}: {plot}: <{tag}>")
                    for name, value in e.attrib.items():
                        check(name in ("class", "role", "id", "aria-labelledby") or not re.search("nan|inf", value, re.I),
                              f"{kind}: {plot}: {name}={value}")
                        check(not name.startswith("on") and name != "style", f"{kind}: {plot}: {name}")


class Page(HTMLParser):
    def __init__(self, text, what):
        super().__init__(convert_charrefs=True)
        self.what, self.ids = what, set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        check(tag in TAGS, f"{self.what}: <{tag}>")
        for name, value in attrs:
            check(not name.startswith("on") and name != "style", f"{self.what}: {name}={value}")
            if name in ("href", "src", "action"):
                check(value.startswith(("/", "#", "data:,")), f"{self.what}: {name}={value}")
            if name == "id":
                check(value not in self.ids, f"{self.what}: id {value} twice")
                self.ids.add(value)


def look_at(text, what):
    harmless(text, what)
    Page(text, what)
    for data in re.findall(r'id="data">(.*?)</script>', text, re.S):
        json.loads(data)


def test_pages():
    if not BUILT:
        raise Skip("built without libmicrohttpd")
    with Daemon(workers=1) as d:
        every = sweeps_of(d)
        with Site(d) as s, Site(d, "--language", "zh") as zh:
            for kind, sweep in every.items():
                run_ids = runs_of(d, sweep)
                paths = [f"/sweep/{sweep}", f"/sweep/{sweep}/runs", "/compare?" + "&".join(f"run={r}" for r in run_ids[:9]),
                         *(f"/run/{r}" for r in run_ids[:2]), "/", "/guide"]
                for site in (s, zh):
                    for path in paths:
                        status, _, text = site.ask(path)
                        equal(status, 200, f"{kind}: {path}")
                        look_at(text, f"{kind}: {path}")
                for plot in KINDS:
                    status, _, text = s.ask(f"/sweep/{sweep}/plot?kind={plot}&x=__proto__&y=%3Cb%3Efair")
                    equal(status, 200, f"{kind}: {plot}")
                    ElementTree.fromstring(text)


def test_reports():
    with Daemon(workers=1) as d:
        every = sweeps_of(d)
        for language in ("en", "zh"):
            for kind, sweeps in [*((k, [s]) for k, s in every.items()), ("all", list(every.values()))]:
                path = os.path.join(d.home, "night.html")
                d.ctl("report", *sweeps, "-o", path, "--force", "--language", language, check=0)
                with open(path, encoding="utf-8") as f:
                    look_at(f.read(), f"{kind} in {language}")


def test_exports():
    """Each file is whole, and of its format; nothing lies beside the folder."""
    with Daemon(workers=1) as d:
        for kind, sweep in sweeps_of(d).items():
            home = os.path.join(d.home, "files", kind)
            os.makedirs(home)
            paths = {form: os.path.join(home, form) for form in FORMS}
            d.ctl("export", sweep, *(o for form in FORMS for o in ("--" + form, paths[form])), check=0)
            equal(sorted(os.listdir(home)), sorted([*FORMS, "csv-curves"]), f"{kind}: what there is")
            count = len(runs_of(d, sweep))
            for name in ("csv", "csv-curves"):
                with open(os.path.join(home, name), newline="", encoding="utf-8") as f:
                    rows = list(csv.reader(f, strict=True))
                equal({len(r) for r in rows}, {len(rows[0])}, f"{kind}: {name}: as many columns in every row")
                check(name != "csv" or len(rows) == count + 1, f"{kind}: rows")
            with contextlib.closing(sqlite3.connect(paths["optuna"])) as db:
                equal(db.execute("PRAGMA integrity_check").fetchone()[0], "ok", kind)
                for table in ("studies", "trials", "trial_params", "trial_user_attributes", "trial_intermediate_values"):
                    db.execute(f"SELECT * FROM {table}").fetchall()
                for text, in db.execute("SELECT distribution_json FROM trial_params UNION SELECT value_json FROM "
                                        "trial_user_attributes UNION SELECT value_json FROM study_user_attributes"):
                    json.loads(text)
            for name in foreign.files_under(paths["tensorboard"]):
                foreign.scalars(os.path.join(paths["tensorboard"], name))
            for name in foreign.files_under(paths["wandb"]):
                records = list(foreign.wandb_records(os.path.join(paths["wandb"], name)))
                config = [v for r in records for n, v in foreign.fields(foreign.field(r, 17, 4) or b"") if n == 1]
                check(all(not foreign.field(v, 1).startswith(b"_") for v in config), f"{kind}: W&B's own names are free")
            names = foreign.files_under(paths["mlflow"])
            check(all(len(part) < 256 and part not in (".", "..") for n in names for part in n.split("/")), kind)
            for form in ("optuna", "csv"):
                done = d.ctl("import", paths[form])
                check(done.returncode in (0, 1), f"{kind}: {form} read back: {done.returncode} {done.stderr}")
                harmless(done.stdout + done.stderr, f"{kind}: {form} read back")
            for log in (os.path.join(home, "csv-curves"), paths["tensorboard"], paths["mlflow"], paths["wandb"]):
                done = d.ctl("label", log)
                check(done.returncode in (0, 1), f"{kind}: label {log}: {done.returncode} {done.stderr}")
                harmless(done.stdout + done.stderr, f"{kind}: label {log}")
                harmless(on_a_terminal(d, "label", log, "--json")[0], f"{kind}: label {log} on a terminal")


if __name__ == "__main__":
    run(test_what_is_printed, test_charts, test_pages, test_reports, test_exports)
