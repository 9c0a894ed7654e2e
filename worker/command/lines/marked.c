/* "::sweepd {"step": 3, "val_loss": 0.4}" */
#include <string.h>

#include "worker/command/lines/line_format.h"

bool line_format_marked(struct line_reader *r, const char *line, size_t len,
                        struct metrics_line *out)
{
    static const char mark[] = "::sweepd";
    size_t n = strlen(mark);

    line = line_trim(line, &len);
    if (len <= n || memcmp(line, mark, n) != 0)
        return false;
    len -= n;
    line = line_trim(line + n, &len);
    return line_read_object(r, line, len, out);
}
