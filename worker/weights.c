#include "worker/weights.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/preprocessing.h"
#include "sweep/require.h"
#include "sweep/weights_hash.h"
#include "worker/memory.h"
#include "worker/weights_part.h"

#define HEADER_MAX (16u << 20) /* bytes; MODEL_PLAN_MAX layers take less than a third */
#define RANK_MAX 8
#define SHAPE_MAX_BYTES (RANK_MAX * 22 + 3)

/* X(name, bytes of a number) */
#define DTYPE_MAP(X) \
    X(F32, 4)        \
    X(F64, 8)        \
    X(F16, 2)        \
    X(BF16, 2)       \
    X(F8_E4M3, 1)    \
    X(F8_E5M2, 1)    \
    X(I64, 8)        \
    X(I32, 4)        \
    X(I16, 2)        \
    X(I8, 1)         \
    X(U64, 8)        \
    X(U32, 4)        \
    X(U16, 2)        \
    X(U8, 1)         \
    X(BOOL, 1)

enum dtype {
#define X(name, bytes) DTYPE_##name,
    DTYPE_MAP(X)
#undef X
    DTYPE_COUNT
};

static const struct {
    const char *name;
    size_t bytes;
} dtypes[DTYPE_COUNT] = {
#define X(name, bytes) {#name, bytes},
    DTYPE_MAP(X)
#undef X
};

/* "[64, 784]"; returns out */
static const char *shape_text(const size_t *dim, size_t rank, char out[SHAPE_MAX_BYTES])
{
    size_t len = (size_t)snprintf(out, SHAPE_MAX_BYTES, "[");
    for (size_t i = 0; i < rank; i++)
        len += (size_t)snprintf(out + len, SHAPE_MAX_BYTES - len, "%s%zu", i ? ", " : "", dim[i]);
    snprintf(out + len, SHAPE_MAX_BYTES - len, "]");
    return out;
}

/* --- the file as it is --------------------------------------------------------------------- */

struct stored { /* one tensor of a file */
    const char *name;
    enum dtype dtype;
    size_t rank, dim[RANK_MAX];
    size_t begin, end; /* bytes within the data */
    bool used;
};

struct file {
    struct json *root;
    size_t count;
    struct stored *tensors; /* by name, once checked */
    const unsigned char *data;
};

static int bad_tensor(const char *name, const char *what, struct errbuf *err)
{
    return err_set(err, ERR_DATA, "damaged safetensors header: tensor '%s': %s", name, what);
}

/* A whole number from 0 to 2^53, as a number. */
static bool read_size(const struct json *v, size_t *out)
{
    int64_t n;
    if (json_type(v) != JSON_NUMBER || json_int64(v, &n) != 0 || n < 0)
        return false;
    *out = (size_t)n;
    return true;
}

static bool read_dtype(const struct json *v, struct stored *t)
{
    for (size_t i = 0; json_type(v) == JSON_STRING && i < DTYPE_COUNT; i++) {
        if (strcmp(json_string(v), dtypes[i].name) == 0) {
            t->dtype = (enum dtype)i;
            return true;
        }
    }
    return false;
}

static bool read_shape(const struct json *v, struct stored *t)
{
    if (json_type(v) != JSON_ARRAY || json_count(v) > RANK_MAX)
        return false;
    for (const struct json *d = json_first(v); d; d = json_next(d)) {
        if (!read_size(d, &t->dim[t->rank++]))
            return false;
    }
    return true;
}

static bool read_offsets(const struct json *v, struct stored *t)
{
    return json_type(v) == JSON_ARRAY && json_count(v) == 2 &&
           read_size(json_first(v), &t->begin) &&
           read_size(json_next(json_first(v)), &t->end) && t->begin <= t->end;
}

/* Exactly as many bytes as the shape has numbers. */
static bool size_fits(const struct stored *t)
{
    size_t room = (t->end - t->begin) / dtypes[t->dtype].bytes, count = 1;
    for (size_t i = 0; i < t->rank; i++) {
        if (t->dim[i] == 0)
            return t->begin == t->end;
        if (t->dim[i] > room / count)
            return false;
        count *= t->dim[i];
    }
    return count * dtypes[t->dtype].bytes == t->end - t->begin;
}

static int read_tensor(const struct json *v, struct stored *t, struct errbuf *err)
{
    static const struct {
        const char *key, *broken;
        bool (*read)(const struct json *v, struct stored *t);
    } members[] = {
        {"dtype", "its dtype is unknown", read_dtype},
        {"shape", "its shape is no list of at most 8 sizes", read_shape},
        {"data_offsets", "its data_offsets are no [begin, end]", read_offsets},
    };
    *t = (struct stored){.name = json_key(v)};
    if (json_type(v) != JSON_OBJECT || json_count(v) != ARRAY_LEN(members))
        return bad_tensor(t->name, "it has not dtype, shape and data_offsets", err);
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const struct json *m = json_get(v, members[i].key);
        if (!m || !members[i].read(m, t))
            return bad_tensor(t->name, m ? members[i].broken : "a member is missing", err);
    }
    return size_fits(t) ? 0 : bad_tensor(t->name, "its shape and its data_offsets disagree", err);
}

static int by_place(const void *a, const void *b)
{
    const struct stored *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

static int by_name(const void *a, const void *b)
{
    const struct stored *x = a, *y = b;
    return strcmp(x->name, y->name);
}

/* The format wants every byte in exactly one tensor. */
static int check_places(const struct file *f, size_t data_len, struct errbuf *err)
{
    size_t at = 0;
    qsort(f->tensors, f->count, sizeof *f->tensors, by_place);
    for (size_t i = 0; i < f->count; i++) {
        const struct stored *t = &f->tensors[i];
        if (t->end > data_len)
            return err_set(err, ERR_DATA, "tensor '%s' ends at byte %zu of %zu: the file is cut "
                           "short", t->name, t->end, data_len);
        if (t->begin != at)
            return bad_tensor(t->name, t->begin < at ? "it overlaps another" : "a gap before it",
                              err);
        at = t->end;
    }
    if (at != data_len)
        return err_set(err, ERR_DATA, "%zu bytes after the last tensor", data_len - at);
    qsort(f->tensors, f->count, sizeof *f->tensors, by_name);
    return 0;
}

static int read_header(struct file *f, struct errbuf *err)
{
    if (json_type(f->root) != JSON_OBJECT)
        return err_set(err, ERR_DATA, "damaged safetensors header: no object");
    f->tensors = xcalloc(json_count(f->root) + 1, sizeof *f->tensors);
    for (const struct json *v = json_first(f->root); v; v = json_next(v)) {
        if (strcmp(json_key(v), "__metadata__") == 0)
            continue;
        int rc = read_tensor(v, &f->tensors[f->count++], err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static void file_finish(struct file *f)
{
    json_destroy(f->root);
    free(f->tensors);
}

static int file_parse(const unsigned char *bytes, size_t len, struct file *f, struct errbuf *err)
{
    uint64_t header = 0;
    struct errbuf why = {0};
    *f = (struct file){0};
    for (size_t i = WEIGHTS_LENGTH_BYTES; len >= WEIGHTS_LENGTH_BYTES && i-- > 0;)
        header = header << 8 | bytes[i];
    if (len < WEIGHTS_LENGTH_BYTES || header > HEADER_MAX || header > len - WEIGHTS_LENGTH_BYTES)
        return err_set(err, ERR_DATA,
                       "no safetensors file, or cut short: %zu bytes, of which the "
                       "header claims %llu",
                       len, (unsigned long long)header);
    f->data = bytes + WEIGHTS_LENGTH_BYTES + header;
    f->root = json_parse((const char *)bytes + WEIGHTS_LENGTH_BYTES, (size_t)header, &why);
    if (!f->root)
        return err_set(err, ERR_DATA, "damaged safetensors header: %s", why.message);
    int rc = read_header(f, err);
    return rc == 0 ? check_places(f, len - WEIGHTS_LENGTH_BYTES - (size_t)header, err) : rc;
}

/* --- the file against the network ---------------------------------------------------------- */

static struct stored *find_stored(const struct file *f, const char *name)
{
    struct stored key = {.name = name};
    return f->count ? bsearch(&key, f->tensors, f->count, sizeof key, by_name) : NULL;
}

/* ERR_DATA unless the file has this tensor as the network has it. */
static int check_tensor(const struct file *f, const struct layer *l, const struct tensor *t,
                        struct errbuf *err)
{
    char name[WEIGHTS_NAME_MAX], ours[SHAPE_MAX_BYTES], theirs[SHAPE_MAX_BYTES];
    weights_tensor_name(l, t, name);
    shape_text(t->dim, t->rank, ours);
    const struct stored *s = find_stored(f, name);
    if (!s)
        return err_set(err, ERR_DATA, "no tensor '%s' in it; the network has one of %s", name,
                       ours);
    if (s->rank != t->rank || memcmp(s->dim, t->dim, t->rank * sizeof *t->dim) != 0)
        return err_set(err, ERR_DATA, "tensor '%s' is %s in it, but %s in the network", name,
                       shape_text(s->dim, s->rank, theirs), ours);
    if (s->dtype != DTYPE_F32 && s->dtype != DTYPE_F64)
        return err_set(err, ERR_DATA, "tensor '%s' is of dtype %s; allowed: F32, F64", name,
                       dtypes[s->dtype].name);
    return 0;
}

static int check_layer(const struct file *f, const struct layer *l, struct errbuf *err)
{
    int rc = 0;
    for (size_t k = 0; k < l->tensor_count && rc == 0; k++)
        rc = check_tensor(f, l, &l->tensors[k], err);
    return rc;
}

/* An output layer for another task: what is stored under its names is let be. */
static bool skipped(const struct file *f, const struct layer *l, bool skip_output)
{
    return skip_output && l->plan->is_output && check_layer(f, l, NULL) != 0;
}

static int check_layers(struct file *f, const struct net *n, bool skip_output, struct errbuf *err)
{
    for (size_t i = 0; i < n->layer_count; i++) {
        const struct layer *l = &n->layers[i];
        int rc = skipped(f, l, skip_output) ? 0 : check_layer(f, l, err);
        if (rc != 0)
            return rc;
        for (size_t k = 0; k < l->tensor_count; k++) {
            char name[WEIGHTS_NAME_MAX];
            weights_tensor_name(l, &l->tensors[k], name);
            struct stored *s = find_stored(f, name);
            if (s)
                s->used = true;
        }
    }
    return 0;
}

static int check_extra(const struct file *f, struct errbuf *err)
{
    char shape[SHAPE_MAX_BYTES];
    for (size_t i = 0; i < f->count; i++) {
        const struct stored *s = &f->tensors[i];
        const char *dot = strrchr(s->name, '.');
        if (!s->used && strcmp(dot ? dot + 1 : s->name, "num_batches_tracked") != 0)
            return err_set(err, ERR_DATA, "tensor '%s' %s is not in the network", s->name,
                           shape_text(s->dim, s->rank, shape));
    }
    return 0;
}

/* Numbers at any address: the header's length aligns nothing. */
static void copy_numbers(const struct stored *s, const unsigned char *data, real *out)
{
    size_t bytes = dtypes[s->dtype].bytes, count = (s->end - s->begin) / bytes;
    const unsigned char *p = data + s->begin;
    if (bytes == sizeof(real)) {
        memcpy(out, p, count * bytes);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        float f;
        double d;
        if (bytes == sizeof f)
            memcpy(&f, p + i * bytes, bytes);
        else
            memcpy(&d, p + i * bytes, bytes);
        out[i] = bytes == sizeof f ? (real)f : (real)d;
    }
}

static void copy_layers(const struct file *f, const struct net *n, bool skip_output, real *values)
{
    for (size_t i = 0; i < n->layer_count; i++) {
        const struct layer *l = &n->layers[i];
        if (skipped(f, l, skip_output))
            continue;
        for (size_t k = 0; k < l->tensor_count; k++) {
            char name[WEIGHTS_NAME_MAX];
            weights_tensor_name(l, &l->tensors[k], name);
            copy_numbers(find_stored(f, name), f->data, values + (l->tensors[k].value - n->values));
        }
    }
}

int weights_decode(const unsigned char *bytes, size_t len, const struct net *n, bool skip_output,
                   real *values, struct errbuf *err)
{
    struct file f;
    int rc = file_parse(bytes, len, &f, err);
    if (rc == 0)
        rc = check_layers(&f, n, skip_output, err);
    if (rc == 0)
        rc = check_extra(&f, err);
    if (rc == 0)
        copy_layers(&f, n, skip_output, values);
    file_finish(&f);
    return rc;
}

static int read_whole(const char *path, struct buf *file, struct errbuf *err)
{
    int rc = buf_read_file(file, path, memory_physical_bytes() / 2, err);
    if (rc == 0 && !weights_hash_fits(file->data, file->len))
        rc = err_set(err, ERR_DATA,
                     "%s: damaged: its SHA-256 is not the one in its header (`sweepctl replay RUN "
                     "-o FILE` trains a run's weights again)",
                     path);
    return rc;
}

int weights_read(const char *path, const struct net *n, bool skip_output, real *values,
                 struct errbuf *err)
{
    struct buf file = {0};
    int rc = read_whole(path, &file, err);
    if (rc == 0) {
        struct errbuf why = {0};
        rc = weights_decode((const unsigned char *)file.data, file.len, n, skip_output, values,
                            &why);
        if (rc != 0)
            err_set(err, rc, "%s: %s", path, why.message);
    }
    buf_finish(&file);
    return rc;
}

static const char *metadata_text(const struct file *f, const char *key)
{
    const struct json *v = json_get(json_get(f->root, "__metadata__"), key);
    return v && json_type(v) == JSON_STRING ? json_string(v) : NULL;
}

static int read_told(const struct file *f, struct weights_told *out, struct errbuf *err)
{
    struct weights_told told = {0};
    const char *shape = metadata_text(f, "input_shape"), *outputs = metadata_text(f, "outputs");
    const char *text = metadata_text(f, PREPROCESSING_KEY);
    struct json *count = outputs ? json_parse(outputs, strlen(outputs), NULL) : NULL;
    if (!shape || shape_parse(shape, &told.input) != 0 || !read_size(count, &told.outputs) ||
        told.outputs < 1 || told.outputs > SHAPE_DIM_MAX) {
        json_destroy(count);
        return err_set(err, ERR_DATA, "it does not tell input_shape and outputs");
    }
    json_destroy(count);
    told.preprocessing = text ? xstrdup(text) : NULL;
    *out = told;
    return 0;
}

int weights_tell(const char *path, struct weights_told *out, struct errbuf *err)
{
    struct buf text = {0};
    struct errbuf why = {0};
    int rc = read_whole(path, &text, err);
    if (rc == 0) {
        struct file f;
        rc = file_parse((const unsigned char *)text.data, text.len, &f, &why);
        if (rc == 0)
            rc = read_told(&f, out, &why);
        file_finish(&f);
        if (rc != 0)
            err_set(err, rc, "%s: %s", path, why.message);
    }
    buf_finish(&text);
    return rc;
}

int weights_check(const char *path, struct errbuf *err)
{
    struct buf file = {0};
    int rc = read_whole(path, &file, err);
    buf_finish(&file);
    return rc;
}
