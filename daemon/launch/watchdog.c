#include "daemon/launch/watchdog.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "daemon/launch/launcher.h"

#define LOOKS_MISSED 20

bool watchdog_due(const struct watchdog *w, uint64_t now_ms)
{
    return !w->begun || now_ms - w->looked_ms >= WATCHDOG_LOOK_MS;
}

static void begin(struct watchdog *w, uint64_t now_ms)
{
    w->begun = true;
    w->began_ms = w->line_ms = w->life_ms = now_ms;
}

/* The time in which nobody looked is left out. */
static void leave_out_gap(struct watchdog *w, uint64_t now_ms)
{
    uint64_t gap = now_ms - w->looked_ms;
    if (gap < LOOKS_MISSED * WATCHDOG_LOOK_MS)
        return;
    gap -= WATCHDOG_LOOK_MS;
    w->began_ms += gap;
    w->line_ms += gap;
    w->life_ms += gap;
    w->stopped_ms += w->stopped_ms > 0 ? gap : 0;
}

/* Children that end take their time with them, so a difference either way is a sign of life. */
static void note_life(struct watchdog *w, int64_t bytes, const struct usage *u, uint64_t now_ms)
{
    if (bytes != w->bytes)
        w->line_ms = w->life_ms = now_ms;
    w->bytes = bytes;
    if (u && fabs(u->cpu_seconds - w->cpu_seconds) >= WATCHDOG_CPU_SECONDS) {
        w->cpu_seconds = u->cpu_seconds;
        w->life_ms = now_ms;
    }
}

static bool is_over(double limit_seconds, uint64_t since_ms, uint64_t now_ms)
{
    return limit_seconds > 0 && (double)(now_ms - since_ms) >= 1000 * limit_seconds;
}

/* Memory is not waited for: in the seconds after a SIGTERM it would grow on. */
static enum watchdog_act check_limits(struct watchdog *w, const struct usage *u, uint64_t now_ms)
{
    const struct run_limits *l = &w->limits;
    int64_t mib = u ? u->memory_bytes >> 20 : 0;
    const char *state = w->stopped_ms ? ", and is stopped by a signal" : "";
    if (l->memory_mib > 0 && mib > l->memory_mib) {
        w->exceeded = RUN_ERROR_OUT_OF_MEMORY;
        snprintf(w->text, sizeof(w->text),
                 "it used %" PRId64 " MiB of memory, and may use %" PRId64, mib, l->memory_mib);
        return WATCHDOG_KILL;
    }
    if (is_over(l->seconds, w->began_ms, now_ms)) {
        w->exceeded = RUN_ERROR_TIMEOUT;
        snprintf(w->text, sizeof(w->text), "it ran for longer than %g s", l->seconds);
    } else if (is_over(l->idle_seconds, w->line_ms, now_ms)) {
        w->exceeded = RUN_ERROR_HUNG;
        snprintf(w->text, sizeof(w->text), "it wrote no line for %g s%s", l->idle_seconds, state);
    } else if (is_over(l->quiet_seconds, w->life_ms, now_ms)) {
        w->exceeded = RUN_ERROR_HUNG;
        snprintf(w->text, sizeof(w->text), "it wrote no line and used no processor time for %g s%s",
                 l->quiet_seconds, state);
    }
    if (w->exceeded == RUN_ERROR_NONE)
        return WATCHDOG_NOTHING;
    return w->stopped_ms ? WATCHDOG_KILL : WATCHDOG_TERM; /* it would not hear it */
}

/* A debugger's stop is another state. */
static bool shall_continue(struct watchdog *w, const struct usage *u, uint64_t now_ms)
{
    if (!u || !u->stopped) {
        w->stopped_ms = 0;
        return false;
    }
    if (w->stopped_ms == 0)
        w->stopped_ms = now_ms;
    if (now_ms - w->stopped_ms < WATCHDOG_CONTINUE_MS)
        return false;
    w->stopped_ms = now_ms;
    return true;
}

enum watchdog_act watchdog_look(struct watchdog *w, int64_t bytes, const struct usage *usage,
                                uint64_t now_ms)
{
    if (!w->begun)
        begin(w, now_ms);
    else
        leave_out_gap(w, now_ms);
    w->looked_ms = now_ms;
    note_life(w, bytes, usage, now_ms);
    bool again = shall_continue(w, usage, now_ms);
    enum watchdog_act act = check_limits(w, usage, now_ms);
    return act == WATCHDOG_NOTHING && again ? WATCHDOG_CONTINUE : act;
}
