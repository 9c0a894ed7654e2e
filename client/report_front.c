/* The front of a sweep with several objectives: what no other configuration betters in all. */
#include "client/report.h"

#include <stdlib.h>
#include <string.h>

#include "sweep/objective.h"
#include "sweep/require.h"

/* Beside the objectives: two columns before them, two behind. */
#define OTHERS 4

struct front_table {
    size_t objectives;
    char *titles[OBJECTIVES_MAX];
    struct table_column columns[OBJECTIVES_MAX + OTHERS];
    struct render_table table;
};

static void begin(struct front_table *f, const struct json *objectives)
{
    size_t n = 0;
    *f = (struct front_table){0};
    f->columns[n++] = (struct table_column){"rank", true, 0};
    f->columns[n++] = (struct table_column){"run", true, 0};
    for (const struct json *v = json_first(objectives); v != NULL && f->objectives < OBJECTIVES_MAX;
         v = json_next(v)) {
        struct buf title = {0};
        render_text(&title, json_key(v), false);
        f->titles[f->objectives] = buf_take(&title);
        f->columns[n++] = (struct table_column){f->titles[f->objectives++], true, 0};
    }
    f->columns[n++] = (struct table_column){"seeds", true, 1};
    f->columns[n++] = (struct table_column){"parameters", false, 0};
    render_table_init(&f->table, f->columns, n);
}

static void add(struct front_table *f, const struct json *object, const char *key,
                enum cell_format format)
{
    char *text = render_member(object, key, format);
    render_table_add(&f->table, text, TONE_PLAIN);
    free(text);
}

static void add_row(struct front_table *f, const struct json *row)
{
    const struct json *v = json_first(json_get(row, "objectives"));
    add(f, row, "rank", CELL_COUNT);
    add(f, row, "run_id", CELL_NUMBER);
    for (size_t i = 0; i < f->objectives; i++, v = v != NULL ? json_next(v) : NULL)
        add(f, json_get(row, "objectives"), v != NULL ? json_key(v) : "", CELL_NUMBER);
    add(f, row, "repetitions", CELL_COUNT);
    add(f, row, "params", CELL_PARAMS);
}

void report_front(struct client *c, const struct json *front)
{
    const struct json *first = json_first(front);
    struct front_table f;
    struct buf text = {0};
    if (first == NULL)
        return;
    begin(&f, json_get(first, "objectives"));
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
