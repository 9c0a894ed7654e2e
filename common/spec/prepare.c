#include <stdlib.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/spec.h"

/* The canonical spec, what no run depends on at its default. */
static void write_plain(const struct spec *s, struct buf *out)
{
    struct spec *plain = xmalloc(sizeof(*plain));
    struct json_writer w;

    *plain = *s; /* borrows what it points to */
    str_copy(plain->name, sizeof(plain->name), "sweep");
    plain->priority = 0;
    plain->after = 0;
    plain->max_hours = 0;
    plain->has_until = false;
    plain->warm_count = 0;
    plain->treat = false;
    plain->limits = (struct spec_limits){0};
    plain->resources = (struct resources){0};
    plain->on = (struct spec_place){0};
    jw_init(&w, out);
    spec_write(plain, &w);
    free(plain);
}

void spec_write_prepare(const struct spec *s, const char *start_weights, struct json_writer *w)
{
    struct buf sweep = {0};

    write_plain(s, &sweep);
    task_of(s)->prepare(s, sweep.data, start_weights, w);
    buf_finish(&sweep);
}

int spec_read_prepare(const char *path, struct spec **out, struct errbuf *err)
{
    struct json *root = NULL;
    struct spec *s = NULL;
    int rc = json_read_file(path, TASK_CONFIG_MAX, &root, err);

    if (!rc && json_get(root, "sweep")) {
        s = xcalloc(1, sizeof(*s));
        rc = spec_parse(json_get(root, "sweep"), s, err);
    }
    json_destroy(root);
    if (rc)
        free(s);
    else
        *out = s;
    return rc;
}
