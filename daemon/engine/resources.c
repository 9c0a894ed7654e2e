#include "daemon/engine/resources.h"

#include <stdio.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define ALL_OF_IT (INT64_MAX / 4)

static size_t find(const struct resource_pool *p, const char *name)
{
    size_t i = 0;
    while (i < p->count && strcmp(p->items[i].name, name) != 0)
        i++;
    return i;
}

static bool is_gpus(const char *name)
{
    return strcmp(name, RESOURCE_GPUS) == 0;
}

void resource_pool_set(struct resource_pool *p, const char *name, int64_t total)
{
    size_t i = find(p, name);
    if (i == POOL_KINDS_MAX)
        return;
    if (i == p->count) {
        p->count++;
        str_copy(p->items[i].name, sizeof(p->items[i].name), name);
    }
    p->items[i].total = total * RESOURCE_ONE;
}

uint64_t resource_pool_device(const struct resource_pool *p, const char *name)
{
    for (size_t i = 0; i < p->device_count; i++)
        if (strcmp(p->devices[i].name, name) == 0)
            return UINT64_C(1) << i;
    return 0;
}

bool resource_pool_add_device(struct resource_pool *p, const char *name)
{
    if (p->device_count == RESOURCE_DEVICES_MAX || resource_pool_device(p, name) != 0)
        return false;
    str_copy(p->devices[p->device_count].name, sizeof(p->devices[0].name), name);
    resource_pool_set(p, RESOURCE_GPUS, (int64_t)++p->device_count);
    return true;
}

void resource_pool_clear(struct resource_pool *p)
{
    for (size_t i = 0; i < p->count; i++)
        p->items[i].taken = 0;
    for (size_t i = 0; i < p->device_count; i++)
        p->devices[i].taken = 0;
}

/* --- needs ----------------------------------------------------------------------------------- */

/* The needs of a run one by one; every run computes, so one that does not say so has a processor.
 * False: that was the last. */
static bool next_need(const struct resources *needs, size_t *at, struct resource *out)
{
    size_t count = needs != NULL ? needs->count : 0, i = (*at)++;
    if (i < count) {
        *out = needs->items[i];
        return true;
    }
    if (i > count || (needs != NULL && resources_find(needs, RESOURCE_CPUS) != NULL))
        return false;
    *out = (struct resource){RESOURCE_CPUS, RESOURCE_ONE};
    return true;
}

static void list_what_there_is(const struct resource_pool *p, struct buf *out)
{
    char text[RESOURCE_TEXT_MAX];
    for (size_t i = 0; i < p->count; i++) {
        resource_format(p->items[i].total, text);
        buf_printf(out, "%s%s up to %s", i > 0 ? ", " : "", p->items[i].name, text);
    }
}

static int refuse(const struct resource_pool *p, const struct resource *need, bool known,
                  struct errbuf *err)
{
    struct buf all = {0};
    const char *names[POOL_KINDS_MAX];
    char key[RESOURCE_NAME_MAX + 16], text[RESOURCE_TEXT_MAX];
    for (size_t i = 0; i < p->count; i++)
        names[i] = p->items[i].name;
    const char *near = known ? NULL : err_nearest(need->name, names, p->count);
    list_what_there_is(p, &all);
    snprintf(key, sizeof(key), "$.resources.%s", need->name);
    resource_format(need->amount, text);
    err_bad(err, ERR_VALUE, key, text,
            "%s%s%swhat this daemon has: %s (sweepd --gpus and --resources say it)",
            near ? "did you mean " : "", near ? near : "", near ? "? " : "", all.data);
    buf_finish(&all);
    return ERR_VALUE;
}

int resource_pool_check(const struct resource_pool *p, const struct resources *needs,
                        struct errbuf *err)
{
    struct resource need;
    for (size_t at = 0; next_need(needs, &at, &need);) {
        size_t i = find(p, need.name);
        bool none = i == p->count && need.amount > 0;
        if (none || (i < p->count && need.amount > p->items[i].total))
            return refuse(p, &need, !none, err);
    }
    return 0;
}

/* --- now ------------------------------------------------------------------------------------- */

/* Whole GPUs are those that nobody has; a share is taken where the most is taken and it still fits,
 * so that whole ones stay free. */
static uint64_t choose_devices(const struct resource_pool *p, int64_t amount)
{
    uint64_t chosen = 0;
    size_t best = p->device_count;
    for (size_t i = 0; i < p->device_count && amount >= RESOURCE_ONE; i++) {
        if (p->devices[i].taken > 0)
            continue;
        chosen |= UINT64_C(1) << i;
        amount -= RESOURCE_ONE;
    }
    if (chosen != 0 || amount >= RESOURCE_ONE)
        return amount > 0 ? 0 : chosen;
    for (size_t i = 0; i < p->device_count && amount > 0; i++)
        if (p->devices[i].taken + amount <= RESOURCE_ONE &&
            (best == p->device_count || p->devices[i].taken > p->devices[best].taken))
            best = i;
    return best < p->device_count ? UINT64_C(1) << best : 0;
}

uint64_t resource_pool_choose(const struct resource_pool *p, const struct resources *needs)
{
    const struct resource *gpus = needs != NULL ? resources_find(needs, RESOURCE_GPUS) : NULL;
    return gpus != NULL ? choose_devices(p, gpus->amount) : 0;
}

static bool fits_one(const struct resource_pool *p, const struct resource *need,
                     const struct resource_claims *claims)
{
    size_t i = find(p, need->name);
    if (need->amount == 0)
        return true;
    if (i == p->count ||
        need->amount > p->items[i].total - p->items[i].taken - claims->claimed[i])
        return false;
    return !is_gpus(need->name) || choose_devices(p, need->amount) != 0;
}

bool resource_pool_fits(const struct resource_pool *p, const struct resources *needs,
                        const struct resource_claims *claims)
{
    struct resource need;
    for (size_t at = 0; next_need(needs, &at, &need);)
        if (!fits_one(p, &need, claims))
            return false;
    return true;
}

void resource_pool_claim(const struct resource_pool *p, const struct resources *needs,
                         struct resource_claims *claims)
{
    struct resource need;
    for (size_t at = 0; next_need(needs, &at, &need);) {
        size_t i = find(p, need.name);
        if (i == p->count || claims->claimed[i] >= ALL_OF_IT)
            continue;
        claims->claimed[i] = fits_one(p, &need, claims) ? claims->claimed[i] + need.amount
                                                        : ALL_OF_IT;
    }
}

/* --- taken ----------------------------------------------------------------------------------- */

static void move(struct resource_pool *p, const struct resources *needs, uint64_t devices, int sign)
{
    struct resource need;
    for (size_t at = 0; next_need(needs, &at, &need);) {
        size_t i = find(p, need.name);
        if (i == p->count)
            continue;
        p->items[i].taken += sign * need.amount;
        int64_t each = need.amount < RESOURCE_ONE ? need.amount : RESOURCE_ONE;
        for (size_t d = 0; d < p->device_count && is_gpus(need.name); d++)
            p->devices[d].taken += devices >> d & 1 ? sign * each : 0;
    }
}

void resource_pool_take(struct resource_pool *p, const struct resources *needs, uint64_t devices)
{
    move(p, needs, devices, 1);
}

void resource_pool_give(struct resource_pool *p, const struct resources *needs, uint64_t devices)
{
    move(p, needs, devices, -1);
}

/* --- in all ---------------------------------------------------------------------------------- */

void resource_room_add(struct resource_room *room, const struct resource_pool *p,
                       const struct resources *needs)
{
    struct resource need;
    for (size_t at = 0; next_need(needs, &at, &need);) {
        size_t i = find(p, need.name);
        if (i < p->count)
            room->needed[i] += need.amount;
    }
}

/* Shares of a GPU lie on one: what is left of it is nobody's. */
static int64_t whole_shares(const struct resource_pool *p, int64_t amount)
{
    return (int64_t)p->device_count * (RESOURCE_ONE / amount);
}

int64_t resource_room_runs(const struct resource_room *room, const struct resource_pool *p,
                           const struct resources *needs)
{
    struct resource need;
    int64_t most = INT64_MAX;
    for (size_t at = 0; next_need(needs, &at, &need);) {
        size_t i = find(p, need.name);
        if (i == p->count || need.amount <= 0)
            continue;
        int64_t runs = p->items[i].total / room->needed[i];
        if (is_gpus(need.name) && need.amount < RESOURCE_ONE)
            runs = runs < whole_shares(p, need.amount) ? runs : whole_shares(p, need.amount);
        most = runs < most ? runs : most;
    }
    return most;
}

/* --- for people ------------------------------------------------------------------------------ */

static void write_amount(struct json_writer *w, const char *key, int64_t amount)
{
    if (amount % RESOURCE_ONE == 0)
        jw_kv_int(w, key, amount / RESOURCE_ONE);
    else
        jw_kv_real(w, key, (double)amount / RESOURCE_ONE);
}

void resource_pool_write(const struct resource_pool *p, struct json_writer *w)
{
    jw_begin_object(w);
    for (size_t i = 0; i < p->count; i++) {
        jw_key(w, p->items[i].name);
        jw_begin_object(w);
        write_amount(w, "total", p->items[i].total);
        write_amount(w, "taken", p->items[i].taken);
        if (is_gpus(p->items[i].name)) {
            jw_key(w, "devices");
            jw_begin_object(w);
            for (size_t d = 0; d < p->device_count; d++)
                write_amount(w, p->devices[d].name, p->devices[d].taken);
            jw_end_object(w);
        }
        jw_end_object(w);
    }
    jw_end_object(w);
}
