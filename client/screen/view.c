#include "client/screen/view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/screen/grid.h"
#include "client/screen/keys.h"

const char *view_sort_title(enum view_sort s)
{
    static const char *const titles[] = {
#define X(id, title) [SORT_##id] = title,
        VIEW_SORT_MAP(X)
#undef X
    };
    return titles[s];
}

void view_finish(struct view *v)
{
    free(v->order);
    *v = (struct view){0};
}

/* --- order and filter ------------------------------------------------------------------------- */

/* Every word of the filter stands somewhere in what is known of the run. */
static bool passes(const struct view *v, const struct model_run *r)
{
    char text[sizeof r->params + 160], words[VIEW_FILTER_MAX], *rest;
    snprintf(text, sizeof text, "%lld #%lld %s %s %s %s %s", (long long)r->id,
             (long long)r->number, r->status, r->stage, r->label, r->cause, r->params);
    str_copy(words, sizeof words, v->filter);
    for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        if (strcasestr(text, word) == NULL)
            return false;
    return true;
}

struct order {
    const struct model *m;
    enum view_sort sort;
    bool reverse, maximize;
};

/* What is no number comes last, in either direction. */
static int by_number(double a, double b, bool reverse)
{
    if (isnan(a) || isnan(b))
        return isnan(a) - isnan(b);
    return reverse ? (a < b) - (a > b) : (a > b) - (a < b);
}

static int turn_of(const struct model_run *r)
{
    return r->running ? 0 : strcmp(r->status, "queued") == 0 ? 2 : 1;
}

static int compare(const void *a, const void *b, void *arg)
{
    const struct order *o = arg;
    const struct model_run *x = &o->m->runs[*(const size_t *)a];
    const struct model_run *y = &o->m->runs[*(const size_t *)b];
    int c = 0;
    switch (o->sort) {
    case SORT_METRIC:
        c = by_number(x->metric, y->metric, o->maximize != o->reverse);
        break;
    case SORT_VAL:
        c = by_number(x->val, y->val, o->reverse);
        break;
    case SORT_EPOCH:
        c = by_number(x->epoch, y->epoch, !o->reverse);
        break;
    case SORT_TIME:
        c = by_number(x->seconds, y->seconds, !o->reverse);
        break;
    case SORT_LABEL:
        c = o->reverse ? strcmp(y->label, x->label) : strcmp(x->label, y->label);
        break;
    case SORT_STATUS:
        c = o->reverse ? strcmp(y->status, x->status) : strcmp(x->status, y->status);
        break;
    default:
        c = o->reverse ? 0 : turn_of(x) - turn_of(y);
        break;
    }
    if (c != 0)
        return c;
    bool older = o->sort == SORT_NEWEST && o->reverse;
    return older ? (x->number > y->number) - (x->number < y->number)
                 : (x->number < y->number) - (x->number > y->number);
}

void view_order(struct view *v, const struct model *m)
{
    const struct model_sweep *s = model_sweep(m, m->selected);
    struct order o = {m, v->sort, v->reverse, s != NULL && s->maximize};
    v->order_count = 0;
    for (size_t i = 0; i < m->run_count; i++) {
        if (m->runs[i].sweep != m->selected || !passes(v, &m->runs[i]))
            continue;
        v->order = array_room(v->order, &v->order_cap, v->order_count, sizeof *v->order);
        v->order[v->order_count++] = i;
    }
    if (v->order_count > 1)
        qsort_r(v->order, v->order_count, sizeof *v->order, compare, &o);
}

size_t view_cursor(const struct view *v, const struct model *m)
{
    for (size_t i = 0; i < v->order_count; i++)
        if (m->runs[v->order[i]].id == v->run)
            return i;
    return 0;
}

struct model_run *view_run(const struct view *v, const struct model *m)
{
    if (v->page != PAGE_RUNS && model_run(m, v->run) != NULL)
        return model_run(m, v->run); /* whatever the filter says now */
    return v->order_count > 0 ? &m->runs[v->order[view_cursor(v, m)]] : NULL;
}

/* --- keys ------------------------------------------------------------------------------------- */

static void move(struct view *v, const struct model *m, long by)
{
    if (v->order_count == 0)
        return;
    long to = (long)view_cursor(v, m) + by, last = (long)v->order_count - 1;
    to = to < 0 ? 0 : to > last ? last : to;
    v->run = m->runs[v->order[to]].id;
}

static enum view_wish turn_sweep(struct view *v, struct model *m, int by)
{
    size_t i = 0;
    if (m->sweep_count < 2)
        return WISH_NOTHING;
    while (i + 1 < m->sweep_count && m->sweeps[i].id != m->selected)
        i++;
    i = (i + m->sweep_count + (by > 0 ? 1 : m->sweep_count - 1)) % m->sweep_count;
    v->run = 0;
    m->selected = m->sweeps[i].id;
    return WISH_SWEEP;
}

static size_t marks(const struct model *m)
{
    size_t count = 0;
    for (size_t i = 0; i < m->run_count; i++)
        count += m->runs[i].marked;
    return count;
}

static void mark(struct view *v, struct model *m)
{
    struct model_run *r = view_run(v, m);
    if (r == NULL)
        return;
    if (r->marked || marks(m) < VIEW_MARKS_MAX)
        r->marked = !r->marked;
    move(v, m, 1);
}

static enum view_wish overlay(struct view *v, struct model *m)
{
    struct model_run *r = view_run(v, m);
    if (marks(m) == 0 && r != NULL)
        r->marked = true;
    v->page = PAGE_OVERLAY;
    return WISH_CURVES;
}

static void type(struct view *v, int key)
{
    size_t len = strlen(v->filter);
    if (key == KEY_ENTER || key == KEY_ESCAPE) {
        v->typing = false;
        if (key == KEY_ESCAPE)
            v->filter[0] = '\0';
    } else if (key == KEY_BACKSPACE && len > 0) {
        while (len > 1 && (v->filter[len - 1] & 0xc0) == 0x80)
            len--;
        v->filter[len - 1] = '\0';
    } else if (key >= 0x20 && key < KEY_NONE) {
        struct buf text = {0};
        buf_puts(&text, v->filter);
        grid_put_utf8(&text, (uint32_t)key);
        str_copy(v->filter, sizeof v->filter, text.data);
        buf_finish(&text);
    }
}

static void scroll(struct view *v, long by)
{
    long to = (long)v->scroll + by;
    v->scroll = to < 0 ? 0 : (size_t)to; /* the layout knows the end */
}

static void go(struct view *v, const struct model *m, long by)
{
    if (v->page == PAGE_LOG)
        scroll(v, by);
    else
        move(v, m, by);
}

static bool moves(struct view *v, const struct model *m, int key)
{
    long page = v->rows > 2 ? (long)v->rows - 1 : 1;
    const struct {
        int key, other;
        long by;
    } table[] = {{KEY_UP, 'k', -1},          {KEY_DOWN, 'j', 1},      {KEY_PAGE_UP, 'b', -page},
                 {KEY_PAGE_DOWN, 'f', page}, {KEY_HOME, 'g', -1000000}, {KEY_END, 'G', 1000000}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (key == table[i].key || key == table[i].other) {
            go(v, m, table[i].by);
            return true;
        }
    return false;
}

static enum view_wish back(struct view *v)
{
    v->filter[0] = v->page == PAGE_RUNS ? '\0' : v->filter[0];
    v->page = v->page == PAGE_LOG ? PAGE_RUN : PAGE_RUNS;
    v->scroll = 0;
    return WISH_NOTHING;
}

static enum view_wish open_run(struct view *v, const struct model *m, enum view_page page)
{
    const struct model_run *r = view_run(v, m);
    if (r == NULL)
        return WISH_NOTHING;
    v->run = r->id;
    v->page = page;
    v->scroll = page == PAGE_LOG ? 1000000 : 0; /* its end */
    return WISH_DETAIL;
}

static enum view_wish letter(struct view *v, struct model *m, int key)
{
    switch (key) {
    case 'q':
        return WISH_LEAVE;
    case 's':
        v->sort = (enum view_sort)((v->sort + 1) % SORT_COUNT);
        break;
    case 'r':
        v->reverse = !v->reverse;
        break;
    case '/':
        v->typing = true;
        v->page = PAGE_RUNS;
        break;
    case ' ':
        mark(v, m);
        break;
    case 'o':
        return overlay(v, m);
    case 'u':
        for (size_t i = 0; i < m->run_count; i++)
            m->runs[i].marked = false;
        break;
    case 'l':
        return open_run(v, m, PAGE_LOG);
    case '?':
        v->page = v->page == PAGE_HELP ? PAGE_RUNS : PAGE_HELP;
        break;
    default:
        break;
    }
    return WISH_NOTHING;
}

enum view_wish view_key(struct view *v, struct model *m, int key)
{
    v->touched = true;
    if (v->typing) {
        type(v, key);
        return WISH_NOTHING;
    }
    if (moves(v, m, key))
        return v->page == PAGE_RUN ? WISH_DETAIL : WISH_NOTHING;
    if (key == KEY_TAB || key == ']')
        return turn_sweep(v, m, 1);
    if (key == KEY_BACK_TAB || key == '[')
        return turn_sweep(v, m, -1);
    if (key == KEY_ENTER || key == KEY_RIGHT)
        return open_run(v, m, PAGE_RUN);
    if (key == KEY_ESCAPE || key == KEY_LEFT || key == KEY_BACKSPACE)
        return back(v);
    return letter(v, m, key);
}
