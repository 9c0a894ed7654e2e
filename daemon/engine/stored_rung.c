/* What a stored decision at a rung says to an engine that begins with it. */
#include <math.h>
#include <string.h>

#include "daemon/engine/restored.h"
#include "sweep/err.h"
#include "sweep/json.h"

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
    }
    json_destroy(v);
    /* That it went on or ended its row says too, but not when all who waited were looked at. */
    return read && (kind == DECISION_PAUSED || kind == DECISION_AUDITED || out->flush >= 0);
}
