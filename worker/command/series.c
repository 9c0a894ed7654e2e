#include "worker/command/series.h"

#include <string.h>
#include <strings.h>

#include "sweep/curve_title.h"
#include "sweep/err.h"

#define RANK_FINAL 1000 /* behind all others */

/* "Final val accuracy": as the name behind it says, where nothing is called so itself. */
static const char *behind_final(const char *name)
{
    size_t len = strlen("final");
    return strncasecmp(name, "final", len) == 0 && (name[len] == ' ' || name[len] == '_') &&
                   name[len + 1]
               ? name + len + 1
               : NULL;
}

static struct series look_up(const struct command_curves *curves, const char *name)
{
    struct series s = {.column = SERIES_NONE};

    str_copy(s.name, sizeof(s.name), name);
    for (int c = 0; c < CURVE_COLUMN_COUNT; c++) {
        if (strcmp(curves->column[c], name) == 0) {
            s.column = c;
            s.rank = CURVE_RANK_SAME;
            return s;
        }
    }
    enum curve_column c;
    int rank;
    const char *final = behind_final(name);
    if (final && curve_title_column(final, &c, &rank))
        rank += RANK_FINAL;
    else if (!curve_title_column(name, &c, &rank))
        return s;
    if (curves->column[c][0])
        return s;
    s.column = (int)c;
    s.rank = rank;
    return s;
}

struct series series_of(struct series_table *t, const char *name)
{
    for (size_t i = 0; i < t->count; i++) {
        size_t k = (t->next + i) % t->count;
        if (strcmp(t->rows[k].name, name) == 0) {
            t->next = k + 1;
            return t->rows[k];
        }
    }
    struct series s = look_up(t->curves, name);
    if (t->count < SERIES_MAX)
        t->rows[t->count++] = s;
    return s;
}

void series_list(const struct series_table *t, size_t max, struct buf *out)
{
    size_t end = out->len + max;

    for (size_t i = 0; i < t->count; i++) {
        if (out->len + strlen(t->rows[i].name) + sizeof(", …") > end) {
            buf_puts(out, i ? ", …" : "…");
            return;
        }
        buf_printf(out, "%s%s", i ? ", " : "", t->rows[i].name);
    }
}

const char *series_nearest(const struct series_table *t, const char *name)
{
    const char *names[SERIES_MAX];

    for (size_t i = 0; i < t->count; i++)
        names[i] = t->rows[i].name;
    return err_nearest(name, names, t->count);
}
