/* Free text: "Epoch 3/10 - loss: 0.41 - val_loss: 0.5". What it is that was measured is decided as
 * for files of such lines (common/curves). */
#include <string.h>

#include "worker/command/lines/line_format.h"

#define HEADING_BYTES_MAX 80 /* "Test Error:", of the lines below */

static bool has_digit(const char *line, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (line[i] >= '0' && line[i] <= '9')
            return true;
    return false;
}

bool line_format_text(struct line_reader *r, const char *line, size_t len,
                      struct metrics_line *out)
{
    struct plain_line *l = &r->plain;

    len = len < LINE_TEXT_MAX ? len : LINE_TEXT_MAX;
    if (!has_digit(line, len) && len > HEADING_BYTES_MAX)
        return false;
    line_clean(&r->text, line, len);
    plain_line_mark(r->text.data);
    plain_line_read(r->text.data, r->text.len, l);
    if (!l->heading)
        l->context[0] = '\0';
    if (l->count == 0 && !l->has_epoch)
        return false;
    if (l->has_epoch)
        line_put(out, "epoch", l->epoch);
    else if (l->has_step)
        line_put(out, "step", l->step);
    for (size_t i = 0; i < l->count; i++)
        line_put(out, l->pairs[i].name, l->pairs[i].value);
    return out->count > 0;
}
