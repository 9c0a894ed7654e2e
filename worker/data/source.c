#include "worker/data/source.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sweep/buf.h"
#include "sweep/dataset.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "sweep/sha256.h"

/* Changes whenever the same files, read in the same way, become other samples. */
#define DECODER "sweep-decoder-5"

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

static const char *const expected[] = {
    [FORMAT_IDX] = "whole IDX files of the MNIST layout that agree",
    [FORMAT_CSV] = "whole CSV files with the same columns",
    [FORMAT_TSV] = "whole TSV files with the same columns",
    [FORMAT_NPY] = "whole NPY files that agree",
    [FORMAT_NPZ] = "whole NPZ files whose arrays agree",
    [FORMAT_LIBSVM] = "whole LIBSVM files with the same classes",
};
_Static_assert(ARRAY_LEN(expected) == FORMAT_COUNT, "one of each");

/* The place that names the file: that of its folder with IDX, whose test part may be in the first
 * one's. */
static size_t place_of(const struct spec_data *d, size_t file)
{
    if (d->name[0] || d->format != FORMAT_IDX)
        return file;
    size_t folder = SOURCE_SAMPLES(file / 2);
    return ((const char *)d + places[folder].offset)[0] ? folder : 0;
}

static const char *place_key(const struct spec_data *d, size_t file)
{
    return d->name[0] ? "$.data.name" : places[place_of(d, file)].key;
}

static const char *place_value(const struct spec_data *d, size_t file)
{
    return d->name[0] ? d->name : (const char *)d + places[place_of(d, file)].offset;
}

/* --- a folder of the MNIST layout ----------------------------------------------------------- */

/* train-images-idx3-ubyte, train-images.idx3-ubyte, emnist-letters-train-images-idx3-ubyte, …,
 * plain or packed; letters in any case, and '_' or '.' for '-'. */
static const char *const prefixes[2][2] = {
    {"train-images", "train-labels"},
    {"t10k-images", "t10k-labels"},
};
static const char *const test_names[2] = {"test-images", "test-labels"};

#define SET_MAX 64

/* The paths of a folder's files, "" where there is none. */
struct folder {
    char path[2][2][SPEC_PATH_MAX];
    char set[SET_MAX];   /* what stands before: "emnist-letters-", in most "" */
    bool has_set;
    char other[SET_MAX]; /* of a second set; "": there is none */
};

/* A file that a copy or an editor left behind must not stand in for the data. */
static bool is_leftover(const char *name)
{
    size_t len = strlen(name);
    return name[len - 1] == '~' || (len > 4 && strcmp(name + len - 4, ".tmp") == 0);
}

/* Where one of the four is named in it; NULL: nowhere. */
static const char *find_name(const char *plain, size_t file)
{
    const char *at = strstr(plain, prefixes[file / 2][file % 2]);
    return at || file < 2 ? at : strstr(plain, test_names[file % 2]);
}

/* Two sets in one folder cannot be told apart. */
static void note_set(struct folder *f, const char *plain, size_t len)
{
    char set[SET_MAX];
    snprintf(set, sizeof set, "%.*s", (int)(len < SET_MAX ? len : SET_MAX - 1), plain);
    if (!f->has_set)
        str_copy(f->set, sizeof f->set, set);
    else if (strcmp(f->set, set) != 0)
        str_copy(f->other, sizeof f->other, set[0] ? set : "no name");
    f->has_set = true;
}

/* The alphabetically first name of each: plain before .gz. */
static void choose(struct folder *f, const char *folder, const char *name)
{
    char plain[NAME_MAX + 1];
    size_t n = 0;
    for (; name[n] && n < NAME_MAX; n++) {
        char c = name[n];
        plain[n] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c == '_' || c == '.' ? '-' : c;
    }
    plain[n] = '\0';
    for (size_t i = 0; i < 4 && name[0] != '.' && !is_leftover(name); i++) {
        const char *at = find_name(plain, i);
        char *chosen = f->path[i / 2][i % 2], path[SPEC_PATH_MAX];
        if (!at)
            continue;
        int len = snprintf(path, sizeof path, "%s/%s", folder, name);
        if (len < 0 || (size_t)len >= sizeof path)
            continue; /* stays absent, and is reported as such */
        note_set(f, plain, (size_t)(at - plain));
        if (!chosen[0] || strcmp(path, chosen) < 0)
            memcpy(chosen, path, (size_t)len + 1);
    }
}

static int list_folder(const struct spec_data *d, size_t file, const char *path, struct folder *out,
                       struct errbuf *err)
{
    memset(out, 0, sizeof *out);
    DIR *dir = opendir(path);
    if (!dir)
        return err_bad(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, place_key(d, file),
                       place_value(d, file), "a folder that can be read (%s: %s)", path,
                       strerror(errno));
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL)
        choose(out, path, entry->d_name);
    closedir(dir);
    if (out->other[0])
        return err_bad(err, ERR_DATA, place_key(d, file), place_value(d, file),
                       "a folder with one data set; %s has files of '%s' and of '%s'", path,
                       out->set, out->other);
    return 0;
}

/* Gives a part the pair of files with those prefixes, both of which must be there. */
static int take_pair(const struct spec_data *d, const struct folder *f, const char *folder,
                     size_t pair, enum samples_part part, struct source *s, struct errbuf *err)
{
    for (size_t i = 0; i < 2; i++) {
        size_t file = SOURCE_SAMPLES(part) + i;
        if (!f->path[pair][i][0])
            return err_bad(err, ERR_NOT_FOUND, place_key(d, file), place_value(d, file),
                           "a folder with the IDX files of the MNIST layout; there is no %s* in %s",
                           prefixes[pair][i], folder);
        str_copy(s->files[file].path, sizeof s->files[file].path, f->path[pair][i]);
    }
    return 0;
}

static bool has_pair(const struct folder *f, size_t pair)
{
    return f->path[pair][0][0] || f->path[pair][1][0];
}

/* A folder of its own: for the test part its t10k files, for others its train files, or whichever
 * it has. */
static int find_part(const struct spec_data *d, enum samples_part part, struct source *s,
                     struct errbuf *err)
{
    struct folder f;
    const char *path = (const char *)d + places[SOURCE_SAMPLES(part)].offset;
    size_t first = part == PART_TEST;
    if (!path[0])
        return 0;
    int rc = list_folder(d, SOURCE_SAMPLES(part), path, &f, err);
    if (rc != 0)
        return rc;
    return take_pair(d, &f, path, has_pair(&f, first) || !has_pair(&f, !first) ? first : !first,
                     part, s, err);
}

static int find_in_folders(const struct spec_data *d, struct source *s, struct errbuf *err)
{
    struct folder f;
    struct dataset named;
    const char *path = d->path;
    int rc = d->name[0] ? dataset_find(d->name, &named, err) : 0;
    if (rc != 0)
        return rc;
    if (d->name[0])
        path = named.path;
    rc = list_folder(d, 0, path, &f, err);
    if (rc == 0)
        rc = take_pair(d, &f, path, 0, PART_TRAIN, s, err);
    if (rc == 0 && has_pair(&f, 1) && !d->test_path[0])
        rc = take_pair(d, &f, path, 1, PART_TEST, s, err);
    if (rc == 0)
        rc = find_part(d, PART_VALIDATION, s, err);
    return rc != 0 ? rc : find_part(d, PART_TEST, s, err);
}

/* --- files by name -------------------------------------------------------------------------- */

/* Which keys go with which format was checked when the configuration was parsed. */
static void name_files(const struct spec_data *d, struct source *s)
{
    for (size_t i = 0; i < SOURCE_FILE_COUNT; i++)
        str_copy(s->files[i].path, sizeof s->files[i].path, (const char *)d + places[i].offset);
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
    int rc = 0;
    if (s.format == FORMAT_IDX)
        rc = find_in_folders(d, &s, err);
    else
        name_files(d, &s);
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
    const int64_t marks[] = {d->header_line,  d->skip_told, d->skip_rows,    d->delimiter,
                             d->decimal,      d->thousands, d->missing_told, d->missing_usual,
                             d->max_categories, d->footer_told, d->skip_footer};
    struct sha256 sum;
    sha256_init(&sum);
    sha256_add(&sum, DECODER, sizeof DECODER);
    sha256_add(&sum, choices, sizeof choices);
    sha256_add(&sum, marks, sizeof marks);
    sha256_add(&sum, d->target, strlen(d->target) + 1);
    sha256_add(&sum, d->features, strlen(d->features) + 1);
    if (d->drop_without_target)
        sha256_add(&sum, "drop", sizeof "drop");
    if (d->encoding[0])
        sha256_add(&sum, d->encoding, strlen(d->encoding) + 1);
    sha256_add(&sum, &d->missing, offsetof(struct data_words, text) + d->missing.bytes);
    sha256_add(&sum, &d->ignore, offsetof(struct data_words, text) + d->ignore.bytes);
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
    if (strncmp(why.message, value, strlen(value)) == 0)
        err_set(err, rc, "%s: %s", key, why.message); /* which begins with the file's path */
    else
        err_set(err, rc, "%s: got %s: %s", key, value, why.message);
    str_copy(err->key, sizeof err->key, key);
    str_copy(err->value, sizeof err->value, value);
    str_copy(err->allowed, sizeof err->allowed, why.allowed[0] ? why.allowed : expected[s->format]);
    return rc;
}
