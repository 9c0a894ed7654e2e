"""What shells complete: ids, verbs, options, parameters and their values, remedies. The three shells'
functions themselves are called; a shell that is not installed is skipped by name."""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from sweepd import BUILD, SOURCE, SWEEPCTL, Daemon, make_data, small_spec  # noqa: E402
from tap import Skip, check, equal, run  # noqa: E402

FOLDER = os.path.join(SOURCE, "dist", "completions")
BASH = """. "$1"; shift
type=$1 name=$2; shift 2
compopt() { echo "+${@: -1}"; }
COMP_TYPE=$type COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
"$name"
printf '%s\\n' "${COMPREPLY[@]}"
"""
# Only what the function does: what belongs to the line editor says what it was given.
ZSH = """for file in $1/_*; do zsh -n $file || exit; done
_describe() { local given=${@[(r)(described|open|options)]}; print -rl -- "${(@P)given}" }
_files() { print -r -- :files }
compset() { : }
source $1/$2
shift 2
words=("$@") CURRENT=$# PREFIX=${@[-1]}
_${1:t} "$@"
"""


def environment(d):
    return {**d.environment, "PATH": os.pathsep.join(
        [os.path.join(BUILD, part) for part in ("client", "daemon", "worker")]
        + [os.environ["PATH"]])}


def ask(d, *words):
    """(word, what it says) for each that sweepctl says."""
    done = subprocess.run([SWEEPCTL, "__complete", *map(str, words)], capture_output=True, text=True,
                          env={**environment(d), "SWEEPD_SOCKET": d.socket})
    equal((done.returncode, done.stderr), (0, ""), f"{words}")
    return [tuple(line.split("\t")) for line in done.stdout.splitlines()]


def words_of(d, *words):
    return [word for word, *_ in ask(d, *words)]


def bash(d, name, *words, kind=9):
    """The lines that the function leaves: +OPTION for each compopt, then the words."""
    done = subprocess.run(
        ["bash", "-c", BASH, "bash", os.path.join(FOLDER, name + ".bash"), str(kind),
         f"_{name}", *map(str, words)], capture_output=True, text=True,
        env={**environment(d), "SWEEPD_SOCKET": d.socket})
    equal((done.returncode, done.stderr), (0, ""), f"{words}")
    return done.stdout.splitlines()


def a_sweep(d):
    spec = small_spec(make_data(d.home), run_cap=2, method="random")
    d.ctl("submit", "-", text=json.dumps(spec), check=0)
    d.ctl("wait", 1, check=0)


def shell(name):
    if shutil.which(name) is None:
        raise Skip(f"{name} is not installed")


def test_words_that_need_no_daemon():
    with Daemon() as d:
        d.kill()
        table = open(os.path.join(SOURCE, "client", "client.h"), encoding="utf-8").read()
        verbs = words_of(d, "")
        check(len(verbs) > 30 and all(f'"{v}"' in table for v in verbs), verbs)
        equal(words_of(d, "--json", "tre"), ["treat"], "behind an option")
        equal(words_of(d, "help", "lab"), ["label"])
        equal(words_of(d, "treat", "--rem"), ["--remedy"])
        check("--remedy" not in words_of(d, "runs", "-"), "options of the verb alone")
        check("--watch" not in words_of(d, "treat", "--watch", "-"), "once is enough")
        equal(words_of(d, "runs", "--status", "c"), ["completed", "cancelled"])
        equal(words_of(d, "runs", "--status=f"), ["--status=failed"])
        equal(words_of(d, "runs", "--label", "diver"), ["diverging"])
        equal(words_of(d, "runs", "--sort", "-sec"), ["-seconds"])
        equal(words_of(d, "importance", "--method", ""), ["pedanova", "fanova"])
        equal(words_of(d, "report", "--language", ""), ["en", "zh"])
        check({"history", "contour"} <= set(words_of(d, "plot", "")), "kinds of chart")
        equal(words_of(d, "submit", ""), [":files"])
        equal(words_of(d, "export", "-o", ""), [":files"])
        equal(words_of(d, "label", "log.csv", "--run", ""), [], "a run of a file")
        equal(words_of(d, "rm", "--y"), ["--yes"], "another name of a verb")
        equal(words_of(d, "list", "x", ""), [], "no argument more")
        equal(words_of(d), verbs, "no word at all")


def test_ids_and_values():
    with Daemon() as d:
        spec = small_spec(make_data(d.home), run_cap=3, method="random")
        spec["parameters"]["optimizer"] = {"values": ["adam", "sgd"]}
        for name in ("first", "second"):
            d.ctl("submit", "-", text=json.dumps({**spec, "name": name}), check=0)
            d.ctl("wait", 1 if name == "first" else 2, check=0)
        equal([w for w, _ in ask(d, "show", "")], ["2", "1"], "the newest first")
        check(ask(d, "show", "1")[0][1].startswith("first, completed, 3 of 3"), ask(d, "show", "1"))
        equal(words_of(d, "pause", ""), [], "none that could be paused")
        equal(words_of(d, "delete", ""), ["2", "1"])
        equal(words_of(d, "report", "1", ""), ["2", "1"], "another one")
        runs = [str(i) for i, in d.sql("SELECT id FROM runs WHERE sweep_id=2 ORDER BY id DESC")]
        equal(words_of(d, "run", ""), runs, "of the newest sweep")
        check("#0 completed" in ask(d, "run", runs[-1])[0][1], ask(d, "run", runs[-1]))
        first = [str(i) for i, in d.sql("SELECT id FROM runs WHERE sweep_id=1 ORDER BY id DESC")]
        equal(words_of(d, "best", "1", "--run", ""), first, "of the sweep that is named")
        equal(words_of(d, "plot", "curves", "1", "--run", ""), first)
        equal(words_of(d, "cancel", "--run", ""), [], "all have ended")
        names = list(spec["parameters"])
        equal(sorted(words_of(d, "plot", "slice", "2", "--x", "")), sorted(names))
        equal(sorted(words_of(d, "extend", "1", "")), sorted(n + "=" for n in names))
        check("optimizer=" not in words_of(d, "extend", "1", "optimizer=sgd", ""), "named already")
        equal(words_of(d, "enqueue", "1", "optimizer="), ["optimizer=adam", "optimizer=sgd"])
        check("optimizer=adam" not in words_of(d, "extend", "1", "optimizer="), "it has that one")
        check("optimizer=rmsprop" in words_of(d, "extend", "1", "optimizer="), "a setting's choices")
        advised = [v["remedy"] for v in d.call("explain", run=int(runs[0]))["remedies"]]
        if advised:
            equal(words_of(d, "treat", runs[0], "--remedy", ""), advised, "in the order of advice")
        check({"learning_rate_down", "l2"} <= set(words_of(d, "treat", "--remedy", "")), "all")


def test_strange_names():
    """Of an imported sweep, say: what a shell or a terminal would obey."""
    strange = "$(touch obeyed)"
    with Daemon() as d:
        d.submit({"name": "\u009b31m\u202enight" + "é" * 40, "task": {"client": {}}, "method": "random", "run_cap": 1002,
                  "epochs": 2, "metric": {"name": "val_loss"}, "repeat_share": 0, "parameters": {
                      strange: {"values": ["a; touch obeyed", "`id`", "\u009b2J", "<b>|é"]}, "lr": {"min": 0, "max": 1},
                      "\u202ehidden": {"values": [1, 2]}}})
        said = ask(d, "show", "")[0][1]
        check(said.startswith(" 31m night") and "\u009b" not in said and "\u202e" not in said, said)
        equal(words_of(d, "plot", "slice", "1", "--x", ""), [strange, "lr"], "words that can be typed")
        equal(words_of(d, "enqueue", "1", strange + "="), [f"{strange}={v}" for v in ("a; touch obeyed", "`id`", "<b>|é")])
        typed = bash(d, "sweepctl", "sweepctl", "plot", "slice", "1", "--x", "")
        values = bash(d, "sweepctl", "sweepctl", "enqueue", "1", typed[0], "=", "")
        equal(len(values), 3, "values behind a quoted name")
        line = " ".join(["printf '%s\\n'", typed[0], *values])
        told = subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=d.home, env=environment(d))
        equal(told.stdout.splitlines(), [strange, "a; touch obeyed", "`id`", "<b>|é"], "the shell takes them as they are")
        check(not os.path.exists(os.path.join(d.home, "obeyed")), "and obeys none")


def test_a_daemon_that_is_gone():
    with Daemon() as d:
        equal(ask(d, "--socket", d.home + "/none", "show", ""), [])
        equal(ask(d, "--socket", d.home + "/none", "enqueue", "1", ""), [])


def test_bash():
    with Daemon() as d:
        a_sweep(d)
        equal(bash(d, "sweepctl", "sweepctl", "tre"), ["treat"])
        equal(bash(d, "sweepctl", "sweepctl", "show", ""), ["1"])
        equal(bash(d, "sweepctl", "sweepctl", "runs", "--status", "=", "f"), ["failed"])
        equal(bash(d, "sweepctl", "sweepctl", "runs", "--status", "="),
              ["queued", "running", "paused", "completed", "stopped", "failed", "cancelled"])
        values = bash(d, "sweepctl", "sweepctl", "extend", "1", "")
        check("+nospace" in values and any(v.endswith("=") for v in values), values)
        listed = bash(d, "sweepctl", "sweepctl", "run", "", kind=63)
        check(len(listed) == 2 and "  (#1 completed" in listed[0], listed)
        open(os.path.join(d.home, "a spec.json"), "w").close()
        files = bash(d, "sweepctl", "sweepctl", "submit", d.home + "/a")
        equal(files, ["+filenames", d.home + "/a spec.json"])
        equal(bash(d, "sweepd", "sweepd", "--log-level", "w"), ["warn"])
        equal(bash(d, "sweepd", "sweepd", "--max-"), ["--max-load"])
        equal(bash(d, "sweepd", "sweepd", "--db", d.home + "/a"),
              ["+filenames", d.home + "/a spec.json"])
        equal(bash(d, "sweepd", "sweep-worker", "--prep"), ["--prepare"])


def test_fish():
    shell("fish")

    def complete(d, line):
        done = subprocess.run(
            ["fish", "--no-config", "-c", f"source {FOLDER}/sweepctl.fish; "
             f"source {FOLDER}/sweepd.fish; complete -C '{line}'"], capture_output=True, text=True,
            env={**environment(d), "SWEEPD_SOCKET": d.socket})
        equal((done.returncode, done.stderr), (0, ""), line)
        return [x.split("\t")[0] for x in done.stdout.splitlines()]

    with Daemon() as d:
        a_sweep(d)
        equal(complete(d, "sweepctl tre"), ["treat"])
        equal(complete(d, "sweepctl show "), ["1"])
        equal(complete(d, "sweepctl runs --status=f"), ["--status=failed"])
        open(os.path.join(d.home, "aspec.json"), "w").close()
        equal(complete(d, f"sweepctl submit {d.home}/a"), [d.home + "/aspec.json"])
        equal(complete(d, f"sweepctl export 1 --output={d.home}/a"),
              ["--output=" + d.home + "/aspec.json"])
        check("--max-load" in complete(d, "sweepd --max-"), "options of the daemon")
        check("--prepare" in complete(d, "sweep-worker --prep"), "and of the worker")


def test_zsh():
    shell("zsh")

    def complete(d, *words):
        done = subprocess.run(
            ["zsh", "-f", "-c", ZSH, "zsh", FOLDER, "_" + words[0].replace("-worker", "d"),
             *map(str, words)], capture_output=True, text=True,
            env={**environment(d), "SWEEPD_SOCKET": d.socket})
        equal((done.returncode, done.stderr), (0, ""), f"{words}")
        return [line.split(":")[0] for line in done.stdout.splitlines()]

    with Daemon() as d:
        a_sweep(d)
        equal(complete(d, "sweepctl", "tre"), ["treat"])
        equal(complete(d, "sweepctl", "show", ""), ["1"])
        equal(complete(d, "sweepctl", "runs", "--status=f"), ["--status=failed"])
        check(any(w.endswith("=") for w in complete(d, "sweepctl", "extend", "1", "")), "values")
        equal(complete(d, "sweepctl", "submit", "x"), [""], "files")
        check("--max-load" in complete(d, "sweepd", "--max-"), "options of the daemon")


if __name__ == "__main__":
    run(test_words_that_need_no_daemon, test_ids_and_values, test_strange_names, test_a_daemon_that_is_gone, test_bash,
        test_fish, test_zsh)
