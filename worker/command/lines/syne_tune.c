/* Syne Tune's reporter: "[tune-metric]: {"epoch": 1, "loss": 0.5, "st_worker_iter": 0}". What it
 * says of its own worker is no metric. */
#include <string.h>

#include "worker/command/lines/line_format.h"

static void drop_own(struct metrics_line *l)
{
    size_t kept = 0;

    for (size_t i = 0; i < l->count; i++)
        if (strncmp(l->values[i].name, "st_", 3) != 0)
            l->values[kept++] = l->values[i];
    l->count = kept;
}

bool line_format_syne_tune(struct line_reader *r, const char *line, size_t len,
                           struct metrics_line *out)
{
    static const char mark[] = "[tune-metric]:";
    const char *at = memmem(line, len, mark, strlen(mark));

    if (!at)
        return false;
    at += strlen(mark);
    len -= (size_t)(at - line);
    at = line_trim(at, &len);
    if (!line_read_object(r, at, len, out))
        return false;
    drop_own(out);
    return out->count > 0;
}
