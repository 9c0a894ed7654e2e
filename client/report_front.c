/* The front of a sweep with several objectives: what no other configuration betters in all. */
#include "client/report.h"

#include <stdlib.h>
#include <string.h>

#include "sweep/objective.h"
#include "sweep/require.h"

/* Beside the objectives: two columns before them, two behind. */
#define OTHERS 4
#define VALUE_WIDTH 11 /* of an objective's column, with the gap */
#define OTHERS_WIDTH 42 /* of the others, where the parameters are broken into lines */

struct front_table {
    size_t objectives; /* that have a column each; 0: all of them stand before the parameters */
    char *titles[OBJECTIVES_MAX];
    struct table_column columns[OBJECTIVES_MAX + OTHERS];
    struct render_table table;
};

static char *title_of(const struct json *objective)
{
    struct buf title = {0};
    render_text(&title, json_key(objective), false);
    return buf_take(&title);
}

/* As many columns as the terminal has room for all of, else none. width 0: there is no end. */
static void take_objectives(struct front_table *f, const struct json *objectives, size_t width)
{
    size_t used = OTHERS_WIDTH;
    for (const struct json *v = json_first(objectives); v != NULL && f->objectives < OBJECTIVES_MAX;
         v = json_next(v)) {
        char *title = title_of(v);
        size_t wide = render_width(title) + 2;
        used += wide > VALUE_WIDTH ? wide : VALUE_WIDTH;
        f->titles[f->objectives++] = title;
    }
    while (width > 0 && used > width && f->objectives > 0)
        free(f->titles[--f->objectives]);
}

static void begin(struct front_table *f, const struct json *objectives, size_t width)
{
    size_t n = 0;
    *f = (struct front_table){0};
    take_objectives(f, objectives, width);
    f->columns[n++] = (struct table_column){"rank", true, 0};
    f->columns[n++] = (struct table_column){"run", true, 0};
    for (size_t i = 0; i < f->objectives; i++)
        f->columns[n++] = (struct table_column){f->titles[i], true, 0};
    f->columns[n++] = (struct table_column){"seeds", true, 1};
    f->columns[n++] = (struct table_column){
        f->objectives > 0 ? "parameters" : "objectives; parameters", false, 0};
    render_table_init(&f->table, f->columns, n);
}

static void add(struct front_table *f, const struct json *object, const char *key,
                enum cell_format format)
{
    char *text = render_member(object, key, format);
    render_table_add(&f->table, text, TONE_PLAIN);
    free(text);
}

static void add_all(struct front_table *f, const struct json *row)
{
    char *values = render_member(row, "objectives", CELL_PARAMS);
    char *params = render_member(row, "params", CELL_PARAMS);
    char *text = xasprintf("%s; %s", values, params);
    render_table_add(&f->table, text, TONE_PLAIN);
    free(text);
    free(params);
    free(values);
}

static void add_row(struct front_table *f, const struct json *row)
{
    const struct json *v = json_first(json_get(row, "objectives"));
    add(f, row, "rank", CELL_COUNT);
    add(f, row, "run_id", CELL_NUMBER);
    for (size_t i = 0; i < f->objectives; i++, v = v != NULL ? json_next(v) : NULL)
        add(f, json_get(row, "objectives"), v != NULL ? json_key(v) : "", CELL_NUMBER);
    add(f, row, "repetitions", CELL_COUNT);
    if (f->objectives > 0)
        add(f, row, "params", CELL_PARAMS);
    else
        add_all(f, row);
}

void report_front(struct client *c, const struct json *front)
{
    const struct json *first = json_first(front);
    struct front_table f;
    struct buf text = {0};
    if (first == NULL)
        return;
    begin(&f, json_get(first, "objectives"), c->width);
    for (const struct json *v = first; v != NULL; v = json_next(v))
        add_row(&f, v);
    fprintf(c->out, "\nthe front: %zu configuration%s that no other one betters in all\n",
            json_count(front), json_count(front) == 1 ? "" : "s");
    render_table_print(&f.table, c->width, c->colour, &text);
    client_print(c, &text);
    render_table_finish(&f.table);
    for (size_t i = 0; i < f.objectives; i++)
        free(f.titles[i]);
}
