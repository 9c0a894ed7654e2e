/* Loading a data set: checks between its files, the cache, and what happens to a bad cache. */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/log.h"
#include "sweep/sha256.h"
#include "worker/data/cache.h"
#include "worker/data/idx.h"
#include "worker/data/load.h"
#include "worker/data/source.h"

#include "folder.h"

#define COUNT 40
#define FEATURES 6
/* Of the cache's header: 16 bytes, 12 numbers, the content's hash in 72, the sum of all. */
#define CLASSES_AT (16 + 8 * 8)
#define NUMBERS_END (16 + 12 * 8)
#define CHECK_AT (NUMBERS_END + 72)

struct fixture {
    struct folder folder;
    struct run_config config;
    struct samples samples;
    struct record_prepared prepared;
    struct errbuf err;
};

static void write_half(const struct folder *f, const char *prefix, unsigned images,
                       unsigned labels, unsigned char top, bool packed)
{
    unsigned char body[1024], file[2048];
    char name[64];
    const unsigned image_dims[] = {images, 2, 3, 0}, label_dims[] = {labels, 0};
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (unsigned char)(i * 37);
    size_t len = folder_idx(file, IDX_U8, image_dims, body, images * FEATURES);
    snprintf(name, sizeof name, "%s-images-idx3-ubyte%s", prefix, packed ? ".gz" : "");
    (packed ? folder_write_gzip : folder_write)(f, name, file, len);
    for (size_t i = 0; i < labels; i++)
        body[i] = (unsigned char)(i % (top + 1u));
    len = folder_idx(file, IDX_U8, label_dims, body, labels);
    snprintf(name, sizeof name, "%s-labels-idx1-ubyte%s", prefix, packed ? ".gz" : "");
    (packed ? folder_write_gzip : folder_write)(f, name, file, len);
}

static int setup(void **state)
{
    struct fixture *x = calloc(1, sizeof *x);
    folder_init(&x->folder);
    write_half(&x->folder, "train", COUNT, COUNT, 3, true);
    settings_init(&x->config.settings);
    snprintf(x->config.data.path, sizeof x->config.data.path, "%s", x->folder.data);
    x->config.data.format = FORMAT_IDX;
    x->config.settings.v[SETTING_VALIDATION] = 10;
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *x = *state;
    folder_finish(&x->folder);
    free(x);
    return 0;
}

static int load(struct fixture *x)
{
    return load_data(&x->config, &x->samples, &x->prepared, &x->err);
}

static void expect_refused(struct fixture *x, const char *key, const char *words)
{
    assert_true(load(x) < 0);
    assert_string_equal(x->err.key, key);
    if (!strstr(x->err.message, words))
        fail_msg("message \"%s\" does not say \"%s\"", x->err.message, words);
}

static void expect_loaded(struct fixture *x)
{
    if (load(x) != 0)
        fail_msg("refused: %s", x->err.message);
    assert_int_equal(x->samples.parts[PART_TRAIN], COUNT);
    assert_int_equal(x->samples.features, FEATURES);
    assert_int_equal(x->samples.shape.rank, 2);
    assert_true(x->samples.shape.dim[0] == 2 && x->samples.shape.dim[1] == 3);
    assert_int_equal(x->samples.classes, 4);
    assert_int_equal(x->samples.outputs, 1);
    assert_null(x->samples.targets);
    for (size_t i = 0; i < COUNT * FEATURES; i++)
        assert_int_equal(((const unsigned char *)x->samples.values)[i], (unsigned char)(i * 37));
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(x->samples.labels[i], i % 4);
    samples_finish(&x->samples);
}

static ino_t cache_inode(const struct fixture *x)
{
    struct stat st;
    assert_int_equal(stat(x->prepared.cache, &st), 0);
    return st.st_ino;
}

static void test_decodes_once(void **state)
{
    struct fixture *x = *state;
    expect_loaded(x);
    assert_int_equal(x->prepared.samples, COUNT);
    assert_int_equal(x->prepared.test_samples, 0);
    assert_true(x->prepared.rank == 2 && x->prepared.dim[0] == 2 && x->prepared.dim[1] == 3);
    assert_int_equal(x->prepared.outputs, 1);
    assert_int_equal(x->prepared.source_count, 2);
    assert_int_equal(x->prepared.finding_count, 0);
    ino_t first = cache_inode(x);
    struct record_prepared before = x->prepared;
    expect_loaded(x);
    assert_true(cache_inode(x) == first);
    assert_memory_equal(&before, &x->prepared, sizeof before);
}

/* The same content elsewhere, unpacked: same hash, same cache file. */
static void test_hash_is_of_the_content(void **state)
{
    struct fixture *x = *state;
    char hash[65];
    expect_loaded(x);
    memcpy(hash, x->prepared.hash, sizeof hash);
    ino_t first = cache_inode(x);
    write_half(&x->folder, "train", COUNT, COUNT, 3, false);
    expect_loaded(x);
    assert_string_equal(x->prepared.hash, hash);
    assert_null(strstr(x->prepared.sources[0].path, ".gz"));
    assert_true(cache_inode(x) == first);
}

static void overwrite(const char *path, off_t at, const void *bytes, size_t len)
{
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, at), len);
    close(fd);
}

/* Every byte of the header, one at a time. */
static void test_damaged_header_is_rebuilt(void **state)
{
    struct fixture *x = *state;
    expect_loaded(x);
    for (off_t at = 0; at < 256; at++) {
        unsigned char old;
        int fd = open(x->prepared.cache, O_RDONLY);
        assert_int_equal(pread(fd, &old, 1, at), 1);
        close(fd);
        ino_t before = cache_inode(x);
        old ^= 0x41;
        overwrite(x->prepared.cache, at, &old, 1);
        expect_loaded(x);
        if (cache_inode(x) == before)
            fail_msg("byte %d of the header changed unnoticed", (int)at);
    }
}

static void seal(unsigned char header[256])
{
    struct sha256 sum;
    char hex[65];
    sha256_init(&sum);
    sha256_add(&sum, header, CHECK_AT);
    sha256_hex(&sum, hex);
    memcpy(header + CHECK_AT, hex, 64);
}

/* Headers with a sum that fits, made to have more read or written than there is. */
static void test_forged_header_is_refused(void **state)
{
    static const uint64_t forged[] = {0, 1, 5, 1001, (uint64_t)1 << 32, (uint64_t)1 << 61,
                                      (uint64_t)1 << 63, UINT64_MAX, UINT64_MAX - 39};
    struct fixture *x = *state;
    unsigned char header[256], bad[256];
    struct samples out = {.count = 77};
    expect_loaded(x);
    int fd = open(x->prepared.cache, O_RDONLY);
    assert_int_equal(pread(fd, header, sizeof header, 0), sizeof header);
    close(fd);
    memcpy(bad, header, sizeof bad);
    seal(bad);
    assert_memory_equal(bad, header, sizeof bad);
    for (size_t at = 16; at < NUMBERS_END; at += 8) {
        for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
            uint64_t old;
            memcpy(&old, header + at, sizeof old);
            /* More classes than there are labels of, or none, do no harm: all lies in the file. */
            if (old == forged[i] || (at == CLASSES_AT && (forged[i] == 0 || forged[i] == 5)))
                continue;
            memcpy(bad, header, sizeof bad);
            memcpy(bad + at, &forged[i], sizeof forged[i]);
            seal(bad);
            overwrite(x->prepared.cache, 0, bad, sizeof bad);
            if (cache_map(x->prepared.cache, x->prepared.hash, &out, NULL) != ERR_DATA)
                fail_msg("%llu at byte %zu was believed", (unsigned long long)forged[i], at);
            assert_int_equal(out.count, 77);
        }
    }
    expect_loaded(x);
}

static void test_damaged_cache_is_rebuilt(void **state)
{
    struct fixture *x = *state;
    struct stat st;
    expect_loaded(x);
    assert_int_equal(stat(x->prepared.cache, &st), 0);
    for (off_t size = 0; size < st.st_size; size += st.st_size / 7) {
        assert_int_equal(truncate(x->prepared.cache, size), 0);
        expect_loaded(x);
    }
    const uint16_t label = 4; /* one beyond the classes: would index outside the outputs */
    overwrite(x->prepared.cache, 4096 + 2 * 7, &label, sizeof label);
    expect_loaded(x);
    assert_int_equal(unlink(x->prepared.cache), 0);
    expect_loaded(x);
}

static void flip(const char *path, off_t at)
{
    unsigned char byte;
    int fd = open(path, O_RDONLY);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    close(fd);
    byte ^= 1;
    overwrite(path, at, &byte, 1);
}

/* Labels and pixels that are still possible ones, the padding, the sums; also where the file's time
 * is set back afterwards, and though the file was found whole before. */
static void test_damaged_content_is_rebuilt(void **state)
{
    const off_t places[] = {1000, 4096, 4096 + 2 * 7, 4096 + 2 * COUNT, 8192, 8192 + COUNT * FEATURES - 1,
                            12288, 12288 + 3};
    struct fixture *x = *state;
    struct samples out = {.count = 77};
    struct stat st;
    expect_loaded(x);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        assert_int_equal(stat(x->prepared.cache, &st), 0);
        flip(x->prepared.cache, places[i]);
        const struct timespec times[] = {st.st_atim, st.st_mtim};
        assert_int_equal(utimensat(AT_FDCWD, x->prepared.cache, times, 0), 0);
        assert_int_equal(cache_map(x->prepared.cache, x->prepared.hash, &out, &x->err), ERR_DATA);
        if (!strstr(x->err.message, "is damaged in the 1048576 bytes from byte 0 on"))
            fail_msg("byte %d: %s", (int)places[i], x->err.message);
        assert_int_equal(out.count, 77);
        expect_loaded(x);
    }
}

/* Another's mark, or none: all is read again. */
static void test_mark_of_what_was_verified(void **state)
{
    struct fixture *x = *state;
    char mark[PATHS_MAX + 16];
    struct buf before = {0}, after = {0};
    do {
        expect_loaded(x);
        snprintf(mark, sizeof mark, "%s.verified", x->prepared.cache);
    } while (buf_read_file(&before, mark, 1024, NULL) != 0); /* not in its first 20 ms */
    overwrite(mark, 0, "9", 1);
    expect_loaded(x);
    assert_int_equal(buf_read_file(&after, mark, 1024, NULL), 0);
    assert_string_equal(after.data, before.data);
    assert_int_equal(unlink(mark), 0);
    expect_loaded(x);
    assert_int_equal(access(mark, R_OK), 0);
    buf_finish(&before);
    buf_finish(&after);
}

static void test_damaged_link_is_rebuilt(void **state)
{
    struct fixture *x = *state;
    char command[256];
    static const char *const contents[] = {"", "{}", "null\\n",
                                           "{\\042type\\042:\\042point\\042}\\n"};
    expect_loaded(x);
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        snprintf(command, sizeof command, "printf '%s' > %s/cache/sweepd/*.link", contents[i],
                 x->folder.root);
        assert_int_equal(system(command), 0);
        expect_loaded(x);
    }
    /* What the scan found, changed to what it might have found. */
    snprintf(command, sizeof command, "sed -i s/finding/Finding/ %s/cache/sweepd/*.link",
             x->folder.root);
    assert_int_equal(system(command), 0);
    expect_loaded(x);
    snprintf(command, sizeof command, "grep -q finding %s/cache/sweepd/*.link", x->folder.root);
    assert_int_equal(system(command), 0);
}

static void test_change_after_submit(void **state)
{
    struct fixture *x = *state;
    expect_loaded(x);
    memcpy(x->config.data_hash, x->prepared.hash, sizeof x->config.data_hash);
    expect_loaded(x);
    write_half(&x->folder, "train", COUNT, COUNT, 2, true);
    expect_refused(x, "$.data.path", "changed after submit");
    assert_int_equal(x->err.code, ERR_DATA);
    write_half(&x->folder, "train", COUNT, COUNT, 3, true); /* touched, same content */
    expect_loaded(x);
}

static void test_files_must_agree(void **state)
{
    struct fixture *x = *state;
    write_half(&x->folder, "train", COUNT, COUNT - 1, 3, true);
    expect_refused(x, "$.data.path", "holds 40 samples but");
    write_half(&x->folder, "train", COUNT, COUNT, 3, true);
    write_half(&x->folder, "t10k", 8, 8, 3, true);
    expect_loaded(x);
    assert_int_equal(x->prepared.source_count, 4);
    assert_int_equal(x->prepared.test_samples, 8);
    write_half(&x->folder, "t10k", 8, 8, 5, true);
    expect_refused(x, "$.data.path", "has the label 4; the classes of");
    folder_write(&x->folder, "t10k-images-idx3-ubyte.gz", "no", 2);
    expect_refused(x, "$.data.path", "t10k-images-idx3-ubyte.gz: ");
}

static void test_labels_must_be_labels(void **state)
{
    struct fixture *x = *state;
    unsigned char file[512];
    const unsigned dims[] = {COUNT, 1, 0};
    const unsigned char body[COUNT] = {0};
    folder_write(&x->folder, "train-labels-idx1-ubyte", file,
                 folder_idx(file, IDX_U8, dims, body, sizeof body));
    expect_refused(x, "$.data.path", "labels must be one dimension of unsigned bytes");
}

static void test_missing_files(void **state)
{
    struct fixture *x = *state;
    char path[128];
    snprintf(path, sizeof path, "%s/train-labels-idx1-ubyte.gz", x->folder.data);
    assert_int_equal(unlink(path), 0);
    expect_refused(x, "$.data.path", "there is no train-labels*");
    snprintf(x->config.data.path, sizeof x->config.data.path, "%s/nowhere", x->folder.root);
    expect_refused(x, "$.data.path", "nowhere");
}

static void test_counts_in_the_configuration(void **state)
{
    struct fixture *x = *state;
    x->config.settings.v[SETTING_LIMIT] = COUNT + 1;
    expect_refused(x, "$.data.limit", "at most the 40 samples");
    x->config.settings.v[SETTING_LIMIT] = 10;
    expect_refused(x, "$.data.validation", "fewer than the 10 samples");
    x->config.settings.v[SETTING_VALIDATION] = 0;
    expect_refused(x, "$.data.validation", "at least 1 sample to hold out");
}

static void test_files_by_name(void **state)
{
    struct fixture *x = *state;
    x->config.data.format = FORMAT_CSV;
    expect_refused(x, "$.data.path", "a regular file");
    snprintf(x->config.data.path, sizeof x->config.data.path, "%s/none.csv", x->folder.data);
    expect_refused(x, "$.data.path", "none.csv");
    assert_int_equal(x->err.code, ERR_NOT_FOUND);
}

static void make_folder(const struct fixture *x, const char *name, struct folder *out)
{
    snprintf(out->data, sizeof out->data, "%.70s/%s", x->folder.root, name);
    assert_int_equal(mkdir(out->data, 0700), 0);
}

/* Folders of their own: the files named train in one to validate with, t10k in one to test with. */
static void test_idx_folders(void **state)
{
    struct fixture *x = *state;
    struct spec_data *d = &x->config.data;
    struct folder valid, test;
    make_folder(x, "valid", &valid);
    make_folder(x, "test", &test);
    snprintf(d->validation_path, sizeof d->validation_path, "%s", valid.data);
    snprintf(d->test_path, sizeof d->test_path, "%s", test.data);
    expect_refused(x, "$.data.validation_path", "there is no train-images* in");
    write_half(&valid, "t10k", 5, 5, 3, true);
    write_half(&x->folder, "t10k", 8, 8, 3, true);
    expect_refused(x, "$.data.test_path", "there is no t10k-images* in");
    write_half(&test, "train", 6, 6, 3, true);
    expect_refused(x, "$.data.validation", "none, as there are 5 validation samples");
    x->config.settings.v[SETTING_VALIDATION] = 0;
    expect_loaded(x);
    assert_true(x->prepared.validation_samples == 5 && x->prepared.test_samples == 6);
    write_half(&valid, "train", 4, 4, 3, true);
    write_half(&test, "t10k", 7, 7, 3, true);
    expect_loaded(x);
    assert_true(x->prepared.validation_samples == 4 && x->prepared.test_samples == 7);
    write_half(&test, "t10k", 7, 7, 4, true);
    expect_refused(x, "$.data.test_path", "t10k-labels-idx1-ubyte.gz: sample 5 has the label 4");
}

/* Each choice that changes what is decoded names another link; settings name the same. */
static void test_link_names_the_decoding(void **state)
{
    struct fixture *x = *state;
    struct source s = {.format = FORMAT_CSV};
    struct spec_data d = {.format = FORMAT_CSV};
    char first[65], other[65];
    source_hash(&s, &d, first);
    source_hash(&s, &d, other);
    assert_string_equal(first, other);
    s.format = FORMAT_TSV;
    source_hash(&s, &d, other);
    assert_string_not_equal(first, other);
    s.format = FORMAT_CSV;
    d.header = HEADER_NO;
    source_hash(&s, &d, other);
    assert_string_not_equal(first, other);
    d.header = HEADER_AUTO;
    d.task = TASK_REGRESSION;
    source_hash(&s, &d, other);
    assert_string_not_equal(first, other);
    d.task = TASK_AUTO;
    strcpy(d.target, "y");
    source_hash(&s, &d, other);
    assert_string_not_equal(first, other);
    d.target[0] = '\0';
    strcpy(s.files[SOURCE_SAMPLES(PART_TEST)].path, "y");
    source_hash(&s, &d, other);
    assert_string_not_equal(first, other);
    /* And with the task, another cache. */
    expect_loaded(x);
    x->config.data.task = TASK_REGRESSION;
    assert_int_equal(load(x), 0);
    assert_true(x->samples.classes == 0 && !x->samples.labels && x->samples.targets[3] == 3);
    samples_finish(&x->samples);
}

static void test_csv_with_files_of_its_own(void **state)
{
    static const char train[] = "a,b,y\n1,2,dog\n3,4,cat\n5,6,dog\n", valid[] = "a,b,y\n7,8,cat\n",
                      wrong[] = "a,b,y\n7,8,cow\n";
    struct fixture *x = *state;
    struct spec_data *d = &x->config.data;
    d->format = FORMAT_CSV;
    x->config.settings.v[SETTING_VALIDATION] = 0;
    folder_write(&x->folder, "train.csv", train, sizeof train - 1);
    folder_write(&x->folder, "valid.csv", valid, sizeof valid - 1);
    snprintf(d->path, sizeof d->path, "%s/train.csv", x->folder.data);
    snprintf(d->validation_path, sizeof d->validation_path, "%s/valid.csv", x->folder.data);
    for (int again = 0; again < 2; again++) {
        if (load(x) != 0)
            fail_msg("refused: %s", x->err.message);
        const struct samples *s = &x->samples;
        assert_true(s->count == 4 && s->parts[PART_TRAIN] == 3 && s->parts[PART_VALIDATION] == 1);
        assert_true(s->classes == 2 && s->labels[0] == 1 && s->labels[1] == 0 && s->labels[3] == 0);
        assert_true(((const float *)s->values)[6] == 7);
        assert_true(x->prepared.samples == 3 && x->prepared.validation_samples == 1);
        samples_finish(&x->samples);
    }
    folder_write(&x->folder, "valid.csv", wrong, sizeof wrong - 1);
    expect_refused(x, "$.data.validation_path", "cow");
}

static void test_nan_is_found(void **state)
{
    struct fixture *x = *state;
    unsigned char file[2048], body[COUNT * FEATURES * 4] = {0};
    const unsigned dims[] = {COUNT, FEATURES, 0};
    const unsigned char nan[4] = {0x7f, 0xc0, 0, 1}, inf[4] = {0xff, 0x80, 0, 0};
    memcpy(body + 4 * (7 * FEATURES + 2), nan, 4);
    memcpy(body + 4 * (7 * FEATURES + 5), inf, 4);
    memcpy(body + 4 * (39 * FEATURES + 0), nan, 4);
    folder_write(&x->folder, "train-images-idx2-float", file,
                 folder_idx(file, IDX_F32, dims, body, sizeof body));
    for (int again = 0; again < 2; again++) { /* decoded, then from the cache */
        assert_int_equal(load(x), 0);
        samples_finish(&x->samples);
        assert_int_equal(x->prepared.finding_count, 3);
        const struct record_finding *f = x->prepared.findings;
        assert_string_equal(f[0].kind, "nan_in_input");
        assert_true(f[0].row == 8 && f[0].column == 3 && f[0].count == 2);
        assert_string_equal(f[1].kind, "inf_in_input");
        assert_true(f[1].row == 8 && f[1].column == 6 && f[1].count == 1);
        assert_true(f[2].row == 40 && f[2].column == 1 && f[2].count == 2);
    }
    memset(body, 0xff, sizeof body); /* all NaN: a capped list, the full count */
    folder_write(&x->folder, "train-images-idx2-float", file,
                 folder_idx(file, IDX_F32, dims, body, sizeof body));
    assert_int_equal(load(x), 0);
    samples_finish(&x->samples);
    assert_int_equal(x->prepared.finding_count, 100);
    assert_int_equal(x->prepared.findings[0].count, COUNT * FEATURES);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_decodes_once),
        CASE(test_hash_is_of_the_content),
        CASE(test_damaged_header_is_rebuilt),
        CASE(test_forged_header_is_refused),
        CASE(test_damaged_cache_is_rebuilt),
        CASE(test_damaged_content_is_rebuilt),
        CASE(test_mark_of_what_was_verified),
        CASE(test_damaged_link_is_rebuilt),
        CASE(test_change_after_submit),
        CASE(test_files_must_agree),
        CASE(test_labels_must_be_labels),
        CASE(test_missing_files),
        CASE(test_counts_in_the_configuration),
        CASE(test_files_by_name),
        CASE(test_idx_folders),
        CASE(test_link_names_the_decoding),
        CASE(test_csv_with_files_of_its_own),
        CASE(test_nan_is_found),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    log_set_level(LOG_ERROR); /* each cache that is made again is a warning */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
