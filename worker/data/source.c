#include "worker/data/source.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sweep/buf.h"
#include "sweep/dataset.h"
#include "sweep/err.h"

/* train-images-idx3-ubyte, train-images.idx3-ubyte, …, plain or .gz */
static const char *const prefixes[SOURCE_FILE_COUNT] = {
    [SOURCE_TRAIN_IMAGES] = "train-images",
    [SOURCE_TRAIN_LABELS] = "train-labels",
    [SOURCE_TEST_IMAGES] = "t10k-images",
    [SOURCE_TEST_LABELS] = "t10k-labels",
};

const char *source_key(const struct spec_data *d)
{
    return d->name[0] ? "$.data.name" : "$.data.path";
}

const char *source_value(const struct spec_data *d)
{
    return d->name[0] ? d->name : d->path;
}

static int find_folder(const struct spec_data *d, char folder[SPEC_PATH_MAX], struct errbuf *err)
{
    if (d->name[0]) {
        struct dataset found;
        int rc = dataset_find(d->name, &found, err);
        if (rc == 0)
            str_copy(folder, SPEC_PATH_MAX, found.path);
        return rc;
    }
    if (strcmp(d->format, "idx") != 0)
        return err_bad(err, ERR_VALUE, "$.data.format", d->format, "idx");
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
static void choose(struct source *s, const char *name)
{
    for (size_t i = 0; i < SOURCE_FILE_COUNT; i++) {
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) != 0 || is_leftover(name))
            continue;
        char path[sizeof s->files[i].path];
        int len = snprintf(path, sizeof path, "%s/%s", s->folder, name);
        if (len < 0 || (size_t)len >= sizeof path)
            continue; /* stays absent, and is reported as such */
        if (!s->files[i].path[0] || strcmp(path, s->files[i].path) < 0)
            str_copy(s->files[i].path, sizeof s->files[i].path, path);
    }
}

static int scan_folder(const struct spec_data *d, struct source *s, struct errbuf *err)
{
    DIR *dir = opendir(s->folder);
    if (!dir)
        return err_bad(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, source_key(d),
                       source_value(d), "a folder that can be read (%s: %s)", s->folder,
                       strerror(errno));
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL)
        choose(s, entry->d_name);
    closedir(dir);
    return 0;
}

static int stat_files(const struct spec_data *d, struct source *s, struct errbuf *err)
{
    for (size_t i = 0; i < SOURCE_FILE_COUNT; i++) {
        struct record_source *f = &s->files[i];
        if (!f->path[0])
            continue;
        struct stat st;
        if (stat(f->path, &st) != 0)
            return err_bad(err, ERR_IO, source_key(d), source_value(d),
                           "files that can be read (%s: %s)", f->path, strerror(errno));
        if (!S_ISREG(st.st_mode))
            return err_bad(err, ERR_DATA, source_key(d), source_value(d),
                           "regular files (%s is none)", f->path);
        f->size_bytes = st.st_size;
        f->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    }
    return 0;
}

static int check_complete(const struct spec_data *d, const struct source *s, struct errbuf *err)
{
    bool test = s->files[SOURCE_TEST_IMAGES].path[0] || s->files[SOURCE_TEST_LABELS].path[0];
    size_t needed = test ? SOURCE_FILE_COUNT : SOURCE_TEST_IMAGES;
    for (size_t i = 0; i < needed; i++) {
        if (!s->files[i].path[0])
            return err_bad(err, ERR_NOT_FOUND, source_key(d), source_value(d),
                           "a folder with the IDX files of the MNIST layout; there is no %s* in %s",
                           prefixes[i], s->folder);
    }
    return 0;
}

int source_find(const struct spec_data *d, struct source *out, struct errbuf *err)
{
    struct source s = {0};
    int rc = find_folder(d, s.folder, err);
    if (rc == 0)
        rc = scan_folder(d, &s, err);
    if (rc == 0)
        rc = stat_files(d, &s, err);
    if (rc == 0)
        rc = check_complete(d, &s, err);
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
