"""Charts through the programs: every kind of a sweep that clients carried out, of one without runs and of
one all of whose runs failed; hostile names; what is refused."""
import os
import sys
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon  # noqa: E402
from tap import check, equal, run  # noqa: E402

KINDS = ("history", "curves", "parallel", "slice", "contour", "edf", "pareto", "timeline", "labels")
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert('x')</script> \"night\" ]]> &amp;"
PARAMETERS = {"lr": {"min": 0.001, "max": 1.0, "distribution": "log_uniform_values"},
              "layers": {"min": 1, "max": 8}, "kind": {"values": ["<b>cnn</b>", "\"mlp\""]},
              "amp": {"values": [True, False]}}


def carry_out(d, runs, points, result=None):
    """A sweep of so many runs; points: of a run, by its parameters."""
    sweep = d.submit({"name": HOSTILE, "task": {"client": {}}, "method": "random", "run_cap": max(runs, 1),
                      "epochs": 12, "metric": {"name": "val_loss"}, "parameters": PARAMETERS,
                      "repeat_share": 0})
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


if __name__ == "__main__":
    run(test_every_kind)
