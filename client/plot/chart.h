/* The frame that most charts share: a title, two axes with ticks, and room between them. */
#ifndef SWEEPCTL_CHART_H
#define SWEEPCTL_CHART_H

#include "client/plot/plot.h"
#include "client/plot/scale.h"
#include "client/plot/study.h"
#include "client/plot/svg.h"

#define CHART_WIDTH 720.0
#define CHART_HEIGHT 420.0

/* Of many runs no element each, but one path for each label. X(id, class) */
#define CHART_SHAPE_MAP(X) X(DOT, "dots") X(BAR, "bar") X(CROSS, "cross")
enum chart_shape {
#define X(id, name) CHART_##id,
    CHART_SHAPE_MAP(X)
#undef X
        CHART_SHAPE_COUNT
};
#define CHART_ELEMENTS_MAX 300 /* runs that have an element each, with their name */

struct chart {
    const struct plot_info *kind;
    enum word title, says;
    const struct study *study;
    const struct plot_options *options;
    struct buf *out;
    bool empty;    /* nothing was there to be drawn */
    size_t panels; /* small charts that it consists of; 0: it is one */
    struct scale x, y;                                       /* from, to: set by chart_axes */
    struct buf shapes[CHART_SHAPE_COUNT][PATTERN_COUNT + 1]; /* written at the end */
};

/* The SVG's start, its title and what it shows. height 0: CHART_HEIGHT. */
void chart_open(struct chart *c, double height);
/* The same with another sentence. */
void chart_open_saying(struct chart *c, double height, const char *says);
/* Axes around left, top, right, bottom; the scales' values are set already. */
struct chart_box {
    double left, top, right, bottom;
};
#define CHART_TOP 52.0
#define CHART_BOX                                                                                  \
    {                                                                                              \
        70, CHART_TOP, CHART_WIDTH - 20, CHART_HEIGHT - 50                                         \
    }
#define CHART_BOX_LEGEND                                                                           \
    {                                                                                              \
        70, CHART_TOP, CHART_WIDTH - 20, CHART_HEIGHT - 80                                         \
    }
void chart_axes(struct chart *c, const struct chart_box *box, const char *x_title,
                const char *y_title);
/* The lower one alone. */
void chart_x_axis(struct chart *c, const struct chart_box *box, const char *title);
/* "nothing to draw", and the end. */
void chart_empty(struct chart *c);
/* A line below the title. */
void chart_note(struct chart *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The labels that runs have, in their colours, below the chart at y. */
void chart_legend(struct chart *c, double y);
void chart_close(struct chart *c);

const char *chart_word(const struct chart *c, enum word w);
/* The metric of every run; the caller frees. */
double *chart_metrics(const struct study *s);
/* A run's mark: a dot, hollow where it was stopped early; its name where the pointer rests. Of many
 * runs dots alone. */
void chart_mark(struct chart *c, const struct study_run *r, const double at[2], double radius);
/* Where the path of that label's shapes goes on. */
struct buf *chart_shape(struct chart *c, enum chart_shape shape, enum pattern pattern);
bool chart_is_dense(const struct chart *c);
/* Writes the shapes so far: what comes then lies above. */
void chart_flush(struct chart *c);

#endif
