/* The task "command": a run is a program of one's own, started without a shell, that reports its
 * metrics as JSON lines. What the specification says of it, what becomes of that for one run, and
 * the run's config.json. */
#ifndef SWEEP_COMMAND_H
#define SWEEP_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/curve.h"
#include "sweep/metrics.h"

#define COMMAND_TASK "command"          /* the name of the task, in config.json */
#define COMMAND_WORDS_MAX 256           /* of a template */
#define COMMAND_WORD_BYTES_MAX 32768
#define COMMAND_BYTES_MAX 65536         /* all words of a template */
#define COMMAND_MACROS_MAX 32          /* of all words: what they become stays small */
#define COMMAND_ARGUMENTS_MAX 4096      /* once expanded */
#define COMMAND_ARGUMENT_BYTES_MAX 131071 /* Linux takes none longer: MAX_ARG_STRLEN - 1 */
#define COMMAND_EXPANDED_BYTES_MAX 262144
#define COMMAND_DIRECTORY_MAX 1024

/* In the run's folder, for the program: */
#define COMMAND_PARAMS_FILE "params.json"       /* its parameters */
#define COMMAND_WANDB_FILE "wandb-params.yaml"  /* the same, as wandb reads them */
#define COMMAND_LOGGED_FILE "wandb-log.jsonl"   /* rows of wandb.log */
#define COMMAND_OPENED_FILE "opened-files"      /* a path a line: opened for writing */
#define COMMAND_METRICS_FILE "metrics.jsonl"    /* what it says it measured, where it can resume */
#define COMMAND_STOP_FILE "stop"                /* is there once it is to end */
#define COMMAND_CHECKPOINT_DIR "checkpoints" /* its own; what is in it is not looked at */

struct errbuf;
struct json;
struct json_writer;

/* Arguments of a program; owned. A zeroed one is empty. */
struct command_words {
    size_t count;
    char **words;
};
void command_words_add(struct command_words *w, char *word); /* takes it over */
void command_words_finish(struct command_words *w);

/* Which reported series feed the known columns. "": by the title (sweep/curve_title.h), where the
 * series does not feed another column by name. */
struct command_curves {
    char epoch[METRIC_NAME_MAX + 1]; /* what counts the epochs; "": "epoch", else "step" */
    char column[CURVE_COLUMN_COUNT][METRIC_NAME_MAX + 1];
};

/* Variables of an environment, in the order of the specification. A zeroed one is empty. */
#define COMMAND_VARIABLES_MAX 4096
#define COMMAND_VARIABLES_BYTES_MAX 262144
struct command_environment {
    size_t count;
    char **entries; /* "NAME=value"; "NAME": it is taken away; owned */
};

/* X(id, name): how a program may report, the most structured way first. Once one has been heard,
 * those below it count for nothing. */
#define COMMAND_CHANNEL_MAP(X)                                                                     \
    X(DESCRIPTOR, "descriptor") /* JSON lines on SWEEPD_METRICS_FD */                              \
    X(MARKED, "marked")         /* "::sweepd {…}" on stdout, and all that follow there: */         \
    X(SYNE_TUNE, "syne_tune")   /* "[tune-metric]: {…}" */                                         \
    X(PATTERNS, "patterns")     /* patterns of one's own */                                        \
    X(FILES, "files")           /* what libraries write: in the run's folder, or opened by it */   \
    X(JSON, "json")             /* a JSON object a line */                                         \
    X(DICT, "dict")             /* a dict as Python prints it */                                   \
    X(PAIRS, "pairs")           /* name=value, with the sweep's metric among them */               \
    X(TABLE, "table")           /* titles and rows, or boxes of names and values */               \
    X(TEXT, "text")             /* "epoch 3 loss 0.41", and its many kin */
enum command_channel {
#define X(id, name) COMMAND_CHANNEL_##id,
    COMMAND_CHANNEL_MAP(X)
#undef X
    COMMAND_CHANNEL_COUNT
};
#define COMMAND_CHANNELS_ALL ((1u << COMMAND_CHANNEL_COUNT) - 1)
const char *command_channel_name(enum command_channel c);

#define COMMAND_PATTERNS_MAX 64
#define COMMAND_PATTERN_BYTES_MAX 1024
struct command_pattern {
    char name[METRIC_NAME_MAX + 1];
    char *text; /* a POSIX extended regular expression, whose first group is the number */
};

/* How a program is run and heard: the same in a specification and in a config.json. */
struct command_manner {
    char directory[COMMAND_DIRECTORY_MAX]; /* absolute; "": the run's folder */
    struct command_curves curves;
    bool has_base;                      /* base is the whole environment, else the daemon's is */
    struct command_environment base;    /* mostly the submitter's */
    struct command_environment changes; /* on top of it */
    size_t pattern_count;               /* of lines on stdout: a match is a value of that name */
    struct command_pattern *patterns;   /* owned */
    unsigned channels;                  /* that are listened to: bits 1 << COMMAND_CHANNEL_… */
    bool python_values;                 /* on its command line: True, not true */
    bool nested_params;                 /* in its JSON: {"a": {"b": 1}}, not {"a.b": 1} */
    bool can_resume;                    /* goes on from what it has left in its checkpoint folder */
    double stop_seconds;                /* from the stop file to SIGTERM */
    double grace_seconds;               /* from SIGTERM to SIGKILL */
};
#define COMMAND_GRACE_SECONDS 30
#define COMMAND_SECONDS_MAX 86400

struct command_task {
    struct command_words command; /* templates: macros are expanded for each run */
    struct command_manner manner;
    struct json *literals; /* {"layers": {"[64, 64]": [64, 64]}}: of a parameter's values those
                            * that a program gets as something else; NULL: none; owned */
};
#define COMMAND_LITERALS_BYTES_MAX 65536

/* The specification's object "task": {"command": ["./train.sh", "${args}"], "directory": "/abs",
 * "curves": {"val_loss": "val/loss", "epoch": "trainer/epoch"}}. Errors name the key from
 * "$.task". out is finished by the caller after 0. */
int command_task_parse(const struct json *v, struct command_task *out, struct errbuf *err);
/* Canonical: reading it gives the same, and writing that the same bytes. */
void command_task_write(const struct command_task *t, struct json_writer *w);
void command_task_finish(struct command_task *t);

/* What macros stand for in one run. */
struct command_values {
    const struct json *params; /* object: its active parameters in the specification's order */
    const char *run_dir;
    const struct command_manner *manner; /* its environment, for ${envvar:NAME}; NULL: none */
    const struct json *literals; /* of the task */
    int64_t epochs;
    uint64_t seed;
    int64_t run_id;
};
/* Cannot fail: templates were checked. What is too long for a program the worker refuses. */
void command_expand(const struct command_words *templates, const struct command_values *values,
                    struct command_words *out);
/* Says what is wrong with a template: an unknown macro, one that is not closed, one too many.
 * *macros_seen counts them over all words. */
int command_template_check(const struct json *v, const char *path, size_t *macros_seen,
                           struct errbuf *err);
/* Is that, between ${ and }, a macro? */
bool command_macro_known(const char *name, size_t len);
/* Or nearly one? */
bool command_macro_near(const char *name, size_t len);

struct space;
int command_literals_parse(const struct json *v, struct json **out, struct errbuf *err);
/* When the parameters are known: each text is a value of its parameter. */
int command_literals_check(const struct json *literals, const struct space *s, struct errbuf *err);
/* What a program gets in the place of a parameter's text; NULL: that itself. */
const struct json *command_literal(const struct json *literals, const struct json *param);
/* The parameters of a run as its program gets them in JSON; names keep their dots. */
void command_params_write(const struct command_values *v, struct json_writer *w);
/* With objects in the place of dots. */
void command_params_nest(const struct json *params, struct json_writer *w);
/* An object of what is below the first len bytes of the parameter's name, which end with a dot; and
 * whether the level of that name (len bytes without the dot) begins with that parameter. */
void command_params_level(const struct json *params, const struct json *at, size_t len,
                          struct json_writer *w);
bool command_params_begins_level(const struct json *params, const struct json *at, size_t len);

/* config.json of a run: {"version":1,"task":"command","command":["./train.sh","--lr=0.1"],
 * "directory":"/abs","params":{"lr":0.1},"curves":{},"metric":{"name":"val/loss",
 * "goal":"minimize"},"epochs":10,"until_epoch":10,"seed":"110","run_id":7} */
struct command_config {
    struct command_words command;  /* expanded */
    struct command_manner manner;
    char *params;                  /* JSON object; owned */
    char metric[METRIC_NAME_MAX + 1]; /* that runs are ranked by: one without it has failed */
    bool maximize;
    int64_t epochs;                /* what the run is planned for */
    int64_t until_epoch;           /* how far the program is asked to go this time; <= epochs */
    uint64_t seed;
    int64_t run_id;                /* 0: by hand */
    int64_t sweep_id;              /* 0: by hand */
    int64_t cpus;                  /* that it may use; 0: its share of the machine */
    bool has_gpus;                 /* it may use those of gpus alone, which may be none */
    struct command_words gpus;     /* as CUDA_VISIBLE_DEVICES has them */
};
/* What the task makes of a run's values, until_epoch as far as epochs; metric, goal and run_id are
 * the caller's. */
void command_config_init(struct command_config *out, const struct command_task *t,
                         const struct command_values *values);
/* By hand only task, command and metric are needed. */
int command_config_parse(const struct json *root, struct command_config *out, struct errbuf *err);
void command_config_write(const struct command_config *c, struct json_writer *w);
/* The gpus of such a file, for whoever gave them; none where it has none, or cannot be read. */
void command_config_gpus(const char *path, struct command_words *out);
/* The same from a file. Also ERR_IO. */
int command_config_read(const char *path, struct command_config *out, struct errbuf *err);
void command_config_finish(struct command_config *c);

/* Shared by the two: */
int command_curves_parse(const struct json *v, const char *path, struct command_curves *out,
                         struct errbuf *err);
void command_curves_write(const struct command_curves *c, struct json_writer *w);
/* A list of words; with templates the macros are checked. */
int command_words_parse(const struct json *v, const char *path, bool templates,
                        struct command_words *out, struct errbuf *err);
void command_words_write(const struct command_words *c, struct json_writer *w);
/* The keys of a manner among the members of an object, whose other keys the caller has checked. */
#define COMMAND_MANNER_KEYS                                                                        \
    "directory", "curves", "base_environment", "environment", "python_values", "nested_params",    \
        "can_resume", "stop_seconds", "grace_seconds", "patterns", "metrics_from"
int command_manner_parse(const struct json *object, const char *path, struct command_manner *out,
                         struct errbuf *err);
/* Its members, into the object that was begun; what is as it is by default is left out, but
 * directory and curves. */
void command_manner_write(const struct command_manner *m, struct json_writer *w);
/* The value of a variable as the program has it, NULL: it has none; without a base the
 * daemon's own counts. */
const char *command_manner_variable(const struct command_manner *m, const char *name);
void command_manner_copy(const struct command_manner *from, struct command_manner *to);
void command_manner_finish(struct command_manner *m);
/* Of a specification that was shown: without the environment of whoever submitted it, and what was
 * masked. */
void command_manner_forget(struct command_manner *m);
#define COMMAND_MASK "***"

/* Is the value of a variable of that name a secret: a key, a token, a password? */
bool command_is_secret(const char *name);
/* A specification as people may see it: the values of such variables are "***". */
void command_write_masked(const struct json *spec, struct json_writer *w);

#endif
