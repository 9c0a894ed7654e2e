#include "worker/data/decode.h"

#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "worker/data/idx.h"
#include "worker/data/sha256.h"

/* Images and labels of one half of the data set. */
struct half {
    const char *images_path, *labels_path;
    struct idx images, labels;
    size_t count, features, classes;
};

static void half_finish(struct half *h)
{
    idx_finish(&h->images);
    idx_finish(&h->labels);
}

static size_t count_classes(const struct idx *labels)
{
    unsigned char top = 0;
    for (size_t i = 0; i < labels->count; i++)
        top = labels->data[i] > top ? labels->data[i] : top;
    return (size_t)top + 1;
}

static int half_check(struct half *h, struct errbuf *err)
{
    if (h->labels.rank != 1 || h->labels.type != IDX_U8)
        return err_set(err, ERR_DATA,
                       "%s: labels must be one dimension of unsigned bytes, this file has %u "
                       "dimensions of type 0x%02x", h->labels_path, h->labels.rank,
                       (unsigned)h->labels.type);
    if (h->images.rank < 2)
        return err_set(err, ERR_DATA, "%s: images must have at least 2 dimensions, this file has 1",
                       h->images_path);
    h->count = h->images.dims[0];
    h->features = h->images.count / h->count;
    h->classes = count_classes(&h->labels);
    if (h->count != h->labels.count)
        return err_set(err, ERR_DATA, "%s holds %zu samples but %s holds %zu labels",
                       h->images_path, h->count, h->labels_path, h->labels.count);
    if (h->count > SAMPLES_MAX || h->features > SAMPLES_FEATURES_MAX)
        return err_set(err, ERR_LIMIT, "%s: %zu samples of %zu numbers; allowed: %zu of %zu",
                       h->images_path, h->count, h->features, SAMPLES_MAX, SAMPLES_FEATURES_MAX);
    return 0;
}

static int half_read(struct half *h, const struct record_source *images,
                     const struct record_source *labels, struct errbuf *err)
{
    h->images_path = images->path;
    h->labels_path = labels->path;
    int rc = idx_read(images->path, &h->images, err);
    if (rc == 0)
        rc = idx_read(labels->path, &h->labels, err);
    if (rc == 0)
        rc = half_check(h, err);
    return rc;
}

static void half_hash(const struct half *h, struct sha256 *sum)
{
    uint64_t shape[3] = {h->images.type, h->count, h->features};
    sha256_add(sum, shape, sizeof shape);
    sha256_add(sum, h->images.data, h->images.count * idx_type_bytes(h->images.type));
    sha256_add(sum, h->labels.data, h->labels.count);
}

static int halves_agree(const struct half *train, const struct half *test, struct errbuf *err)
{
    if (test->features != train->features || test->images.type != train->images.type)
        return err_set(err, ERR_DATA,
                       "%s has %zu numbers of type 0x%02x per sample but %s has %zu of type 0x%02x",
                       test->images_path, test->features, (unsigned)test->images.type,
                       train->images_path, train->features, (unsigned)train->images.type);
    if (test->classes > train->classes)
        return err_set(err, ERR_DATA, "%s: label %zu out of range; the training labels are 0..%zu",
                       test->labels_path, test->classes - 1, train->classes - 1);
    return 0;
}

/* Bytes are handed over as they are; floats get this machine's byte order. */
static void take_values(struct half *h, struct decoded *out)
{
    if (h->images.type == IDX_U8) {
        out->samples.type = SAMPLES_U8;
        out->values = h->images.data;
        h->images.data = NULL;
        return;
    }
    float *values = xmalloc(h->images.count * sizeof *values);
    idx_floats(&h->images, 0, h->images.count, values);
    out->samples.type = SAMPLES_F32;
    out->values = values;
}

/* The sizes were checked when the files were read: this takes at most as much again. */
static void take_half(struct half *h, struct sha256 *sum, struct decoded *out)
{
    struct decoded d = {.samples = {.count = h->count,
                                    .features = h->features,
                                    .classes = h->classes}};
    d.labels = xmalloc(h->count * sizeof *d.labels);
    for (size_t i = 0; i < h->count; i++)
        d.labels[i] = h->labels.data[i];
    take_values(h, &d);
    d.samples.values = d.values;
    d.samples.labels = d.labels;
    sha256_hex(sum, d.samples.hash);
    *out = d;
}

int decode_source(const struct source *s, struct decoded *out, struct errbuf *err)
{
    struct half train = {0}, test = {0};
    struct sha256 sum;
    sha256_init(&sum);
    int rc = half_read(&train, &s->files[SOURCE_TRAIN_IMAGES], &s->files[SOURCE_TRAIN_LABELS],
                       err);
    if (rc != 0)
        goto out;
    half_hash(&train, &sum);
    if (s->files[SOURCE_TEST_IMAGES].path[0]) {
        rc = half_read(&test, &s->files[SOURCE_TEST_IMAGES], &s->files[SOURCE_TEST_LABELS], err);
        if (rc == 0)
            rc = halves_agree(&train, &test, err);
        if (rc != 0)
            goto out;
        half_hash(&test, &sum);
    }
    take_half(&train, &sum, out);
out:
    half_finish(&train);
    half_finish(&test);
    return rc;
}

void decode_finish(struct decoded *d)
{
    free(d->values);
    free(d->labels);
    memset(d, 0, sizeof *d);
}
