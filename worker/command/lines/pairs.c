/* "name=value" pairs, as Katib's collector and SMAC's scripts have them: "val_loss=0.41",
 * "cost=0.5; runtime=0.01; status=SUCCESS". Only where the sweep's metric, or a series that it
 * names, is among them: programs print their settings in this form too. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "worker/command/lines/line_format.h"

static bool in_name(unsigned char c)
{
    return isalnum(c) || c == '_' || c == '-' || c == '|' || c == '/' || c == '.' || c == '@' ||
           c >= 0x80;
}

/* The name that ends before at. */
static void put_pair(struct line_reader *r, const char *at, const char *value,
                     struct metrics_line *out)
{
    const char *text = r->text.data, *begin;
    char name[METRIC_NAME_MAX + 1];
    char *end;

    while (at > text && (at[-1] == ' ' || at[-1] == '\t'))
        at--;
    begin = at;
    while (begin > text && in_name((unsigned char)begin[-1]))
        begin--;
    double number = strtod(value, &end);
    if (begin == at || (size_t)(at - begin) >= sizeof(name) || end == value ||
        in_name((unsigned char)*end))
        return;
    memcpy(name, begin, (size_t)(at - begin));
    name[at - begin] = '\0';
    line_put(out, name, number);
}

bool line_format_pairs(struct line_reader *r, const char *line, size_t len,
                       struct metrics_line *out)
{
    if (!memchr(line, '=', len))
        return false;
    buf_clear(&r->text);
    buf_append(&r->text, line, len < LINE_TEXT_MAX ? len : LINE_TEXT_MAX);
    buf_puts(&r->text, "");
    for (const char *at = strchr(r->text.data, '='); at; at = strchr(at + 1, '='))
        put_pair(r, at, at + 1, out);
    return out->count > 0 && line_is_wanted(r, out, false);
}
