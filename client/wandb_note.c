#include "client/wandb_note.h"

#include <stdarg.h>

void wandb_note(struct buf *notes, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(notes, fmt, ap);
    va_end(ap);
    buf_putc(notes, '\n');
}

int wandb_refuse(struct errbuf *err, const char *key, const struct json *v, const char *allowed)
{
    char excerpt[128] = "nothing";
    if (v != NULL)
        json_excerpt(v, excerpt, sizeof(excerpt));
    return err_bad(err, ERR_VALUE, key, excerpt, "%s", allowed);
}
