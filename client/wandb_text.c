#include "client/wandb_text.h"

#include <string.h>

static void put_python(const struct json *v, bool inside, struct buf *out);

/* As Python's repr() has it. */
static void put_quoted(const char *text, struct buf *out)
{
    char quote = strchr(text, '\'') != NULL && strchr(text, '"') == NULL ? '"' : '\'';
    buf_putc(out, quote);
    for (; *text; text++) {
        const char *named = strchr("\nn\tt\rr", *text);
        if (named != NULL && (unsigned char)*text < ' ')
            buf_printf(out, "\\%c", named[1]);
        else if ((unsigned char)*text < ' ' || *text == 0x7f)
            buf_printf(out, "\\x%02x", (unsigned char)*text);
        else if (*text == quote || *text == '\\')
            buf_printf(out, "\\%c", *text);
        else
            buf_putc(out, *text);
    }
    buf_putc(out, quote);
}

static void put_members(const struct json *v, bool object, struct buf *out)
{
    buf_putc(out, object ? '{' : '[');
    for (const struct json *m = json_first(v); m != NULL; m = json_next(m)) {
        if (m != json_first(v))
            buf_puts(out, ", ");
        if (object) {
            put_quoted(json_key(m), out);
            buf_puts(out, ": ");
        }
        put_python(m, true, out);
    }
    buf_putc(out, object ? '}' : ']');
}

/* inside: of a list, where texts are quoted. */
static void put_python(const struct json *v, bool inside, struct buf *out)
{
    struct json_writer w;
    enum json_type type = json_type(v);
    if (type == JSON_NULL) {
        buf_puts(out, "None");
    } else if (type == JSON_BOOL) {
        buf_puts(out, json_bool(v) ? "True" : "False");
    } else if (type == JSON_STRING && inside) {
        put_quoted(json_string(v), out);
    } else if (type == JSON_STRING) {
        buf_puts(out, json_string(v));
    } else if (type == JSON_ARRAY || type == JSON_OBJECT) {
        put_members(v, type == JSON_OBJECT, out);
    } else {
        jw_init(&w, out);
        jw_value(&w, v);
    }
}

void wandb_text(const struct json *v, struct buf *out)
{
    put_python(v, false, out);
}
