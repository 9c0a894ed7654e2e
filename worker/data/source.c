#include "worker/data/source.h"

#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sweep/buf.h"
#include "sweep/dataset.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "worker/data/sha256.h"

/* Changes whenever the same files, read in the same way, become other samples. */
#define DECODER "sweep-decoder-2"

/* What the configuration calls each file. */
static const struct {
    const char *key;
    size_t offset; /* of its path in struct spec_data */
} places[] = {
    {"$.data.path", offsetof(struct spec_data, path)},
#define X(member, key, doc) {"$.data." key, offsetof(struct spec_data, member)},
    DATA_FILE_MAP(X)
#undef X
};
_Static_assert(ARRAY_LEN(places) == SOURCE_FILE_COUNT, "in the order of struct source");

/* train-images-idx3-ubyte, train-images.idx3-ubyte, …, plain or .gz */
static const char *const prefixes[SOURCE_FILE_COUNT] = {
    [SOURCE_SAMPLES(PART_TRAIN)] = "train-images",
    [SOURCE_TARGETS(PART_TRAIN)] = "train-labels",
    [SOURCE_SAMPLES(PART_TEST)] = "t10k-images",
    [SOURCE_TARGETS(PART_TEST)] = "t10k-labels",
};

static const char *const expected[] = {
    [FORMAT_IDX] = "whole IDX files of the MNIST layout that agree",
    [FORMAT_CSV] = "whole CSV files with the same columns",
    [FORMAT_TSV] = "whole TSV files with the same columns",
    [FORMAT_NPY] = "whole NPY files that agree",
    [FORMAT_NPZ] = "whole NPZ files whose arrays agree",
    [FORMAT_LIBSVM] = "whole LIBSVM files with the same classes",
};
_Static_assert(ARRAY_LEN(expected) == FORMAT_COUNT, "one of each");

static const char *place_key(const struct spec_data *d, size_t file)
{
    return d->name[0] ? "$.data.name" : places[d->format == FORMAT_IDX ? 0 : file].key;
}

static const char *place_value(const struct spec_data *d, size_t file)
{
    if (d->name[0])
        return d->name;
    return (const char *)d + places[d->format == FORMAT_IDX ? 0 : file].offset;
}

/* --- a folder of the MNIST layout ----------------------------------------------------------- */

static int find_folder(const struct spec_data *d, char folder[SPEC_PATH_MAX], struct errbuf *err)
{
    if (d->name[0]) {
        struct dataset found;
        int rc = dataset_find(d->name, &found, err);
        if (rc == 0)
            str_copy(folder, SPEC_PATH_MAX, found.path);
        return rc;
    }
    str_copy(folder, SPEC_PATH_MAX, d->path);
    return 0;
}

/* A file that a copy or an editor left behind must not stand in for the data. */
static bool is_leftover(const char *name)
{
    size_t len = strlen(name);
    return name[len - 1] == '~' || (len > 4 && strcmp(name + len - 4, ".tmp") == 0);
}

/* The alphabetically first name with each prefix: plain before .gz. */
static void choose(struct source *s, const char *folder, const char *name)
{
    for (size_t i = 0; i < SOURCE_FILE_COUNT; i++) {
        if (!prefixes[i] || strncmp(name, prefixes[i], strlen(prefixes[i])) != 0 ||
            is_leftover(name))
            continue;
        char path[sizeof s->files[i].path];
        int len = snprintf(path, sizeof path, "%s/%s", folder, name);
        if (len < 0 || (size_t)len >= sizeof path)
            continue; /* stays absent, and is reported as such */
        if (!s->files[i].path[0] || strcmp(path, s->files[i].path) < 0)
            str_copy(s->files[i].path, sizeof s->files[i].path, path);
    }
}

static int check_complete(const struct spec_data *d, const struct source *s, const char *folder,
                          struct errbuf *err)
{
    bool test = s->files[SOURCE_SAMPLES(PART_TEST)].path[0] ||
                s->files[SOURCE_TARGETS(PART_TEST)].path[0];
    size_t needed = test ? SOURCE_FILE_COUNT : SOURCE_SAMPLES(PART_VALIDATION);
    for (size_t i = 0; i < needed; i++) {
        if (prefixes[i] && !s->files[i].path[0])
            return err_bad(err, ERR_NOT_FOUND, place_key(d, i), place_value(d, i),
                           "a folder with the IDX files of the MNIST layout; there is no %s* in %s",
                           prefixes[i], folder);
    }
    return 0;
}

static int find_in_folder(const struct spec_data *d, struct source *s, struct errbuf *err)
{
    char folder[SPEC_PATH_MAX];
    int rc = find_folder(d, folder, err);
    if (rc != 0)
        return rc;
    for (size_t i = 1; i < SOURCE_FILE_COUNT; i++) {
        const char *path = (const char *)d + places[i].offset;
        if (path[0])
            return err_bad(err, ERR_KEY, places[i].key, path,
                           "no such key with format idx, whose folder has all files");
    }
    DIR *dir = opendir(folder);
    if (!dir)
        return err_bad(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, place_key(d, 0),
                       place_value(d, 0), "a folder that can be read (%s: %s)", folder,
                       strerror(errno));
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL)
        choose(s, folder, entry->d_name);
    closedir(dir);
    return check_complete(d, s, folder, err);
}

/* --- files by name -------------------------------------------------------------------------- */

static int check_pair(const struct spec_data *d, const struct source *s, enum samples_part part,
                      struct errbuf *err)
{
    size_t i = SOURCE_SAMPLES(part), j = SOURCE_TARGETS(part);
    const char *samples = s->files[i].path, *targets = s->files[j].path;
    if (targets[0] && d->format != FORMAT_NPY)
        return err_bad(err, ERR_KEY, place_key(d, j), targets,
                       "no such key with format %s, whose files have their targets",
                       format_name(d->format));
    if (targets[0] && !samples[0])
        return err_bad(err, ERR_MISSING, place_key(d, i), "nothing",
                       "the file whose targets are in %s", targets);
    if (samples[0] && !targets[0] && d->format == FORMAT_NPY)
        return err_bad(err, ERR_MISSING, place_key(d, j), "nothing",
                       "the file with the targets of %s", samples);
    return 0;
}

static int find_named(const struct spec_data *d, struct source *s, struct errbuf *err)
{
    int rc = 0;
    for (size_t i = 0; i < SOURCE_FILE_COUNT; i++)
        str_copy(s->files[i].path, sizeof s->files[i].path, place_value(d, i));
    for (int part = 0; rc == 0 && part < PART_COUNT; part++)
        rc = check_pair(d, s, (enum samples_part)part, err);
    return rc;
}

/* --- both ----------------------------------------------------------------------------------- */

static int stat_files(const struct spec_data *d, struct source *s, struct errbuf *err)
{
    for (size_t i = 0; i < SOURCE_FILE_COUNT; i++) {
        struct record_source *f = &s->files[i];
        if (!f->path[0])
            continue;
        struct stat st;
        if (stat(f->path, &st) != 0)
            return err_bad(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, place_key(d, i),
                           place_value(d, i), "a file that can be read (%s: %s)", f->path,
                           strerror(errno));
        if (!S_ISREG(st.st_mode))
            return err_bad(err, ERR_DATA, place_key(d, i), place_value(d, i),
                           "a regular file (%s is none)", f->path);
        f->size_bytes = st.st_size;
        f->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    }
    return 0;
}

int source_find(const struct spec_data *d, struct source *out, struct errbuf *err)
{
    struct source s = {.format = d->name[0] ? FORMAT_IDX : d->format};
    int rc = s.format == FORMAT_IDX ? find_in_folder(d, &s, err) : find_named(d, &s, err);
    if (rc == 0)
        rc = stat_files(d, &s, err);
    if (rc == 0)
        *out = s;
    return rc;
}

bool source_same(const struct source *s, const struct record_source *known, size_t count)
{
    size_t next = 0;
    for (size_t i = 0; i < SOURCE_FILE_COUNT; i++) {
        const struct record_source *f = &s->files[i];
        if (!f->path[0])
            continue;
        if (next == count || strcmp(f->path, known[next].path) != 0 ||
            f->size_bytes != known[next].size_bytes || f->mtime_ns != known[next].mtime_ns)
            return false;
        next++;
    }
    return next == count;
}

void source_hash(const struct source *s, const struct spec_data *d, char out[65])
{
    const uint32_t choices[] = {s->format, d->header, d->task};
    struct sha256 sum;
    sha256_init(&sum);
    sha256_add(&sum, DECODER, sizeof DECODER);
    sha256_add(&sum, choices, sizeof choices);
    sha256_add(&sum, d->target, strlen(d->target) + 1);
    for (size_t i = 0; i < SOURCE_FILE_COUNT; i++)
        sha256_add(&sum, s->files[i].path, strlen(s->files[i].path) + 1);
    sha256_hex(&sum, out);
}

/* Readers begin the message of an error about a file with its path. */
static bool is_about(const struct errbuf *err, const struct record_source *f)
{
    size_t len = strlen(f->path);
    return len > 0 && strncmp(err->message, f->path, len) == 0;
}

int source_blame(const struct source *s, const struct spec_data *d, size_t file, int rc,
                 struct errbuf *err)
{
    if (!err || strncmp(err->key, "$.", 2) == 0)
        return rc;
    if (file % 2 == 0 && is_about(err, &s->files[file + 1]))
        file++;
    struct errbuf why = *err;
    const char *key = place_key(d, file), *value = place_value(d, file);
    err_set(err, rc, "%s: got %s: %s", key, value, why.message);
    str_copy(err->key, sizeof err->key, key);
    str_copy(err->value, sizeof err->value, value);
    str_copy(err->allowed, sizeof err->allowed, why.allowed[0] ? why.allowed : expected[s->format]);
    return rc;
}
