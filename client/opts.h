/* The command line of sweepctl, from a table of options and a table of verbs. Options may stand
 * before or behind the verb; "--" ends them; "--name=value" works. */
#ifndef SWEEPCTL_OPTS_H
#define SWEEPCTL_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct errbuf;
struct verb;

enum arg_kind {
    ARG_NONE, ARG_ID, ARG_TEXT, ARG_ID_VALUES /* the id, then others */,
    ARG_TEXT_VALUES /* a word, then others */
};
#define OPTS_VALUES_MAX 64
/* RUN: a number; for a verb whose argument is a file, any name. */
enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_NUMBER, OPTION_RUN_NAME };

/* X(id, long name, short name or NULL, kind, value's name, what it does) */
#define OPTION_MAP(X)                                                                           \
    X(SOCKET, "--socket", NULL, TEXT, "PATH", "the daemon's socket")                            \
    X(JSON, "--json", NULL, FLAG, NULL, "print one JSON document")                              \
    X(HELP, "--help", "-h", FLAG, NULL, "print this help")                                      \
    X(VERSION, "--version", NULL, FLAG, NULL, "print the version")                              \
    X(WATCH, "--watch", NULL, FLAG, NULL, "follow the sweep until it ends")                     \
    X(DRY_RUN, "--dry-run", NULL, FLAG, NULL, "only say which stages and runs it would have")   \
    X(LIMIT, "--limit", "-n", NUMBER, "N", "how many runs (10)")                                \
    X(RUN, "--run", NULL, RUN_NAME, "RUN", "one run instead of a sweep; of a file, by name")    \
    X(OUTPUT, "--output", "-o", TEXT, "FILE", "the file to write")                              \
    X(TORCH_MODULE, "--torch-module", NULL, TEXT, "FILE.py",                                    \
      "also write the network as a PyTorch class")                                              \
    X(ONNX, "--onnx", NULL, TEXT, "FILE.onnx", "also write the network as an ONNX model")         \
    X(FORCE, "--force", NULL, FLAG, NULL, "overwrite files that exist")                         \
    X(DRAIN, "--drain", NULL, FLAG, NULL, "let running runs finish")                            \
    X(DB, "--db", NULL, TEXT, "PATH", "the database")                                           \
    X(WORKERS, "--workers", NULL, NUMBER, "N", "runs at the same time (one per core)")          \
    X(WORKER_PROGRAM, "--worker-program", NULL, TEXT, "PATH", "the program that trains a run")  \
    X(AT, "--at", NULL, NUMBER, "N", "label as of the first N points")                          \
    X(VAL, "--val", NULL, TEXT, "FILE.csv", "the validation loss, where it has its own file")      \
    X(REMEDY, "--remedy", NULL, TEXT, "REMEDY", "this one instead of the first that is left")   \
    X(FOLLOW, "--follow", "-f", FLAG, NULL, "go on with what happens from now on")                 \
    X(SINCE, "--since", NULL, TEXT, "TIME", "from 2h ago (s, m, h, d) or from a UTC time on")   \
    X(ID, "--id", NULL, TEXT, "ID", "a name of your own: the same again is not submitted twice")   \
    X(MAX_LOAD, "--max-load", NULL, TEXT, "LOAD", "start no run while the load is not below")   \
    X(ACTIVE_HOURS, "--active-hours", NULL, TEXT, "FROM-TO", "run in 22:00-07:30 only")         \
    X(PAUSE_ON_BATTERY, "--pause-on-battery", NULL, FLAG, NULL, "no runs while on battery")     \
    X(GROUP, "--group", NULL, TEXT, "GROUP", "let the members of this group in, too")            \
    X(ON_EVENT, "--on-event", NULL, TEXT, "PROGRAM", "run this for every event")                \
    X(STATUS, "--status", NULL, TEXT, "STATUS", "only runs that are so: failed, completed, ...") \
    X(LABEL, "--label", NULL, TEXT, "LABEL", "only runs with this label")                       \
    X(SORT, "--sort", NULL, TEXT, "COLUMN", "by this column; metric: the best first")           \
    X(SWEEP, "--sweep", NULL, NUMBER, "SWEEP", "a whole sweep instead of a run")               \
    X(METHOD, "--method", NULL, TEXT, "METHOD", "pedanova (as it is without it) or fanova")     \
    X(OPTUNA, "--optuna", NULL, TEXT, "FILE.db", "the sweep as a study of Optuna: an SQLite file") \
    X(CSV, "--csv", NULL, TEXT, "FILE.csv", "the sweep as a table of runs and one of curves")      \
    X(TENSORBOARD, "--tensorboard", NULL, TEXT, "DIR", "the sweep as event files of TensorBoard")  \
    X(WANDB, "--wandb", NULL, TEXT, "DIR", "the sweep as offline runs for `wandb sync`")           \
    X(MLFLOW, "--mlflow", NULL, TEXT, "DIR", "the sweep as an experiment in MLflow's file store")  \
    X(STUDY, "--study", NULL, TEXT, "NAME", "the study, or experiment, of several in a file")      \
    X(METRIC, "--metric", NULL, TEXT, "NAME", "what the runs are ranked by")                       \
    X(GOAL, "--goal", NULL, TEXT, "minimize|maximize", "what is best of it")                       \
    X(PARAMETERS, "--parameters", NULL, TEXT, "NAME,NAME", "the columns that are parameters")      \
    X(LANGUAGE, "--language", NULL, TEXT, "en|zh", "the language of what is written (en)")         \
    X(X, "--x", NULL, TEXT, "PARAMETER", "the axis: a parameter, or of pareto an objective")       \
    X(Y, "--y", NULL, TEXT, "PARAMETER", "the other axis: of contour and pareto")                  \
    X(SPEC, "--spec", NULL, FLAG, NULL, "print the specification of exactly that run")          \
    X(RUNS, "--runs", NULL, NUMBER, "N", "so many runs more")                                    \
    X(WARM_START, "--warm-start", NULL, TEXT, "SWEEPS", "begin with what these found: 12,15")    \
    X(ON, "--on", NULL, TEXT, "PLACE", "slurm or slurm:PARTITION instead of this machine")       \
    X(SLOTS, "--slots", NULL, NUMBER, "N", "runs at a time there (1)")                            \
    X(LISTEN, "--listen", NULL, TEXT, "ADDRESS:PORT", "where the page is (127.0.0.1:8478)")        \
    X(PASSWORD_FILE, "--password-file", NULL, TEXT, "FILE", "whoever knows its first line may in") \
    X(YES, "--yes", "-y", FLAG, NULL, "do not ask")

enum option_id {
#define X(id, name, brief, kind, value, doc) OPTION_##id,
    OPTION_MAP(X)
#undef X
    OPTION_COUNT
};
#define OPTION_BIT(id) (UINT64_C(1) << OPTION_##id)
#define OPTIONS_GLOBAL                                                                          \
    (OPTION_BIT(SOCKET) | OPTION_BIT(JSON) | OPTION_BIT(HELP) | OPTION_BIT(VERSION))

struct option_info {
    const char *name, *brief /* or NULL */;
    enum option_kind kind;
    const char *value /* or NULL */, *doc;
};
const struct option_info *option_get(enum option_id id);

struct opts {
    const struct verb *verb; /* NULL: none given */
    uint64_t given;          /* OPTION_BITs */
    const char *text[OPTION_COUNT];
    int64_t number[OPTION_COUNT];
    const char *arg; /* the verb's argument, NULL without one */
    int64_t id;      /* the same as a number, for ARG_ID*; 0 without one */
    const char *values[OPTS_VALUES_MAX]; /* behind it, for ARG_ID_VALUES and ARG_TEXT_VALUES; of a
                                            verb with --on those behind "--" */
    size_t value_count;
};

static inline bool opts_has(const struct opts *o, enum option_id id)
{
    return (o->given >> id) & 1;
}

/* A decimal integer from 1 to 2^53. 0 or ERR_VALUE. */
int opts_positive(const char *text, int64_t *out);
struct verb_table {
    const struct verb *verbs;
    size_t count;
};
/* argv[1..argc). Strings are borrowed. 0, or an error that names the argument and what is
 * allowed. out->verb and --json are filled as far as they were read, for the report. */
int opts_parse(int argc, char *const *argv, const struct verb_table *table, struct opts *out,
               struct errbuf *err);

#endif
