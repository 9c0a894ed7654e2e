/* What stored decisions say to an engine that begins with them: at a rung, and of an extension. */
#include <math.h>
#include <string.h>

#include "daemon/engine/restored.h"
#include "sweep/err.h"
#include "sweep/json.h"

static void read_further(const struct json *list, struct stored_rung *out)
{
    const struct json *v = list != NULL && json_type(list) == JSON_ARRAY ? json_first(list) : NULL;
    for (; v != NULL && out->further_count < OBJECTIVES_MAX; v = json_next(v)) {
        double value;
        out->further[out->further_count++] = json_real(v, &value) == 0 ? value : NAN;
    }
}

/* The value as JSON has it: whole numbers have no point, and what is not finite is text. */
bool stored_rung_read(int64_t run_id, enum decision_kind kind, const char *detail,
                      struct stored_rung *out)
{
    struct errbuf why = {0};
    struct json *v = json_parse(detail, strlen(detail), &why);
    *out = (struct stored_rung){
        .run_id = run_id, .kind = kind, .value = NAN, .flush = STORED_RUNG_NO_FLUSH};
    bool read = v != NULL && json_get_int64(v, "epoch", &out->epoch, &why) == 0;
    if (read) {
        (void)json_get_real(v, "value", &out->value, &why);
        (void)json_get_int64(v, "flush", &out->flush, &why);
        read_further(json_get(v, "further"), out);
    }
    json_destroy(v);
    /* That it went on or ended its row says too, but not when all who waited were looked at. */
    return read && (kind == DECISION_PAUSED || kind == DECISION_AUDITED || out->flush >= 0);
}

bool stored_extension_read(int64_t sweep_id, const char *detail, struct stored_extension *out)
{
    struct errbuf why;
    struct stored_extension x = {.sweep_id = sweep_id};
    struct json *v = json_parse(detail, strlen(detail), &why);
    bool read = v != NULL && json_get_int64(v, "from", &x.from, &why) == 0 &&
                json_get_bool(v, "ended", &x.ended, &why) == 0 && x.from >= 0;
    json_destroy(v);
    if (read)
        *out = x;
    return read;
}
