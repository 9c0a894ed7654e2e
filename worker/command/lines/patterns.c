/* Patterns of one's own: the first group of each that matches is a value. */
#include <stdlib.h>
#include <string.h>

#include "worker/command/lines/line_format.h"

/* "1,234.5" is no number of these; "0.5s" is 0.5. */
static bool read_group(const char *text, const regmatch_t *group, double *out)
{
    char number[64];
    size_t len = (size_t)(group->rm_eo - group->rm_so);
    char *end;

    if (group->rm_so < 0 || len == 0 || len >= sizeof(number))
        return false;
    memcpy(number, text + group->rm_so, len);
    number[len] = '\0';
    *out = strtod(number, &end);
    return end != number;
}

bool line_format_patterns(struct line_reader *r, const char *line, size_t len,
                          struct metrics_line *out)
{
    regmatch_t match[2];
    double value;

    if (r->pattern_count == 0)
        return false;
    buf_clear(&r->text);
    buf_append(&r->text, line, len < LINE_TEXT_MAX ? len : LINE_TEXT_MAX);
    buf_puts(&r->text, "");
    for (size_t i = 0; i < r->pattern_count; i++)
        if (regexec(&r->patterns[i], r->text.data, 2, match, 0) == 0 &&
            read_group(r->text.data, &match[1], &value))
            line_put(out, r->config->manner.patterns[i].name, value);
    return out->count > 0;
}
