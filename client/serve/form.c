#include "client/serve/form.h"

#include <stdlib.h>
#include <string.h>

#include "client/opts.h"
#include "sweep/buf.h"
#include "sweep/err.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

char *form_decode(const char *text, size_t len, enum form_plus plus)
{
    char *out = xmalloc(len + 1);
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < len ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < len ? hex_digit(text[i + 2]) : -1;
            c = high >= 0 && low >= 0 ? (char)(high << 4 | low) : '\0';
            i += 2;
        } else if (c == '+' && plus == FORM_PLUS_IS_BLANK) {
            c = ' ';
        }
        if (c == '\0') {
            free(out);
            return NULL;
        }
        out[n++] = c;
    }
    out[n] = '\0';
    return out;
}

static int add(struct form *f, const char *text, size_t len)
{
    const char *equals = memchr(text, '=', len);
    size_t name = equals != NULL ? (size_t)(equals - text) : len;
    size_t value = equals != NULL ? len - name - 1 : 0;
    if (len == 0)
        return 0;
    if (f->count == FORM_FIELDS_MAX)
        return ERR_LIMIT;
    struct form_field made = {
        form_decode(text, name, FORM_PLUS_IS_BLANK),
        form_decode(equals != NULL ? equals + 1 : "", value, FORM_PLUS_IS_BLANK)};
    if (made.name == NULL || made.value == NULL) {
        free(made.name);
        free(made.value);
        return ERR_VALUE;
    }
    f->fields = array_room(f->fields, &f->cap, f->count, sizeof *f->fields);
    f->fields[f->count++] = made;
    return 0;
}

int form_parse(const char *text, size_t len, struct form *out)
{
    int rc = 0;
    memset(out, 0, sizeof *out);
    for (size_t at = 0; at < len && rc == 0;) {
        const char *end = memchr(text + at, '&', len - at);
        size_t part = end != NULL ? (size_t)(end - text) - at : len - at;
        rc = add(out, text + at, part);
        at += part + 1;
    }
    if (rc != 0)
        form_finish(out);
    return rc;
}

void form_finish(struct form *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free(f->fields[i].name);
        free(f->fields[i].value);
    }
    free(f->fields);
    memset(f, 0, sizeof *f);
}

const char *form_get(const struct form *f, const char *name)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->fields[i].name, name) == 0)
            return f->fields[i].value;
    return NULL;
}

int64_t form_id(const struct form *f, const char *name)
{
    const char *text = form_get(f, name);
    int64_t id = 0;
    return text != NULL && opts_positive(text, &id) == 0 ? id : 0;
}
