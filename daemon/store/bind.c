#include "daemon/store/bind.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "daemon/store/time.h"
#include "sweep/buf.h"
#include "sweep/json.h"

struct maybe maybe(bool has, double value)
{
    return (struct maybe){has, value};
}

double setting_of(const struct run_row *r, enum setting_id id)
{
    return r->config ? r->config->settings.v[id] : NAN;
}

struct choice choice_of(const struct run_row *r, enum setting_id id)
{
    struct choice c = {""};
    if (r->config)
        setting_choice_name(id, (int)r->config->settings.v[id], c.name);
    return c;
}

void bind_whole(sqlite3_stmt *st, int i, double v)
{
    if (isnan(v))
        sqlite3_bind_null(st, i);
    else
        sqlite3_bind_int64(st, i, (int64_t)v);
}

void bind_int(sqlite3_stmt *st, int i, int64_t v)
{
    sqlite3_bind_int64(st, i, v);
}

void bind_count(sqlite3_stmt *st, int i, int64_t v)
{
    if (v)
        sqlite3_bind_int64(st, i, v);
    else
        sqlite3_bind_null(st, i);
}

void bind_text(sqlite3_stmt *st, int i, const char *text)
{
    sqlite3_bind_text(st, i, text, -1, SQLITE_STATIC);
}

void bind_word(sqlite3_stmt *st, int i, const char *text)
{
    bind_text(st, i, text && text[0] ? text : NULL);
}

void bind_choice(sqlite3_stmt *st, int i, struct choice c)
{
    sqlite3_bind_text(st, i, c.name[0] ? c.name : NULL, -1, SQLITE_TRANSIENT);
}

void bind_real(sqlite3_stmt *st, int i, double v)
{
    sqlite3_bind_double(st, i, v);
}

void bind_maybe(sqlite3_stmt *st, int i, struct maybe m)
{
    if (m.has && isnan(m.value))
        bind_text(st, i, "nan");
    else if (m.has)
        sqlite3_bind_double(st, i, m.value);
    else
        sqlite3_bind_null(st, i);
}

void bind_seed(sqlite3_stmt *st, int i, uint64_t seed)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, seed);
    sqlite3_bind_text(st, i, text, -1, SQLITE_TRANSIENT);
}

void bind_time(sqlite3_stmt *st, int i, utc_us t)
{
    char text[STORE_TIME_SIZE];
    store_time_format(t, text);
    if (t)
        sqlite3_bind_text(st, i, text, -1, SQLITE_TRANSIENT);
    else
        sqlite3_bind_null(st, i);
}

void bind_flag(sqlite3_stmt *st, int i, int v)
{
    if (v < 0)
        sqlite3_bind_null(st, i);
    else
        sqlite3_bind_int(st, i, v);
}

/* Text that was just written; "" is none. */
static void bind_written(sqlite3_stmt *st, int i, struct buf *text)
{
    if (text->len > 0)
        sqlite3_bind_text(st, i, text->data, (int)text->len, SQLITE_TRANSIENT);
    else
        sqlite3_bind_null(st, i);
    buf_finish(text);
}

void bind_settings(sqlite3_stmt *st, int i, const struct run_row *r)
{
    struct buf text = {0};
    struct json_writer w;

    jw_init(&w, &text);
    run_row_write_settings(r, &w);
    bind_written(st, i, &text);
}

void bind_data_facts(sqlite3_stmt *st, int i, const struct data_facts *d)
{
    struct buf text = {0};
    struct json_writer w;

    jw_init(&w, &text);
    data_facts_write(d, &w);
    bind_written(st, i, &text);
}

void bind_causes(sqlite3_stmt *st, int name, int all, const struct causes *c)
{
    struct buf text = {0};
    struct json_writer w;

    jw_init(&w, &text);
    if (c->count > 0)
        causes_write(c, &w);
    bind_word(st, name, c->count > 0 ? cause_name(c->items[0].id) : NULL);
    bind_written(st, all, &text);
}
