#include "daemon/state.h"

#include "daemon/launch/prepare.h"
#include "sweep/log.h"

#define LOG_MODULE "daemon"

void daemon_stop(struct daemon *d, bool drain)
{
    d->stopping = true;
    prepare_stop(d->prepare);
    log_info("ending: %zu runs are running%s", engine_running(d->engine),
             drain ? ", which may finish" : "");
    engine_shutdown(d->engine, drain, loop_now(), loop_effects(&d->loop));
}

int64_t daemon_uptime_seconds(const struct daemon *d)
{
    return (int64_t)((loop_monotonic_ms() - d->started_ms) / 1000);
}
