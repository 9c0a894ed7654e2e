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
#include "sweep/sha256.h"
#include "worker/data/atomic_file.h"
#include "worker/data/block_sums.h"
#include "worker/data/schema.h"
#include "worker/data/verified.h"

#define CACHE_MAGIC "SWEEPDAT"
#define CACHE_VERSION 4
#define LINK_HASH_BYTES 64
#define CACHE_ALIGN 4096 /* header, targets, values and sums start on pages */

/* This machine's byte order; the cache is never carried to another. Behind the values stand the
 * sums of all blocks before. */
struct file_header {
    char magic[8];
    uint32_t version, type;
    uint64_t parts[PART_COUNT];
    uint64_t rank, dim[SHAPE_RANK_MAX];
    uint64_t outputs, classes; /* classes 0: targets are floats, else labels */
    uint64_t targets_offset, values_offset, file_bytes;
    char hash[72];  /* of the content, hex */
    char check[72]; /* SHA-256 of all above, hex */
};
_Static_assert(sizeof(struct file_header) == 16 + 8 * (PART_COUNT + SHAPE_RANK_MAX + 6) + 144 &&
                   sizeof(struct file_header) <= CACHE_ALIGN,
               "no padding, which would be written as it is");

static void header_check(const struct file_header *h, char out[65])
{
    struct sha256 sum;
    sha256_init(&sum);
    sha256_add(&sum, h, offsetof(struct file_header, check));
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

/* Where the sums begin. */
static uint64_t content_end(const struct file_header *h, const struct samples *s)
{
    return align_up(h->values_offset + value_bytes(s));
}

/* The one layout there is for these sizes. */
static void header_fill(struct file_header *h, const struct samples *s)
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
    uint64_t end = content_end(h, s);
    h->file_bytes = end + block_count(end) * sizeof(uint32_t);
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
static bool sizes_valid(const struct file_header *h, struct samples *s)
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
static int header_valid(const struct file_header *h, const char *hash, struct samples *out)
{
    struct samples s = {.type = (enum samples_type)h->type};
    if (memcmp(h->magic, CACHE_MAGIC, sizeof h->magic) != 0 || h->version != CACHE_VERSION ||
        (h->type != SAMPLES_U8 && h->type != SAMPLES_F32) || !sizes_valid(h, &s))
        return ERR_DATA;
    str_copy(s.hash, sizeof s.hash, hash);
    struct file_header again;
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

/* Every byte that is trained on, once for this file and start of the machine. */
static int check_content(const char *path, const struct stat *st, const struct file_header *h,
                         const struct samples *s, struct errbuf *err)
{
    if (verified_holds(path, st))
        return 0;
    bool may = verified_may(st);
    const char *map = s->map;
    uint64_t end = content_end(h, s);
    size_t block = block_sums_differ(map, end, (const void *)(map + end));
    if (block < block_count(end))
        return err_set(err, ERR_DATA, "%s is damaged in the %zu bytes from byte %zu on", path,
                       BLOCK_BYTES, block * BLOCK_BYTES);
    if (may)
        verified_mark(path, st);
    return 0;
}

static int map_file(int fd, const char *path, const char *hash, struct samples *out,
                    struct errbuf *err)
{
    struct file_header h;
    struct stat st;
    struct samples s;
    err_set(err, ERR_DATA, "%s is not a valid cache of this data", path);
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
    if (check_content(path, &st, &h, &s, err) != 0 ||
        !(s.labels ? labels_valid(&s) : targets_valid(&s))) {
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
    int rc = map_file(fd, path, hash, out, err);
    close(fd);
    return rc;
}

/* Writes bytes and zeros up to where the next part begins, and adds both to the sums. */
static int write_part(struct atomic_file *f, struct block_sums *sums, const void *data,
                      size_t bytes, struct errbuf *err)
{
    static const char zeros[CACHE_ALIGN];
    size_t padding = align_up(bytes) - bytes;
    block_sums_add(sums, data, bytes);
    block_sums_add(sums, zeros, padding);
    int rc = atomic_file_write(f, data, bytes, err);
    return rc != 0 ? rc : atomic_file_write(f, zeros, padding, err);
}

static int write_content(struct atomic_file *f, const struct file_header *h,
                         const struct samples *s, struct errbuf *err)
{
    struct block_sums sums;
    size_t bytes = content_end(h, s);
    const void *targets = s->labels ? (const void *)s->labels : s->targets;
    block_sums_init(&sums, bytes);
    int rc = write_part(f, &sums, h, sizeof *h, err);
    if (rc == 0)
        rc = write_part(f, &sums, targets, target_bytes(s), err);
    if (rc == 0)
        rc = write_part(f, &sums, s->values, value_bytes(s), err);
    if (rc == 0)
        rc = atomic_file_write(f, sums.sum, block_count(bytes) * sizeof *sums.sum, err);
    block_sums_finish(&sums);
    return rc;
}

int cache_write(const char *path, const struct samples *s, struct errbuf *err)
{
    struct file_header h;
    struct atomic_file f;
    header_fill(&h, s);
    int rc = paths_make_parent(path, 0700, err);
    if (rc == 0)
        rc = atomic_file_open(&f, path, err);
    if (rc == 0)
        rc = write_content(&f, &h, s, err);
    if (rc == 0)
        rc = atomic_file_commit(&f, true, err);
    return rc;
}

/* --- links ---------------------------------------------------------------------------------- */

/* The line, then the hash of it: what the scan found is believed without a look at the data. */
static void link_hash(const char *line, size_t len, char out[65])
{
    struct sha256 sum;
    sha256_init(&sum);
    sha256_add(&sum, line, len);
    sha256_hex(&sum, out);
}

/* Bytes of the first line without its '\n', where its hash is the second; 0: it is not. */
static size_t whole_line(const struct buf *text)
{
    char hash[LINK_HASH_BYTES + 1];
    if (text->len <= LINK_HASH_BYTES + 2 || text->data[text->len - 1] != '\n')
        return 0;
    size_t len = text->len - LINK_HASH_BYTES - 2;
    link_hash(text->data, len, hash);
    return text->data[len] == '\n' && memcmp(text->data + len + 1, hash, LINK_HASH_BYTES) == 0 ? len
                                                                                               : 0;
}

/* The whole line of such a file, without its end. */
static int read_line(const char *source, const char *suffix, size_t most, struct buf *text,
                     struct errbuf *err)
{
    char path[PATHS_MAX];
    int rc = cache_path(source, suffix, path, err);
    if (rc == 0)
        rc = buf_read_file(text, path, most + LINK_HASH_BYTES + 2, err);
    if (rc != 0)
        return rc;
    size_t len = whole_line(text);
    if (len == 0)
        return err_set(err, ERR_DATA, "%s: not one whole line and its hash", path);
    text->data[len] = '\0';
    text->len = len;
    return 0;
}

/* line ends with its '\n'. */
static int write_line(const char *source, const char *suffix, struct buf *line, struct errbuf *err)
{
    char path[PATHS_MAX], hash[LINK_HASH_BYTES + 1];
    struct atomic_file f;
    link_hash(line->data, line->len - 1, hash);
    buf_printf(line, "%s\n", hash);
    int rc = cache_path(source, suffix, path, err);
    if (rc == 0)
        rc = paths_make_parent(path, 0700, err);
    if (rc == 0)
        rc = atomic_file_open(&f, path, err);
    if (rc == 0)
        rc = atomic_file_write(&f, line->data, line->len, err);
    return rc == 0 ? atomic_file_commit(&f, false, err) : rc;
}

int cache_schema_read(const char *source, char **out, struct errbuf *err)
{
    struct buf text = {0};
    int rc = read_line(source, "schema", SCHEMA_MAX, &text, err);
    if (rc == 0)
        *out = buf_take(&text);
    buf_finish(&text);
    return rc;
}

int cache_schema_write(const char *source, const char *schema, struct errbuf *err)
{
    struct buf line = {0};
    buf_printf(&line, "%s\n", schema);
    int rc = write_line(source, "schema", &line, err);
    buf_finish(&line);
    return rc;
}

/* Without the room for findings that there are not: each run reads it. */
static void copy_prepared(struct record_prepared *to, const struct record_prepared *from)
{
    memcpy(to, from, offsetof(struct record_prepared, findings) +
                         from->finding_count * sizeof *from->findings);
}

int cache_link_read(const char *source, struct record_prepared *out, struct errbuf *err)
{
    struct buf text = {0};
    struct record r = {0};
    int rc = read_line(source, "link", RECORD_LINE_MAX, &text, err);
    if (rc == 0)
        rc = record_parse(text.data, text.len, &r, err);
    buf_finish(&text);
    if (rc != 0)
        return rc;
    if (r.type == RECORD_PREPARED)
        copy_prepared(out, r.u.prepared);
    else
        rc = err_set(err, ERR_DATA, "%s.link: not a prepared line", source);
    record_finish(&r);
    return rc;
}

int cache_link_write(const char *source, const struct record_prepared *p, struct errbuf *err)
{
    struct buf line = {0};
    struct record_prepared copy = *p;
    struct record r = {.type = RECORD_PREPARED, .u.prepared = &copy};
    record_write(&r, &line);
    int rc = write_line(source, "link", &line, err);
    buf_finish(&line);
    return rc;
}
