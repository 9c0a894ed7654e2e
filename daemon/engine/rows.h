/* The rows of the database as plain structs: what the engine decides and the store writes.
 * Strings are owned by the row (heap, NULL where the column is NULL) unless said otherwise. */
#ifndef SWEEPD_ROWS_H
#define SWEEPD_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/causes/cause.h"
#include "sweep/curve.h"
#include "daemon/causes/data_facts.h"
#include "sweep/diagnosis.h"
#include "sweep/layer_stat.h"
#include "sweep/metrics.h"
#include "sweep/record.h"
#include "daemon/causes/remedy.h"
#include "sweep/run.h"
#include "daemon/causes/run_facts.h"
#include "sweep/spec.h"

struct errbuf;
struct json_writer;

/* UTC in microseconds since 1970; 0: not yet (NULL in the database). */
typedef int64_t utc_us;

#define RUN_HANDLE_MAX 64 /* bytes, with the NUL */
#define RUN_TEXT_MAX 160

struct sweep_row {
    int64_t id;
    char *name;
    enum sweep_status status;
    char *reason;              /* of held, cancelled, completed before run_cap; NULL else */
    enum method method;
    char *metric;
    bool maximize;
    char *spec_json;           /* canonical */
    uint64_t seed;
    int64_t run_cap, epochs, priority, after;
    char *data_hash;
    int64_t data_samples, data_features, data_classes;
    char *data_target;         /* what is predicted, by the file's own name; NULL: not known */
    char *data_notes;          /* what was inferred of the data (data_read.h); NULL: not known */
    struct data_facts data;    /* as a whole */
    char *remedy_prior;        /* remedy_prior.h; NULL: nothing was known at submit */
    int64_t data_accepted;     /* 1: a person resumed it in spite of its data */
    char *importances;         /* of the parameters, when it completed (JSON); NULL: not known */
    char *submit_id;           /* which its client chose; NULL: none */
    char *warm;                /* what it knows of earlier sweeps (earlier.h); NULL: nothing */
    utc_us deadline;           /* 0: none, or not known before its first run starts */
    char *fits;                /* what fits before it, as last decided (deadline.h); NULL: all */
    utc_us created, started, ended;
};

struct run_row {               /* ordered by size: thousands wait */
    int64_t id, sweep_id;
    int64_t number;            /* from 0 within the sweep */
    int64_t parent_id;         /* 0: none */
    char stage[24];            /* "coarse", "fine", "optimizers", "sgd", "grid", "random" */
    char *reason;              /* why this configuration was chosen, in words */
    char *stop_reason;         /* of stopped */
    char *params_json;         /* the swept parameters; NULL as of config */
    struct trainer_config *config; /* the trainer's whole configuration, owned; the common settings
                                      become columns; NULL: another task's run, or, in the engine,
                                      one that is as the specification and its values say */
    char *objectives;          /* of one that completed or was stopped, where its sweep has several:
                                  [0.31, 12.5] (JSON; null: not known); NULL else */
    char *handle;              /* of its worker, as the launcher says it; NULL: has none */
    char *error_text;          /* NULL without an error */
    char *stderr_tail;         /* last lines, with an error */
    char *core, *blas;         /* BLAS kernel and library that ran */
    uint64_t seed;
    int64_t epochs;            /* the horizon */
    int64_t until_epoch;       /* the budget: it pauses there; 0: none, to the end */
    int64_t attempts;          /* started so often without a new point */
    double metric_value;       /* at the best point; may be non-finite */
    double best_epoch;
    double val_loss, val_acc;  /* at the best point; NaN with the flag clear: not measured */
    double test_loss, test_acc; /* of the kept weights; only the sweep's best runs have them */
    int64_t flop;              /* to train on one sample, by the configuration; 0: not said */
    utc_us created, started, ended;
    double joules;             /* that its workers used; 0: not measured */
    double seconds;            /* monotonic; of the last attempt and what it resumed */
    utc_us retry_at;           /* it waits until then, … */
    unsigned retry_failures;   /* … after so many failures in a row, … */
    enum run_error retry_for;  /* … the last of them this */
    enum run_kind kind;
    enum run_status status;
    enum run_pauser paused_by; /* of paused; NONE: a person, in rows of older daemons */
    enum run_error error;
    int signal;                /* that ended the worker; 0: none */
    /* kind treatment: the remedy, the parent's label it answers, and what came of it */
    enum remedy remedy;
    enum pattern treats_pattern;
    enum cause_id treats_cause;
    double parent_metric;      /* the parent is of another sweep: what it came to */
    double change;             /* of the metric, relative; below 0 is better; NaN: not finite */
    bool has_parent_metric, has_outcome, cured;
    bool has_metric, has_val_loss, has_val_acc, has_test_loss, has_test_acc;
};

struct label_row {
    int64_t run_id;
    enum pattern pattern, runner_up;
    double confidence;
    char *tags;                /* "past_best,spike" */
    char *evidence_json;
    struct causes causes;
    struct advice advice;
    char *facts_json;          /* NULL: those that are there stay (none while the run goes on) */
    utc_us created;
};

struct causes_row {            /* found again when more siblings had ended */
    int64_t run_id;
    struct causes causes;
    struct advice advice;
};

struct edit_row {              /* a proposed edit of the search range */
    const char *kind;          /* static */
    char setting[64];
    char *from_json, *to_json; /* NULL: none */
    char *runs_json;           /* the evidence: array of run ids */
    const char *guide_ref;     /* static, or NULL */
    char sentence[240];
};

struct edits_row {             /* all of a sweep, in place of those before */
    int64_t sweep_id;
    size_t count;
    struct edit_row *edits;
};

struct event_row {             /* the log of what happened, for people and for replay */
    int64_t sweep_id, run_id;  /* 0: none */
    char kind[32];             /* "submitted", "stage_planned", "nondeterminism", … */
    char *detail;
    utc_us created;
};

/* X(id, name) */
#define DECISION_MAP(X)        \
    X(PROPOSED, "proposed")    \
    X(ENQUEUED, "enqueued")    \
    X(TREATED, "treated")      \
    X(REPEATED, "repeated")    \
    X(CARRIED, "carried")      \
    X(ENDED, "ended")          \
    X(EXTENDED, "extended")    \
    X(PICKED, "picked")        \
    X(PAUSED, "paused")        \
    X(PROMOTED, "promoted")    \
    X(STOPPED, "stopped")      \
    X(AUDITED, "audited")  /* it would have been stopped, and goes on to its end all the same */ \
    X(SKIPPED, "skipped") /* for want of time before the deadline */ \
    X(WARMED, "warmed")   /* what it knows of an earlier sweep from the start */

enum decision_kind {
#define X(id, name) DECISION_##id,
    DECISION_MAP(X)
#undef X
    DECISION_KIND_COUNT
};

struct decision_row {          /* why the search did what it did */
    int64_t sweep_id, run_id;  /* run_id 0: of the sweep as a whole */
    enum decision_kind kind;
    char *reason;              /* in words */
    char *detail_json;         /* NULL: none */
};

struct finding_row {
    int64_t sweep_id;
    struct record_finding finding;
};

struct points_rows {
    int64_t run_id;
    size_t count;
    struct point *points;
};

struct layers_rows {           /* what the layers showed at a point */
    int64_t run_id, point;
    size_t count;
    struct layer_stat *layers; /* from the input */
};

struct metric_row {
    int64_t point;
    struct metric_value metric;
};

struct metrics_rows {          /* what a program reported by names of its own */
    int64_t run_id;
    size_t count;
    struct metric_row *rows;   /* by point */
};

/* --- what a label is computed from again ---
 *
 * As it is stored; texts are "" where the column is NULL. */

struct relabel_run {
    int64_t id;
    enum run_kind kind;
    enum run_status status;
    int64_t epochs;
    bool has_metric;           /* a number: not NaN */
    double metric_value;
    char *params_json;         /* NULL: of a treatment */
    char *settings_json;       /* all */
    enum remedy remedy;        /* of a treatment; REMEDY_COUNT: it is none */
    bool has_label;            /* else there is none of the following */
    enum pattern pattern;
    char *facts_json;
    /* of those that are labelled; NULL of their neighbours */
    enum pattern runner_up;
    double confidence;
    char *tags, *evidence_json, *causes_json, *remedies_json;
    int64_t version;
    char created_at[32];
    utc_us created;
    size_t point_count;        /* also of neighbours behind that have no facts */
    struct point *points;      /* thinned: kept_points.h */
    size_t layers_count;       /* without facts alone */
    struct layers_rows *layers;
};

struct relabel_treatment {     /* that has an outcome, and hangs on the label of one of the runs */
    int64_t run_id, parent_id;
    enum run_status status;
    bool has_metric;
    double metric_value;
    double change;             /* NaN: not known */
    bool cured;
    enum pattern pattern, parent_pattern; /* PATTERN_NONE: it has no label */
};

/* Runs of an ended sweep that are labelled at once, between the neighbours with which they are
 * compared. */
struct relabel_window {
    int64_t sweep_id;
    char *spec_json, *data_facts_json;
    int64_t data_samples, data_features, data_classes;
    int64_t first_number;      /* of runs[0] */
    size_t count, cap;
    struct relabel_run *runs;  /* by number, without gaps */
    size_t from, to;           /* those that are labelled: from … to-1 */
    size_t treatment_count, treatment_cap;
    struct relabel_treatment *treatments;
};

struct relabelled_row {        /* a label in place of the one that was read, and no other */
    struct label_row *label;
    int64_t old_version;
    char old_created_at[32];
};

struct outcome_row {           /* of a treatment that has one */
    int64_t run_id;
    bool cured;
};

/* One write. A batch of them becomes one transaction, in order. X(id, name in messages) */
#define STORE_OP_MAP(X)                                                                            \
    X(PUT_SWEEP, "sweep")    /* insert or overwrite the whole row */                               \
    X(PUT_RUN, "run")        /* so too */                                                          \
    X(ADD_POINTS, "points")  /* one already there must be the same: else an event nondeterminism */\
    X(PUT_LABEL, "label")                                                                          \
    X(ADD_EVENT, "event")                                                                          \
    X(ADD_FINDING, "finding")                                                                      \
    X(CLEAR_TEST, "test")    /* of a run whose weights go: it has no test scores any more */       \
    X(DELETE_SWEEP, "delete")/* with all that hangs on it */                                       \
    X(PUT_LAYERS, "layers")  /* of a point; those that are there already are overwritten */        \
    X(PUT_CAUSES, "causes")  /* of a run that has a label */                                       \
    X(PUT_EDITS, "edits")    /* all of a sweep */                                                  \
    X(ADD_DECISION, "decision")                                                                    \
    X(RELABEL, "label")      /* nothing where the label is another by now, or the run is gone */   \
    X(PUT_OUTCOME, "outcome")/* nothing where the run has none, or is gone */                      \
    X(PUT_METRICS, "metrics")/* as of points */                                                    \
    X(CLEAR_POINTS, "points")/* of a run that begins anew; with what was measured at them */

enum store_op_type {
#define X(id, name) STORE_##id,
    STORE_OP_MAP(X)
#undef X
};

#define X(id, name) +1
enum { STORE_OP_COUNT = STORE_OP_MAP(X) };
#undef X

struct store_op {
    enum store_op_type type;
    union {
        struct sweep_row *sweep;
        struct run_row *run;
        struct points_rows *points;
        struct label_row *label;
        struct event_row *event;
        struct finding_row *finding;
        struct layers_rows *layers;
        struct causes_row *causes;
        struct edits_row *edits;
        struct decision_row *decision;
        struct relabelled_row *relabelled;
        struct outcome_row outcome;
        struct metrics_rows *metrics;
        int64_t clear_test_run_id;
        int64_t clear_points_run_id;
        int64_t delete_sweep_id;
    } u; /* owned by the op */
};

struct store_batch {
    size_t count, cap;
    struct store_op *ops;
};

/* A text of a run: at most RUN_TEXT_MAX bytes are kept, and "" is none. */
void run_row_set_text(char **field, const char *text);
/* Deep copies; destroy functions take NULL; finish leaves the row's own memory to the caller. */
struct sweep_row *sweep_row_copy(const struct sweep_row *r);
void sweep_row_finish(struct sweep_row *r);
void run_row_finish(struct run_row *r);
void sweep_row_destroy(struct sweep_row *r);
/* The whole configuration as one JSON object: data, model and train as in a specification;
 * "model.layers" and "start_from" only where they are the run's own; {} without one. Reading makes
 * r->config anew; a setting that is younger than the text has its default. */
void run_row_write_settings(const struct run_row *r, struct json_writer *w);
int run_row_read_settings(struct run_row *r, const char *text, struct errbuf *err);
/* The same for many runs one after the other: those of a sweep differ in a few of them, and only
 * these are parsed. */
struct run_settings_reader {
    char *text; /* that the others are held against, and where its values are */
    struct settings_value *values;
    size_t value_count, value_cap;
    struct trainer_config *config; /* what it says; NULL: nothing to be held against */
};
int run_settings_read(struct run_settings_reader *r, struct run_row *row, const char *text,
                      struct errbuf *err);
void run_settings_reader_finish(struct run_settings_reader *r);
/* It has not ended, and something went wrong with it. */
bool run_row_waits(const struct run_row *r);
struct run_row *run_row_copy(const struct run_row *r);
/* The row with all that it owns, which from has no more. */
struct run_row *run_row_take(struct run_row *from);
void run_row_destroy(struct run_row *r);
void store_op_finish(struct store_op *op);
const char *store_op_name(enum store_op_type t);
void label_row_destroy(struct label_row *l);
void relabel_window_destroy(struct relabel_window *w);

/* Each append takes ownership of the row. */
/* The op and what it owns go over. */
void store_batch_move(struct store_batch *b, const struct store_op *op);
void store_batch_put_sweep(struct store_batch *b, struct sweep_row *r);
void store_batch_put_run(struct store_batch *b, struct run_row *r);
void store_batch_add_points(struct store_batch *b, int64_t run_id, const struct point *p, size_t n);
void store_batch_put_label(struct store_batch *b, struct label_row *r);
void store_batch_add_event(struct store_batch *b, int64_t sweep_id, int64_t run_id,
                           const char *kind, utc_us now, const char *detail_fmt, ...)
    __attribute__((format(printf, 6, 7)));
/* Takes over the detail. */
void store_batch_add_decision(struct store_batch *b, const struct decision_row *d,
                              const char *reason_fmt, ...) __attribute__((format(printf, 3, 4)));
const char *decision_name(enum decision_kind k);
void store_batch_add_finding(struct store_batch *b, int64_t sweep_id,
                             const struct record_finding *f);
void store_batch_clear_test(struct store_batch *b, int64_t run_id);
void store_batch_clear_points(struct store_batch *b, int64_t run_id);
void store_batch_put_layers(struct store_batch *b, int64_t run_id, const struct layer_stats *s);
void store_batch_put_metrics(struct store_batch *b, int64_t run_id,
                             struct point_metrics *const *m, size_t n);
void store_batch_put_causes(struct store_batch *b, int64_t run_id, const struct causes *causes,
                            const struct advice *advice);
/* Takes over the array and what it holds. */
void store_batch_put_edits(struct store_batch *b, int64_t sweep_id, struct edit_row *edits,
                           size_t count);
void store_batch_delete_sweep(struct store_batch *b, int64_t sweep_id);
/* l in place of the label of r. */
void store_batch_relabel(struct store_batch *b, const struct relabel_run *r, struct label_row *l);
void store_batch_put_outcome(struct store_batch *b, int64_t run_id, bool cured);
/* Rows of the database that it writes, roughly: what it weighs. */
size_t store_batch_rows(const struct store_batch *b);
void store_batch_finish(struct store_batch *b);

#endif
