/* A JSON object a line, with something that is measured among its members: a program may log other
 * things in that form. */
#include <string.h>

#include "worker/command/lines/line_format.h"

bool line_format_json(struct line_reader *r, const char *line, size_t len,
                      struct metrics_line *out)
{
    struct errbuf why;

    line = line_trim(line, &len);
    if (len < 2 || line[0] != '{' || line[len - 1] != '}')
        return false;
    if (memchr(line + 1, '{', len - 1)) /* {"epoch": 3, "metrics": {"val_loss": 0.4}} */
        return line_read_object(r, line, len, out) && line_is_wanted(r, out, true);
    return metrics_line_read(line, len, out, &why) && out->count > 0 &&
           line_is_wanted(r, out, true);
}
