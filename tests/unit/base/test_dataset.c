#include "sweep/dataset.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/paths.h"
#include "sweep/require.h"

static const char *const files[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                    "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

/* A folder with two folders of data in it, "own" (the person's) and "sys" (the machine's). */
struct folders {
    char base[32];
};

static void make(const struct folders *f, const char *name, size_t count, const char *ending)
{
    for (size_t i = 0; i < count; i++) {
        char *path = xasprintf("%s/%s/%s%s", f->base, name, files[i], ending);
        int fd;

        assert_int_equal(paths_make_parent(path, 0700, NULL), 0);
        fd = open(path, O_CREAT | O_WRONLY, 0600);
        assert_true(fd >= 0);
        close(fd);
        free(path);
    }
}

static int set_up(void **state)
{
    struct folders *f = xcalloc(1, sizeof(*f));
    char *own, *dirs;

    str_copy(f->base, sizeof(f->base), "/tmp/sweep-data-XXXXXX");
    assert_non_null(mkdtemp(f->base));
    own = xasprintf("%s/own", f->base);
    dirs = xasprintf("relative:%s/nowhere::%s/sys", f->base, f->base);
    setenv("XDG_DATA_HOME", own, 1);
    setenv("XDG_DATA_DIRS", dirs, 1);
    free(own);
    free(dirs);
    make(f, "sys/datasets/mnist", 4, ".gz");
    make(f, "sys/datasets/fashion", 4, "");
    make(f, "own/datasets/mnist", 4, "");
    make(f, "own/datasets/incomplete", 3, "");
    make(f, "own/datasets/.hidden", 4, "");
    make(f, "own/other/letters", 4, "");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct folders *f = *state;
    char *command = xasprintf("rm -r '%s'", f->base);
    int rc = system(command);

    free(command);
    free(f);
    return rc;
}

static void test_lists_each_name_once_and_sorted(void **state)
{
    const struct folders *f = *state;
    struct dataset found[4];
    char *own = xasprintf("%s/own/datasets/mnist", f->base);

    assert_int_equal(dataset_list(found, 4), 2);
    assert_string_equal(found[0].name, "fashion");
    assert_string_equal(found[1].name, "mnist");
    assert_string_equal(found[1].path, own); /* the person's own hides the machine's */
    assert_string_equal(found[1].format, "idx");
    assert_int_equal(dataset_list(found, 1), 1);
    free(own);
}

static void test_finds_by_name(void **state)
{
    const struct folders *f = *state;
    char *sys = xasprintf("%s/sys/datasets/fashion", f->base);
    struct dataset d;
    struct errbuf e;

    assert_int_equal(dataset_find("fashion", &d, &e), 0);
    assert_string_equal(d.path, sys);
    free(sys);
}

static void test_refuses_with_the_names_there_are(void **state)
{
    struct dataset d = {.name = "untouched"};
    struct errbuf e;

    assert_int_equal(dataset_find("mnits", &d, &e), ERR_NOT_FOUND);
    assert_string_equal(e.key, "$.data.name");
    assert_string_equal(e.value, "mnits");
    assert_non_null(strstr(e.message, "did you mean \"mnist\"?"));
    assert_non_null(strstr(e.message, "fashion, mnist"));
    assert_int_equal(dataset_find("incomplete", &d, &e), ERR_NOT_FOUND);
    assert_int_equal(dataset_find("letters", &d, &e), ERR_NOT_FOUND);
    assert_int_equal(dataset_find("../other/letters", &d, &e), ERR_NOT_FOUND);
    assert_int_equal(dataset_find("", &d, &e), ERR_NOT_FOUND);
    assert_int_equal(dataset_find("..", &d, &e), ERR_NOT_FOUND);
    assert_int_equal(dataset_find("mnist/", &d, &e), ERR_NOT_FOUND);
    assert_string_equal(d.name, "untouched");
}

static void test_nothing_installed(void **state)
{
    struct dataset d;
    struct errbuf e;

    setenv("XDG_DATA_HOME", "/nonexistent", 1);
    setenv("XDG_DATA_DIRS", "/nonexistent/too", 1);
    assert_int_equal(dataset_list(&d, 1), 0);
    assert_int_equal(dataset_find("fashion-mnist", &d, &e), ERR_NOT_FOUND);
    assert_non_null(strstr(e.message, "dataset-fashion-mnist"));
}

/* A name of 1,000 bytes fits no struct dataset: not found, nothing cut and taken for another. */
static void test_long_names(void **state)
{
    char name[1001];
    struct dataset d;

    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(dataset_find(name, &d, NULL), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lists_each_name_once_and_sorted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_finds_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refuses_with_the_names_there_are, set_up, tear_down),
        cmocka_unit_test(test_nothing_installed),
        cmocka_unit_test_setup_teardown(test_long_names, set_up, tear_down),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("dataset", tests, NULL, NULL);
}
