/* What another program has searched, as numbers and texts: readers of its files fill it, and it
 * becomes the parts of the method "import". Pure. */
#ifndef SWEEPCTL_HISTORY_H
#define SWEEPCTL_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/buf.h"
#include "sweep/run.h"

#define HISTORY_RUNS_MAX 10000
#define HISTORY_PARAMETERS_MAX 1024 /* of all runs together; a sweep takes over far fewer */
#define HISTORY_POINTS_MAX 60000 /* that are sent; of longer curves every second, third, … */
#define HISTORY_READ_MAX 20000000 /* that are read */

struct errbuf;

struct history_value {
    enum { HISTORY_ABSENT, HISTORY_NUMBER, HISTORY_SWITCH, HISTORY_TEXT } type;
    double number; /* of a switch 0 or 1 */
    char *text;    /* owned by who has the value */
};

struct history_parameter {
    char *name;
    bool has_range, logarithmic;
    double low, high; /* of the range as it was searched; values may lie outside */
};

struct history_point {
    double epoch, value;
    size_t series;
};

struct history_run {
    struct history_value *values; /* one of each parameter that was known when it was set */
    size_t value_count;
    enum run_status status;       /* completed, stopped, failed */
    char *reason, *text;          /* where it is from; its failure. NULL: none */
    int64_t started, ended;       /* µs since 1970, UTC; 0: not known */
    bool has_final;
    double final;                 /* the metric as that program says it */
    struct history_point *points;
    size_t point_count, point_cap;
};

struct history {
    char *name, *source, *metric; /* source: "Optuna: night.db, study x" */
    bool maximize;
    struct history_parameter *parameters;
    size_t parameter_count, parameter_cap;
    struct history_run *runs;
    size_t run_count, run_cap;
    char **series;
    size_t series_count, series_cap;
    size_t point_count, ignored; /* ignored: points of names that no metric may have */
    struct buf notes; /* lines: what was decided */
};

void history_finish(struct history *h);
/* Its index; a new one where no parameter has that name. */
size_t history_parameter(struct history *h, const char *name);
/* Until the next one is added. */
struct history_run *history_add_run(struct history *h);
/* 0, or ERR_LIMIT: so many runs or parameters were read that their values might fill the memory. */
int history_check(const struct history *h, const char *path, struct errbuf *err);
/* Takes over the text. */
void history_set(struct history_run *r, size_t parameter, struct history_value v);
void history_add_point(struct history *h, struct history_run *r, double epoch, const char *series,
                       double value);
void history_note(struct history *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A text as a number, a switch or what it is. */
struct history_value history_read(const char *text);

/* The parts: texts of the member of params that each is, the first the sweep, the last none. What
 * cannot be taken over is left out, and noted. */
struct history_parts {
    char **parts;
    size_t count, cap;
    char id[65]; /* what the content is known by */
};
int history_pack(struct history *h, struct history_parts *out, struct errbuf *err);
void history_parts_finish(struct history_parts *p);

/* Within the folder: the parameters that are taken over, and their forms. */
struct json_writer;
struct history_space {
    size_t *kept; /* indices of parameters */
    bool *text;   /* their values are written as texts */
    size_t count;
};
void history_space_init(struct history_space *s, struct history *h);
void history_space_finish(struct history_space *s);
void history_space_write(const struct history_space *s, const struct history *h,
                         struct json_writer *w);
void history_values_write(const struct history_space *s, const struct history *h,
                          const struct history_run *r, struct json_writer *w);

#endif
