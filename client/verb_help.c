#include "client/verb_help.h"

#include <string.h>

#include "sweep/require.h"

static const struct {
    const char *verb, *text;
} rows[] = {
    {"start",
     "Starts sweepd with its database in $XDG_STATE_HOME/sweepd, and waits until it answers. A\n"
     "daemon that runs already is left as it is; one that has another database or worker than\n"
     "is asked for is not: `sweepctl shutdown` first. Where systemd is at hand,\n"
     "`systemctl --user enable --now sweepd.socket` does it for good.\n\n"
     "  sweepctl start --workers 4\n"
     "  sweepctl start --active-hours 22:00-07:30 --pause-on-battery\n"},
    {"submit",
     "The specification is JSON (docs/spec.md). All that is wrong with it is told at once, each\n"
     "with its line and column. Its data is read and checked before the sweep is accepted: that\n"
     "can take a while, and nothing is left behind by a refusal. If the answer does not come (the\n"
     "connection broke, Ctrl-C), submit the same again with the same --id: it is made once.\n\n"
     "  sweepctl submit sweep.json --dry-run      what it would do, and for how long\n"
     "  sweepctl submit sweep.json --watch        and follow it\n"
     "  sweepctl submit sweep.json --id night-7   safe to repeat\n"
     "  sweepctl submit sweep.json --warm-start 7 begin with what sweep 7 found\n"
     "  generate-spec | sweepctl submit -\n"
     "  sweepctl submit sweep.json --on slurm:gpu --slots 8 -- --time=4:00:00 --gres=gpu:1\n"
     "      on a cluster: 8 runs at a time; behind -- options of sbatch (docs/slurm.md)\n\n"
     "The smallest specification:\n"
     "  {\"data\": {\"name\": \"fashion-mnist\", \"validation\": 10000},\n"
     "   \"parameters\": {\"learning_rate\": {\"min\": 0.0001, \"max\": 0.1,\n"
     "     \"distribution\": \"log_uniform_values\"}}, \"run_cap\": 20}\n"},
    {"list",
     "One line a sweep: its id, which the other verbs take, how far it is, its best metric and\n"
     "the id of the run that has it. `reason` says why a sweep is held, or how it ended.\n"},
    {"show",
     "How far each stage is, how often each label was given, what was found in the data, and the\n"
     "failed runs with their ids and last words.\n\n"
     "  sweepctl show 3\n"
     "  sweepctl --json show 3 | jq .findings\n"},
    {"runs",
     "Without SWEEP those of the newest. `run` is a run's id, which the other verbs take; `#` is\n"
     "its place in its sweep.\n\n"
     "  sweepctl runs 3 --status failed\n"
     "  sweepctl runs 3 --label overfitting --sort metric\n"
     "  sweepctl runs 3 --sort -seconds -n 5      the five longest\n\n"
     "--sort takes number, run, metric (the best first), val_loss, val_acc, seconds, epochs,\n"
     "best_epoch, status, label, stage, error, learning_rate and batch_size; with a - before it\n"
     "the other way round. --label none: those that have no label.\n"},
    {"watch",
     "On a terminal it fills the screen, without SWEEP with all sweeps; ? says the keys, q\n"
     "leaves. "
     "It ends with the sweep, unless a key was pressed. NO_COLOR and a locale without UTF-8 are\n"
     "heeded. Elsewhere a line for each run that ends; without SWEEP of the newest that goes on.\n"
     "Leaving or Ctrl-C ends the watching, not the sweep. At its end\n"
     "the best runs and the labels are printed; of one that has ended already, at once. Exit\n"
     "status 0 only if it completed.\n\n"
     "  sweepctl watch 3\n"
     "  sweepctl --json watch 3                   one JSON object a line, for programs\n"},
    {"wait",
     "Says nothing until the sweep has ended or is held, which needs a person: the reason is\n"
     "printed.\n\n"
     "  sweepctl wait 3 && sweepctl export $(sweepctl --json best 3 -n 1 | jq .runs[0].run_id)\n"},
    {"best",
     "By the sweep's metric, the best first. `remedy` is what the guide advises for the label of\n"
     "the run; `sweepctl explain RUN` says why.\n\n"
     "  sweepctl best 3 -n 3\n"
     "  sweepctl best 3 --spec | sweepctl submit -   the winner again, to the bit\n"
     "  sweepctl best --spec --run 57 > 57.json      any other run\n"},
    {"importance",
     "pedanova: for being among the best tenth, as shares of 1. fanova: the share of the metric's\n"
     "variance that a parameter explains by itself, by a random forest.\n\n"
     "  sweepctl importance 3\n"
     "  sweepctl importance 3 --method fanova\n"},
    {"morning",
     "Winner, how sure that is, what the search learnt, what went wrong and why, what failed,\n"
     "what to do next as commands, what it cost. Also while it goes on. Without SWEEP: all that\n"
     "are open or have ended in the last day.\n\n"
     "  sweepctl morning\n"
     "  sweepctl --json morning 3 | jq .sweeps[0].wrong\n"},
    {"run",
     "RUN is the id that `best`, `runs` and `watch` show, not the place in the sweep (#3).\n"},
    {"log",
     "The last 64 KiB of what the run's program wrote to its stderr, and of a command also what\n"
     "it printed. A run of our own trainer says nothing where all is well.\n\n"
     "  sweepctl log 57 -f      goes on with what comes, until the run has ended\n"},
    {"curve",
     "One line a point, in the columns that `sweepctl label` reads.\n\n"
     "  sweepctl curve 57 > 57.csv\n"
     "  sweepctl curve 57 | gnuplot -p -e \"set datafile separator ','; plot '-' u 1:3\"\n"},
    {"plot",
     "Without SWEEP the newest. KIND is history, curves, parallel, slice, contour, importance,\n"
     "edf, pareto, timeline or labels (docs/report.md says what each shows).\n\n"
     "  sweepctl plot history 3 -o history.svg\n"
     "  sweepctl plot curves 3 --run 57 -o 57.svg        one run, and how its label changed\n"
     "  sweepctl plot contour 3 --x learning_rate --y dropout -o contour.svg\n"
     "  sweepctl plot pareto 3 --x parameters --y val_acc   two of several objectives\n"},
    {"report",
     "One file to keep, mail and print; without SWEEP of the newest. It needs no network and no\n"
     "daemon. What is in it: docs/report.md.\n\n"
     "  sweepctl report 3 -o night.html\n"
     "  sweepctl report 3 4 5 -o week.html --language zh\n"},
    {"serve",
     "Runs until Ctrl-C; the daemon knows nothing of it. Reading is for your own user, as the\n"
     "socket is; what changes something wants the token that is printed, and that the pages hold.\n"
     "Another address than the loopback's wants a password, and is not encrypted: better\n"
     "`ssh -L 8478:127.0.0.1:8478 MACHINE`. What is there: docs/serve.md.\n\n"
     "  sweepctl serve\n"
     "  sweepctl serve --listen 127.0.0.1:9000 --language zh\n"
     "  sweepctl serve --listen 192.168.1.5:8478 --password-file ~/.sweepd-password\n"},
    {"export",
     "The weights of the best epoch. A sweep keeps those of its best three runs; `sweepctl replay\n"
     "RUN -o FILE` trains any other again.\n\n"
     "  sweepctl export 57 -o best.safetensors --torch-module net.py\n\n"
     "Of a sweep: its runs and curves in the files of other tools (docs/export.md).\n\n"
     "  sweepctl export 3 --csv night.csv --tensorboard board --optuna night.db\n"},
    {"import",
     "A database of Optuna or MLflow, or a table with a row a run (CSV). The same again is the\n"
     "same sweep. What is taken for what: docs/import.md.\n\n"
     "  sweepctl import study.db\n"
     "  sweepctl import runs.csv --metric val_loss --parameters lr,layers\n"},
    {"predict",
     "The columns are found by name; scaling, categories and classes are those of the training.\n\n"
     "  sweepctl predict 57 new.csv -o answers.csv\n"},
    {"replay",
     "Trains the run again from its configuration, beside the daemon, and compares each point.\n"
     "Two runs with the same seed are equal to the bit on the same processor and BLAS.\n"
     "With --sweep no run is trained: every decision of that sweep is made again from what its\n"
     "runs showed.\n\n"
     "  sweepctl replay 57\n"
     "  sweepctl replay --sweep 3\n"},
    {"explain",
     "The label and the test that decided it, causes by how likely they are, remedies in the\n"
     "guide's order, and what came of those that were tried; before them what the search decided\n"
     "about the run: what proposed it, and why it was stopped or went on. With --sweep: what the\n"
     "whole search did, stage by stage, and why.\n\n"
     "  sweepctl explain 57\n"
     "  sweepctl explain --sweep 3\n"},
    {"treat",
     "A new run with one remedy and nothing else changed, in a sweep of its own.\n\n"
     "  sweepctl treat 57 --watch\n"
     "  sweepctl treat 57 --remedy learning_rate_down\n"},
    {"enqueue",
     "A value of every swept parameter, by the names that the sweep has for them.\n\n"
     "  sweepctl enqueue 3 learning_rate=0.003 optimizer=adam\n"},
    {"extend",
     "So many runs more than it has, and new ends of ranges or values beside those there are;\n"
     "what was run stays as it is. A sweep that has ended goes on.\n\n"
     "  sweepctl extend 3 --runs 20\n"
     "  sweepctl extend 3 --runs 20 learning_rate=0.00001.. depth=..8 optimizer=rmsprop,adamw\n"},
    {"relabel",
     "After an update: labels are judged again by its rules, curves are not touched.\n"},
    {"label",
     "Any curve that another program has logged. The label is printed with its confidence and the\n"
     "sentence that says why.\n\n"
     "  sweepctl label history.csv\n"
     "  sweepctl label history.csv --at 20        as it would have been after 20 points\n"
     "  sweepctl label runs/                      every log in a folder, a line each\n"},
    {"events",
     "  sweepctl events 3\n"
     "  sweepctl events --since 8h                what happened in the night\n"
     "  sweepctl events --follow\n"},
    {"doctor",
     "Whether the daemon can be started and reached, the worker runs, the disk has room, and runs\n"
     "go on after a logout; each with what to do about it. Exit status 1 where\n"
     "something is wrong.\n"},
    {"pause",
     "Running runs write a checkpoint and end; `resume` goes on from there, to the same bits.\n"},
    {"resume",
     "A held sweep goes on as well: `sweepctl show SWEEP` says why it is held.\n"},
    {"cancel",
     "For good: running runs are ended, those that wait are dropped; what was measured stays. To\n"
     "go on later: `pause`.\n\n"
     "  sweepctl cancel 3\n"
     "  sweepctl cancel --run 57\n"},
    {"delete",
     "The sweep, its runs, curves, labels, logs and weights, for good. On a terminal it shows\n"
     "what goes and asks; --yes does not ask. `sweepctl backup FILE` keeps a copy of the\n"
     "database.\n\n"
     "  sweepctl delete 3\n"
     "  sweepctl delete 3 --yes\n"},
    {"backup",
     "Whole and checked, also while training goes on. Copying sweeps.db alone is not enough: what\n"
     "was written last is in sweeps.db-wal.\n\n"
     "  sweepctl backup /backup/sweeps.db\n"},
    {"status",
     "Answered from memory: also while the database is locked or gone, which `trouble` then\n"
     "says.\n"},
    {"shutdown",
     "Running runs are left where they are and go on at the next start, from their checkpoints;\n"
     "--drain lets them finish first.\n"},
};

bool verb_help_more(FILE *out, const char *verb)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(rows[i].verb, verb) != 0)
            continue;
        fprintf(out, "\n%s", rows[i].text);
        return true;
    }
    return false;
}
