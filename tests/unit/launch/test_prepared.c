/* What was prepared before is known again, for as long as its files are what they were, and takes
 * little memory. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/launch/prepared.h"
#include "sweep/buf.h"

#define BYTES_MAX 8192 /* of what is remembered of one specification */

struct folder {
    char path[64], data[96], cache[96];
    struct prepared_memory memory;
};

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static int setup(void **state)
{
    struct folder *f = xcalloc(1, sizeof(*f));
    str_copy(f->path, sizeof(f->path), "/tmp/sweepd-prepared-XXXXXX");
    assert_non_null(mkdtemp(f->path));
    snprintf(f->data, sizeof(f->data), "%s/data.csv", f->path);
    snprintf(f->cache, sizeof(f->cache), "%s/cache", f->path);
    write_file(f->data, "a,b\n1,2\n");
    write_file(f->cache, "x");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct folder *f = *state;
    prepared_finish(&f->memory);
    unlink(f->data);
    unlink(f->cache);
    rmdir(f->path);
    free(f);
    return 0;
}

static void remember(struct folder *f, const char *key, int64_t samples)
{
    struct record r = {.type = RECORD_PREPARED, .u.prepared = xcalloc(1, sizeof(*r.u.prepared))};
    struct record_prepared *p = r.u.prepared;
    struct buf line = {0};
    struct stat st;
    assert_int_equal(stat(f->data, &st), 0);
    str_copy(p->hash, sizeof(p->hash), "0a");
    str_copy(p->cache, sizeof(p->cache), f->cache);
    p->samples = samples;
    p->features = p->rank = p->dim[0] = p->outputs = 1;
    p->source_count = 1;
    str_copy(p->sources[0].path, sizeof(p->sources[0].path), f->data);
    p->sources[0].size_bytes = st.st_size;
    p->sources[0].mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    record_write(&r, &line);
    prepared_remember(&f->memory, key, line.data, line.len - 1);
    buf_finish(&line);
    record_finish(&r);
}

/* Samples of what is known; -1: nothing. */
static int64_t recall(struct folder *f, const char *key)
{
    struct record_prepared *p = prepared_recall(&f->memory, key);
    int64_t samples = p ? p->samples : -1;
    free(p);
    return samples;
}

static void known_until_its_files_change(void **state)
{
    struct folder *f = *state;
    assert_int_equal(recall(f, "a"), -1);
    remember(f, "a", 5);
    remember(f, "b", 7);
    remember(f, "a", 6);
    assert_int_equal(recall(f, "a"), 6);
    assert_int_equal(recall(f, "b"), 7);
    write_file(f->data, "a,b\n1,2\n3,4\n");
    assert_int_equal(recall(f, "a"), -1);
    remember(f, "a", 8);
    assert_int_equal(recall(f, "a"), 8);
    unlink(f->cache);
    assert_int_equal(recall(f, "a"), -1);
}

static void the_least_recently_used_goes_first(void **state)
{
    struct folder *f = *state;
    char key[16];
    remember(f, "first", 1);
    remember(f, "second", 2);
    for (int i = 0; i < PREPARED_MAX - 1; i++) {
        assert_int_equal(recall(f, "first"), 1);
        snprintf(key, sizeof(key), "%d", i);
        remember(f, key, 10 + i);
    }
    assert_int_equal(recall(f, "first"), 1);
    assert_int_equal(recall(f, "second"), -1);
    assert_int_equal(recall(f, "0"), 10);
}

/* A daemon sees thousands of specifications: what it remembers of them must not be what it weighs.
 * (A sanitizer's allocator counts nothing.) */
static void little_is_kept(void **state)
{
    struct folder *f = *state;
    char key[16];
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < 2 * PREPARED_MAX; i++) {
        snprintf(key, sizeof(key), "%d", i);
        remember(f, key, i);
    }
    size_t bytes = mallinfo2().uordblks - before;
    print_message("# %zu bytes an entry\n", bytes / PREPARED_MAX);
    assert_true(bytes <= (size_t)PREPARED_MAX * BYTES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(known_until_its_files_change, setup, teardown),
        cmocka_unit_test_setup_teardown(the_least_recently_used_goes_first, setup, teardown),
        cmocka_unit_test_setup_teardown(little_is_kept, setup, teardown),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
