#include "daemon/serve/warm_start.h"

#include <stdlib.h>

#include "daemon/engine/warm.h"
#include "daemon/plan/earlier.h"
#include "daemon/serve/request.h"
#include "daemon/state.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/spec.h"

struct reading {
    struct daemon *daemon;
    const struct spec *spec;
    char *data_hash;
    struct warm *warm;
    size_t next; /* of the spec's sweeps */
    warm_start_done *done;
    void *arg;
};

static void read_next(struct reading *r);

static void finish(struct reading *r, const struct errbuf *failed)
{
    char *text = failed == NULL ? warm_text(r->warm) : NULL;
    r->done(r->arg, text, failed);
    free(text);
    warm_destroy(r->warm);
    free(r->data_hash);
    free(r);
}

static void on_sweep(void *arg, struct store_restored *rows, const struct errbuf *failed)
{
    struct reading *r = arg;
    struct errbuf err;
    if (rows == NULL)
        finish(r, failed);
    else if (warm_add(r->warm, r->spec->warm_start[r->next++], rows, &err) != 0)
        finish(r, &err);
    else
        read_next(r);
}

static void read_next(struct reading *r)
{
    if (r->next == r->spec->warm_count)
        finish(r, NULL);
    else
        store_sweep(r->daemon->store, r->spec->warm_start[r->next], on_sweep, r);
}

void warm_start_read(struct daemon *d, const struct spec *spec, const char *data_hash,
                     warm_start_done *done, void *arg)
{
    struct reading *r = xmalloc(sizeof(*r));
    *r = (struct reading){.daemon = d, .spec = spec, .data_hash = xstrdup(data_hash),
                          .done = done, .arg = arg};
    r->warm = warm_create(spec, r->data_hash);
    read_next(r);
}

void warm_start_say(struct request *r, const char *text, const struct space *space)
{
    struct earlier *e = earlier_read(text, space, 0, 0);
    for (size_t i = 0; e != NULL && i < e->said_count; i++)
        request_note(r, e->said[i]);
    earlier_destroy(e);
}
