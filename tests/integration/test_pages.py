"""The pages of `sweepctl serve` in a real browser: nothing is forbidden, nothing is asked of strangers, no name is an element,
each fits three widths, can be used from the keyboard and by a screen reader, renews itself, and reads without scripts."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
sys.path.insert(0, os.path.dirname(__file__))
import browser  # noqa: E402
from accessible import COMPLAINTS  # noqa: E402
from browser import Browser  # noqa: E402
from sweepd import Daemon  # noqa: E402
from tap import Skip, check, equal, run  # noqa: E402
from test_hostile import sweeps_of  # noqa: E402
from test_serve import BUILT, Site, clients_sweep  # noqa: E402

WIDTHS = (1440, 800, 390)


def pages_of(sweep, bare, runs):
    return ("/", f"/sweep/{sweep}", f"/sweep/{bare}", f"/sweep/{sweep}/runs", f"/run/{runs[0]}",
            f"/compare?run={runs[0]}&run={runs[1]}&run={runs[2]}", "/compare", "/guide", "/submit", "/login", "/nothing")


def objectives_sweep(d, runs=12):
    """What is judged by three values, two of which have a name that is an element's."""
    goals = ({"name": "val_loss", "goal": "minimize"}, {"name": "<b>fair", "goal": "maximize"}, "\"<i>memory")
    sweep = d.submit({"name": 60 * "é", "task": {"client": {}}, "method": "random", "run_cap": runs, "epochs": 2,
                      "objectives": list(goals), "parameters": {"x": {"min": 0.0, "max": 1.0}}, "repeat_share": 0})
    c = d.connect()
    for i in range(runs):
        asked = c.call("ask", sweep=sweep)
        x = asked["params"]["x"]
        c.call("tell", run=asked["run"], lease=asked["lease"], result={"values": [x * x + 1, x, i % 5 + 1]})
    c.close()
    return sweep


FRONT_DRAWN = """(function () {
  var two = document.querySelectorAll('.explore select'), drawn = Array.from(document.querySelectorAll('.explore canvas'))
    .map(function (v) { return Chart.getChart(v); }).find(function (v) { return v && v.config.type === 'scatter'; });
  if (!drawn) return 0;
  if (!window.asked) {
    window.asked = true;
    two[0].value = two[0].options[two[0].options.length - 1].value;
    two[1].value = two[1].options[1].value;
    two[1].dispatchEvent(new Event('change'));
    return 0;
  }
  var sets = drawn.data.datasets, line = sets[sets.length - 1];
  return line.showLine && drawn.options.scales.y.title.text === '<b>fair' && drawn.options.scales.x.title.text === '"<i>memory' &&
    line.data.length;
})()"""

PLANTED = """<!DOCTYPE html><html><body><h1>a</h1><h3>b</h3><p id=x style="color:#aaa">faint</p><p id=x>twice</p>
<button></button><input><svg></svg><table><thead><tr><td>1</td></tr></thead></table><ul><p>no item</p></ul>
<div style="overflow:auto;height:20px;width:90px"><br><br><br>far</div><label for=none>z</label></body></html>"""


def test_what_is_wrong_is_found():
    with Browser() as b:
        b.run("document.documentElement.innerHTML = " + repr(PLANTED.replace("\n", " ")))
        said = " ".join(b.run(COMPLAINTS))
        for fault in ("no language", "no title", "not one main", "left out", "twice", "no name", "none", "titles",
                      "no item", "not reached", "contrast", "names nothing"):
            check(fault in said, f"{fault}: {said}")


def test_every_page():
    """At three widths, and in the dark."""
    with Daemon(workers=1) as d:
        sweep, runs = clients_sweep(d, 12)
        bare, _ = clients_sweep(d, points=False)
        fronts = objectives_sweep(d)
        judged = d.call("runs", sweep=fronts)["runs"][0]["run_id"]
        with Site(d) as s:
            for dark in (False, True):
                with Browser(dark=dark) as b:
                    for page in pages_of(sweep, bare, runs) + (f"/sweep/{fronts}", f"/run/{judged}"):
                        for width in WIDTHS if not dark else WIDTHS[1:2]:
                            b.resize(width)
                            b.go(s.url + page[1:])
                            if page == f"/sweep/{sweep}":
                                b.run("document.querySelector('.explore').scrollIntoView()")
                                b.until("document.querySelector('.explore form')")
                            wide = b.run("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                            equal(wide, 0, f"{page} at {width}: nothing lies beside the page")
                            equal(b.run(COMPLAINTS), [], f"{page} at {width}")
                        equal(b.run("document.querySelectorAll('main b, main i').length"), 0, f"{page}: a name is no element")
                    b.go(f"{s.url}sweep/{fronts}/plot?kind=pareto&x=val_loss&y=%3Cb%3Efair")
                    equal(b.run("document.querySelectorAll('.best').length"), 1, "the front of two objectives")
                    b.go(f"{s.url}sweep/{sweep}/plot?kind=history")
                    equal(b.run("getComputedStyle(document.querySelector('.best')).fill"), "none", "a chart has its style")
                    strange = [a for a in b.asked if not a.startswith((s.url, "data:", "about:"))]
                    equal(strange, [], "asked of strangers")
                    told = [t for t in b.told if "404" not in t]
                    equal(told, [], "the browser had nothing to complain of")


def test_live():
    """Points, a run's end and the daemon's come by themselves; filters and half-filled forms stay."""
    with Daemon(workers=1) as d:
        sweep, _ = clients_sweep(d, 3, points=False)
        with Site(d) as s, Browser() as b:
            c = d.connect()
            asked = c.call("ask", sweep=sweep)
            lease = {"run": asked["run"], "lease": asked["lease"]}
            c.call("report", **lease, points=[{"epoch": 1, "train_loss": 1.5, "val_loss": 1.25}])
            b.go(f"{s.url}sweep/{sweep}")
            b.until("document.getElementById('state').textContent === 'live'")
            row = f"document.querySelector('tr[data-run=\"{asked['run']}\"]')"
            b.until(row)
            b.run("document.querySelector('#enqueue input[name^=value]').value = '0.25'; "
                  "window.mark = document.querySelector('h1')")
            c.call("report", **lease, points=[{"epoch": 2, "train_loss": 0.5, "val_loss": 0.75}])
            b.until(f"{row}.querySelector('[data-val]').textContent === '0.7500'")
            b.until(f"{row}.querySelector('[data-epoch]').textContent === '2'")
            c.call("tell", **lease, result={"status": "completed"})
            b.until("document.body.textContent.includes('0.75') && !" + row)
            b.until("document.querySelector('.explore') && Array.from(document.querySelectorAll('a')).some("
                    f"function (a) {{ return a.getAttribute('href') === '/run/{asked['run']}'; }})")
            equal(b.run("document.querySelector('#enqueue input[name^=value]').value"), "0.25", "what was filled in")
            check(b.run("window.mark === document.querySelector('h1')"), "the page was not loaded again")
            b.run("document.querySelector('.explore').scrollIntoView()")
            b.until("document.querySelector('.explore fieldset input')")
            b.run("(function () { var f = document.querySelector('.explore fieldset input'); f.value = '0.0001'; "
                  "f.dispatchEvent(new Event('change')); })()")
            asked = c.call("ask", sweep=sweep)
            lease = {"run": asked["run"], "lease": asked["lease"]}
            c.call("report", **lease, points=[{"epoch": e, "val_loss": 3.0 / e} for e in (1, 2, 3)])
            c.call("tell", **lease, result={"status": "completed"})
            b.until(f"document.getElementById('data').textContent.includes('[{asked['run']},') && "
                    "Array.from(document.querySelectorAll('.explore tbody td')).some("
                    f"function (t) {{ return t.textContent === '{asked['run']}'; }})")
            equal(b.run("document.querySelector('.explore fieldset input').value"), "0.0001", "the filter is still there")
            c.close()
            d.process.kill()
            d.process.wait()
            b.until("document.getElementById('state').className === 'off'")
            d.start()
            b.until("document.getElementById('state').className === 'on'")
            d.ctl("pause", str(sweep), check=0)
            b.until("Array.from(document.querySelectorAll('button')).some(function (v) { return v.textContent === 'Resume'; })")
            equal([t for t in b.told if "ERR_INCOMPLETE" not in t and "503" not in t], [], "nothing was forbidden")


def test_forms():
    """What a person does with the pages, from the keyboard."""
    with Daemon(workers=1) as d:
        sweep, _ = clients_sweep(d, 1002, points=False)
        with Site(d) as s, Browser() as b:
            def press(condition):
                """The button of which that holds, by the keyboard; then where it leads."""
                b.run("(function () { var v = Array.from(document.querySelectorAll('button')).find(function (v) { return " +
                      condition + "; }); v.focus(); window.left = false; "
                      "addEventListener('pagehide', function () { window.left = true; }); })()")
                b.events = []
                for kind in ("rawKeyDown", "char", "keyUp"):
                    b.tell("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13,
                           **({"text": "\r"} if kind == "char" else {}))
                while not any(m.get("method") == "Page.loadEventFired" for m in b.events):
                    b.note(b.message())

            b.go(f"{s.url}sweep/{sweep}")
            press("v.textContent === 'Pause'")
            equal(d.call("show", sweep=sweep)["sweep"]["status"], "paused", "paused")
            press("v.textContent === 'Resume'")
            b.run("document.querySelectorAll('#enqueue input[name^=value]').forEach("
                  "function (v, i) { v.value = i ? '3' : '0.5'; })")
            press("v.textContent === 'Enqueue'")
            made = int(b.run("location.pathname").split("/")[-1])
            equal(d.call("run", run=made)["run"]["params"]["layers"], 3, "enqueued")
            b.go(f"{s.url}sweep/{sweep}/runs")
            b.run("document.querySelectorAll('input[name=run]').forEach(function (v, i) { v.checked = i < 2; })")
            press("v.textContent.startsWith('Compare')")
            check(b.run("location.search").count("run=") == 2, "two runs are compared")
            b.go(f"{s.url}submit")
            b.run("document.getElementById('spec').value = '{\"methd\": 1}'")
            press("v.textContent.startsWith('Only')")
            check(b.run("document.querySelector('[role=alert]').textContent.includes('methd')"), "what is wrong")
            equal(b.run("document.getElementById('spec').value"), '{"methd": 1}', "to be mended")
            equal(b.run(COMPLAINTS), [], "and read by everybody")
            b.go(f"{s.url}sweep/{sweep}")
            b.run("document.querySelector('input[name=sure]').checked = true")
            press("v.textContent === 'Cancel'")
            equal(d.call("show", sweep=sweep)["sweep"]["status"], "cancelled", "cancelled")
            equal([t for t in b.told if "422" not in t], [], "nothing was forbidden")


def test_without_scripts():
    with Daemon(workers=1) as d:
        sweep, runs = clients_sweep(d, 4)
        with Site(d) as s, Browser(scripts=False) as b:
            for page in pages_of(sweep, sweep, runs):
                b.go(s.url + page[1:])
                # what is hidden says nothing: the explorer alone, which scripts make
                text = b.tell("DOM.getDocument") and b.tell("DOM.getOuterHTML", nodeId=b.tell(
                    "DOM.querySelector", nodeId=b.tell("DOM.getDocument")["root"]["nodeId"], selector="main")["nodeId"])
                check(len(text["outerHTML"]) > 100, page)
                check(page != f"/sweep/{sweep}" or text["outerHTML"].count("<svg") >= 9, "its charts are pictures")


def test_report():
    """The file that `sweepctl report` writes, opened as a file."""
    with Daemon(workers=1) as d:
        sweep, _ = clients_sweep(d, 12)
        bare, _ = clients_sweep(d, points=False)
        fronts = objectives_sweep(d)
        path = os.path.join(d.home, "night.html")
        d.ctl("report", str(fronts), "-o", path, check=0)
        with Browser() as b:
            b.go("file://" + path)
            equal(b.run("document.querySelectorAll('figure svg .best').length >= 4"), True, "its history, and three fronts")
            b.run("document.querySelector('.explore').scrollIntoView()")
            b.until("document.querySelector('.explore form')")
            if b.run("typeof Chart !== 'undefined'"):
                b.until(FRONT_DRAWN)
            equal(b.run(COMPLAINTS), [], "objectives")
            equal(b.told, [], "nothing was forbidden")
        for language in ("en", "zh"):
            d.ctl("report", str(sweep), str(bare), "-o", path, "--force", "--language", language, check=0)
            with Browser(dark=language == "zh") as b:
                for width in WIDTHS:
                    b.resize(width)
                    b.go("file://" + path)
                    b.run("document.querySelector('.explore').scrollIntoView()")
                    b.until("document.querySelector('.explore form')")
                    equal(b.run("document.documentElement.scrollWidth - document.documentElement.clientWidth"), 0, str(width))
                    equal(b.run(COMPLAINTS), [], f"{language} at {width}")
                equal([a for a in b.asked if not a.startswith(("file://" + path, "about:"))], [], "nothing is asked for")
                equal(b.told, [], "nothing was forbidden")


NO_NUMBERS = """Array.from(document.querySelectorAll('.explore svg *')).filter(function (e) {
  return Array.from(e.attributes).some(function (a) { return /NaN|Infinity/.test(a.value); });
}).map(function (e) { return e.outerHTML; })"""


def test_report_of_strange_sweeps():
    """Names that a page would obey, values at the ends of what a number can be: the script draws each."""
    with Daemon(workers=1) as d:
        every = sweeps_of(d)
        path = os.path.join(d.home, "strange.html")
        d.ctl("report", *every.values(), "-o", path, check=0)
        with Browser() as b:
            b.go("file://" + path)
            charts = b.run("typeof Chart !== 'undefined'")
            for sweep in every.values():
                root = f"document.getElementById('explore-{sweep}')"
                b.run(root + ".scrollIntoView()")
                b.until(root + ".querySelector('form')")
                if charts:
                    b.until(f"Array.from({root}.querySelectorAll('.canvas canvas')).every(function (v) {{ return Chart.getChart(v); }})")
            equal(b.run("document.querySelectorAll('main b, main i, main script').length"), 0, "a name is no element")
            equal(b.run(NO_NUMBERS), [], "every place is a number")
            equal(b.told, [], "nothing was forbidden")


POINTS_DRAWN = """(function () {
  var drawn = Array.from(document.querySelectorAll('.explore canvas')).map(function (v) { return Chart.getChart(v); })
    .find(function (v) { return v && v.config.type === 'scatter'; });
  return drawn && drawn.data.datasets.reduce(function (ids, set) {
    return ids.concat(set.showLine ? [] : set.data.map(function (v) { return v.run[0]; }));
  }, []);
})()"""
NOTE = "Array.from(document.querySelectorAll('.explore p.soft')).filter(function (e) { return !e.hidden; }).pop().textContent"


def test_report_of_many_runs():
    """So many points are not drawn: some, the best among them, and it is said; of fewer runs all are."""
    with Daemon(workers=1) as d:
        c, count, best = d.connect(), 1700, 1234
        c.call("import", id="many", sweep={"source": "a formula", "spec": {
            "name": "many", "method": "by_hand", "task": {"client": {}}, "metric": {"name": "val_loss"}, "epochs": 1,
            "parameters": {"x": {"min": 0, "max": 2000}}, "run_cap": count, "repeat_share": 0}})
        for i in range(0, count, 100):
            c.call("import", id="many", runs=[
                {"params": {"x": k}, "status": "completed",
                 "points": [{"epoch": 1, "train_loss": 1, "val_loss": 1 + abs(k - best)}]} for k in range(i, i + 100)])
        sweep = c.call("import", id="many", end=True)["sweep"]
        c.close()
        first = d.call("best", sweep=sweep)["runs"][0]["run_id"]
        path = os.path.join(d.home, "many.html")
        d.ctl("report", str(sweep), "-o", path, check=0)
        with Browser() as b:
            b.go("file://" + path)
            b.run("document.querySelector('.explore').scrollIntoView()")
            b.until("document.querySelector('.explore form')")
            if not b.run("typeof Chart !== 'undefined'"):
                raise Skip("built without Chart.js")
            b.until(POINTS_DRAWN)
            drawn = b.run(POINTS_DRAWN)
            check(first in drawn and 500 < len(drawn) <= 1501 and len(set(drawn)) == len(drawn), len(drawn))
            check(f"{len(drawn)} of these {count} points" in b.run(NOTE), b.run(NOTE))
            b.run("(function () { var low = document.querySelector('.explore input[type=number]'); low.value = 1000; "
                  "low.dispatchEvent(new Event('change')); })()")
            b.until(f"({POINTS_DRAWN}).length === {count - 1000}")
            check("points" not in b.run(NOTE), "all are drawn, and nothing is said")
            equal(b.told, [], "nothing was forbidden")


if __name__ == "__main__":
    def absent():
        raise Skip("built without libmicrohttpd" if browser.there() else "no chromium here")

    def named(test):
        absent_test = lambda: absent()  # noqa: E731
        absent_test.__name__ = test.__name__
        return absent_test

    tests = (test_every_page, test_live, test_forms, test_without_scripts)
    run(*(tests if BUILT and browser.there() else map(named, tests)),
        *(t if browser.there() else named(t) for t in (test_what_is_wrong_is_found, test_report,
                                                                test_report_of_strange_sweeps, test_report_of_many_runs)))
