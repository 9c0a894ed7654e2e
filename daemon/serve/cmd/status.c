#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/launch/pool.h"
#include "daemon/serve/request.h"
#include "daemon/state.h"
#include "sweep/buf.h"

/* Why no worker can be started at present; "" where they can. */
static void write_launch_trouble(const struct engine *e, struct json_writer *w)
{
    struct launch_trouble t;
    char *text = NULL;
    if (engine_launch_trouble(e, loop_now(), &t))
        text = xasprintf("%u starts of workers in a row failed, tried again in %.1f s: %s",
                         t.failures, t.seconds, t.why);
    jw_kv_string(w, "launch_trouble", text ? text : "");
    free(text);
}

/* When it starts runs, whom it lets in, whom it tells: as its command line said. */
static void write_flags(const struct config *c, struct json_writer *w)
{
    char hours[48] = "";
    if (c->active_from != CONFIG_ANY_TIME)
        snprintf(hours, sizeof(hours), "%02d:%02d-%02d:%02d", c->active_from / 60,
                 c->active_from % 60, c->active_until / 60, c->active_until % 60);
    jw_kv_string(w, "active_hours", hours);
    jw_kv_real(w, "max_load", c->max_load);
    jw_kv_bool(w, "pause_on_battery", c->pause_on_battery);
    jw_kv_string(w, "group", c->group_name);
    jw_kv_string(w, "on_event", c->on_event);
}

static void run(struct request *r)
{
    const struct daemon *d = r->daemon;
    struct json_writer *w = &r->w;
    jw_begin_object(w);
    jw_kv_int(w, "pid", getpid());
    jw_kv_string(w, "version", SWEEPD_VERSION);
    jw_kv_int(w, "uptime_seconds", daemon_uptime_seconds(d));
    jw_kv_int(w, "workers", (int64_t)engine_workers(d->engine));
    jw_kv_int(w, "running", (int64_t)engine_running(d->engine));
    jw_kv_int(w, "leased", (int64_t)engine_leased(d->engine));
    jw_kv_int(w, "queued", (int64_t)engine_queued(d->engine));
    jw_kv_int(w, "delayed", (int64_t)engine_delayed(d->engine, loop_now()));
    jw_key(w, "resources");
    engine_write_resources(d->engine, w);
    jw_kv_bool(w, "stopping", d->stopping);
    jw_kv_string(w, "db", d->config->db);
    jw_kv_string(w, "socket", d->config->socket);
    jw_kv_string(w, "worker", d->config->worker);
    write_flags(d->config, w);
    jw_kv_string(w, "core", d->worker.core);
    jw_kv_string(w, "blas", d->worker.blas);
    jw_kv_string(w, "sandbox", d->worker.sandbox);
    jw_kv_string(w, "trouble", store_trouble(d->store));
    jw_kv_string(w, "waiting", d->gate.why);
    write_launch_trouble(d->engine, w);
    jw_kv_string(w, "damage", store_damage(d->store));
    jw_key(w, "clusters");
    jw_begin_array(w);
    pool_write_status(d->pool, w);
    jw_end_array(w);
    jw_end_object(w);
    request_result_built(r);
}

const struct command command_status = {
    .name = "status",
    .run = run,
};
