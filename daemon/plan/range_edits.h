/* Edits of the search range that ended runs speak for: proposals with their evidence, for a person
 * or a later search. Pure: a function of the spec and the runs, by number. */
#ifndef SWEEPD_SEARCH_RANGE_EDITS_H
#define SWEEPD_SEARCH_RANGE_EDITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/plan/study.h"
#include "sweep/spec.h"

#define EDITS_MAX 16
#define EDIT_RUNS_LEAST 3 /* runs that must speak for an edit */
#define EDIT_RUNS_MAX 12  /* of which so many are named */

/* X(id, name, guide reference or NULL where it is ours, what it does). Of a swept setting
 * CUT_ABOVE, EXTEND_ABOVE, FEWER_LAYERS, MORE_… move the upper bound, CUT_BELOW, EXTEND_BELOW,
 * LARGER_BATCHES the lower one (where the bounds meet, the setting is fixed); of a listed one they
 * leave out what lies beyond `to`, or add it. */
#define EDIT_MAP(X)                                                                               \
    X(CUT_ABOVE, "cut_above", "G4.5", "no larger values: runs there diverge")                     \
    X(CUT_BELOW, "cut_below", "G2.1", "no smaller values: runs there get nowhere")                \
    X(EXTEND_ABOVE, "extend_above", NULL, "larger values too: what is good lies that way")       \
    X(EXTEND_BELOW, "extend_below", NULL, "smaller values too: what is good lies that way")      \
    X(MORE_LAYERS, "more_layers", "G1.1", "a dense layer more: these cannot fit the data")        \
    X(MORE_CAPACITY, "more_capacity", NULL, "larger layers: these cannot fit the data")           \
    X(FEWER_LAYERS, "fewer_layers", "G3.4", "no deeper networks: they do not learn")              \
    X(REGULARISE, "regularise", NULL, "search over it: runs overfit")                             \
    X(LARGER_BATCHES, "larger_batches", "G1.2", "no smaller batches: each pulls another way")     \
    X(SHUFFLE, "shuffle", "G1.3", "a new order of the samples each epoch")

enum edit_kind {
#define X(id, name, guide_ref, does) EDIT_##id,
    EDIT_MAP(X)
#undef X
    EDIT_KIND_COUNT
};

/* A bound of a swept setting, or a fixed value, and what it should become. */
struct range_edit {
    enum edit_kind kind;
    enum setting_id setting;
    double from, to;
    bool opens;       /* the setting is fixed at from, and should be swept … */
    double low;       /* … from here up to `to` … */
    bool log_scale;   /* … on a logarithmic scale */
    size_t run_count; /* runs that speak for it */
    int64_t runs[EDIT_RUNS_MAX]; /* ids of the first of them */
    char sentence[200];
};

struct range_edits {
    size_t count;
    struct range_edit items[EDITS_MAX];
};

const char *edit_name(enum edit_kind k);
const char *edit_guide_ref(enum edit_kind k); /* or NULL */
/* trials and their run_ids, in any order; the labelled runs of the search count. An edit never
 * leaves a setting's range and never cuts off a sound run among the best; no two contradict each
 * other. */
void range_edits_find(const struct spec *s, const struct trial *const *trials,
                      const int64_t *run_ids, size_t count, struct range_edits *out);
/* What it becomes: 0.1, or for one that opens {"min":1e-5,"max":0.01,"distribution":
 * "log_uniform_values"} as a specification's parameter. */
struct json_writer;
void range_edit_write_to(const struct range_edit *e, struct json_writer *w);

#endif
