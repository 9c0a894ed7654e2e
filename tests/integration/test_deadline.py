"""A deadline: which instant it is, what it leaves out, and that a replay says the same."""
import datetime
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import Daemon, make_data, small_spec  # noqa: E402
from tap import check, equal, run  # noqa: E402

SPEC = {"name": "asked", "task": {"client": {}}, "method": "random", "run_cap": 10, "epochs": 2,
        "metric": {"name": "score", "goal": "maximize"},
        "parameters": {"lr": {"min": 0.0001, "max": 1.0, "distribution": "log_uniform_values"}}}


def told(d, sweep):
    return json.loads(d.ctl("show", sweep, "--json", check=0).stdout)["sweep"]


def test_until_is_an_instant():
    """Said at submit, in local time and UTC; kept through a restart."""
    with Daemon(workers=1) as d:
        before = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        answer = d.call("submit", spec={**SPEC, "until": "7:30"})
        notes = " ".join(answer["notes"])
        check("until 07:30, as the clock of the daemon's machine shows it, is " in notes, notes)
        at = told(d, answer["sweep"])["deadline_at"]
        check(f"({at[:16]} UTC)" in notes, (at, notes))
        left = datetime.datetime.fromisoformat(at) - before
        check(datetime.timedelta(0) < left < datetime.timedelta(days=1, hours=2), left)
        check("deadline" in d.ctl("show", answer["sweep"], check=0).stdout, "a person sees it")
        d.stop()
        d.start()
        equal(told(d, answer["sweep"])["deadline_at"], at)


def test_what_is_left_is_skipped():
    """The deadline passes as the first run starts."""
    with Daemon(workers=1) as d:
        data = make_data(d.home)
        sweep = d.submit({**small_spec(data), "method": "random", "run_cap": 6,
                          "max_hours": 1e-9})
        d.ctl("wait", sweep)
        shown = told(d, sweep)
        check(shown["status"] in ("held", "completed"), shown)
        check(shown["deadline_at"] and shown["fits"]["left"] == 0, shown)
        rows = d.sql("SELECT status, started_at, stop_reason FROM runs ORDER BY number")
        check(all(r[0] == "cancelled" and r[2] == "the deadline has passed"
                  for r in rows if r[1] is None), rows)
        check(any(r[1] is None for r in rows), rows)
        equal(d.call("replay", sweep=sweep)["difference"], None)
        said = d.ctl("explain", "--sweep", sweep, check=0).stdout
        check("skipped" in said, said)


def test_it_ends_by_itself():
    """In the middle of what repeats the best, of which more is planned than there is time for."""
    with Daemon(workers=2) as d:
        sweep = d.submit({**small_spec(make_data(d.home)), "method": "random", "run_cap": 2000,
                          "epochs": 2, "max_hours": 2 / 3600})
        d.wait(sweep)
        shown = told(d, sweep)
        equal(shown["status"], "completed")
        check("the deadline left time for" in shown["reason"], shown)
        equal(d.call("replay", sweep=sweep)["difference"], None)


if __name__ == "__main__":
    run(test_until_is_an_instant, test_what_is_left_is_skipped, test_it_ends_by_itself)
