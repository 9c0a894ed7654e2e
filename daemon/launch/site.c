#include "daemon/launch/site.h"

#include <inttypes.h>
#include <stdarg.h>

#include "daemon/engine/engine.h"
#include "daemon/loop.h"
#include "sweep/buf.h"
#include "sweep/log.h"

#define LOG_MODULE "launch"

void site_note(const struct launch_site *site, int64_t run_id, const char *kind, const char *fmt,
               ...)
{
    struct buf text = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    log_warn("run %" PRId64 ": %s", run_id, text.data);
    engine_run_note(site->engine, run_id, kind, text.data, loop_now(), loop_effects(site->loop));
    buf_finish(&text);
}
