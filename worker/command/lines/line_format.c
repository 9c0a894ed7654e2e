#include "worker/command/lines/line_format.h"

#include <stdlib.h>
#include <string.h>

#include "sweep/metric_word.h"
#include "sweep/buf.h"
#include "sweep/curve_title.h"
#include "sweep/require.h"
#include "sweep/terminal_text.h"

void line_reader_init(struct line_reader *r, const struct command_config *c)
{
    const struct command_manner *m = &c->manner;

    r->config = c;
    r->patterns = m->pattern_count ? xcalloc(m->pattern_count, sizeof(*r->patterns)) : NULL;
    for (; r->pattern_count < m->pattern_count; r->pattern_count++)
        if (regcomp(&r->patterns[r->pattern_count], m->patterns[r->pattern_count].text,
                    REG_EXTENDED) != 0)
            break; /* the configuration was checked */
}

void line_reader_finish(struct line_reader *r)
{
    for (size_t i = 0; i < r->pattern_count; i++)
        regfree(&r->patterns[i]);
    free(r->patterns);
    loose_json_finish(&r->loose);
    buf_finish(&r->text);
}

void line_put(struct metrics_line *out, const char *name, double value)
{
    if (out->count == METRICS_LINE_VALUES || !metric_name_valid(name)) {
        out->left_out++;
        return;
    }
    struct metric_value *m = &out->values[out->count++];
    str_copy(m->name, sizeof(m->name), name);
    m->value = value;
}

bool line_is_named(const struct line_reader *r, const char *name)
{
    const struct command_curves *c = &r->config->manner.curves;

    if (strcmp(name, r->config->metric) == 0)
        return true;
    for (int i = 0; i < CURVE_COLUMN_COUNT; i++)
        if (strcmp(name, c->column[i]) == 0)
            return true;
    return false;
}

bool line_is_measure(const char *name)
{
    enum curve_column column;
    int rank;

    return curve_title_column(name, &column, &rank) || is_metric_word(name, strlen(name));
}

bool line_is_wanted(const struct line_reader *r, const struct metrics_line *l, bool any_measure)
{
    for (size_t i = 0; i < l->count; i++)
        if (line_is_named(r, l->values[i].name) ||
            (any_measure && line_is_measure(l->values[i].name)))
            return true;
    return false;
}

static void put_members(struct line_reader *r, const struct loose_value *object, size_t prefix,
                        struct metrics_line *out)
{
    double number;

    for (const struct loose_value *m = loose_first(&r->loose, object); m;
         m = loose_next(&r->loose, m)) {
        r->text.len = prefix;
        buf_puts(&r->text, loose_key(&r->loose, m));
        if (m->kind == LOOSE_OBJECT && prefix == 0 && strcmp(r->text.data, "metrics") == 0) {
            put_members(r, m, 0, out); /* it only says that they are */
        } else if (m->kind == LOOSE_OBJECT && r->text.len < METRIC_NAME_MAX) {
            buf_putc(&r->text, '/');
            put_members(r, m, r->text.len, out);
        } else if (loose_number(&r->loose, m, &number)) {
            line_put(out, r->text.data, number);
        }
    }
}

bool line_read_object(struct line_reader *r, const char *text, size_t len,
                      struct metrics_line *out)
{
    size_t used;

    if (len == 0 || text[0] != '{' ||
        loose_json_read(&r->loose, text, len, 1, &used, NULL) != 0)
        return false;
    buf_clear(&r->text);
    put_members(r, loose_root(&r->loose), 0, out);
    return out->count > 0;
}

const char *line_trim(const char *line, size_t *len)
{
    while (*len > 0 && (unsigned char)line[*len - 1] <= ' ')
        --*len;
    while (*len > 0 && (unsigned char)*line <= ' ') {
        line++;
        --*len;
    }
    return line;
}

void line_clean(struct buf *out, const char *text, size_t len)
{
    buf_clear(out);
    for (size_t i = 0; i < len && out->len < LINE_TEXT_MAX;) {
        if (text[i] == '\x1b') {
            i += terminal_escape(text + i, len - i);
            continue;
        }
        buf_putc(out, text[i] ? text[i] : ' ');
        i++;
    }
    buf_puts(out, "");
}
