/* sweepctl: the verbs' table, and what every verb gets. A verb is one file in cmd/ and one row
 * of VERB_MAP; it talks to the daemon with client_call and prints for people or, with --json,
 * one JSON document. */
#ifndef SWEEPCTL_CLIENT_H
#define SWEEPCTL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "client/human.h"
#include "client/opts.h"
#include "client/render.h"
#include "client/rpc.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/paths.h"

/* Exit statuses: scripts rely on them. */
enum client_exit {
    CLIENT_DONE = 0,
    CLIENT_REFUSED = 1,   /* the daemon said no */
    CLIENT_USAGE = 2,
    CLIENT_NO_DAEMON = 3, /* none at the socket, or it went away */
    CLIENT_INTERRUPTED = 130, /* as shells have it for Ctrl-C */
};

struct progress;

struct client {
    struct opts opts;
    char socket[PATHS_MAX];
    bool json;
    bool terminal; /* out is one … */
    size_t width;  /* … of so many columns; 0: none, so nothing is broken into lines */
    bool colour;
    FILE *out;
    struct errbuf *failed; /* failures are left here, and nothing is said; NULL: they are said */
    struct progress *progress; /* of what is in hand, where it says how far it is; else NULL */
    struct rpc_client rpc; /* rpc.fd -1 until the first call */
};

/* X(id, name, argument, argument kind, argument required, options, summary) */
#define VERB_MAP(X)                                                                             \
    X(start, "start", NULL, ARG_NONE, false,                                                    \
      OPTION_BIT(DB) | OPTION_BIT(WORKERS) | OPTION_BIT(WORKER_PROGRAM) |                       \
          OPTION_BIT(MAX_LOAD) | OPTION_BIT(ACTIVE_HOURS) | OPTION_BIT(PAUSE_ON_BATTERY) |      \
          OPTION_BIT(GROUP) | OPTION_BIT(ON_EVENT),                                             \
      "start the daemon in the background")                                                     \
    X(submit, "submit", "SPEC|-", ARG_TEXT, true,                                          \
      OPTION_BIT(WATCH) | OPTION_BIT(DRY_RUN) | OPTION_BIT(ID) | OPTION_BIT(WARM_START) |       \
          OPTION_BIT(ON) | OPTION_BIT(SLOTS),                                                   \
      "hand a sweep to the daemon")                                                             \
    X(list, "list", NULL, ARG_NONE, false, 0, "all sweeps")                                     \
    X(show, "show", "SWEEP", ARG_ID, true, 0, "one sweep: stages, labels, what failed")         \
    X(runs, "runs", "SWEEP", ARG_ID, false,                                                     \
      OPTION_BIT(STATUS) | OPTION_BIT(LABEL) | OPTION_BIT(SORT) | OPTION_BIT(LIMIT),            \
      "the runs of a sweep, by number")                                                         \
    X(watch, "watch", "SWEEP", ARG_ID, false, 0, "follow sweeps while they run")            \
    X(wait, "wait", "SWEEP", ARG_ID, true, 0, "wait for a sweep's end; 0 only if it completed") \
    X(best, "best", "SWEEP", ARG_ID, false,                                                     \
      OPTION_BIT(LIMIT) | OPTION_BIT(SPEC) | OPTION_BIT(RUN), "the best runs of a sweep")      \
    X(importance, "importance", "SWEEP", ARG_ID, false, OPTION_BIT(METHOD),                     \
      "how much each parameter of a sweep decided")                                             \
    X(morning, "morning", "SWEEP", ARG_ID, false, 0,                                            \
      "what the night has found, what went wrong, what to do next")                             \
    X(run, "run", "RUN", ARG_ID, true, 0, "one run: configuration, result, label")              \
    X(log, "log", "RUN", ARG_ID, true, OPTION_BIT(FOLLOW), "what a run wrote to its stderr") \
    X(curve, "curve", "RUN", ARG_ID, true, 0, "a run's curves as CSV")                          \
    X(plot, "plot", "KIND SWEEP", ARG_TEXT_VALUES, true,                                        \
      OPTION_BIT(OUTPUT) | OPTION_BIT(FORCE) | OPTION_BIT(RUN) | OPTION_BIT(X) |                \
          OPTION_BIT(Y) | OPTION_BIT(LANGUAGE),                                                 \
      "a chart of a sweep as SVG: history, curves, parallel, ...")                              \
    X(report, "report", "SWEEP", ARG_ID_VALUES, false,                                          \
      OPTION_BIT(OUTPUT) | OPTION_BIT(FORCE) | OPTION_BIT(LANGUAGE),                            \
      "one HTML file of sweeps: charts, labels, treatments, decisions, failures")               \
    X(serve, "serve", NULL, ARG_NONE, false,                                                    \
      OPTION_BIT(LISTEN) | OPTION_BIT(PASSWORD_FILE) | OPTION_BIT(LANGUAGE),                    \
      "a page for the browser: sweeps and runs, live, and what can be done with them")          \
    X(export, "export", "RUN|SWEEP", ARG_ID, true, \
      OPTION_BIT(OUTPUT) | OPTION_BIT(TORCH_MODULE) | OPTION_BIT(ONNX) |                        \
          OPTION_BIT(FORCE) | OPTION_BIT(OPTUNA) | OPTION_BIT(CSV) |                            \
          OPTION_BIT(TENSORBOARD) | OPTION_BIT(WANDB) | OPTION_BIT(MLFLOW),                     \
      "a run's best weights as a safetensors file; or a sweep for other tools") \
    X(import, "import", "FILE", ARG_TEXT, true,                                                 \
      OPTION_BIT(STUDY) | OPTION_BIT(METRIC) | OPTION_BIT(GOAL) | OPTION_BIT(PARAMETERS),       \
      "what Optuna, MLflow or W&B has searched, as a sweep that has ended")                     \
    X(predict, "predict", "RUN FILE", ARG_ID_VALUES, true,                                      \
      OPTION_BIT(OUTPUT) | OPTION_BIT(FORCE) | OPTION_BIT(WORKER_PROGRAM),                      \
      "what a run's network says of new rows, as CSV")                                          \
    X(replay, "replay", "RUN", ARG_ID, false,                                                   \
      OPTION_BIT(SWEEP) | OPTION_BIT(OUTPUT) | OPTION_BIT(FORCE) |                          \
          OPTION_BIT(WORKER_PROGRAM),                                                           \
      "train a run again: is its curve the same, to the bit? (-o: its weights too)")            \
    X(explain, "explain", "RUN", ARG_ID, false, OPTION_BIT(SWEEP),                              \
      "why a run is as it is and what came of remedies; or what a search did and why")          \
    X(treat, "treat", "RUN", ARG_ID, true, OPTION_BIT(REMEDY) | OPTION_BIT(WATCH),              \
      "train a run again with a remedy for its label")                                          \
    X(enqueue, "enqueue", "SWEEP X=V...", ARG_ID_VALUES, true, 0,                               \
      "one more run of a sweep, with values of your own")                                       \
    X(extend, "extend", "SWEEP [X=MIN..MAX | X=V,V...]", ARG_ID_VALUES, true, OPTION_BIT(RUNS), \
      "more runs for a sweep, or wider ranges; one that has ended goes on")                     \
    X(relabel, "relabel", "SWEEP", ARG_ID, false, 0,                                            \
      "judge stored runs again, by the rules of this version")                                  \
    X(label, "label", "FILE|DIR", ARG_TEXT, true,                                               \
      OPTION_BIT(AT) | OPTION_BIT(VAL) | OPTION_BIT(RUN),                                       \
      "label a training log (needs no daemon)")                                                   \
    X(events, "events", "SWEEP", ARG_ID, false,                                                 \
      OPTION_BIT(RUN) | OPTION_BIT(SINCE) | OPTION_BIT(FOLLOW),                                 \
      "what happened, to all sweeps or to one, oldest first")                                   \
    X(doctor, "doctor", NULL, ARG_NONE, false, OPTION_BIT(DB) | OPTION_BIT(WORKER_PROGRAM),     \
      "what is wrong with this machine, and how to mend it")                                    \
    X(data, "data", NULL, ARG_NONE, false, 0, "data sets that are found by name")               \
    X(pause, "pause", "SWEEP", ARG_ID, true, 0, "let a sweep's runs rest, to go on later")       \
    X(resume, "resume", "SWEEP", ARG_ID, true, 0, "go on with a paused or held sweep")          \
    X(cancel, "cancel", "SWEEP", ARG_ID, false, OPTION_BIT(RUN),                                \
      "end a sweep, or with --run one run")                                                     \
    X(delete, "delete", "SWEEP", ARG_ID, true, OPTION_BIT(YES),                                 \
      "remove an ended sweep and its runs")                                                     \
    X(backup, "backup", "FILE", ARG_TEXT, true, 0,                                              \
      "copy the database into a new file, while training goes on")                              \
    X(status, "status", NULL, ARG_NONE, false, 0, "what the daemon is doing")                   \
    X(shutdown, "shutdown", NULL, ARG_NONE, false, OPTION_BIT(DRAIN), "end the daemon")         \
    X(help, "help", "VERB", ARG_TEXT, false, 0, "how to use a verb")

#define X(id, name, arg, kind, required, options, summary) int cmd_##id(struct client *c);
VERB_MAP(X)
#undef X

struct verb {
    const char *name;
    const char *arg; /* NULL: takes none */
    enum arg_kind kind;
    bool required;
    uint64_t options; /* OPTION_BITs beside the global ones */
    const char *summary;
};

/* Place in client_verbs. */
enum verb_id {
#define X(id, name, arg, kind, required, options, summary) VERB_##id,
    VERB_MAP(X)
#undef X
    VERB_COUNT
};
extern const struct verb client_verbs[];
extern const size_t client_verb_count;

/* Sends the request, connecting first where needed. CLIENT_DONE and the reply, which the caller
 * releases with rpc_reply_finish; else the failure has been reported. params: JSON text. */
int client_call(struct client *c, const char *method, const char *params,
                struct rpc_reply *reply);
/* The same, but a refusal (reply->error) is the caller's to report. */
int client_ask(struct client *c, const char *method, const char *params, struct rpc_reply *reply);
/* The program and kernels that the daemon trains with; --worker-program replaces the first. */
struct client_trainer {
    const char *program, *core; /* until reply is released */
    struct rpc_reply reply;
};
int client_ask_trainer(struct client *c, struct client_trainer *out);
/* Connects if not connected. CLIENT_DONE, or reports and returns the exit status. */
int client_connect(struct client *c);
/* "sweepctl: TEXT" on stderr, broken at blanks where that is a terminal. */
void client_say(struct client *c, const char *text);
/* Reports err (stderr, and with --json an "error" document on out); returns status. */
int client_fail(struct client *c, int status, const struct errbuf *err);
/* The connection failed or broke: says how to start a daemon. Returns CLIENT_NO_DAEMON. */
int client_no_daemon(struct client *c, const struct errbuf *err);
/* Reports wrong usage of the verb in hand; returns CLIENT_USAGE. */
int client_usage(struct client *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A method that answers in pages. */
struct client_paged {
    const char *method;
    const char *params; /* members of the params object without braces, "" for none */
    const char *items;  /* the member of a page that lists them */
    const char *from;   /* cursor of the first page as JSON text; NULL: from the beginning */
    void (*page)(void *arg, const struct json *result); /* before its items; NULL: nothing */
};
/* each(arg, item) for every item of every page. */
typedef void client_each(void *arg, const struct json *item);
int client_pages(struct client *c, const struct client_paged *p, client_each *each, void *arg);
/* The same as one document: {"ITEMS": [all items of all pages]}. */
int client_pages_json(struct client *c, const struct client_paged *p);

/* A request whose params are one id ({"KEY":ID}). */
int client_call_id(struct client *c, const char *method, const char *key, int64_t id,
                   struct rpc_reply *reply);
/* pause, resume, cancel, delete: call, then "sweep 3: DONE" or the reply as JSON. */
int client_change(struct client *c, const char *method, const char *key, int64_t id,
                  const char *done);
/* Prints one JSON value as a line on out. */
void client_print_json(struct client *c, const struct json *v);
/* Writes text to out and releases it. */
void client_print(struct client *c, struct buf *text);
/* A line of text, broken at blanks where out is a terminal, what goes on indented. */
void client_print_wrapped(struct client *c, const char *text, size_t indent);
/* JSON: on a terminal what it might obey is escaped in it. Releases it. */
void client_print_document(struct client *c, struct buf *text);
/* CLIENT_DONE, or CLIENT_REFUSED when out could not be written (full disk). */
int client_flush(struct client *c);
/* Usage of one verb (its row), or of the program. */
void client_help_verb(FILE *out, const struct verb *v);
void client_help(FILE *out);

#endif
