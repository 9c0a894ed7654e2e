#include "worker/data/npy.h"

#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "worker/data/npy_header.h"
#include "worker/data/table.h"
#include "worker/data/unpack.h"
#include "worker/memory.h"

#define CHUNK 1024     /* numbers converted at once */
#define TILE_SAMPLES 64 /* Fortran order: so many rows are written side by side */

/* --- numbers ------------------------------------------------------------------------------- */

static void to_floats(const struct npy *a, const unsigned char *p, float *out)
{
    double chunk[CHUNK];
    for (size_t at = 0; at < a->count; at += CHUNK) {
        size_t n = a->count - at < CHUNK ? a->count - at : CHUNK;
        a->type->convert(p + at * a->type->bytes, n, a->big_endian, chunk);
        for (size_t i = 0; i < n; i++)
            out[at + i] = (float)chunk[i];
    }
}

/* --- order --------------------------------------------------------------------------------- */

static void copy_items(unsigned char *out, size_t out_step, const unsigned char *in, size_t n,
                       size_t bytes)
{
    for (size_t i = 0; i < n; i++)
        memcpy(out + i * out_step, in + i * bytes, bytes);
}

/* Where number c of a sample, counted with the last dimension fastest, lies in Fortran order, in
 * numbers from the first one of that sample: the samples themselves are the fastest. */
static size_t fortran_place(const struct npy *a, size_t c)
{
    size_t place = 0, stride = a->count;
    for (unsigned i = a->rank; i-- > 1;) {
        stride /= a->dims[i];
        place += c % a->dims[i] * stride;
        c /= a->dims[i];
    }
    return place;
}

/* The same numbers with the last dimension fastest. In tiles of samples: read in runs, written to
 * a few rows that stay in the cache. */
static void to_c_order(const struct npy *a, unsigned char *out)
{
    size_t samples = a->dims[0], features = a->count / samples, bytes = a->type->bytes;
    for (size_t first = 0; first < samples; first += TILE_SAMPLES) {
        size_t n = samples - first < TILE_SAMPLES ? samples - first : TILE_SAMPLES;
        for (size_t c = 0; c < features; c++)
            copy_items(out + (first * features + c) * bytes, features * bytes,
                       a->data + (fortran_place(a, c) + first) * bytes, n, bytes);
    }
}

/* The numbers in C order; *owned is NULL where they are so already. */
static const unsigned char *in_c_order(const struct npy *a, unsigned char **owned)
{
    *owned = NULL;
    if (!a->fortran || a->rank < 2)
        return a->data;
    *owned = xmalloc(a->count * a->type->bytes);
    to_c_order(a, *owned);
    return *owned;
}

/* --- to a table ---------------------------------------------------------------------------- */

static bool is_bytes(const struct npy *a)
{
    return a->type == &npy_types[NPY_u1];
}

/* What the array's shape means for a sample; see worker/data/table.h. */
static struct shape sample_shape(const struct npy *a)
{
    const size_t *d = a->dims;
    switch (a->rank) {
    case 1:
        return (struct shape){1, {1}};
    case 2:
        return (struct shape){1, {d[1]}};
    case 3:
        return is_bytes(a) ? (struct shape){3, {1, d[1], d[2]}} : (struct shape){2, {d[1], d[2]}};
    default:
        return (struct shape){3, {d[1], d[2], d[3]}};
    }
}

static int check_memory(size_t numbers, size_t bytes, struct errbuf *err)
{
    if (numbers > memory_physical_bytes() / 2 / bytes)
        return err_set(err, ERR_LIMIT, "%.1f GiB of data do not fit into this machine's memory",
                       (double)numbers * (double)bytes / 0x1p30);
    return 0;
}

static int check_features(const struct npy *a, struct errbuf *err)
{
    char text[NPY_SHAPE_TEXT_MAX];
    if (a->rank == 0)
        return err_set(err, ERR_DATA,
                       "an array of shape () is one number; allowed for features: (samples, …) of "
                       "1 to 4 dimensions");
    if (a->dims[0] > SAMPLES_MAX || a->count / a->dims[0] > SAMPLES_FEATURES_MAX ||
        a->count > TABLE_NUMBERS_MAX)
        return err_set(err, ERR_LIMIT,
                       "shape %s; allowed: at most %zu samples of %zu features, %zu numbers in "
                       "all", npy_shape_text(a, text), SAMPLES_MAX, SAMPLES_FEATURES_MAX,
                       TABLE_NUMBERS_MAX);
    return check_memory(a->count, is_bytes(a) ? 1 : sizeof(float), err);
}

/* [samples, height, width, channels], as most programs but PyTorch write images: few channels
 * last, and not first. */
static bool has_channels_last(const struct npy *a)
{
    const size_t *d = a->dims;
    return a->rank == 4 && (d[3] == 1 || d[3] == 3 || d[3] == 4) && d[1] > 4 && d[2] > 4;
}

/* To channels first. */
static void move_channels(const struct npy *a, struct table *t)
{
    size_t pixels = a->dims[1] * a->dims[2], channels = a->dims[3];
    size_t bytes = t->type == SAMPLES_U8 ? 1 : sizeof(float), size = pixels * channels * bytes;
    char *sample = xmalloc(size);
    for (size_t i = 0; i < t->count; i++) {
        char *at = (char *)t->values + i * size;
        memcpy(sample, at, size);
        for (size_t c = 0; c < channels; c++)
            for (size_t p = 0; p < pixels; p++)
                memcpy(at + (c * pixels + p) * bytes, sample + (p * channels + c) * bytes, bytes);
    }
    free(sample);
    t->shape = (struct shape){3, {channels, a->dims[1], a->dims[2]}};
    notes_add(&t->notes, "data.path",
              "images are taken as [samples, height, width, channels], %zu x %zu x %zu", a->dims[1],
              a->dims[2], channels);
}

static int take_features(const struct npy *a, struct table *out, struct errbuf *err)
{
    int rc = check_features(a, err);
    if (rc != 0)
        return rc;
    unsigned char *owned;
    const unsigned char *p = in_c_order(a, &owned);
    out->type = is_bytes(a) ? SAMPLES_U8 : SAMPLES_F32;
    out->count = a->dims[0];
    out->shape = sample_shape(a);
    if (is_bytes(a)) {
        out->values = owned ? owned : memcpy(xmalloc(a->count), p, a->count);
        return 0;
    }
    out->values = xmalloc(a->count * sizeof(float));
    to_floats(a, p, out->values);
    free(owned);
    return 0;
}

int npy_features(const struct npy *a, struct table *out, struct errbuf *err)
{
    int rc = take_features(a, out, err);
    if (rc == 0 && has_channels_last(a))
        move_channels(a, out);
    return rc;
}

int npy_targets(const struct npy *a, struct table *out, struct errbuf *err)
{
    char text[NPY_SHAPE_TEXT_MAX];
    if (a->rank < 1 || a->rank > 3)
        return err_set(err, ERR_DATA,
                       "targets of shape %s; allowed: (samples,), (samples, targets) or (samples, "
                       "steps, targets)", npy_shape_text(a, text));
    if (a->dims[0] != out->count)
        return err_set(err, ERR_DATA, "targets of shape %s for %zu samples; allowed: (%zu,) or "
                       "(%zu, targets)", npy_shape_text(a, text), out->count, out->count,
                       out->count);
    size_t outputs = a->count / a->dims[0];
    if (outputs > SAMPLES_OUTPUTS_MAX || a->count > TABLE_NUMBERS_MAX)
        return err_set(err, ERR_LIMIT, "targets of shape %s; allowed: at most %zu of a sample",
                       npy_shape_text(a, text), SAMPLES_OUTPUTS_MAX);
    int rc = check_memory(a->count, sizeof(double), err);
    if (rc != 0)
        return rc;
    unsigned char *owned;
    const unsigned char *p = in_c_order(a, &owned);
    out->outputs = outputs;
    out->targets = xmalloc(a->count * sizeof *out->targets);
    a->type->convert(p, a->count, a->big_endian, out->targets);
    free(owned);
    return 0;
}

/* --- files --------------------------------------------------------------------------------- */

/* One file → its part of the table. */
static int read_array(const char *path, struct table *t,
                      int (*take)(const struct npy *, struct table *, struct errbuf *),
                      struct errbuf *err)
{
    struct buf file = {0};
    struct errbuf why = {0};
    struct npy a;
    size_t most = memory_physical_bytes() / 2;
    int rc = buf_read_file(&file, path, most < NPY_FILE_MAX ? most : NPY_FILE_MAX, err);
    if (rc != 0) {
        buf_finish(&file);
        return rc;
    }
    size_t len = file.len;
    char *bytes = buf_take(&file);
    rc = unpack(&bytes, &len, most, &why);
    if (rc == 0)
        rc = npy_parse((const unsigned char *)bytes, len, &a, &why);
    if (rc == 0)
        rc = take(&a, t, &why);
    if (rc != 0)
        err_set(err, rc, "%s: %s", path, why.message);
    free(bytes);
    return rc;
}

int npy_read(const char *path, const char *target_path, struct table *out, struct errbuf *err)
{
    struct table t = {0};
    int rc = read_array(path, &t, npy_features, err);
    if (rc == 0 && target_path && target_path[0])
        rc = read_array(target_path, &t, npy_targets, err);
    if (rc == 0)
        *out = t;
    else
        table_finish(&t);
    return rc;
}
