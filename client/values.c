#include "client/values.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "client/opts.h"
#include "client/client.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"

/* What stands before the "=". */
static bool same_name(const char *a, const char *b)
{
    size_t len = strcspn(a, "=");
    return strcspn(b, "=") == len && strncmp(a, b, len) == 0;
}

int values_check(const struct opts *o, const char *form, struct errbuf *err)
{
    for (size_t i = 0; i < o->value_count; i++) {
        const char *given = o->values[i];
        if (*given == '=' || strchr(given, '=') == NULL)
            return err_bad(err, ERR_VALUE, o->verb->name, given, "%s", form);
        for (size_t k = 0; k < i; k++)
            if (same_name(given, o->values[k]))
                return err_bad(err, ERR_VALUE, o->verb->name, given,
                               "one value of a parameter, and %s stands before it", o->values[k]);
    }
    return 0;
}

const char *values_key(const struct opts *o, size_t i, struct json_writer *w)
{
    const char *value = strchr(o->values[i], '=');
    char *name = xasprintf("%.*s", (int)(value - o->values[i]), o->values[i]);
    jw_key(w, name);
    free(name);
    return value + 1;
}

void values_write(const char *text, size_t len, struct json_writer *w)
{
    struct errbuf err;
    struct json *v = json_parse(text, len, &err);
    enum json_type type = v != NULL ? json_type(v) : JSON_NULL;
    char *own = xasprintf("%.*s", (int)len, text);
    if (type == JSON_NUMBER || type == JSON_STRING || type == JSON_BOOL)
        jw_value(w, v);
    else
        jw_string(w, own);
    free(own);
    json_destroy(v);
}
