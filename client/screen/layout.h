/* The screen as cells, from what is known and what is looked at. Pure. */
#ifndef SWEEPCTL_LAYOUT_H
#define SWEEPCTL_LAYOUT_H

#include "client/screen/grid.h"
#include "client/screen/model.h"
#include "client/screen/view.h"

#define LAYOUT_WIDTH_LEAST 40
#define LAYOUT_HEIGHT_LEAST 10

/* Draws into the whole grid, whatever its size. Says to the view how many rows the table has, and
 * keeps its scroll within the text. */
void layout_draw(struct grid *g, const struct model *m, struct view *v, int64_t now_us);

/* --- layout_run.c ----------------------------------------------------------------------------- */

/* One run with its curves, why it is as it is, and its last words. */
void layout_run(struct grid *g, const struct model *m, const struct model_run *r,
                const struct view *v);
void layout_log(struct grid *g, const struct model *m, const struct model_run *r, struct view *v);
void layout_overlay(struct grid *g, const struct model *m, const struct view *v);

#endif
