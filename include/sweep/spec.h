/* A sweep's specification: what docs/spec.md says, parsed and checked. Pure data. */
#ifndef SWEEP_SPEC_H
#define SWEEP_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/curve.h"
#include "sweep/limits.h"
#include "sweep/method.h"
#include "sweep/objective.h"
#include "sweep/place.h"
#include "sweep/remedy.h"
#include "sweep/resources.h"
#include "sweep/space.h"
#include "sweep/stop.h"
#include "sweep/task.h"
#include "sweep/trainer.h"

#define SPEC_MAX_RUNS 1000000 /* run_cap, and the size of a grid */
#define SPEC_MAX_EPOCHS 1000000
#define SPEC_DEFAULT_EPOCHS 10
#define SPEC_USUAL_RUNS 24 /* of a sweep that says nothing but its data */
#define SPEC_DEADLINE_RUNS 1000 /* of one that says nothing but when it ends: as many as fit */
#define SPEC_LAG 8 /* default: a tenth of run_cap, at most this */
#define SPEC_LAG_MAX 1000
#define SPEC_METHOD_AUTO "auto" /* one of the others is picked */
#define SPEC_PICKED_MAX 192
#define SPEC_TREAT_SHARE 0.2 /* default of treat_share */
#define SPEC_TREAT_SHARE_MAX 0.8
#define SPEC_REPEAT_SHARE 0.15 /* default of repeat_share … */
#define SPEC_REPEAT_RUNS 60.0  /* … but no more runs than these, where there is no deadline */
#define SPEC_REPEAT_SHARE_MAX 0.5
#define SPEC_HOURS_MAX 8760.0
#define SPEC_WARM_MAX 16
#define SPEC_SHARES_MAX 0.9 /* of both together */

struct spec {
    char name[SPEC_NAME_MAX];
    enum method method;
    char picked[SPEC_PICKED_MAX]; /* why, where it was auto; "": the specification names it */
    enum metric metric;                /* curve.h */
    char metric_name[METRIC_NAME_MAX]; /* METRIC_NAMED: as the program reports it; else "" */
    bool maximize;
    struct objectives objectives; /* the metric and others; count 0: the metric alone */
    struct space space;
    enum task_id task;
    struct trainer_task trainer;
    void *own; /* another task's own part; its finish releases it */
    int64_t epochs;
    int64_t run_cap; /* grid without run_cap: the size of the grid */
    uint64_t seed;
    int64_t priority;          /* higher first; default 0 */
    double max_hours;          /* from the first start of a run; 0: as long as it takes */
    bool has_until;
    int until;                 /* minute of the local day */
    size_t warm_count;         /* earlier sweeps whose runs are known from the start */
    int64_t warm_start[SPEC_WARM_MAX];
    bool warm_alike[SPEC_WARM_MAX]; /* a person says that their runs were trained as ours are */
    int64_t after;             /* sweep that must have ended first; 0: none */
    struct stop_settings stop; /* early_terminate; rule STOP_NONE: none */
    struct spec_limits limits;
    struct resources resources; /* that each run needs beside a slot */
    struct spec_place on;      /* where its runs are carried out */
    int64_t lag;        /* of a method that learns: logical time; 0: it does not learn */
    int64_t perturb;    /* of a population: epochs from exchange to exchange; 0: it is none */
    double repeat_share; /* of run_cap, the last runs: other seeds of the best few */
    double least_gain;  /* of its best, that the rest must promise; 0: to its end */
    bool repeat_along;  /* some of them before the end */
    bool rounds;        /* of coarse_to_fine: all its stages in rounds that grow */
    bool repeat;        /* when every configuration was tried: again, with seeds of their own */
    bool treat;         /* sick runs among the best are treated at the end of a stage */
    double treat_share; /* of run_cap, kept for treatments */
    bool carry_on;      /* what a treatment changed for the better stays for the next stages */
    remedy_bits without; /* remedies that its treatments do not try */
};

/* Parses and checks. On failure err names the JSON path, the value and what is allowed (with a
 * near miss for unknown keys), and out is untouched; on success release with spec_finish. */
int spec_parse(const struct json *root, struct spec *out, struct errbuf *err);
/* Is it a key of a specification? *nearest: itself, the one that may be meant, or NULL. */
bool spec_key_known(const char *key, const char **nearest);
int spec_parse_text(const char *text, size_t len, struct spec *out, struct errbuf *err);
void spec_finish(struct spec *s);
#define SPEC_PROBLEMS_MAX 20
/* What is wrong with one that spec_parse refuses: its error first, then those that the parser did
 * not come to, as far as they do not follow from it. The number of errors, at most max of
 * SPEC_PROBLEMS_MAX, in out; 0: nothing is. */
size_t spec_problems(const struct json *root, struct errbuf *out, size_t max);
/* Calls each with a sentence for everything in the specification that s was read from which was
 * not taken to the letter. */
typedef void spec_note(void *arg, const char *sentence);
void spec_notes(const struct json *root, const struct spec *s, spec_note *each, void *arg);
/* ERR_VALUE where it can be carried out, but hardly means what it says. Asked at submit alone: what
 * is stored is not asked again. */
int spec_question(const struct json *root, const struct spec *s, struct errbuf *err);
/* Canonical JSON: every default filled in; spec_parse of it gives the same spec again. */
void spec_write(const struct spec *s, struct json_writer *w);

/* What a sweep gets more of. */
struct spec_extension {
    int64_t run_cap;               /* in all; 0: as it is, of a whole grid as many as it has then */
    int64_t runs;                  /* or so many more; 0: none */
    const struct json *parameters; /* {"depth": {"max": 8}, "optimizer": {"values": ["adam"]}}: new
                                      ends, and values that come to those there are; NULL: none */
};
/* The specification of s with it. Parameters keep their numbers, choices theirs, and what lay in
 * the space lies there still. ERR_VALUE where it would not, or where nothing is more. */
int spec_extend(const struct spec *s, const struct spec_extension *x, struct spec *out,
                struct errbuf *err);

/* 0 where both write the same; else ERR_VALUE, and err names the first member that differs. */
int spec_compare(const struct spec *stored, const struct spec *given, struct errbuf *err);

/* The configuration that a worker prepares the data from (--prepare), the sweep in it, so that its
 * runs are checked too. The text is the key under which the answer is remembered: it leaves out
 * what no run depends on. Only where the task needs data. */
void spec_write_prepare(const struct spec *s, const char *start_weights, struct json_writer *w);
/* The sweep in such a file of at most 1 MiB, NULL when there is none; owned by the caller:
 * spec_finish, free. Also ERR_IO. */
int spec_read_prepare(const char *path, struct spec **out, struct errbuf *err);

/* The metric by its name: a known column's, or one that a program reports. */
const char *spec_metric_name(const struct spec *s);
/* Runs of run_cap that are kept for treatments; the search has the others, and what is left over
 * of these. 0 without treat. */
int64_t spec_treat_cap(const struct spec *s);
/* The last runs of run_cap, which are other seeds of the best few. Never 1: nothing could be chosen
 * by it. */
int64_t spec_repeat_cap(const struct spec *s);

#endif
