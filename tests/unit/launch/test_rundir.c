/* The run folder: what of an earlier attempt stays, the lock, and who writes. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/engine/engine.h"
#include "daemon/launch/rundir.h"
#include "sweep/err.h"
#include "sweep/paths.h"

#define RUN 7
#define CONFIG "{\"version\":1,\"epochs\":1}"
#define START "{\"type\":\"start\",\"version\":1,\"pid\":1,\"core\":\"\",\"blas\":\"\",\"parameters\":0}\n"
#define POINT(n) "{\"type\":\"point\",\"point\":" #n ",\"epoch\":" #n ",\"train_loss\":0.5}\n"
#define RESULT \
    "{\"type\":\"result\",\"status\":\"failed\",\"error\":\"io_error\",\"text\":\"\",\"seconds\":1}\n"
#define RUNG(n) \
    "{\"type\":\"result\",\"status\":\"paused\",\"error\":\"\",\"epoch\":" #n ",\"seconds\":1}\n"

struct place {
    char runs[64];
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof(*p));
    snprintf(p->runs, sizeof(p->runs), "/tmp/test-rundir-XXXXXX");
    *state = p;
    return mkdtemp(p->runs) == NULL;
}

static int teardown(void **state)
{
    struct place *p = *state;
    char command[96];
    snprintf(command, sizeof(command), "rm -rf '%s'", p->runs);
    int rc = system(command);
    free(p);
    return rc;
}

static FILE *open_file(const struct place *p, const char *name, const char *mode)
{
    char path[PATHS_MAX];
    snprintf(path, sizeof(path), "%s/%d/%s", p->runs, RUN, name);
    return fopen(path, mode);
}

static void put(const struct place *p, const char *name, const char *text)
{
    FILE *f = open_file(p, name, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static bool there(const struct place *p, const char *name)
{
    FILE *f = open_file(p, name, "r");
    if (f != NULL)
        fclose(f);
    return f != NULL;
}

static void expect(const struct place *p, const char *name, const char *text)
{
    char got[4096] = "";
    FILE *f = open_file(p, name, "r");
    assert_non_null(f);
    got[fread(got, 1, sizeof(got) - 1, f)] = '\0';
    fclose(f);
    assert_string_equal(got, text);
}

/* An attempt begins, says a line, and is gone. */
static void attempt(const struct place *p, const char *says)
{
    struct rundir r;
    struct errbuf err = {0};
    const struct rundir_place at = {p->runs, RUN, NULL};
    if (rundir_create(&r, &at, CONFIG, &err) != 0)
        fail_msg("%s", err.message);
    assert_int_equal(write(r.out, says, strlen(says)), strlen(says));
    rundir_close(&r);
}

static void test_emptied_without_a_checkpoint(void **state)
{
    const struct place *p = *state;
    attempt(p, START POINT(1) POINT(2));
    put(p, "stderr", "old\n");
    put(p, "best.safetensors", "old");
    attempt(p, START);
    expect(p, "run.jsonl", START);
    expect(p, "stderr", "");
    assert_false(there(p, "best.safetensors"));
    expect(p, "config.json", CONFIG "\n");
}

/* What lies in run.jsonl, and what a resumed worker finds of it. */
static void test_kept_with_a_checkpoint(void **state)
{
    static const struct {
        const char *was, *kept;
    } cases[] = {
        {START POINT(1) POINT(2), START POINT(1) POINT(2)},
        {START POINT(1) START POINT(2), START POINT(1) START POINT(2)},
        {START POINT(1) "{\"type\":\"point\",\"po", START POINT(1)},
        {START POINT(1) RESULT, START POINT(1)},
        {START POINT(1) RESULT POINT(2), START POINT(1)},
        {START POINT(1) RUNG(1), START POINT(1)},
        {START POINT(1) RUNG(1) START POINT(2), START POINT(1) RUNG(1) START POINT(2)},
        {START POINT(1) RUNG(1) START POINT(2) RUNG(2), START POINT(1) RUNG(1) START POINT(2)},
        {START POINT(1) RUNG(1) RESULT START, START POINT(1)},
        {START "nonsense\n" POINT(1), START},
        {START POINT(1) "\n" POINT(2), START POINT(1)},
        {"nonsense", ""},
        {"", ""},
    };
    const struct place *p = *state;
    attempt(p, START);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char all[4096];
        put(p, "run.jsonl", cases[i].was);
        put(p, "checkpoint", "opaque");
        put(p, "stderr", "old\n");
        attempt(p, START POINT(3));
        snprintf(all, sizeof(all), "%s%s", cases[i].kept, START POINT(3));
        expect(p, "run.jsonl", all);
        expect(p, "stderr", "old\n");
        expect(p, "checkpoint", "opaque");
    }
}

/* More than is read at once, and a line that is longer than any may be. */
static void test_long_files(void **state)
{
    const struct place *p = *state;
    attempt(p, START);
    put(p, "checkpoint", "opaque");
    FILE *f = open_file(p, "run.jsonl", "w");
    fputs(START, f);
    long size = (long)strlen(START);
    for (int i = 1; i <= 20000; i++)
        size += fprintf(f, "{\"type\":\"point\",\"point\":%d,\"epoch\":%d}\n", i, i);
    for (int i = 0; i < 3 << 20; i++)
        fputc('x', f);
    fclose(f);
    attempt(p, "");
    f = open_file(p, "run.jsonl", "r");
    fseek(f, 0, SEEK_END);
    assert_int_equal(ftell(f), size);
    fclose(f);
}

static void test_read_from_its_beginning(void **state)
{
    const struct place *p = *state;
    struct rundir r;
    struct errbuf err = {0};
    const struct rundir_place at = {p->runs, RUN, NULL};
    const char *line;
    size_t len, lines = 0;
    attempt(p, START POINT(1));
    put(p, "checkpoint", "opaque");
    assert_int_equal(rundir_create(&r, &at, CONFIG, &err), 0);
    assert_true(rundir_read(&r, &err) > 0);
    while (rundir_line(&r, &line, &len))
        lines++;
    assert_int_equal(lines, 2);
    rundir_close(&r);
}

static void test_lock_and_writer(void **state)
{
    const struct place *p = *state;
    struct rundir r, other;
    struct errbuf err = {0};
    const struct rundir_place at = {p->runs, RUN, NULL};
    assert_int_equal(rundir_create(&r, &at, CONFIG, &err), 0);
    assert_true(rundir_locked(&r));
    put(p, "checkpoint", "opaque");
    assert_int_equal(rundir_create(&other, &at, CONFIG, &err), ERR_BUSY);
    assert_true(there(p, "checkpoint"));
    assert_false(rundir_written_by(&r, getpid()));
    assert_false(rundir_written_by(&r, 1 << 30)); /* no such process */
    int out = dup(STDOUT_FILENO);
    dup2(r.out, STDOUT_FILENO);
    bool writes = rundir_written_by(&r, getpid());
    dup2(out, STDOUT_FILENO);
    assert_true(writes);
    close(out);
    rundir_hand_over(&r);
    assert_false(rundir_locked(&r));
    rundir_close(&r);
}

static void test_unfinished_files_go(void **state)
{
    const struct place *p = *state;
    attempt(p, START);
    put(p, "checkpoint", "opaque");
    put(p, "checkpoint.12.34.tmp", "half");
    attempt(p, START);
    assert_false(there(p, "checkpoint.12.34.tmp"));
    put(p, "checkpoint.12.35.tmp", "half");
    rundir_drop_checkpoint(p->runs, RUN);
    rundir_drop_checkpoint(p->runs, RUN); /* there is none any more */
    rundir_drop_checkpoint(p->runs, RUN + 1);
    assert_false(there(p, "checkpoint"));
    assert_false(there(p, "checkpoint.12.35.tmp"));
    assert_true(there(p, "run.jsonl"));
}

/* --- whose folder ----------------------------------------------------------------------------- */

static const struct run_owner ours = {"{\"database\":\"a\",\"run\":7}", false};
static const struct run_owner theirs = {"{\"database\":\"b\",\"run\":7}", false};
static const struct run_owner of_old = {"{\"database\":\"a\",\"run\":7}", true};

/* An attempt begins in it, as that owner's; what was set aside. */
static char *begin_as(const struct place *p, const struct run_owner *owner)
{
    static char note[RUNDIR_NOTE_MAX];
    struct rundir r;
    struct errbuf err = {0};
    const struct rundir_place at = {p->runs, RUN, owner};
    if (rundir_create(&r, &at, CONFIG, &err) != 0)
        fail_msg("%s", err.message);
    memcpy(note, r.note, sizeof(note));
    rundir_close(&r);
    return note;
}

static void test_a_folder_says_whose_it_is(void **state)
{
    const struct place *p = *state;
    assert_string_equal(begin_as(p, &ours), "");
    expect(p, "identity.json", "{\"database\":\"a\",\"run\":7}\n");
    put(p, "checkpoint", "opaque");
    put(p, "run.jsonl", START POINT(1));
    assert_string_equal(begin_as(p, &ours), "");
    expect(p, "run.jsonl", START POINT(1));
    assert_non_null(strstr(begin_as(p, &theirs), "as 7.not-ours-1: it is of another run: {\"dat"));
    expect(p, "run.jsonl", "");
    assert_false(there(p, "checkpoint"));
    expect(p, "../7.not-ours-1/run.jsonl", START POINT(1));
    expect(p, "../7.not-ours-1/checkpoint", "opaque");
    assert_non_null(strstr(begin_as(p, &ours), "7.not-ours-2"));
}

/* Those of an earlier version are taken where the database says so, and marked. */
static void test_a_folder_that_says_nothing(void **state)
{
    const struct place *p = *state;
    attempt(p, START POINT(1));
    put(p, "checkpoint", "opaque");
    assert_string_equal(begin_as(p, &of_old), "");
    expect(p, "run.jsonl", START POINT(1));
    assert_true(there(p, "identity.json"));
    put(p, "identity.json", "");
    assert_non_null(strstr(begin_as(p, &ours), "it does not say whose run it is"));
}

static void test_foreign_folders_are_not_read(void **state)
{
    const struct place *p = *state;
    struct rundir r;
    struct errbuf err = {0};
    const struct rundir_place at = {p->runs, RUN, &theirs};
    begin_as(p, &ours);
    put(p, "run.jsonl", START POINT(1) RESULT);
    assert_int_equal(rundir_open(&r, &at, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(r.note, "7.not-ours-1"));
    begin_as(p, &theirs);
    expect(p, "../7.not-ours-1/run.jsonl", START POINT(1) RESULT);
}

static void test_links_are_not_followed(void **state)
{
    static const char *const names[] = {"run.jsonl", "config.json", "stderr", "identity.json",
                                        "checkpoint"};
    const struct place *p = *state;
    char from[PATHS_MAX], to[PATHS_MAX];
    snprintf(to, sizeof(to), "%s/victim", p->runs);
    for (size_t i = 0; i < 2 * sizeof(names) / sizeof(names[0]); i++) {
        bool hard = i % 2;
        begin_as(p, &ours);
        FILE *f = fopen(to, "w");
        assert_non_null(f);
        fputs("precious", f);
        fclose(f);
        snprintf(from, sizeof(from), "%s/%d/%s", p->runs, RUN, names[i / 2]);
        (void)unlink(from);
        assert_int_equal(hard ? link(to, from) : symlink(to, from), 0);
        assert_non_null(strstr(begin_as(p, &ours), names[i / 2]));
        expect(p, "../victim", "precious");
        expect(p, "run.jsonl", "");
        assert_int_equal(unlink(to), 0);
    }
}

static void test_a_folder_that_is_a_link(void **state)
{
    const struct place *p = *state;
    char from[PATHS_MAX], to[PATHS_MAX];
    snprintf(to, sizeof(to), "%s/elsewhere", p->runs);
    snprintf(from, sizeof(from), "%s/%d", p->runs, RUN);
    assert_int_equal(mkdir(to, 0700), 0);
    assert_int_equal(symlink(to, from), 0);
    assert_non_null(strstr(begin_as(p, &ours), "symbolic link"));
    assert_int_equal(rmdir(to), 0); /* nothing was made in it */
    assert_true(there(p, "config.json"));
}

static void test_has_result(void **state)
{
    static const struct {
        const char *text;
        bool result;
    } cases[] = {
        {"", false},           {START, false},
        {RESULT, true},        {START POINT(1) RESULT, true},
        {START RUNG(1), true}, {START RESULT "{\"type\":\"po", true},
        {RESULT START, false}, {START "nonsense\n", false},
    };
    const struct place *p = *state;
    attempt(p, START);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct rundir r;
        struct errbuf err = {0};
        const struct rundir_place at = {p->runs, RUN, NULL};
        put(p, "run.jsonl", cases[i].text);
        assert_int_equal(rundir_open(&r, &at, &err), 0);
        assert_int_equal(rundir_has_result(&r), cases[i].result);
        rundir_close(&r);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_emptied_without_a_checkpoint),
        TEST(test_kept_with_a_checkpoint),
        TEST(test_long_files),
        TEST(test_read_from_its_beginning),
        TEST(test_lock_and_writer),
        TEST(test_unfinished_files_go),
        TEST(test_a_folder_says_whose_it_is),
        TEST(test_a_folder_that_says_nothing),
        TEST(test_foreign_folders_are_not_read),
        TEST(test_links_are_not_followed),
        TEST(test_a_folder_that_is_a_link),
        TEST(test_has_result),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
