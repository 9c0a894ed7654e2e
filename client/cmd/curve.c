#include "client/client.h"

#include <math.h>
#include <stdlib.h>

#include "sweep/curve.h"

/* nan, inf and -inf as CSV readers know them; exact otherwise. Not measured: empty. */
static void add_number(struct buf *out, const struct json *point, const char *key)
{
    const struct json *v = json_get(point, key);
    char text[32];
    double d;
    if (v == NULL || json_real(v, &d) != 0)
        return;
    json_format_real(d, text);
    buf_puts(out, isinf(d) && d > 0 ? "inf" : text);
}

static void add_header(struct buf *out)
{
    buf_puts(out, "epoch");
    for (int i = 0; i < CURVE_COLUMN_COUNT; i++)
        buf_printf(out, ",%s", curve_column_name((enum curve_column)i));
    buf_putc(out, '\n');
}

static void add_row(void *arg, const struct json *point)
{
    struct buf *out = arg;
    add_number(out, point, "epoch");
    for (int i = 0; i < CURVE_COLUMN_COUNT; i++) {
        buf_putc(out, ',');
        add_number(out, point, curve_column_name((enum curve_column)i));
    }
    buf_putc(out, '\n');
}

int cmd_curve(struct client *c)
{
    struct buf text = {0};
    char *params = xasprintf("\"run\":%lld", (long long)c->opts.id);
    int status;
    if (c->json) {
        status = client_pages_json(c, &(struct client_paged){"curve", params, "points"});
    } else {
        add_header(&text);
        status = client_pages(c, &(struct client_paged){"curve", params, "points"}, add_row, &text);
        if (status == CLIENT_DONE)
            client_print(c, &text);
    }
    buf_finish(&text);
    free(params);
    return status;
}
