/* A dict as Python prints it: Hugging Face's Trainer, {'loss': 0.52, 'epoch': 1.0}. */
#include "worker/command/lines/line_format.h"

bool line_format_dict(struct line_reader *r, const char *line, size_t len,
                      struct metrics_line *out)
{
    line = line_trim(line, &len);
    if (len < 2 || line[0] != '{' || line[len - 1] != '}')
        return false;
    return line_read_object(r, line, len, out) && line_is_wanted(r, out, true);
}
