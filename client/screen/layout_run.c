/* The pages of one run, and of several in one picture. */
#include "client/screen/layout.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/human.h"
#include "client/screen/curves.h"
#include "client/screen/losses.h"
#include "sweep/require.h"

#define CURVES_SHARE 2 /* the curves take 1 / this of the screen */

/* --- one run ---------------------------------------------------------------------------------- */

static void run_head(struct grid *g, const struct model_run *r)
{
    char text[5][HUMAN_MAX];
    size_t used = grid_printf(g, (struct span){1, 0, g->width}, INK_BOLD, "run %lld ",
                              (long long)r->id);
    used += grid_printf(g, (struct span){1, used, g->width}, INK_DIM, "#%lld of sweep %lld  %s  ",
                        (long long)r->number, (long long)r->sweep, r->stage);
    used += grid_put(g, (struct span){1, used, g->width}, r->status, ink_of_word(r->status));
    used += grid_put(g, (struct span){1, used, g->width}, "  ", INK_PLAIN);
    used += grid_put(g, (struct span){1, used, g->width}, r->label, ink_of_word(r->label));
    if (r->cause[0] != '\0')
        grid_printf(g, (struct span){1, used, g->width}, INK_PLAIN, ", for %s", r->cause);
    grid_printf(g, (struct span){2, 0, g->width}, INK_PLAIN,
                "epoch %s/%s  train %s  val %s  best %s",
                isnan(r->epoch) ? "0" : human_number(r->epoch, text[0]),
                human_number(r->epochs, text[1]),
                isnan(r->train) ? "-" : human_loss(r->train, text[2]),
                isnan(r->val) ? "-" : human_loss(r->val, text[3]),
                isnan(r->metric) ? "-" : human_loss(r->metric, text[4]));
}

/* From which epoch to which it was labelled how, under the curves. */
static void label_bar(struct grid *g, const struct model_run *r, size_t row)
{
    size_t width = g->width - CURVES_AXIS;
    double first = r->count > 0 ? r->samples[0].v[SAMPLE_EPOCH] : 0;
    double last = r->count > 0 ? r->samples[r->count - 1].v[SAMPLE_EPOCH] : 0;
    if (!(last > first))
        return;
    grid_put_right(g, (struct span){row, 0, CURVES_AXIS - 1}, "label", INK_DIM);
    for (size_t i = 0; i < r->change_count; i++) {
        double from = (r->changes[i].epoch - first) / (last - first), to = 1;
        if (i + 1 < r->change_count)
            to = (r->changes[i + 1].epoch - first) / (last - first);
        size_t start = (size_t)lround(fmin(fmax(from, 0), 1) * (double)width);
        size_t end = (size_t)lround(fmin(fmax(to, 0), 1) * (double)width);
        if (end <= start)
            continue;
        struct span at = {row, CURVES_AXIS + start, end - start};
        for (size_t k = start; k < end; k++)
            grid_put(g, (struct span){row, CURVES_AXIS + k, 1}, k == start && i > 0 ? "|" : "─",
                     INK_DIM);
        at.column += i > 0;
        at.width -= i > 0;
        grid_put(g, at, r->changes[i].label, ink_of_word(r->changes[i].label));
    }
}

static void epoch_axis(struct grid *g, const struct model_run *r, size_t row)
{
    char text[HUMAN_MAX];
    if (r->count == 0)
        return;
    grid_put_right(g, (struct span){row, 0, CURVES_AXIS - 1}, "epoch", INK_DIM);
    grid_put(g, (struct span){row, CURVES_AXIS, 8},
             human_number(r->samples[0].v[SAMPLE_EPOCH], text), INK_DIM);
    grid_put_right(g, (struct span){row, g->width - 12, 12},
                   human_number(r->samples[r->count - 1].v[SAMPLE_EPOCH], text), INK_DIM);
    grid_put(g, (struct span){row, CURVES_AXIS + 9, g->width > 40 ? g->width - 32 : 0},
             "training loss dotted (t), validation loss (v)", INK_DIM);
}

static size_t norms(struct grid *g, const struct model_run *r, size_t row, bool marks)
{
    struct curve_line norm = {r->samples[0].v + SAMPLE_EPOCH, r->samples[0].v + SAMPLE_NORM,
                              r->count, SAMPLE_COLUMNS, INK_3, 'g', false};
    double first = r->samples[0].v[SAMPLE_EPOCH];
    double last = r->samples[r->count - 1].v[SAMPLE_EPOCH];
    size_t height = g->height >= 34 ? 5 : 3;
    struct curve_area area = {row, 0, g->width, height, first, last > first ? last : first + 1,
                              marks};
    curves_draw(g, &area, &norm, 1);
    grid_put(g, (struct span){row, CURVES_AXIS, 24}, "gradient norm", INK_DIM);
    return row + height;
}

/* The last lines that fit. */
static void tail(struct grid *g, const char *log, size_t row, size_t rows)
{
    size_t lines = 0;
    const char *at = log + strlen(log);
    if (rows == 0)
        return;
    while (at > log && at[-1] == '\n')
        at--;
    const char *end = at;
    while (at > log) {
        if (at[-1] == '\n' && ++lines == rows)
            break;
        at--;
    }
    for (size_t i = 0; at < end && i < rows; i++) {
        size_t bytes = strcspn(at, "\n");
        char *line = xasprintf("%.*s", (int)bytes, at);
        grid_put(g, (struct span){row + i, 2, g->width - 2}, line, INK_PLAIN);
        free(line);
        at += bytes + 1;
    }
}

void layout_run(struct grid *g, const struct model *m, const struct model_run *r,
                const struct view *v)
{
    bool marks = g->ascii || !v->colour;
    run_head(g, r);
    size_t row = 3 + grid_wrap(g, (struct span){3, 0, g->width}, 2, r->params, INK_PLAIN);
    size_t height = g->height / CURVES_SHARE > 3 ? g->height / CURVES_SHARE - 2 : 1;
    struct area plot = {row, 0, g->width, height};
    losses_draw(g, r, &plot, marks);
    row += height;
    label_bar(g, r, row++);
    epoch_axis(g, r, row++);
    if (r->count > 0 && !isnan(r->norm) && g->height >= 24)
        row = norms(g, r, row, marks);
    if (m->detail_run != r->id || row + 1 >= g->height)
        return;
    if (r->error[0] != '\0')
        row += grid_wrap(g, (struct span){row, 0, g->width}, 2, r->error, INK_BAD);
    size_t room = g->height - 1 > row ? g->height - 1 - row : 0;
    size_t why = m->detail_log[0] != '\0' && room > 4 ? room - room / 3 - 1 : room;
    row += grid_wrap(g, (struct span){row, 0, g->width}, why, m->detail_why, INK_PLAIN);
    if (m->detail_log[0] == '\0' || row + 2 >= g->height)
        return;
    grid_rule(g, row++, "its last words");
    tail(g, m->detail_log, row, g->height - 1 - row);
}

void layout_log(struct grid *g, const struct model *m, const struct model_run *r, struct view *v)
{
    const char *at = m->detail_run == r->id ? m->detail_log : "";
    size_t lines = 0, rows = g->height - 4;
    for (const char *p = at; *p != '\0'; p++)
        lines += *p == '\n' || p[1] == '\0';
    size_t most = lines > rows ? lines - rows : 0;
    v->scroll = v->scroll < most ? v->scroll : most;
    run_head(g, r);
    grid_rule(g, 2, lines > 0 ? "what it wrote" : "it wrote nothing");
    for (size_t i = 0; i < v->scroll && *at != '\0'; i++)
        at += strcspn(at, "\n") + 1;
    for (size_t i = 0; i < rows && *at != '\0'; i++) {
        size_t bytes = strcspn(at, "\n");
        char *line = xasprintf("%.*s", (int)bytes, at);
        grid_put(g, (struct span){3 + i, 0, g->width}, line, INK_PLAIN);
        free(line);
        at += bytes + (at[bytes] == '\n');
    }
}

/* --- several ---------------------------------------------------------------------------------- */

void layout_overlay(struct grid *g, const struct model *m, const struct view *v)
{
    struct curve_line lines[VIEW_MARKS_MAX];
    const struct model_run *runs[VIEW_MARKS_MAX];
    size_t count = 0;
    double last = 1;
    for (size_t i = 0; i < m->run_count && count < VIEW_MARKS_MAX; i++) {
        const struct model_run *r = &m->runs[i];
        if (!r->marked || r->count == 0)
            continue;
        lines[count] = (struct curve_line){
            r->samples[0].v + SAMPLE_EPOCH, r->samples[0].v + SAMPLE_VAL, r->count,
            SAMPLE_COLUMNS, (enum ink)(INK_1 + count % INK_SERIES), (char)('a' + count), false};
        last = fmax(last, r->samples[r->count - 1].v[SAMPLE_EPOCH]);
        runs[count++] = r;
    }
    grid_rule(g, 1, "validation losses of the marked runs");
    size_t height = g->height > count + 5 ? g->height - count - 4 : 1;
    struct curve_area area = {2, 0, g->width, height, 0, last, g->ascii || !v->colour};
    curves_draw(g, &area, lines, count);
    for (size_t i = 0; i < count; i++) {
        char text[HUMAN_MAX];
        size_t used = grid_printf(g, (struct span){2 + height + i, 0, g->width}, lines[i].ink,
                                  "%c run %lld %s ", lines[i].mark, (long long)runs[i]->id,
                                  isnan(runs[i]->val) ? "-" : human_loss(runs[i]->val, text));
        grid_printf(g, (struct span){2 + height + i, used, g->width}, INK_PLAIN, " %s  %s",
                    runs[i]->label, runs[i]->params);
    }
}
