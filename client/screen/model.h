/* What the screen knows: sweeps and runs as the daemon's replies and notifications have them. Pure:
 * objects in, state out; the time is told. */
#ifndef SWEEPCTL_MODEL_H
#define SWEEPCTL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/buf.h"

struct json;

#define MODEL_RUNS_MAX 20000  /* rows of the selected sweep that are held: its newest */
#define MODEL_SWEEPS_MAX 200
#define MODEL_SAMPLES_MAX 2048 /* of a run; beyond, two become one */
#define MODEL_CHANGES_MAX 8
#define MODEL_RATE_ENDS 256
#define MODEL_RATE_US (60 * INT64_C(1000000))

enum sample_column { SAMPLE_EPOCH, SAMPLE_TRAIN, SAMPLE_VAL, SAMPLE_NORM, SAMPLE_COLUMNS };
struct sample {
    float v[SAMPLE_COLUMNS];
};
struct label_change {
    char label[24];
    double epoch; /* when it was said */
};

struct model_run {
    int64_t id, sweep, number;
    int64_t last_point; /* of the samples */
    double epoch, epochs, train, val, norm, metric, seconds;
    char status[12], stage[24], label[24], cause[40], params[200], error[160];
    struct label_change changes[MODEL_CHANGES_MAX];
    size_t change_count;
    bool running, marked;
    int64_t first_us, last_us; /* when points were told of, and how far it was at the first */
    double first_epoch;
    struct sample *samples;
    size_t count, cap, fold, folded; /* each sample is `fold` points; folded: of the last one */
};
struct model_sweep {
    int64_t id, run_cap, runs, done, running, failed, best_run;
    int64_t created_us, started_us, ended_us, best_us; /* 0: not known */
    double epochs, best;                               /* NaN: none */
    double train_seconds, train_epochs;                /* of runs that ended since */
    bool maximize, over;                               /* over: nothing more comes by itself */
    char name[128], status[16], reason[160], metric[64];
};
struct model {
    struct model_sweep *sweeps; /* newest first */
    size_t sweep_count, sweep_cap;
    struct model_run *runs; /* of the selected sweep by number; and those running elsewhere */
    size_t run_count, run_cap;
    int64_t selected; /* sweep; 0: none */
    int64_t workers;
    char *waits; /* why no run starts; NULL: they do */
    int64_t ends[MODEL_RATE_ENDS]; /* when runs ended, a ring */
    size_t end_count;
    int64_t since_us; /* from when on ends are told of; 0: for long */
    bool left_out; /* there are older runs than those held */
    bool stale;    /* a sweep was told of that is not known: `list` says what it is */
    /* of the run that is looked at: words of `explain` and `log` */
    int64_t detail_run;
    char *detail_why, *detail_log;
};

void model_init(struct model *m);
void model_finish(struct model *m);
/* A row of `list`, of `runs`, and a point of `curve`. */
void model_take_sweep(struct model *m, const struct json *row);
void model_take_run(struct model *m, int64_t sweep, const struct json *row);
void model_take_point(struct model *m, struct model_run *r, const struct json *point);
/* The reply of `explain`, and the text of `log`. */
void model_take_detail(struct model *m, int64_t run, const struct json *explained,
                       const char *log);
/* Runs of other sweeps that do not run are let go; those of this one are to be told anew. */
void model_select(struct model *m, int64_t sweep);
/* What a notification says. False: it says nothing that is shown. */
bool model_apply(struct model *m, const char *method, const struct json *params, int64_t now_us);

struct model_sweep *model_sweep(const struct model *m, int64_t id);
struct model_run *model_run(const struct model *m, int64_t id);
bool model_run_over(const struct model_run *r);

/* --- speed.c --------------------------------------------------------------------------------- */

/* Runs that ended in the last minute, per second. */
double model_rate(const struct model *m, int64_t now_us);
/* Seconds of training per epoch, as measured; NaN: nothing was yet. */
double model_epoch_seconds(const struct model *m, const struct model_sweep *s);
/* Seconds until the sweep has ended, at that speed and with these workers; NaN: not known. */
double model_eta(const struct model *m, const struct model_sweep *s);

#endif
