/* What is looked at: page, cursor, order and filter, and what a key changes of them. Pure. */
#ifndef SWEEPCTL_VIEW_H
#define SWEEPCTL_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/screen/model.h"

enum view_page { PAGE_RUNS, PAGE_RUN, PAGE_LOG, PAGE_OVERLAY, PAGE_HELP };

/* X(id, title) — NEWEST: those under way, then by number, then those that wait */
#define VIEW_SORT_MAP(X)                                                                        \
    X(NEWEST, "newest") X(METRIC, "metric") X(VAL, "val loss") X(EPOCH, "epoch")                \
    X(LABEL, "label") X(STATUS, "status") X(TIME, "time")
enum view_sort {
#define X(id, title) SORT_##id,
    VIEW_SORT_MAP(X)
#undef X
    SORT_COUNT
};
const char *view_sort_title(enum view_sort s);

#define VIEW_FILTER_MAX 64
#define VIEW_MARKS_MAX 6

struct view {
    enum view_page page;
    int64_t run; /* under the cursor; 0: the first */
    enum view_sort sort;
    bool reverse, typing /* the filter */, touched /* a key was pressed */;
    char filter[VIEW_FILTER_MAX];
    size_t scroll; /* lines of the log above the screen */
    size_t rows;   /* of the table, as the layout found it: for a page up or down */
    bool ascii, colour;
    size_t *order; /* places in model.runs: what the filter lets through, sorted */
    size_t order_count, order_cap;
};

/* What must be asked of the daemon after a key. */
enum view_wish { WISH_NOTHING, WISH_LEAVE, WISH_SWEEP /* model.selected changed */,
                 WISH_DETAIL /* of view.run */, WISH_CURVES /* of the marked runs */ };

void view_finish(struct view *v);
/* Sorts anew: after every change of the model, before layout and keys. */
void view_order(struct view *v, const struct model *m);
/* Place of the cursor in the order; 0 where its run is not in it. */
size_t view_cursor(const struct view *v, const struct model *m);
/* The run under the cursor, NULL: none. */
struct model_run *view_run(const struct view *v, const struct model *m);
enum view_wish view_key(struct view *v, struct model *m, int key);

#endif
