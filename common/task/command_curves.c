/* Which series of a program feed which columns of its curve. */
#include <string.h>

#include "common/base/field.h"
#include "sweep/command.h"
#include "sweep/err.h"
#include "sweep/json.h"

/* The columns a program can feed: the time is the supervisor's own. */
static size_t curve_keys(const char *keys[CURVE_COLUMN_COUNT + 1])
{
    size_t n = 0;

    keys[n++] = "epoch";
    for (int c = 0; c < CURVE_COLUMN_COUNT; c++)
        if (c != CURVE_SECONDS)
            keys[n++] = curve_column_name((enum curve_column)c);
    return n;
}

/* One series would not know which of two columns it is. */
static int refuse_twice(const struct command_curves *c, int column, const char *path,
                        const struct json *v, struct errbuf *err)
{
    bool twice = strcmp(c->column[column], c->epoch) == 0;

    for (int other = 0; other < CURVE_COLUMN_COUNT; other++)
        twice |= other != column && strcmp(c->column[other], c->column[column]) == 0;
    return twice ? field_refuse(err, ERR_VALUE, path, v, "a series that feeds nothing else") : 0;
}

static int parse_column(const struct json *v, const char *path, int c, struct command_curves *out,
                        struct errbuf *err)
{
    const struct json *name = json_get(v, curve_column_name((enum curve_column)c));
    char member[FIELD_PATH_MAX];

    if (!name)
        return 0;
    field_path(member, path, json_key(name));
    int rc = field_string(name, member, out->column[c], sizeof(out->column[c]), err);
    return rc ? rc : refuse_twice(out, c, member, name, err);
}

int command_curves_parse(const struct json *v, const char *path, struct command_curves *out,
                         struct errbuf *err)
{
    const char *keys[CURVE_COLUMN_COUNT + 1];
    struct command_curves curves = {0};
    char member[FIELD_PATH_MAX];
    int rc = field_object(v, path, keys, curve_keys(keys), err);
    const struct json *epoch = rc ? NULL : json_get(v, "epoch");

    field_path(member, path, "epoch");
    if (epoch)
        rc = field_string(epoch, member, curves.epoch, sizeof(curves.epoch), err);
    for (int c = 0; c < CURVE_COLUMN_COUNT && !rc; c++)
        rc = parse_column(v, path, c, &curves, err);
    if (!rc)
        *out = curves;
    return rc;
}

void command_curves_write(const struct command_curves *c, struct json_writer *w)
{
    jw_begin_object(w);
    if (c->epoch[0])
        jw_kv_string(w, "epoch", c->epoch);
    for (int i = 0; i < CURVE_COLUMN_COUNT; i++)
        if (c->column[i][0])
            jw_kv_string(w, curve_column_name((enum curve_column)i), c->column[i]);
    jw_end_object(w);
}
