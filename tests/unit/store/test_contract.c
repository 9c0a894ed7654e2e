/* The real store and the fake one of the engine's tests keep one contract. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/store/contract.h"

static void holds(const struct contract_store *s)
{
    const struct contract_check *check;
    size_t broken = 0;
    for (size_t i = 0; (check = contract_check_at(i)) != NULL; i++) {
        char *why = contract_failures(s, check, STORE_OP_COUNT);
        if (why[0])
            print_error("%s: %s", s->name, why);
        broken += why[0] != '\0';
        free(why);
    }
    assert_int_equal(broken, 0);
}

static void fake_keeps_it(void **state)
{
    holds(&contract_fake);
}

static void real_keeps_it(void **state)
{
    holds(&contract_real);
}

/* Of a store that loses all ops of a type, each check says so that rests on it. */
static void lost_ops_are_seen(void **state)
{
    const struct contract_check *check;
    size_t blind = 0;
    for (size_t i = 0; (check = contract_check_at(i)) != NULL; i++) {
        for (int t = 0; t < STORE_OP_COUNT; t++) {
            if (!(check->ops >> t & 1))
                continue;
            char *why = contract_failures(&contract_fake, check, t);
            if (!why[0])
                print_error("%s holds without %s\n", check->name,
                            store_op_name((enum store_op_type)t));
            blind += !why[0];
            free(why);
        }
    }
    assert_int_equal(blind, 0);
}

/* A new op has no place here before a check rests on it. */
static void every_op_is_covered(void **state)
{
    const struct contract_check *check;
    uint32_t ops = 0;
    for (size_t i = 0; (check = contract_check_at(i)) != NULL; i++)
        ops |= check->ops;
    for (int t = 0; t < STORE_OP_COUNT; t++)
        if (!(ops >> t & 1))
            fail_msg("no check rests on op %d (%s)", t, store_op_name((enum store_op_type)t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fake_keeps_it),
        cmocka_unit_test(real_keeps_it),
        cmocka_unit_test(lost_ops_are_seen),
        cmocka_unit_test(every_op_is_covered),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
