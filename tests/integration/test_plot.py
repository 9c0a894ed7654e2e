"""Charts and reports through the programs: every kind of a sweep that clients carried out, of one without runs and of
one all of whose runs failed; hostile names; what is refused."""
import base64
import contextlib
import hashlib
import json
import os
import re
import sqlite3
import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon  # noqa: E402
from tap import check, equal, run  # noqa: E402

KINDS = ("history", "curves", "parallel", "slice", "contour", "importance", "edf", "pareto", "timeline", "labels")
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert('x')</script> \"night\" ]]> &amp;"
PARAMETERS = {"lr": {"min": 0.001, "max": 1.0, "distribution": "log_uniform_values"},
              "layers": {"min": 1, "max": 8}, "kind": {"values": ["<b>cnn</b>", "\"mlp\""]},
              "amp": {"values": [True, False]}}


def carry_out(d, runs, points, result=None, **changes):
    """A sweep of so many runs; points: of a run, by its parameters."""
    sweep = d.submit({"name": HOSTILE, "task": {"client": {}}, "method": "random", "run_cap": max(runs, 1),
                      "epochs": 12, "metric": {"name": "val_loss"}, "parameters": PARAMETERS,
                      "repeat_share": 0, **changes})
    c = d.connect()
    for _ in range(runs):
        asked = c.call("ask", sweep=sweep)
        lease = {"run": asked["run"], "lease": asked["lease"]}
        if points:
            c.call("report", **lease, points=points(asked["params"]))
        c.call("tell", **lease, result=result or {"status": "completed"})
    return sweep


def falling(params):
    return [{"epoch": e, "train_loss": params["lr"] + 1 / e, "val_loss": params["lr"] + 1.2 / e}
            for e in range(1, 13)]


def drawn(d, kind, sweep, *options):
    done = d.ctl("plot", kind, str(sweep), *options)
    equal(done.returncode, 0, f"{kind}: {done.stderr}")
    root = ElementTree.fromstring(done.stdout)
    equal(root.tag, SVG + "svg", "root")
    check(root.find(SVG + "title") is not None and root.find(SVG + "desc").text, f"{kind}: described")
    check(not list(root.iter(SVG + "script")), f"{kind}: a name is no element")
    return root


def test_every_kind():
    with Daemon(workers=1) as d:
        ended, none = carry_out(d, 14, falling), carry_out(d, 0, None)
        failed = carry_out(d, 3, None, {"status": "failed", "error": "exited", "text": HOSTILE})
        for kind in KINDS:
            texts = "".join(drawn(d, kind, ended).itertext())
            check("<script>" in texts, f"{kind}: the name is there, as text")
            drawn(d, kind, none)
            drawn(d, kind, failed)
        marks = [e for e in drawn(d, "history", ended).iter() if e.get("data-run")]
        equal(len(marks), 14, "a mark a run")
        run_id = marks[0].get("data-run")
        bands = [e for e in drawn(d, "curves", ended, "--run", run_id).iter()
                 if "band" in (e.get("class") or "")]
        check(bands, "the label's bands")
        check("历史" in "".join(drawn(d, "history", ended, "--language", "zh").itertext()), "Chinese")
        check("amp" in "".join(drawn(d, "contour", ended, "--x", "amp", "--y", "lr").itertext()), "--x")

        path = os.path.join(d.home, "a.svg")
        equal(d.ctl("plot", "edf", str(ended), "-o", path).returncode, 0, "a file")
        equal(ElementTree.parse(path).getroot().tag, SVG + "svg", "in it")
        check("overwrite" in d.ctl("plot", "edf", str(ended), "-o", path).stderr or
              "exists" in d.ctl("plot", "edf", str(ended), "-o", path).stderr, "not over another")
        equal(d.ctl("plot", "edf", str(ended), "-o", path, "--force").returncode, 0, "but with --force")

        for words, said in ((("plot", "histry"), "history"), (("plot", "edf", "one"), "SWEEP"),
                            (("plot", "contour", str(ended), "--x", "lrr"), "layers"),
                            (("plot", "contour", str(ended), "--x", "lr", "--y", "lr"), "same"),
                            (("plot", "curves", str(ended), "--run", "99999"), "runs"),
                            (("plot", "edf", "--language", "fr"), "zh"),
                            (("plot", "edf", "1", "2"), "one SWEEP")):
            done = d.ctl(*words)
            equal(done.returncode, 2, f"{words}: {done.stderr}")
            check(said in done.stderr, f"{words}: {done.stderr}")
        equal(d.ctl("plot", "edf", "77").returncode, 1, "no such sweep")


class Page(HTMLParser):
    """Its elements; a name that is not escaped would be one of them."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.texts, self.open = [], {}, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)


def sum_of(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def report(d, *words):
    path = os.path.join(d.home, "night.html")
    d.ctl("report", *words, "-o", path, "--force", check=0)
    with open(path, encoding="utf-8") as f:
        return f.read()


def test_report():
    with Daemon(workers=1) as d:
        ended, none = carry_out(d, 14, falling), carry_out(d, 0, None)
        failed = carry_out(d, 3, None, {"status": "failed", "error": "exited", "text": HOSTILE})
        text = report(d, str(ended), str(none), str(failed))
        page = Page(text)
        scripts = [a for tag, a in page.elements if tag == "script"]
        check(all("src" not in a for a in scripts), "nothing is loaded")
        check(not any(tag in ("link", "img", "iframe", "object") for tag, _ in page.elements), "nor else")
        check(not [a for _, a in page.elements if any(k.startswith("on") or k == "style" for k in a)],
              "no script and no style in attributes")
        policy = next(a["content"] for tag, a in page.elements
                      if a.get("http-equiv") == "Content-Security-Policy")
        for element in re.findall(r"<script>(.*?)</script>", text, re.S):
            check(sum_of(element) in policy, "each script is allowed by its sum")
        check(sum_of("".join(page.texts["style"])) in policy, "and the style")
        data = json.loads("".join(re.findall(r'id="data">(.*?)</script>', text, re.S)))
        equal([len(s["runs"]) for s in data["sweeps"]], [14, 1, 3], "runs")
        equal(len(data["sweeps"][0]["curves"]), 14, "curves")
        named = [name for names in re.findall(r"what these charts need: (.*?)</p>", text)
                 for name in names.split(", ")]
        equal(sum(tag == "figure" for tag, _ in page.elements) + len(named), 3 * len(KINDS),
              "a picture each, or its name")
        check(named, "without values there is nothing to draw")
        said = "".join("".join(t) for t in page.texts.values())
        for what in (HOSTILE, "proposed", "exited", "<b>cnn</b>"):
            check(what in said, f"{what} is there, as text")
        check("loss 形态" in report(d, str(ended), "--language", "zh"), "Chinese")
        equal(d.ctl("report", str(ended)).returncode, 2, "-o is needed")
        equal(d.ctl("report", "77", "-o", os.path.join(d.home, "b.html")).returncode, 1, "no such sweep")


def test_optuna_study():
    """Every table, read by SQLite alone: states, values, params with their distributions, attributes."""
    with Daemon(workers=1) as d:
        path = os.path.join(d.home, "study.db")
        ended = carry_out(d, 6, falling)
        d.ctl("export", str(ended), "--optuna", path, check=0)
        with contextlib.closing(sqlite3.connect(path)) as db:
            equal(db.execute("PRAGMA integrity_check").fetchone()[0], "ok", "whole")
            equal(db.execute("SELECT study_name FROM studies").fetchall(), [(HOSTILE,)], "study")
            equal(db.execute("SELECT direction FROM study_directions").fetchall(), [("MINIMIZE",)], "goal")
            equal(db.execute("SELECT number, state FROM trials ORDER BY number").fetchall(),
                  [(i, "COMPLETE") for i in range(6)], "trials")
            best = db.execute("SELECT json_extract(a.value_json, '$') FROM trial_values AS v JOIN "
                              "trial_user_attributes AS a ON a.trial_id = v.trial_id AND a.key = 'run_id' "
                              "ORDER BY v.value LIMIT 1").fetchone()[0]
            equal(best, d.call("show", sweep=ended)["sweep"]["best_run"], "the best is ours")
            equal(db.execute("SELECT count(*) FROM trial_intermediate_values").fetchone()[0], 72, "points")
            kinds = dict(db.execute("SELECT param_name, distribution_json FROM trial_params").fetchall())
            equal(json.loads(kinds["lr"]), {"name": "FloatDistribution", "attributes": {
                "step": None, "low": 0.001, "high": 1, "log": True}}, "lr")
            equal(json.loads(kinds["layers"])["name"], "IntDistribution", "layers")
            equal(json.loads(kinds["amp"])["attributes"]["choices"], [True, False], "amp")
            labels = db.execute("SELECT count(*) FROM trial_user_attributes WHERE key = 'label'").fetchone()
            equal(labels[0], 6, "labels")
            equal(db.execute("SELECT count(*) FROM trial_system_attributes").fetchone()[0], 0, "no constraints")
        equal(d.ctl("export", str(ended), "--optuna", path).returncode, 1, "not over another")
        bound = carry_out(d, 4, falling, constraints=["layers <= 6", "lr * layers <= 4"])
        d.ctl("export", str(bound), "--optuna", path, "--force", check=0)
        with contextlib.closing(sqlite3.connect(path)) as db:
            equal([json.loads(text) for text, in db.execute("SELECT value_json FROM trial_system_attributes WHERE "
                                                            "key = 'constraints'")], 4 * [[0, 0]], "constraints")
        failed = carry_out(d, 2, None, {"status": "failed", "error": "exited", "text": HOSTILE})
        d.ctl("export", str(failed), "--optuna", path, "--force", check=0)
        with contextlib.closing(sqlite3.connect(path)) as db:
            equal(db.execute("SELECT DISTINCT state FROM trials").fetchall(), [("FAIL",)], "all failed")
        equal(d.ctl("export", "77", "--optuna", path, "--force").returncode, 1, "no such sweep")


if __name__ == "__main__":
    run(test_every_kind, test_report, test_optuna_study)
