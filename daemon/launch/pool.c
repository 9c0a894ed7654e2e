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
#define TURN_NS (5 * UINT64_C(1000000)) /* of reading within one turn of the loop */

struct entry {
    struct slot slot;
    struct pool *pool;
    struct entry *next;
    bool is_due;
    struct entry *next_due;
};

struct pool {
    const struct launch_site *site;
    struct launchers launchers;
    struct entry *entries;
    size_t active;                /* entries in the list */
    uint64_t looks;               /* of the tail timer */
    struct entry *due, **due_end; /* those to be looked at, and where the next one is hung */
    uv_timer_t tail_timer;        /* runs only while there are entries */
    uv_timer_t handle_timer;      /* once, after a start */
    uv_idle_t reader; /* runs only while some are due: the next turn of the loop goes on */
    struct tail_scratch scratch;
};

struct pool *pool_create(const struct launch_site *site, const struct launcher_type *const *types,
                         size_t count)
{
    struct pool *p = xcalloc(1, sizeof(*p));
    p->site = site;
    p->due_end = &p->due;
    launchers_create(&p->launchers, site, types, count);
    int rc = uv_timer_init(site->loop->uv, &p->tail_timer) |
             uv_timer_init(site->loop->uv, &p->handle_timer) |
             uv_idle_init(site->loop->uv, &p->reader);
    REQUIRE(rc == 0);
    p->tail_timer.data = p->handle_timer.data = p->reader.data = p;
    return p;
}

void pool_close(struct pool *p)
{
    while (p->entries) {
        struct entry *e = p->entries;
        p->entries = e->next;
        slot_leave(&e->slot);
        free(e);
    }
    p->active = 0;
    p->due = NULL;
    p->due_end = &p->due;
    launchers_close(&p->launchers);
    uv_close((uv_handle_t *)&p->tail_timer, NULL);
    uv_close((uv_handle_t *)&p->handle_timer, NULL);
    uv_close((uv_handle_t *)&p->reader, NULL);
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

static void leave_due(struct entry *e)
{
    struct entry **at = &e->pool->due;
    if (!e->is_due)
        return;
    while (*at != e)
        at = &(*at)->next_due;
    *at = e->next_due;
    if (!e->next_due)
        e->pool->due_end = at;
    e->is_due = false;
}

static void retire_if_done(struct entry *e)
{
    struct pool *p = e->pool;
    struct entry **at = &p->entries;
    if (e->slot.state != SLOT_DONE)
        return;
    leave_due(e);
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    if (--p->active == 0)
        uv_timer_stop(&p->tail_timer);
    slot_finish(&e->slot);
    free(e);
}

/* --- turns ----------------------------------------------------------------------------------- */

static void on_reader(uv_idle_t *idle);

/* To the end of the queue, where it is not in it already. */
static void make_due(struct entry *e)
{
    struct pool *p = e->pool;
    if (e->is_due)
        return;
    e->is_due = true;
    e->next_due = NULL;
    *p->due_end = e;
    p->due_end = &e->next_due;
    uv_idle_start(&p->reader, on_reader);
}

static void tick(struct entry *e)
{
    leave_due(e);
    if (slot_tick(&e->slot, now_ms(e->pool)))
        make_due(e);
    retire_if_done(e);
}

/* One piece of each that is due, in turn, for a few milliseconds; at least one. */
static void read_turn(struct pool *p)
{
    uint64_t end = uv_hrtime() + TURN_NS;
    do {
        if (p->due)
            tick(p->due);
    } while (p->due && uv_hrtime() < end);
    if (!p->due)
        uv_idle_stop(&p->reader);
}

static void on_reader(uv_idle_t *idle)
{
    read_turn(idle->data);
}

/* Its last lines are mostly few, and its slot is wanted. Where hundreds may end at once they wait
 * for their turn. */
static void on_worker_ended(void *arg)
{
    struct entry *e = arg;
    if (e->slot.launcher->type->looks_between > 0)
        make_due(e);
    else
        tick(e);
}

/* Of a launcher that has hundreds of workers, one after the other. */
static bool is_looked_at(const struct entry *e, uint64_t look)
{
    uint64_t every = e->slot.launcher->type->looks_between;
    return every == 0 || (look + (uint64_t)e->slot.run_id) % every == 0;
}

static void on_tail_timer(uv_timer_t *timer)
{
    struct pool *p = timer->data;
    p->looks++;
    for (struct entry *e = p->entries; e; e = e->next)
        if (is_looked_at(e, p->looks))
            make_due(e);
    read_turn(p);
}

static void on_handle_timer(uv_timer_t *timer)
{
    struct pool *p = timer->data;
    if (p->site->loop->effects.batch.count > 0)
        p->site->loop->dirty = true;
}

static struct entry *entry_create(struct pool *p, struct launcher *l, const struct pool_run *run)
{
    struct entry *e = xcalloc(1, sizeof(*e));
    slot_init(&e->slot, l, &p->scratch, run->id, run->owner);
    if (run->limits)
        e->slot.watchdog.limits = *run->limits;
    e->slot.whole_environment = run->whole_environment;
    if (!l->type->usage) /* nobody knows what it does while it writes nothing */
        e->slot.watchdog.limits.quiet_seconds = 0;
    e->pool = p;
    e->next = p->entries;
    p->entries = e;
    if (p->active++ == 0)
        uv_timer_start(&p->tail_timer, on_tail_timer, TAIL_INTERVAL_MS, TAIL_INTERVAL_MS);
    return e;
}

/* --- what the daemon wants ------------------------------------------------------------------- */

void pool_adopt(struct pool *p, const struct pool_run *run, const char *handle)
{
    struct launcher *l =
        handle[0] ? launchers_of_handle(&p->launchers, handle) : launcher_at(p, run->launcher);
    struct entry *e = entry_create(p, l, run);
    slot_adopt(&e->slot, handle, &(struct slot_listener){on_worker_ended, e});
    make_due(e);
    retire_if_done(e);
}

void pool_start(struct pool *p, size_t launcher, const struct pool_run *run, const char *config)
{
    struct entry *e = entry_create(p, launcher_at(p, launcher), run);
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

/* --- launchers with sweeps of their own ------------------------------------------------------- */

void pool_look(struct pool *p)
{
    launchers_look(&p->launchers);
}

void pool_stop(struct pool *p)
{
    launchers_stop(&p->launchers);
}

bool pool_busy(struct pool *p)
{
    return launchers_busy(&p->launchers);
}

size_t pool_cut_off(const struct pool *p)
{
    return launchers_cut_off(&p->launchers);
}

void pool_write_status(const struct pool *p, struct json_writer *w)
{
    launchers_write_status(&p->launchers, w);
}
