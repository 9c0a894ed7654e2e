/* From a run's curves to its label. Pure: no I/O, no clock, no allocation beyond the caller's
 * workspace. Serves the daemon, `sweepctl label` and the tests. */
#ifndef SWEEP_DIAGNOSIS_H
#define SWEEP_DIAGNOSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/curve.h"
#include "sweep/pattern.h"

#define DIAGNOSIS_VERSION 4     /* of the rules; stored with every label */
#define DIAGNOSIS_REGIMES_MAX 8 /* of a run's timeline */

/* Tags hold beside the label. X(id, name) */
#define DIAGNOSIS_TAG_MAP(X)             \
    X(PAST_BEST, "past_best")            /* validation loss over 5 % above its best */ \
    X(SPIKE, "spike")                    \
    X(RECOVERED, "recovered")            \
    X(CONSTANT_TAIL, "constant_tail")    \
    X(LR_STEP, "lr_step")                \
    X(TRAIN_GT_VAL, "train_gt_val")      \
    X(ONE_SIDED, "one_sided")            /* one of the two losses was never measured */ \
    X(CONSTANT_ACCURACY, "constant_accuracy") /* accuracy never moved: one class, or chance */

enum diagnosis_tag {
#define X(id, name) DIAGNOSIS_TAG_##id,
    DIAGNOSIS_TAG_MAP(X)
#undef X
    DIAGNOSIS_TAG_COUNT
};

/* How one loss behaves at its end, with the numbers that decided. */
struct diagnosis_trend {
    int sign;          /* -1 falls, 0 flat, +1 rises */
    size_t count;      /* finite points */
    size_t window;     /* points in the tail window */
    double slope;      /* Theil–Sen, loss per point */
    double slope_low, slope_high; /* its 95 % interval */
    double change;     /* slope × (window-1) */
    double noise;      /* sigma in the window, robust */
    double wander;     /* noise of the whole curve around the best fall-then-rise */
    double range;      /* P95-P5 after the first 10 % */
    double level;      /* |median| of the window */
    double z;          /* Mann–Kendall */
    double best, end;  /* lowest value, and median of the last points */
    double best_epoch; /* where it was first that low */
};

struct diagnosis_input {
    const struct point *points; /* in order of epoch */
    size_t count;
    bool running;   /* more points will come: a new label waits for evidence (test "held") */
    double dropout; /* of the run; 0: none, NaN: not known; G4.7 is said of neither */
};

/* A stretch of the run that looks like one pattern. */
struct diagnosis_regime {
    double from, to; /* epochs, both included */
    enum pattern pattern;
};

struct diagnosis {
    enum pattern pattern;
    enum pattern runner_up;     /* PATTERN_NONE where none comes near */
    double confidence;          /* 0..1: share of such labels that a person accepts (measured) */
    double agreement;           /* share of laxer and stricter rules that give this label */
    uint32_t tags;              /* bit per enum diagnosis_tag */
    const char *test;           /* which test decided, a static string: "cell", "not_a_number", … */
    struct diagnosis_trend train, val;
    double gap;                 /* train end - val end; NaN where one is missing */
    size_t regime_count;        /* >= 1 once a point was measured; the last carries pattern */
    struct diagnosis_regime regimes[DIAGNOSIS_REGIMES_MAX];
    double accuracy;            /* with tag constant_accuracy: what it was; else NaN */
    char sentence[320];         /* one English sentence a person can check */
};

const char *diagnosis_tag_name(enum diagnosis_tag t);
/* "past_best,spike" as it is stored: bits of those that are known. */
uint32_t diagnosis_tags_parse(const char *list);
/* Bytes of workspace that diagnose() needs for count points. */
size_t diagnosis_workspace_bytes(size_t count);
/* Any input gives a defined label: 0 points → too_short. workspace aligned for double. */
void diagnose(const struct diagnosis_input *in, void *workspace, struct diagnosis *out);

struct json_writer;
/* The evidence as one JSON object (trends, noise, window, gap, tags, timeline, test, sentence). */
void diagnosis_evidence_write(const struct diagnosis *d, struct json_writer *w);
/* Of that the tags and the timeline alone, each an array. */
void diagnosis_tags_write(const struct diagnosis *d, struct json_writer *w);
void diagnosis_timeline_write(const struct diagnosis *d, struct json_writer *w);

#endif
