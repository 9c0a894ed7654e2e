#include "client/screen/layout.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/human.h"
#include "client/screen/curves.h"
#include "client/screen/losses.h"
#include "sweep/require.h"

#define CARD_WIDTH 38 /* columns that a running run has at least */
#define CARDS_MAX 12

/* --- the sweeps ------------------------------------------------------------------------------- */

/* A bar of so many columns, in eighths of a column where there are blocks for it. */
static void bar(struct grid *g, struct span at, double share)
{
    double filled = fmin(fmax(share, 0), 1) * (double)at.width;
    for (size_t i = 0; i < at.width; i++) {
        double part = fmin(fmax(filled - (double)i, 0), 1);
        uint32_t eighths = (uint32_t)lround(part * 8);
        uint32_t block = eighths == 0 ? 0x00b7 : 0x2590 - eighths;
        if (g->ascii)
            block = part >= 0.5 ? '#' : '.';
        grid_set(g, at.row, at.column + i, block, part > 0 ? INK_GOOD : INK_DIM);
    }
}

/* The columns of the table of sweeps; the name takes what is left. */
enum sweep_column { COL_ID, COL_NAME, COL_STATUS, COL_BAR, COL_RUNS, COL_ETA, COL_BEST, COL_WHEN,
                    SWEEP_COLUMNS };

static void sweep_spans(const struct grid *g, size_t row, struct span out[SWEEP_COLUMNS])
{
    static const size_t fixed[SWEEP_COLUMNS] = {[COL_ID] = 5, [COL_STATUS] = 10, [COL_BAR] = 10,
                                                [COL_RUNS] = 11, [COL_ETA] = 12, [COL_BEST] = 9,
                                                [COL_WHEN] = 16};
    size_t width[SWEEP_COLUMNS], used = 2, at = 2;
    memcpy(width, fixed, sizeof width);
    width[COL_BAR] = g->width >= 160 ? 30 : g->width >= 110 ? 20 : 10;
    width[COL_WHEN] = g->width >= 100 ? fixed[COL_WHEN] : 0;
    width[COL_BAR] = g->width >= 64 ? width[COL_BAR] : 0;
    for (int i = 0; i < SWEEP_COLUMNS; i++)
        used += width[i] > 0 ? width[i] + 1 : 0;
    width[COL_NAME] = g->width > used + 6 ? g->width - used - 1 : 6;
    for (int i = 0; i < SWEEP_COLUMNS; i++) {
        out[i] = (struct span){row, at, width[i]};
        at += width[i] > 0 ? width[i] + 1 : 0;
    }
}

static void sweep_titles(struct grid *g, size_t row)
{
    static const char *const titles[] = {"id", "sweep", "state", "", "runs", "left", "best",
                                         "came"};
    struct span s[SWEEP_COLUMNS];
    sweep_spans(g, row, s);
    for (int i = 0; i < SWEEP_COLUMNS; i++) {
        if (s[i].width == 0)
            continue;
        if (i == COL_ID || i >= COL_RUNS)
            grid_put_right(g, s[i], titles[i], INK_DIM);
        else
            grid_put(g, s[i], titles[i], INK_DIM);
    }
}

static void sweep_row(struct grid *g, const struct model *m, const struct model_sweep *sweep,
                      size_t row, int64_t now_us)
{
    struct span s[SWEEP_COLUMNS];
    char text[HUMAN_MAX], eta[HUMAN_MAX];
    bool selected = sweep->id == m->selected;
    sweep_spans(g, row, s);
    if (selected)
        grid_put(g, (struct span){row, 0, 2}, "▸", INK_BOLD);
    snprintf(text, sizeof text, "%lld", (long long)sweep->id);
    grid_put_right(g, s[COL_ID], text, INK_PLAIN);
    grid_put(g, s[COL_NAME], sweep->name, selected ? INK_BOLD : INK_PLAIN);
    grid_put(g, s[COL_STATUS], sweep->status, ink_of_word(sweep->status));
    bar(g, s[COL_BAR], sweep->run_cap > 0 ? (double)sweep->done / (double)sweep->run_cap : 0);
    snprintf(text, sizeof text, "%lld/%lld", (long long)sweep->done, (long long)sweep->run_cap);
    grid_put_right(g, s[COL_RUNS], text, INK_PLAIN);
    double left = model_eta(m, sweep);
    if (!sweep->over)
        grid_put_right(g, s[COL_ETA], isnan(left) ? "?" : human_duration(left, eta), INK_PLAIN);
    if (!isnan(sweep->best))
        grid_put_right(g, s[COL_BEST], human_loss(sweep->best, text), INK_GOOD);
    if (sweep->best_us != 0)
        grid_put_right(g, s[COL_WHEN], human_ago(sweep->best_us, now_us, text), INK_DIM);
}

/* Which of them are shown: the selected one is always among them. The row behind the last. */
static size_t sweeps(struct grid *g, const struct model *m, size_t row, size_t rows,
                     int64_t now_us)
{
    size_t selected = 0, first = 0;
    while (selected < m->sweep_count && m->sweeps[selected].id != m->selected)
        selected++;
    if (selected < m->sweep_count && selected >= rows)
        first = selected - rows + 1;
    sweep_titles(g, row++);
    for (size_t i = first; i < m->sweep_count && i < first + rows; i++)
        sweep_row(g, m, &m->sweeps[i], row++, now_us);
    return row;
}

static void head(struct grid *g, const struct model *m, int64_t now_us)
{
    char rate[HUMAN_MAX], epoch[HUMAN_MAX];
    const struct model_sweep *s = model_sweep(m, m->selected);
    double seconds = s != NULL ? model_epoch_seconds(m, s) : NAN;
    size_t used = grid_put(g, (struct span){0, 0, g->width}, "sweepctl watch", INK_BOLD);
    if (m->waits != NULL) {
        grid_put(g, (struct span){0, used + 2, g->width}, m->waits, INK_WARN);
        return;
    }
    snprintf(rate, sizeof rate, "%.2g", model_rate(m, now_us));
    human_duration(seconds, epoch);
    grid_printf(g, (struct span){0, used + 2, g->width}, INK_PLAIN,
                "%lld worker%s  %zu sweep%s  %s runs/s  %s an epoch", (long long)m->workers,
                m->workers == 1 ? "" : "s", m->sweep_count, m->sweep_count == 1 ? "" : "s", rate,
                epoch);
}

/* --- the runs under way ----------------------------------------------------------------------- */

static void norm_line(struct grid *g, const struct model_run *r, struct span at)
{
    char text[HUMAN_MAX];
    if (r->count == 0 || isnan(r->norm))
        return;
    size_t used = grid_printf(g, at, INK_DIM, "grad %s ", human_number(r->norm, text));
    struct curve_line norm = {NULL, r->samples[0].v + SAMPLE_NORM, r->count, SAMPLE_COLUMNS,
                              INK_DIM, 'g', false};
    if (at.width > used)
        curves_sparkline(g, (struct span){at.row, at.column + used, at.width - used}, &norm,
                         INK_DIM);
}

/* Three digits: a card has few columns. */
static const char *brief(double v, char *out)
{
    snprintf(out, HUMAN_MAX, "%.3g", v);
    return out;
}

static void card(struct grid *g, const struct model_run *r, const struct area *a, bool marks)
{
    char epoch[HUMAN_MAX], epochs[HUMAN_MAX], train[HUMAN_MAX], val[HUMAN_MAX];
    struct span line = {a->row, a->column, a->width};
    size_t label = strlen(r->label) + 1 < a->width / 2 ? strlen(r->label) + 1 : a->width / 2;
    grid_put_right(g, (struct span){a->row, a->column + a->width - label, label}, r->label,
                   ink_of_word(r->label));
    line.width -= label;
    grid_printf(g, line, INK_BOLD, "%lld %s", (long long)r->id, r->params);
    line = (struct span){a->row + 1, a->column, a->width};
    char *text = xasprintf("epoch %s/%s  train %s  val %s",
                           isnan(r->epoch) ? "0" : human_number(r->epoch, epoch),
                           human_number(r->epochs, epochs),
                           isnan(r->train) ? "-" : brief(r->train, train),
                           isnan(r->val) ? "-" : brief(r->val, val));
    grid_put(g, line, text + (strlen(text) > a->width ? strlen("epoch ") : 0), INK_PLAIN);
    free(text);
    struct area plot = {a->row + 2, a->column, a->width, a->height - 3};
    losses_draw(g, r, &plot, marks);
    norm_line(g, r, (struct span){a->row + a->height - 1, a->column, a->width});
}

static size_t find_running(const struct model *m, const struct model_run *out[CARDS_MAX],
                           size_t *count)
{
    size_t shown = 0;
    *count = 0;
    for (size_t i = m->run_count; i-- > 0;) {
        if (!m->runs[i].running || m->runs[i].sweep != m->selected)
            continue;
        ++*count;
        if (shown < CARDS_MAX)
            out[shown++] = &m->runs[i];
    }
    return shown;
}

/* The row behind them. */
static size_t cards(struct grid *g, const struct model *m, const struct view *v, size_t row,
                    size_t rows)
{
    const struct model_run *runs[CARDS_MAX];
    size_t running, shown = find_running(m, runs, &running);
    size_t columns = g->width / CARD_WIDTH > 0 ? g->width / CARD_WIDTH : 1;
    size_t height = g->height >= 50 ? 12 : g->height >= 34 ? 9 : 7;
    size_t lines = (shown + columns - 1) / columns, fit = rows / height;
    lines = lines < fit ? lines : fit;
    if (lines == 0)
        return row;
    columns = shown < columns ? shown : columns;
    size_t width = (g->width - 2 * (columns - 1)) / columns;
    if (lines * columns < running)
        grid_printf(g, (struct span){row - 1, g->width > 30 ? g->width - 24 : 0, 22}, INK_DIM,
                    " %zu of %zu running ", lines * columns, running);
    for (size_t i = 0; i < shown && i < lines * columns; i++) {
        struct area a = {row + i / columns * height, i % columns * (width + 2), width, height};
        card(g, runs[i], &a, g->ascii || !v->colour);
    }
    return row + lines * height;
}

/* --- the table of runs ------------------------------------------------------------------------ */

/* X(title, width, right, least columns of the terminal that show it) */
#define RUN_COLUMN_MAP(X)                                                                       \
    X(RUN, "run", 6, true, 0) X(NUMBER, "#", 6, true, 90) X(STAGE, "stage", 12, false, 150)     \
    X(STATUS, "status", 9, false, 0) X(EPOCH, "epoch", 9, true, 60)                             \
    X(TRAIN, "train loss", 10, true, 110) X(VAL, "val loss", 9, true, 0)                        \
    X(METRIC, "metric", 9, true, 150) X(LABEL, "label", 18, false, 70)                             \
    X(TIME, "time", 12, true, 130)

enum run_column {
#define X(id, title, width, right, least) RUN_##id,
    RUN_COLUMN_MAP(X)
#undef X
    RUN_COLUMNS
};
static const struct {
    const char *title;
    size_t width;
    bool right;
    size_t least;
} run_columns[] = {
#define X(id, title, width, right, least) [RUN_##id] = {title, width, right, least},
    RUN_COLUMN_MAP(X)
#undef X
};

static void put_cell(struct grid *g, struct span at, enum run_column c, const char *text,
                     enum ink ink)
{
    if (run_columns[c].right)
        grid_put_right(g, at, text, ink);
    else
        grid_put(g, at, text, ink);
}

/* The text of a cell; a number that is not known is a dash. */
static const char *cell_text(const struct model_run *r, enum run_column c, char *out)
{
    const double numbers[RUN_COLUMNS] = {[RUN_EPOCH] = r->epoch, [RUN_TRAIN] = r->train,
                                         [RUN_VAL] = r->val, [RUN_METRIC] = r->metric,
                                         [RUN_TIME] = r->seconds};
    switch (c) {
    case RUN_RUN:
        snprintf(out, HUMAN_MAX, "%lld", (long long)r->id);
        return out;
    case RUN_NUMBER:
        snprintf(out, HUMAN_MAX, "#%lld", (long long)r->number);
        return out;
    case RUN_STAGE:
        return r->stage;
    case RUN_STATUS:
        return r->status;
    case RUN_LABEL:
        return r->label;
    case RUN_TIME:
        return !(r->seconds > 0) ? "-" : human_duration(r->seconds, out);
    case RUN_EPOCH:
        return isnan(r->epoch) ? "-" : human_number(r->epoch, out);
    default:
        return isnan(numbers[c]) ? "-" : human_loss(numbers[c], out);
    }
}

static void run_row(struct grid *g, const struct model_run *r, size_t row, bool under)
{
    char text[HUMAN_MAX];
    size_t at = 3;
    grid_put(g, (struct span){row, 0, 1}, under ? "▸" : " ", INK_BOLD);
    grid_put(g, (struct span){row, 1, 1}, r->marked ? "*" : " ", INK_3);
    for (int c = 0; c < RUN_COLUMNS; c++) {
        if (g->width < run_columns[c].least)
            continue;
        const char *shown = cell_text(r, (enum run_column)c, text);
        enum ink ink = c == RUN_STATUS || c == RUN_LABEL ? ink_of_word(shown) : INK_PLAIN;
        put_cell(g, (struct span){row, at, run_columns[c].width}, (enum run_column)c, shown, ink);
        at += run_columns[c].width + 1;
    }
    if (at < g->width)
        grid_printf(g, (struct span){row, at + 1, g->width - at}, INK_PLAIN, "%s%s%s", r->params,
                    r->error[0] != '\0' ? "  " : "", r->error);
    if (under)
        grid_ink_row(g, (struct span){row, 0, g->width}, INK_CURSOR);
}

static void run_titles(struct grid *g, size_t row)
{
    size_t at = 3;
    for (int c = 0; c < RUN_COLUMNS; c++) {
        if (g->width < run_columns[c].least)
            continue;
        put_cell(g, (struct span){row, at, run_columns[c].width}, (enum run_column)c,
                 run_columns[c].title, INK_DIM);
        at += run_columns[c].width + 1;
    }
    if (at < g->width)
        grid_put(g, (struct span){row, at + 1, g->width - at}, "parameters", INK_DIM);
}

static void table(struct grid *g, const struct model *m, struct view *v, size_t row, size_t rows)
{
    char title[160];
    size_t cursor = view_cursor(v, m), first = 0;
    snprintf(title, sizeof title, "%zu runs%s, by %s%s%s%s", v->order_count,
             m->left_out ? " (older ones are left out)" : "", view_sort_title(v->sort),
             v->reverse ? " reversed" : "", v->filter[0] != '\0' ? ", filter " : "", v->filter);
    grid_rule(g, row, title);
    if (rows < 3)
        return;
    run_titles(g, row + 1);
    v->rows = rows - 2;
    if (cursor >= v->rows)
        first = cursor - v->rows + 1;
    if (v->order_count == 0)
        grid_put(g, (struct span){row + 2, 3, g->width}, "no run that the filter lets through",
                 INK_DIM);
    for (size_t i = first; i < v->order_count && i < first + v->rows; i++)
        run_row(g, &m->runs[v->order[i]], row + 2 + i - first, i == cursor);
}

/* --- the pages -------------------------------------------------------------------------------- */

static void foot(struct grid *g, const struct model *m, const struct view *v)
{
    static const char *const keys[] = {
        [PAGE_RUNS] = "↑↓ run  ⏎ open  tab sweep  s sort  / filter  o overlay  ? keys  "
                      "q leave",
        [PAGE_RUN] = "↑↓ run  l log  esc back  space mark  o overlay  ? keys  q leave",
        [PAGE_LOG] = "↑↓ scroll  esc back  q leave",
        [PAGE_OVERLAY] = "esc back  u unmark all  ? keys  q leave",
        [PAGE_HELP] = "? back  q leave",
    };
    static const char *const plain[] = {
        [PAGE_RUNS] = "jk run  enter open  tab sweep  s sort  / filter  o overlay  ? keys  "
                      "q leave",
        [PAGE_RUN] = "jk run  l log  esc back  space mark  o overlay  ? keys  q leave",
        [PAGE_LOG] = "jk scroll  esc back  q leave",
        [PAGE_OVERLAY] = "esc back  u unmark all  ? keys  q leave",
        [PAGE_HELP] = "? back  q leave",
    };
    const struct model_sweep *s = model_sweep(m, m->selected);
    struct span at = {g->height - 1, 0, g->width};
    if (v->typing)
        grid_printf(g, at, INK_BOLD, "filter: %s_   (words of status, stage, label, cause, "
                    "parameters; enter keeps it, esc ends it)", v->filter);
    else if (s != NULL && s->reason[0] != '\0' && v->page == PAGE_RUNS)
        grid_printf(g, at, ink_of_word(s->status), "%s: %s", s->status, s->reason);
    else
        grid_put(g, at, (g->ascii ? plain : keys)[v->page], INK_DIM);
}

static void help(struct grid *g)
{
    static const char *const lines[] = {
        "up, down, j, k    the run before or behind; page up and down, home, end",
        "enter             one run: its curves, why it is as it is, its last words",
        "l                 all that it wrote",
        "esc               back; on the first page: no filter any more",
        "tab, ] and [      the next sweep, the one before",
        "s, r              by another column; the other way round",
        "/                 only runs in which all these words stand",
        "space, u          mark a run (six at most); none any more",
        "o                 the marked runs' validation losses in one picture",
        "q, Ctrl-C         leave; the sweeps go on",
        "",
        "curves            training loss dotted (t), validation loss (v); log: logarithmic",
        "left              epochs that are left, at the measured seconds of one, by the workers",
        "grad              norm of the gradient, and how it went",
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        grid_put(g, (struct span){2 + i, 2, g->width - 4}, lines[i], INK_PLAIN);
}

static void runs_page(struct grid *g, const struct model *m, struct view *v, int64_t now_us)
{
    char title[256];
    const struct model_sweep *s = model_sweep(m, m->selected);
    size_t rows = g->height / 8 > 2 ? g->height / 8 : 2;
    rows = rows < m->sweep_count ? rows : m->sweep_count;
    size_t row = sweeps(g, m, 1, rows, now_us);
    snprintf(title, sizeof title, "sweep %lld: %s %s", (long long)m->selected,
             s != NULL ? s->metric : "", s != NULL && s->maximize ? "maximized" : "minimized");
    grid_rule(g, row++, title);
    /* The table keeps a third of the screen. */
    size_t least = g->height / 3 + row + 1;
    size_t room = g->height > least ? g->height - least : 0;
    row = cards(g, m, v, row, room);
    if (row + 1 < g->height)
        table(g, m, v, row, g->height - 1 - row);
}

void layout_draw(struct grid *g, const struct model *m, struct view *v, int64_t now_us)
{
    const struct model_run *r = view_run(v, m);
    grid_clear(g);
    if (g->width < LAYOUT_WIDTH_LEAST || g->height < LAYOUT_HEIGHT_LEAST) {
        grid_put(g, (struct span){0, 0, g->width}, "the terminal is too small", INK_PLAIN);
        return;
    }
    head(g, m, now_us);
    if (v->page == PAGE_HELP)
        help(g);
    else if (v->page == PAGE_OVERLAY)
        layout_overlay(g, m, v);
    else if (v->page == PAGE_RUNS || r == NULL)
        runs_page(g, m, v, now_us);
    else if (v->page == PAGE_LOG)
        layout_log(g, m, r, v);
    else
        layout_run(g, m, r, v);
    foot(g, m, v);
}
