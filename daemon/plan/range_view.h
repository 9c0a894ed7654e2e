/* What the rules of range_edits.h share: the runs by id, the best of them, adding an edit. Private
 * to range_*.c. */
#ifndef SWEEPD_SEARCH_RANGE_VIEW_H
#define SWEEPD_SEARCH_RANGE_VIEW_H

#include "daemon/plan/range_edits.h"

#define MOST 0.67 /* share that counts as most */

struct range_run {
    const struct spec *spec;
    const struct trial *trial;
    int64_t run_id;
};
/* A run is in a certain trouble. */
typedef bool trouble_fn(const struct range_run *r);

struct range_view {
    const struct spec *spec;
    size_t count;
    struct range_run *runs; /* of the search, by id */
    size_t best_count;
    const struct range_run **best; /* the best of them */
    struct range_edits *out;
};

/* The order of the trials does not matter. */
void range_view_init(struct range_view *view, const struct spec *s,
                     const struct trial *const *trials, const int64_t *run_ids, size_t count,
                     struct range_edits *out);
void range_view_finish(struct range_view *view);
/* NAN: it is absent from that run. */
double range_value(const struct range_view *view, const struct range_run *r, enum setting_id id);
static inline bool most_of(size_t n, size_t all)
{
    return n > 0 && (double)n >= MOST * (double)all;
}

/* The edit of that kind and setting that was proposed already, or NULL. */
const struct range_edit *range_edit_of(const struct range_view *view, enum edit_kind k,
                                       enum setting_id id);
/* What was proposed for that end of the range speaks against going further. */
bool range_closed(const struct range_view *view, enum setting_id id, int sign);
/* The run speaks for the edit. */
void range_edit_support(struct range_edit *e, const struct range_run *r);
void range_say(struct range_edit *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds the edit within the setting's range, whole for an integer, if enough runs speak for it and
 * it is something new. */
void range_propose(struct range_view *view, struct range_edit *e);

/* Rules, in range_cuts.c: ends of the range in which most runs are in trouble … */
void range_cut_rates(struct range_view *view);
void range_cut_depth(struct range_view *view);
void range_cut_batches(struct range_view *view);
/* … and in range_extend.c: ends at which the best lie. */
void range_extend(struct range_view *view);
/* A value beyond that end of what is swept: half as much again of the range on its scale, a decade
 * of a learning rate, the next of listed values. */
double range_beyond(const struct dimension *d, int sign, double low, double high);

#endif
