#include "client/place_spec.h"

#include <stdlib.h>
#include <string.h>

#include "sweep/err.h"
#include "sweep/json.h"

/* "slurm:gpu" is a launcher and a partition: the daemon takes them apart where nothing else is
 * said. */
static void write_place(const struct opts *o, struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_string(w, "launcher", o->text[OPTION_ON]);
    if (opts_has(o, OPTION_SLOTS))
        jw_kv_int(w, "slots", o->number[OPTION_SLOTS]);
    if (o->value_count > 0) {
        jw_key(w, "options");
        jw_begin_array(w);
        for (size_t i = 0; i < o->value_count; i++)
            jw_string(w, o->values[i]);
        jw_end_array(w);
    }
    jw_end_object(w);
}

static bool names_place(const struct buf *spec)
{
    struct errbuf why;
    struct json *root = json_parse(spec->data, spec->len, &why);
    bool found = root != NULL && json_get(root, "on") != NULL;
    json_destroy(root);
    return found;
}

int place_spec_put(const struct opts *o, struct buf *spec, struct errbuf *err)
{
    struct buf out = {0};
    struct json_writer w;
    if (!opts_has(o, OPTION_ON)) {
        if (opts_has(o, OPTION_SLOTS) || o->value_count > 0)
            return err_set(err, ERR_VALUE,
                           "--slots, and options behind --, are for the place that --on names");
        return 0;
    }
    if (names_place(spec))
        return err_set(err, ERR_VALUE, "--on %s: the specification says \"on\" itself; one of both",
                       o->text[OPTION_ON]);
    const char *open = spec->len > 0 ? strchr(spec->data, '{') : NULL;
    if (open == NULL)
        return 0; /* it is no specification: the daemon says so */
    const char *rest = open + 1;
    bool is_empty = rest[strspn(rest, " \t\r\n")] == '}';
    buf_append(&out, spec->data, (size_t)(rest - spec->data));
    buf_puts(&out, "\"on\":");
    jw_init(&w, &out);
    write_place(o, &w);
    buf_puts(&out, is_empty ? "" : ",");
    buf_puts(&out, rest);
    buf_finish(spec);
    *spec = out;
    return 0;
}
