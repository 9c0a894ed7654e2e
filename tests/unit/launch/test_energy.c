/* Energy: a made tree of counters, as powercap has them, and workers' shares of it. */
#include "daemon/launch/energy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char root[] = "/tmp/test-energy-XXXXXX";

static void put(const char *zone, const char *file, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", root, zone);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/%s/%s", root, zone, file);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void put_zone(const char *zone, const char *name, const char *uj)
{
    put(zone, "name", name);
    put(zone, "max_energy_range_uj", "1000000\n");
    put(zone, "energy_uj", uj);
}

static void test_packages_and_memory_are_counted_once(void **state)
{
    struct energy_meter m;
    struct energy_reading r;
    assert_false(energy_open(&m, root)); /* nothing is there */
    assert_false(energy_read(&m, &r));
    assert_false(energy_open(&m, "/nowhere"));
    put_zone("intel-rapl:0", "package-0\n", "100\n");
    put_zone("intel-rapl:0:0", "core\n", "50\n");  /* within the package */
    put_zone("intel-rapl:0:1", "dram\n", "10\n");
    put_zone("intel-rapl:1", "psys\n", "500\n");   /* has all of them in it */
    put_zone("intel-rapl-mmio:0", "package-0\n", "100\n"); /* the same once more */
    put("intel-rapl:2", "name", "package-1\n");    /* no counter */
    put_zone("intel-rapl:3", "package-3\n", "none\n");
    assert_true(energy_open(&m, root));
    assert_int_equal(m.count, 2);
    assert_true(energy_read(&m, &r));
    assert_true(r.joules == 0 && r.busy_seconds > 0);
    put("intel-rapl:0", "energy_uj", "600100\n");
    put("intel-rapl:0:1", "energy_uj", "100010\n");
    assert_true(energy_read(&m, &r));
    assert_true(r.joules > 0.69999 && r.joules < 0.70001);
    put("intel-rapl:0", "energy_uj", "100100\n"); /* it has begun again: 399900 and 100100 */
    assert_true(energy_read(&m, &r));
    assert_true(r.joules > 1.19999 && r.joules < 1.20001);
    put("intel-rapl:0", "energy_uj", "");
    assert_false(energy_read(&m, &r)); /* now it says nothing */
}

static bool near(double a, double b)
{
    return a - b < 1e-9 && b - a < 1e-9;
}

static void test_a_share_goes_by_processor_time(void **state)
{
    struct energy_share s = {0}, idle = {0}, gone = {0};
    energy_share_look(&s, &(struct energy_reading){100, 1000}, 7); /* adopted: nothing of before */
    energy_share_look(&idle, &(struct energy_reading){100, 1000}, 3);
    assert_true(s.joules == 0);
    energy_share_look(&s, &(struct energy_reading){140, 1004}, 8); /* one second of four */
    energy_share_look(&idle, &(struct energy_reading){140, 1004}, 3);
    assert_true(near(s.joules, 10) && idle.joules == 0);
    energy_share_look(&s, &(struct energy_reading){150, 1004}, 8); /* no tick between: later */
    assert_true(near(s.joules, 10));
    energy_share_look(&s, &(struct energy_reading){160, 1006}, 11); /* by its clock more than all */
    assert_true(near(s.joules, 30));
    energy_share_look(&s, &(struct energy_reading){170, 1008}, 10); /* a child's time is gone */
    assert_true(near(s.joules, 30));
    energy_share_look(&s, &(struct energy_reading){180, 1010}, 11);
    assert_true(near(s.joules, 35));
    energy_share_end(&s, &(struct energy_reading){200, 1014}); /* it went on with half of all */
    energy_share_end(&s, &(struct energy_reading){200, 1014});
    assert_true(near(s.joules, 45));
    energy_share_end(&gone, &(struct energy_reading){200, 1014}); /* never looked at */
    assert_true(gone.joules == 0);
}

static int make_root(void **state)
{
    return mkdtemp(root) == NULL;
}

static int remove_root(void **state)
{
    char command[64];
    snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packages_and_memory_are_counted_once),
        cmocka_unit_test(test_a_share_goes_by_processor_time),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("energy", tests, make_root, remove_root);
}
