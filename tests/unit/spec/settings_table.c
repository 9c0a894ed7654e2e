#include "settings_table.h"

#include "sweep/buf.h"
#include "sweep/setting.h"

static const char *const type_names[] = {
    [SETTING_REAL] = "number",
    [SETTING_INTEGER] = "integer",
    [SETTING_SWITCH] = "true or false",
    [SETTING_CHOICE] = "choice",
};

static void put_range(struct buf *out, enum setting_id id)
{
    const struct setting *t = setting_get(id);
    char text[32], max[32];

    if (t->type == SETTING_SWITCH) {
        buf_puts(out, "`true` `false`");
    } else if (t->type == SETTING_CHOICE) {
        for (int i = 0; i <= (int)t->max; i++)
            buf_printf(out, "%s`%s`", i ? " " : "", setting_choice_name(id, i, text));
    } else {
        setting_format(id, t->min, text);
        setting_format(id, t->max, max);
        buf_printf(out, "%s … %s", text, max);
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
