#include "client/new_file.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/err.h"

struct place {
    char folder[64], path[96];
};

static void place_init(struct place *p)
{
    snprintf(p->folder, sizeof p->folder, "/tmp/sweep-test-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->path, sizeof p->path, "%s/out", p->folder);
}

static void place_finish(struct place *p)
{
    unlink(p->path);
    assert_int_equal(rmdir(p->folder), 0); /* nothing else was left in it */
}

static void expect_content(const struct place *p, const char *want)
{
    struct buf file = {0};
    assert_int_equal(buf_read_file(&file, p->path, 1000, NULL), 0);
    assert_string_equal(file.data, want);
    buf_finish(&file);
}

static void test_appears_when_complete(void **state)
{
    struct place p;
    struct new_file f;
    place_init(&p);
    new_file_init(&f, p.path, false);
    assert_int_equal(new_file_write(&f, "one", 3, NULL), 0);
    assert_int_equal(access(p.path, F_OK), -1);
    assert_int_equal(new_file_commit(&f, NULL), 0);
    expect_content(&p, "one");
    new_file_abandon(&f); /* too late to matter */
    expect_content(&p, "one");
    place_finish(&p);
}

static void test_keeps_what_is_there(void **state)
{
    struct place p;
    struct new_file first, second;
    struct errbuf err = {0};
    place_init(&p);
    new_file_init(&first, p.path, false);
    assert_int_equal(new_file_write(&first, "one", 3, NULL), 0);
    assert_int_equal(new_file_commit(&first, NULL), 0);
    new_file_init(&second, p.path, false);
    assert_int_equal(new_file_write(&second, "two", 3, &err), ERR_STATE);
    assert_non_null(strstr(err.message, p.path));
    assert_non_null(strstr(err.message, "--force"));
    expect_content(&p, "one");
    new_file_init(&second, p.path, true);
    assert_int_equal(new_file_write(&second, "two", 3, NULL), 0);
    assert_int_equal(new_file_commit(&second, NULL), 0);
    expect_content(&p, "two");
    place_finish(&p);
}

/* Somebody takes the name between the look and the renaming. */
static void test_name_taken_meanwhile(void **state)
{
    struct place p;
    struct new_file f;
    place_init(&p);
    new_file_init(&f, p.path, false);
    assert_int_equal(new_file_write(&f, "one", 3, NULL), 0);
    FILE *other = fopen(p.path, "w");
    assert_non_null(other);
    fputs("theirs", other);
    fclose(other);
    assert_int_equal(new_file_commit(&f, NULL), ERR_STATE);
    expect_content(&p, "theirs");
    place_finish(&p);
}

static void test_nothing_left_after_an_error(void **state)
{
    struct place p;
    struct new_file f;
    struct errbuf err = {0};
    place_init(&p);
    new_file_init(&f, "/proc/no/out", false);
    assert_int_equal(new_file_write(&f, "one", 3, &err), ERR_IO);
    assert_non_null(strstr(err.message, "/proc/no/out"));
    new_file_init(&f, p.path, true);
    assert_int_equal(new_file_write(&f, "one", 3, NULL), 0);
    assert_int_equal(mkdir(p.path, 0700), 0);
    assert_int_equal(new_file_commit(&f, &err), ERR_IO); /* a folder has that name meanwhile */
    new_file_init(&f, p.path, true);
    assert_int_equal(new_file_write(&f, "one", 3, &err), ERR_STATE);
    assert_non_null(strstr(err.message, "is a folder"));
    assert_null(strstr(err.message, "--force"));
    assert_int_equal(rmdir(p.path), 0);
    new_file_init(&f, p.path, false);
    assert_int_equal(new_file_write(&f, "one", 3, NULL), 0);
    new_file_abandon(&f);
    place_finish(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appears_when_complete),
        cmocka_unit_test(test_keeps_what_is_there),
        cmocka_unit_test(test_name_taken_meanwhile),
        cmocka_unit_test(test_nothing_left_after_an_error),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
