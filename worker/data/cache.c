#include "worker/data/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
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
#define CACHE_VERSION 2
#define CACHE_ALIGN 4096 /* header, targets and values start on pages */

/* This machine's byte order; the cache is never carried to another. */
struct header {
    char magic[8];
    uint32_t version, type;
    uint64_t parts[PART_COUNT];
    uint64_t rank, dim[SHAPE_RANK_MAX];
    uint64_t outputs, classes; /* classes 0: targets are floats, else labels */
    uint64_t targets_offset, values_offset, file_bytes;
    char hash[72];  /* of the content, hex */
    char check[72]; /* SHA-256 of all above, hex */
};
_Static_assert(sizeof(struct header) == 16 + 8 * (PART_COUNT + SHAPE_RANK_MAX + 6) + 144 &&
                   sizeof(struct header) <= CACHE_ALIGN,
               "no padding, which would be written as it is");

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

static size_t target_bytes(const struct samples *s)
{
    return s->count * s->outputs * (s->classes > 0 ? sizeof *s->labels : sizeof *s->targets);
}

static size_t value_bytes(const struct samples *s)
{
    return s->count * s->features * samples_value_bytes(s->type);
}

/* The one layout there is for these sizes. */
static void header_fill(struct header *h, const struct samples *s)
{
    memset(h, 0, sizeof *h);
    memcpy(h->magic, CACHE_MAGIC, sizeof h->magic);
    h->version = CACHE_VERSION;
    h->type = s->type;
    for (size_t i = 0; i < PART_COUNT; i++)
        h->parts[i] = s->parts[i];
    h->rank = s->shape.rank;
    for (size_t i = 0; i < s->shape.rank; i++)
        h->dim[i] = s->shape.dim[i];
    h->outputs = s->outputs;
    h->classes = s->classes;
    h->targets_offset = CACHE_ALIGN;
    h->values_offset = align_up(h->targets_offset + target_bytes(s));
    h->file_bytes = h->values_offset + value_bytes(s);
    str_copy(h->hash, sizeof h->hash, s->hash);
    header_check(h, h->check);
}

static int cache_path(const char *hash, const char *suffix, char out[PATHS_MAX],
                      struct errbuf *err)
{
    char folder[PATHS_MAX];
    int rc = paths_cache(folder, err);
    if (rc != 0)
        return rc;
    int len = snprintf(out, PATHS_MAX, "%s/%s.%s", folder, hash, suffix);
    return len > 0 && len < PATHS_MAX ? 0 : err_set(err, ERR_VALUE, "path too long: %s", folder);
}

int cache_data_path(const char *hash, char out[PATHS_MAX], struct errbuf *err)
{
    return cache_path(hash, "data", out, err);
}

/* Every number of the header within its range, so that no product of them overflows. */
static bool sizes_valid(const struct header *h, struct samples *s)
{
    if (h->rank < 1 || h->rank > SHAPE_RANK_MAX || h->outputs < 1 ||
        h->outputs > SAMPLES_OUTPUTS_MAX || h->classes > SAMPLES_CLASSES_MAX)
        return false;
    s->shape.rank = h->rank;
    s->features = 1;
    for (size_t i = 0; i < h->rank; i++) {
        if (h->dim[i] < 1 || h->dim[i] > SAMPLES_FEATURES_MAX / s->features)
            return false;
        s->shape.dim[i] = h->dim[i];
        s->features *= h->dim[i];
    }
    for (size_t i = 0; i < PART_COUNT; i++) {
        if (h->parts[i] > SAMPLES_MAX - s->count)
            return false;
        s->parts[i] = h->parts[i];
        s->count += h->parts[i];
    }
    s->outputs = h->outputs;
    s->classes = h->classes;
    bool of_steps = h->rank == 2 && h->dim[0] == h->outputs;
    return s->parts[PART_TRAIN] > 0 && (h->classes == 0 || h->outputs == 1 || of_steps);
}

/* From the header alone: the sizes are in range, and give back this very header. */
static int header_valid(const struct header *h, const char *hash, struct samples *out)
{
    struct samples s = {.type = (enum samples_type)h->type};
    if (memcmp(h->magic, CACHE_MAGIC, sizeof h->magic) != 0 || h->version != CACHE_VERSION ||
        (h->type != SAMPLES_U8 && h->type != SAMPLES_F32) || !sizes_valid(h, &s))
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
static bool labels_valid(const struct samples *s)
{
    uint16_t top = 0;
    for (size_t i = 0; i < s->count * s->outputs; i++)
        top = s->labels[i] > top ? s->labels[i] : top;
    return top < s->classes;
}

/* x - x is 0 for what is finite, NaN for all else. */
static bool targets_valid(const struct samples *s)
{
    float sum = 0;
    for (size_t i = 0; i < s->count * s->outputs; i++)
        sum += s->targets[i] - s->targets[i];
    return sum == 0;
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
    const void *targets = map + h.targets_offset;
    s.labels = s.classes > 0 ? targets : NULL;
    s.targets = s.classes > 0 ? NULL : targets;
    s.values = map + h.values_offset;
    if (!(s.labels ? labels_valid(&s) : targets_valid(&s))) {
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
    size_t targets = target_bytes(s);
    int rc = paths_make_parent(path, 0700, err);
    if (rc == 0)
        rc = atomic_file_open(&f, path, err);
    if (rc == 0)
        rc = atomic_file_write(&f, &h, sizeof h, err);
    if (rc == 0)
        rc = write_padding(&f, sizeof h, h.targets_offset, err);
    if (rc == 0)
        rc = atomic_file_write(&f, s->labels ? (const void *)s->labels : s->targets, targets, err);
    if (rc == 0)
        rc = write_padding(&f, h.targets_offset + targets, h.values_offset, err);
    if (rc == 0)
        rc = atomic_file_write(&f, s->values, value_bytes(s), err);
    if (rc == 0)
        rc = atomic_file_commit(&f, true, err);
    return rc;
}

int cache_link_read(const char *source, struct record_prepared *out, struct errbuf *err)
{
    char path[PATHS_MAX];
    struct buf text = {0};
    struct record r = {0};
    int rc = cache_path(source, "link", path, err);
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

int cache_link_write(const char *source, const struct record_prepared *p, struct errbuf *err)
{
    char path[PATHS_MAX];
    struct atomic_file f;
    struct buf line = {0};
    struct record_prepared copy = *p;
    struct record r = {.type = RECORD_PREPARED, .u.prepared = &copy};
    record_write(&r, &line);
    int rc = cache_path(source, "link", path, err);
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
