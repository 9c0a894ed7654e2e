#include "worker/data/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "worker/data/atomic_file.h"
#include "worker/data/sha256.h"

#define CACHE_MAGIC "SWEEPDAT"
#define CACHE_VERSION 1
#define CACHE_ALIGN 4096 /* header and values start on pages */

/* This machine's byte order; the cache is never carried to another. */
struct header {
    char magic[8];
    uint32_t version, type;
    uint64_t count, features, classes;
    uint64_t labels_offset, values_offset, file_bytes;
    char hash[72];  /* of the content, hex */
    char check[72]; /* SHA-256 of all above, hex */
};

static void header_check(const struct header *h, char out[65])
{
    struct sha256 sum;
    sha256_init(&sum);
    sha256_add(&sum, h, offsetof(struct header, check));
    sha256_hex(&sum, out);
}

static uint64_t align_up(uint64_t x)
{
    return (x + CACHE_ALIGN - 1) / CACHE_ALIGN * CACHE_ALIGN;
}

/* The one layout there is for these sizes. */
static void header_fill(struct header *h, const struct samples *s)
{
    memset(h, 0, sizeof *h);
    memcpy(h->magic, CACHE_MAGIC, sizeof h->magic);
    h->version = CACHE_VERSION;
    h->type = s->type;
    h->count = s->count;
    h->features = s->features;
    h->classes = s->classes;
    h->labels_offset = CACHE_ALIGN;
    h->values_offset = align_up(h->labels_offset + s->count * sizeof *s->labels);
    h->file_bytes = h->values_offset + s->count * s->features * samples_value_bytes(s->type);
    str_copy(h->hash, sizeof h->hash, s->hash);
    header_check(h, h->check);
}

int cache_data_path(const char *hash, char out[PATHS_MAX], struct errbuf *err)
{
    char folder[PATHS_MAX];
    int rc = paths_cache(folder, err);
    if (rc != 0)
        return rc;
    int len = snprintf(out, PATHS_MAX, "%s/%s.data", folder, hash);
    return len > 0 && len < PATHS_MAX ? 0 : err_set(err, ERR_VALUE, "path too long: %s", folder);
}

/* From the header alone: the sizes are in range, and give back this very header. */
static int header_valid(const struct header *h, const char *hash, struct samples *out)
{
    struct samples s = {.type = (enum samples_type)h->type,
                        .count = h->count,
                        .features = h->features,
                        .classes = h->classes};
    if (memcmp(h->magic, CACHE_MAGIC, sizeof h->magic) != 0 || h->version != CACHE_VERSION ||
        (h->type != SAMPLES_U8 && h->type != SAMPLES_F32) || h->count < 1 ||
        h->count > SAMPLES_MAX || h->features < 1 || h->features > SAMPLES_FEATURES_MAX ||
        h->classes < 1 || h->classes > SAMPLES_CLASSES_MAX)
        return ERR_DATA;
    str_copy(s.hash, sizeof s.hash, hash);
    struct header again;
    header_fill(&again, &s);
    if (memcmp(h, &again, sizeof again) != 0)
        return ERR_DATA;
    *out = s;
    return 0;
}

/* A label beyond the classes would write outside the outputs. */
static int labels_valid(const struct samples *s)
{
    uint16_t top = 0;
    for (size_t i = 0; i < s->count; i++)
        top = s->labels[i] > top ? s->labels[i] : top;
    return top < s->classes ? 0 : ERR_DATA;
}

static int map_file(int fd, const char *hash, struct samples *out)
{
    struct header h;
    struct stat st;
    struct samples s;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
        pread(fd, &h, sizeof h, 0) != (ssize_t)sizeof h || header_valid(&h, hash, &s) != 0 ||
        (uint64_t)st.st_size != h.file_bytes)
        return ERR_DATA;
    char *map = mmap(NULL, h.file_bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return ERR_DATA;
    s.map = map;
    s.map_bytes = h.file_bytes;
    s.labels = (const uint16_t *)(const void *)(map + h.labels_offset);
    s.values = map + h.values_offset;
    if (labels_valid(&s) != 0) {
        samples_finish(&s);
        return ERR_DATA;
    }
    *out = s;
    return 0;
}

int cache_map(const char *path, const char *hash, struct samples *out, struct errbuf *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_NOT_FOUND, "%s: %s", path, strerror(errno));
    int rc = map_file(fd, hash, out);
    close(fd);
    return rc == 0 ? 0 : err_set(err, rc, "%s is not a valid cache of this data", path);
}

static int write_padding(struct atomic_file *f, uint64_t from, uint64_t to, struct errbuf *err)
{
    static const char zeros[CACHE_ALIGN];
    return atomic_file_write(f, zeros, to - from, err);
}

int cache_write(const char *path, const struct samples *s, struct errbuf *err)
{
    struct header h;
    struct atomic_file f;
    header_fill(&h, s);
    size_t label_bytes = s->count * sizeof *s->labels;
    int rc = paths_make_parent(path, 0700, err);
    if (rc == 0)
        rc = atomic_file_open(&f, path, err);
    if (rc == 0)
        rc = atomic_file_write(&f, &h, sizeof h, err);
    if (rc == 0)
        rc = write_padding(&f, sizeof h, h.labels_offset, err);
    if (rc == 0)
        rc = atomic_file_write(&f, s->labels, label_bytes, err);
    if (rc == 0)
        rc = write_padding(&f, h.labels_offset + label_bytes, h.values_offset, err);
    if (rc == 0)
        rc = atomic_file_write(&f, s->values, h.file_bytes - h.values_offset, err);
    if (rc == 0)
        rc = atomic_file_commit(&f, true, err);
    return rc;
}

static int link_path(const char *folder, char out[PATHS_MAX], struct errbuf *err)
{
    char cache[PATHS_MAX], hash[65];
    struct sha256 sum;
    int rc = paths_cache(cache, err);
    if (rc != 0)
        return rc;
    sha256_init(&sum);
    sha256_add(&sum, folder, strlen(folder));
    sha256_hex(&sum, hash);
    int len = snprintf(out, PATHS_MAX, "%s/%s.link", cache, hash);
    return len > 0 && len < PATHS_MAX ? 0 : err_set(err, ERR_VALUE, "path too long: %s", cache);
}

int cache_link_read(const char *folder, struct record_prepared *out, struct errbuf *err)
{
    char path[PATHS_MAX];
    struct buf text = {0};
    struct record r = {0};
    int rc = link_path(folder, path, err);
    if (rc == 0)
        rc = buf_read_file(&text, path, RECORD_LINE_MAX, err);
    if (rc == 0 && (text.len == 0 || text.data[text.len - 1] != '\n'))
        rc = err_set(err, ERR_DATA, "%s: not one whole line", path);
    if (rc == 0)
        rc = record_parse(text.data, text.len - 1, &r, err);
    buf_finish(&text);
    if (rc != 0)
        return rc;
    if (r.type == RECORD_PREPARED)
        *out = *r.u.prepared;
    else
        rc = err_set(err, ERR_DATA, "%s: not a prepared line", path);
    record_finish(&r);
    return rc;
}

int cache_link_write(const char *folder, const struct record_prepared *p, struct errbuf *err)
{
    char path[PATHS_MAX];
    struct atomic_file f;
    struct buf line = {0};
    struct record_prepared copy = *p;
    struct record r = {.type = RECORD_PREPARED, .u.prepared = &copy};
    record_write(&r, &line);
    int rc = link_path(folder, path, err);
    if (rc == 0)
        rc = paths_make_parent(path, 0700, err);
    if (rc == 0)
        rc = atomic_file_open(&f, path, err);
    if (rc == 0)
        rc = atomic_file_write(&f, line.data, line.len, err);
    if (rc == 0)
        rc = atomic_file_commit(&f, false, err);
    buf_finish(&line);
    return rc;
}
