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

struct command_task {
    struct command_words command; /* templates: macros are expanded for each run */
    char directory[COMMAND_DIRECTORY_MAX]; /* absolute; "": the run's folder */
    struct command_curves curves;
};

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
    int64_t epochs;
    uint64_t seed;
};
/* Cannot fail: templates were checked. What is too long for a program the worker refuses. */
void command_expand(const struct command_words *templates, const struct command_values *values,
                    struct command_words *out);
/* Says what is wrong with a template: an unknown macro, one that is not closed, one too many.
 * *macros_seen counts them over all words. */
int command_template_check(const struct json *v, const char *path, size_t *macros_seen,
                           struct errbuf *err);

/* config.json of a run: {"version":1,"task":"command","command":["./train.sh","--lr=0.1"],
 * "directory":"/abs","params":{"lr":0.1},"curves":{},"metric":{"name":"val/loss",
 * "goal":"minimize"},"epochs":10,"until_epoch":10,"seed":"110","run_id":7} */
struct command_config {
    struct command_words command;  /* expanded */
    char directory[COMMAND_DIRECTORY_MAX]; /* absolute; "": the folder of config.json */
    char *params;                  /* JSON object; owned */
    struct command_curves curves;
    char metric[METRIC_NAME_MAX + 1]; /* that runs are ranked by: one without it has failed */
    bool maximize;
    int64_t epochs;                /* what the run is planned for */
    int64_t until_epoch;           /* how far the program is asked to go this time; <= epochs */
    uint64_t seed;
    int64_t run_id;                /* 0: by hand */
};
/* What the task makes of a run's values, until_epoch as far as epochs; metric, goal and run_id are
 * the caller's. */
void command_config_init(struct command_config *out, const struct command_task *t,
                         const struct command_values *values);
/* By hand only task, command and metric are needed. */
int command_config_parse(const struct json *root, struct command_config *out, struct errbuf *err);
void command_config_write(const struct command_config *c, struct json_writer *w);
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
int command_directory_parse(const struct json *v, const char *path,
                            char out[COMMAND_DIRECTORY_MAX], struct errbuf *err);

#endif
