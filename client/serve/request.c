#include "client/serve/request.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void request_finish(struct request *r)
{
    free(r->path);
    form_finish(&r->query);
    form_finish(&r->fields);
    memset(r, 0, sizeof *r);
}

void answer_finish(struct answer *a)
{
    free(a->location);
    free(a->cookie);
    buf_finish(&a->body);
    memset(a, 0, sizeof *a);
}

void answer_see(struct answer *a, const char *fmt, ...)
{
    struct buf where = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&where, fmt, ap);
    va_end(ap);
    free(a->location);
    a->location = buf_take(&where);
    a->status = 303;
}
