/* What a launcher has beside its slots: accounts, which GPUs, and who waits for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/resources.h"
#include "sweep/err.h"

static const struct resource_claims NOTHING;

static struct resources need(const char *name, int64_t amount)
{
    struct resources r = {0};
    assert_true(resources_add(&r, name, strlen(name), amount));
    return r;
}

static struct resource_pool machine(size_t gpus)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    struct resource_pool p = {0};
    resource_pool_set(&p, RESOURCE_CPUS, 8);
    for (size_t i = 0; i < gpus; i++)
        assert_true(resource_pool_add_device(&p, names[i]));
    resource_pool_set(&p, "license", 2);
    return p;
}

static uint64_t take(struct resource_pool *p, const struct resources *r)
{
    uint64_t devices = resource_pool_choose(p, r);
    assert_true(resource_pool_fits(p, r, &NOTHING));
    resource_pool_take(p, r, devices);
    return devices;
}

static void test_counts(void **state)
{
    struct resource_pool p = machine(0), before = p;
    struct resources one = need("license", RESOURCE_ONE);
    struct resources cpus = need(RESOURCE_CPUS, 7 * RESOURCE_ONE);
    (void)state;
    take(&p, &one);
    take(&p, &one);
    assert_false(resource_pool_fits(&p, &one, &NOTHING));
    assert_true(resource_pool_fits(&p, NULL, &NOTHING));
    assert_false(resource_pool_fits(&p, &cpus, &NOTHING)); /* each of the two has one */
    resource_pool_give(&p, &one, 0);
    assert_true(resource_pool_fits(&p, &cpus, &NOTHING));
    resource_pool_give(&p, &one, 0);
    assert_memory_equal(&p, &before, sizeof(p));
}

static void test_whole_devices_and_shares(void **state)
{
    struct resource_pool p = machine(3), before = p;
    struct resources whole = need(RESOURCE_GPUS, RESOURCE_ONE);
    struct resources two = need(RESOURCE_GPUS, 2 * RESOURCE_ONE);
    struct resources half = need(RESOURCE_GPUS, RESOURCE_ONE / 2);
    struct resources third = need(RESOURCE_GPUS, 333333);
    (void)state;
    assert_int_equal(take(&p, &half), 1);
    assert_int_equal(take(&p, &third), 1); /* where the most is taken */
    assert_int_equal(take(&p, &half), 2);
    assert_int_equal(take(&p, &whole), 4);
    assert_false(resource_pool_fits(&p, &whole, &NOTHING));
    assert_int_equal(take(&p, &third), 2);
    assert_false(resource_pool_fits(&p, &third, &NOTHING)); /* the rest lies on two */
    resource_pool_give(&p, &third, 1);
    resource_pool_give(&p, &half, 1);
    resource_pool_give(&p, &whole, 4);
    assert_int_equal(take(&p, &two), 5);
    resource_pool_give(&p, &two, 5);
    resource_pool_give(&p, &half, 2);
    resource_pool_give(&p, &third, 2);
    assert_memory_equal(&p, &before, sizeof(p));
    assert_int_equal(resource_pool_choose(&p, NULL), 0);
}

static void test_a_claim_keeps_others_out(void **state)
{
    struct resource_pool p = machine(2);
    struct resource_claims claims = NOTHING;
    struct resources whole = need(RESOURCE_GPUS, RESOURCE_ONE);
    struct resources two = need(RESOURCE_GPUS, 2 * RESOURCE_ONE);
    struct resources license = need("license", RESOURCE_ONE);
    struct resources both = need("license", 2 * RESOURCE_ONE);
    (void)state;
    take(&p, &whole);
    assert_true(resources_add(&both, RESOURCE_GPUS, strlen(RESOURCE_GPUS), 2 * RESOURCE_ONE));
    assert_false(resource_pool_fits(&p, &two, &claims));
    resource_pool_claim(&p, &two, &claims);
    assert_false(resource_pool_fits(&p, &whole, &claims));
    assert_true(resource_pool_fits(&p, &license, &claims)); /* it waits for no license */
    resource_pool_claim(&p, &both, &claims);                /* which this one will need */
    assert_false(resource_pool_fits(&p, &license, &claims));
    assert_true(resource_pool_fits(&p, NULL, &claims));
}

static void test_what_never_fits(void **state)
{
    struct resource_pool p = machine(1);
    struct resources r = need(RESOURCE_GPUS, 2 * RESOURCE_ONE);
    struct errbuf err;
    (void)state;
    assert_int_equal(resource_pool_check(&p, &r, &err), ERR_VALUE);
    assert_string_equal(err.key, "$.resources.gpus");
    assert_non_null(strstr(err.message, "gpus up to 1"));
    r = need("licence", RESOURCE_ONE);
    assert_int_equal(resource_pool_check(&p, &r, &err), ERR_VALUE);
    assert_non_null(strstr(err.message, "did you mean license?"));
    r = need(RESOURCE_GPUS, RESOURCE_ONE);
    assert_int_equal(resource_pool_check(&p, &r, &err), 0);
    assert_int_equal(resource_pool_check(&p, NULL, &err), 0);
    assert_false(resources_add(&r, RESOURCE_GPUS, 4, 1));
    assert_false(resources_add(&r, "a b", 3, 1));
    assert_false(resource_pool_add_device(&p, "a"));
}

/* How many runs at a time, beside those of others. */
static void room_for_runs(void **state)
{
    struct resource_pool p = machine(2);
    struct resources three = need(RESOURCE_CPUS, 3 * RESOURCE_ONE);
    struct resources half = need(RESOURCE_GPUS, RESOURCE_ONE / 2);
    struct resources third = need(RESOURCE_GPUS, RESOURCE_ONE / 100 * 40);
    struct resources other = need("unknown", RESOURCE_ONE);
    struct resource_room room = {0};
    resource_room_add(&room, &p, NULL); /* one of the eight processors */
    assert_int_equal(resource_room_runs(&room, &p, NULL), 8);
    resource_room_add(&room, &p, &three);
    assert_int_equal(resource_room_runs(&room, &p, NULL), 2);
    assert_int_equal(resource_room_runs(&room, &p, &three), 2);
    room = (struct resource_room){0};
    resource_room_add(&room, &p, &half);
    assert_int_equal(resource_room_runs(&room, &p, &half), 4);
    room = (struct resource_room){0};
    resource_room_add(&room, &p, &third); /* two on each, a fifth of it is left */
    assert_int_equal(resource_room_runs(&room, &p, &third), 4);
    room = (struct resource_room){0};
    resource_room_add(&room, &p, &other);
    assert_int_equal(resource_room_runs(&room, &p, &other), 8); /* a processor it has all the same */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_for_runs),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_whole_devices_and_shares),
        cmocka_unit_test(test_a_claim_keeps_others_out),
        cmocka_unit_test(test_what_never_fits),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
