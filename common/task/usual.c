/* What is swept where a specification of a network has data and names no parameters: what moves a
 * result most, in the guide's order (G2.1 the learning rate, G2.2 the optimizer, G3.4 the size of
 * the network), without what is fixed in "model" or "train". */
#include "common/task/trainer_part.h"

#include "sweep/buf.h"
#include "sweep/require.h"
#include "sweep/spec.h"

static const struct {
    enum setting_id id;
    const char *member;
} rows[] = {
    {SETTING_LEARNING_RATE,
     "{\"min\":0.0003,\"max\":0.1,\"distribution\":\"log_uniform_values\"}"},
    {SETTING_OPTIMIZER, "{\"values\":[\"adam\",\"sgd\"]}"},
    {SETTING_BATCH_SIZE, "{\"values\":[16,64]}"},
    {SETTING_DROPOUT, "{\"values\":[0,0.3]}"},
    {SETTING_DEPTH, "{\"values\":[1,2]}"},
};

char *trainer_usual(const struct spec *s)
{
    struct buf b = {0};
    const char *between = "{";

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (s->trainer.given[rows[i].id] || !spec_may_sweep(s, rows[i].id))
            continue;
        buf_printf(&b, "%s\"%s\":%s", between, setting_label(rows[i].id), rows[i].member);
        between = ",";
    }
    buf_puts(&b, b.len ? "}" : "{}");
    return buf_take(&b);
}
