#include "settings_table.h"

#include <string.h>

#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/model.h"
#include "sweep/require.h"

static const char *const type_names[] = {
    [SETTING_REAL] = "number",
    [SETTING_INTEGER] = "integer",
    [SETTING_SWITCH] = "true or false",
    [SETTING_CHOICE] = "choice",
};

static void put_choices(struct buf *out, const char *choices)
{
    buf_putc(out, '`');
    for (; *choices; choices++) {
        if (*choices == '|')
            buf_puts(out, "` `");
        else
            buf_putc(out, *choices);
    }
    buf_putc(out, '`');
}

static void put_range(struct buf *out, enum setting_id id)
{
    const struct setting *t = setting_get(id);
    char text[32], max[32];

    if (t->type == SETTING_SWITCH) {
        buf_puts(out, "`true` `false`");
    } else if (t->type == SETTING_CHOICE) {
        put_choices(out, t->choices);
    } else {
        setting_format(id, t->min, text);
        setting_format(id, t->max, max);
        buf_printf(out, t->bound == SETTING_ABOVE ? "> %s … %s" : "%s … %s", text, max);
    }
}

void settings_table(struct buf *out)
{
    buf_puts(out, "| path | short name | type | range | default | what |\n"
                  "|---|---|---|---|---|---|\n");
    for (int i = 0; i < SETTING_COUNT; i++) {
        enum setting_id id = (enum setting_id)i;
        const struct setting *t = setting_get(id);
        char text[32];

        buf_printf(out, "| `%s` | ", t->path);
        buf_printf(out, t->name ? "`%s`" : "%s", t->name ? t->name : "–");
        buf_printf(out, " | %s | ", type_names[t->type]);
        put_range(out, id);
        setting_format(id, t->fallback, text);
        buf_printf(out, " | `%s` | %s |\n", text, t->doc);
    }
}

/* --- layers --------------------------------------------------------------------------------- */

static const struct {
    const char *name, *choices, *doc;
    enum setting_type type;
    double min, max, fallback;
} options[] = {
#define X(id, name, type, min, max, def, choices, doc)                                             \
    [LAYER_OPTION_##id] = {name, choices, doc, SETTING_##type, min, max, def},
    LAYER_OPTION_MAP(X)
#undef X
};

static const struct {
    const char *name, *doc;
    unsigned options, traits;
} layers[] = {
#define X(id, name, options, traits, doc) [LAYER_##id] = {#name, doc, options, traits},
    LAYER_MAP(X)
#undef X
};

static void put_layer(struct buf *out, size_t kind)
{
    const char *comma = "";

    buf_printf(out, "| `%s` | ", layers[kind].name);
    for (size_t o = 0; o < ARRAY_LEN(options); o++) {
        if (!(layers[kind].options >> o & 1u))
            continue;
        buf_printf(out, "%s`%s`", comma, options[o].name);
        comma = " ";
    }
    if (layers[kind].traits & LAYER_TRAIT_AROUND)
        buf_puts(out, "`layers`: a list");
    else if (!layers[kind].options)
        buf_puts(out, "–");
    buf_printf(out, " | %s |\n", layers[kind].doc);
}

static void put_option(struct buf *out, size_t o)
{
    char min[32], max[32], fallback[32];

    json_format_real(options[o].min, min);
    json_format_real(options[o].max, max);
    json_format_real(options[o].fallback, fallback);
    buf_printf(out, "| `%s` | %s | ", options[o].name, type_names[options[o].type]);
    if (options[o].choices)
        put_choices(out, options[o].choices);
    else if (options[o].type == SETTING_SWITCH)
        buf_puts(out, "`true` `false`");
    else
        buf_printf(out, "%s … %s", min, max);
    if (options[o].choices)
        buf_printf(out, " | `%.*s`", (int)strcspn(options[o].choices, "|"), options[o].choices);
    else
        buf_printf(out, " | `%s`", options[o].type == SETTING_SWITCH ? "false" : fallback);
    buf_printf(out, " | %s |\n", options[o].doc);
}

void layers_table(struct buf *out)
{
    buf_puts(out, "| type | options | what |\n|---|---|---|\n");
    for (size_t k = 0; k < ARRAY_LEN(layers); k++)
        put_layer(out, k);
    buf_puts(out, "\n| option | type | range | default | what |\n|---|---|---|---|---|\n");
    for (size_t o = 0; o < ARRAY_LEN(options); o++)
        put_option(out, o);
}
