/* What the loop and the threads tell each other, from any of them. */
#include <stdlib.h>

#include "daemon/store/private.h"
#include "sweep/buf.h"

bool store_is_closing(struct store *s)
{
    uv_mutex_lock(&s->mutex);
    bool closing = s->closing;
    uv_mutex_unlock(&s->mutex);
    return closing;
}

void store_set_trouble(struct store *s, const char *text)
{
    uv_mutex_lock(&s->mutex);
    str_copy(s->trouble_next, sizeof(s->trouble_next), text);
    s->trouble_changed = true;
    uv_mutex_unlock(&s->mutex);
    uv_async_send(&s->async);
}

void store_tell(struct store *s, const char *kind, char *text)
{
    struct notice *n = xcalloc(1, sizeof(*n));

    n->kind = kind;
    n->text = text;
    uv_mutex_lock(&s->mutex);
    struct notice **at = &s->notices;
    while (*at)
        at = &(*at)->next;
    *at = n;
    uv_mutex_unlock(&s->mutex);
    uv_async_send(&s->async);
}
