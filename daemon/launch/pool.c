#include "daemon/launch/pool.h"

#include <stdlib.h>
#include <uv.h>

#include "daemon/launch/launchers.h"
#include "daemon/launch/site.h"
#include "daemon/launch/slot.h"
#include "daemon/loop.h"
#include "sweep/buf.h"
#include "sweep/require.h"

#define TAIL_INTERVAL_MS 100
#define HANDLE_WRITTEN_AFTER_MS 20

struct entry {
    struct slot slot;
    struct pool *pool;
    struct entry *next;
};

struct pool {
    const struct launch_site *site;
    struct launchers launchers;
    struct entry *entries;
    size_t active;           /* entries in the list */
    uv_timer_t tail_timer;   /* runs only while there are entries */
    uv_timer_t handle_timer; /* once, after a start */
    struct tail_scratch scratch;
};

struct pool *pool_create(const struct launch_site *site, const struct launcher_type *const *types,
                         size_t count)
{
    struct pool *p = xcalloc(1, sizeof(*p));
    p->site = site;
    launchers_create(&p->launchers, site, types, count);
    int rc = uv_timer_init(site->loop->uv, &p->tail_timer) |
             uv_timer_init(site->loop->uv, &p->handle_timer);
    REQUIRE(rc == 0);
    p->tail_timer.data = p->handle_timer.data = p;
    return p;
}

void pool_close(struct pool *p)
{
    REQUIRE(p->active == 0);
    launchers_close(&p->launchers);
    uv_close((uv_handle_t *)&p->tail_timer, NULL);
    uv_close((uv_handle_t *)&p->handle_timer, NULL);
}

void pool_destroy(struct pool *p)
{
    if (!p)
        return;
    launchers_destroy(&p->launchers);
    tail_scratch_finish(&p->scratch);
    free(p);
}

size_t pool_active(const struct pool *p)
{
    return p->active;
}

size_t pool_launchers(const struct pool *p)
{
    return p->launchers.count;
}

static struct launcher *launcher_at(const struct pool *p, size_t launcher)
{
    REQUIRE(launcher < p->launchers.count);
    return p->launchers.items[launcher];
}

size_t pool_capacity(const struct pool *p, size_t launcher)
{
    const struct launcher *l = launcher_at(p, launcher);
    return l->type->capacity(l);
}

/* --- the list -------------------------------------------------------------------------------- */

static uint64_t now_ms(const struct pool *p)
{
    return uv_now(p->site->loop->uv);
}

static void retire_if_done(struct entry *e)
{
    struct pool *p = e->pool;
    struct entry **at = &p->entries;
    if (e->slot.state != SLOT_DONE)
        return;
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    if (--p->active == 0)
        uv_timer_stop(&p->tail_timer);
    slot_finish(&e->slot);
    free(e);
}

static void tick(struct entry *e)
{
    slot_tick(&e->slot, now_ms(e->pool));
    retire_if_done(e);
}

static void on_worker_ended(void *arg)
{
    tick(arg);
}

static void on_tail_timer(uv_timer_t *timer)
{
    struct pool *p = timer->data;
    for (struct entry *e = p->entries, *next; e; e = next) {
        next = e->next;
        tick(e);
    }
}

static void on_handle_timer(uv_timer_t *timer)
{
    struct pool *p = timer->data;
    if (p->site->loop->effects.batch.count > 0)
        p->site->loop->dirty = true;
}

static struct entry *entry_create(struct pool *p, struct launcher *l, int64_t run_id)
{
    struct entry *e = xcalloc(1, sizeof(*e));
    slot_init(&e->slot, l, &p->scratch, run_id);
    e->pool = p;
    e->next = p->entries;
    p->entries = e;
    if (p->active++ == 0)
        uv_timer_start(&p->tail_timer, on_tail_timer, TAIL_INTERVAL_MS, TAIL_INTERVAL_MS);
    return e;
}

/* --- what the daemon wants ------------------------------------------------------------------- */

void pool_adopt(struct pool *p, int64_t run_id, const char *handle, const struct run_limits *limits)
{
    struct entry *e = entry_create(p, launchers_of_handle(&p->launchers, handle), run_id);
    e->slot.watchdog.limits = *limits;
    slot_adopt(&e->slot, handle, &(struct slot_listener){on_worker_ended, e});
    retire_if_done(e);
}

void pool_start(struct pool *p, size_t launcher, int64_t run_id, const char *config,
                const struct run_limits *limits)
{
    struct entry *e = entry_create(p, launcher_at(p, launcher), run_id);
    e->slot.watchdog.limits = *limits;
    slot_start(&e->slot, config, &(struct slot_listener){on_worker_ended, e});
    retire_if_done(e);
    /* Its handle is written at the latest then. */
    if (!uv_is_active((uv_handle_t *)&p->handle_timer))
        uv_timer_start(&p->handle_timer, on_handle_timer, HANDLE_WRITTEN_AFTER_MS, 0);
}

void pool_term(struct pool *p, int64_t run_id)
{
    for (struct entry *e = p->entries; e; e = e->next) {
        if (e->slot.run_id == run_id)
            slot_term(&e->slot, now_ms(p)); /* else it ended meanwhile */
    }
}

void pool_kill_all(struct pool *p)
{
    for (struct entry *e = p->entries; e; e = e->next)
        slot_kill(&e->slot, now_ms(p));
}
