/* The charts that there are. A chart is one file in this folder and one row of PLOT_MAP: a pure
 * function from a sweep to SVG. */
#ifndef SWEEPCTL_PLOT_H
#define SWEEPCTL_PLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "client/plot/words.h"
#include "sweep/buf.h"

struct chart;
struct study;

/* X(id, name, curves: how the runs' curves are needed, title and what it shows: words) */
#define PLOT_MAP(X)                                                                                \
    X(history, "history", false, HISTORY)                                                          \
    X(curves, "curves", true, CURVES)                                                              \
    X(parallel, "parallel", false, PARALLEL)                                                       \
    X(slice, "slice", false, SLICE)                                                                \
    X(contour, "contour", false, CONTOUR)                                                          \
    X(importance, "importance", false, IMPORTANCE)                                                 \
    X(edf, "edf", false, EDF)                                                                      \
    X(pareto, "pareto", false, PARETO)                                                             \
    X(timeline, "timeline", false, TIMELINE)                                                       \
    X(labels, "labels", false, LABELS)

enum plot_kind {
#define X(id, name, curves, word) PLOT_##id,
    PLOT_MAP(X)
#undef X
        PLOT_COUNT
};

#define PLOT_OWN_COLOURS 8

struct plot_options {
    enum language language;
    bool standalone;   /* a file of its own, with its style; else part of a page that has it */
    const char *x, *y; /* parameters of a contour, objectives of a front; NULL: what tells most */
    const char *only;  /* the slice of this parameter; NULL: all */
    int64_t run;       /* whose curve; 0: all */
    bool each;         /* curves: each run in a colour of its own, at most PLOT_OWN_COLOURS */
};

struct plot_info {
    const char *name;
    bool curves;
    enum word title, says;
    void (*draw)(struct chart *c);
};

const struct plot_info *plot_info(enum plot_kind k);
int plot_find(const char *name); /* -1: unknown */
/* What it is called, and shows, of that sweep. */
enum word plot_title(enum plot_kind k, const struct study *s);
enum word plot_says(enum plot_kind k, const struct study *s);

/* False: no run has what it needs, and it says so. */
bool plot_draw(enum plot_kind k, const struct study *s, const struct plot_options *o,
               struct buf *out);

#define X(id, name, curves, word) void plot_draw_##id(struct chart *c);
PLOT_MAP(X)
#undef X

#endif
