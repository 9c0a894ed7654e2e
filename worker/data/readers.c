#include "worker/data/readers.h"

#include "sweep/err.h"
#include "sweep/require.h"
#include "worker/data/idx.h"

static const char *samples_file(const struct reading *r, enum samples_part part)
{
    return r->source->files[SOURCE_SAMPLES(part)].path;
}

static const char *targets_file(const struct reading *r, enum samples_part part)
{
    return r->source->files[SOURCE_TARGETS(part)].path;
}

typedef int reader_fn(struct reading *r, enum samples_part part, struct table *out,
                      struct errbuf *err);

static int read_idx(struct reading *r, enum samples_part part, struct table *out,
                    struct errbuf *err)
{
    return idx_table(samples_file(r, part), targets_file(r, part), out, err);
}

static int read_csv(struct reading *r, enum samples_part part, struct table *out,
                    struct errbuf *err)
{
    return csv_read(samples_file(r, part), r->data, &r->columns, out, err);
}

static int read_libsvm(struct reading *r, enum samples_part part, struct table *out,
                       struct errbuf *err)
{
    return libsvm_read(samples_file(r, part), r->data, &r->columns, out, err);
}

static int read_npy(struct reading *r, enum samples_part part, struct table *out,
                    struct errbuf *err)
{
    return npy_read(samples_file(r, part), targets_file(r, part), out, err);
}

/* A file of its own goes before arrays of that name beside the training part's. */
static int read_npz(struct reading *r, enum samples_part part, struct table *out,
                    struct errbuf *err)
{
    static const char *const names[] = {"train", "val", "test"};
    const char *own = samples_file(r, part);
    if (own[0])
        return npz_read(own, r->data, "train", out, err);
    struct errbuf why = {0};
    int rc = npz_read(samples_file(r, PART_TRAIN), r->data, names[part], out, &why);
    if (rc == ERR_NOT_FOUND)
        return 0;
    if (rc != 0 && err)
        *err = why;
    return rc;
}

static reader_fn *const readers[] = {
    [FORMAT_IDX] = read_idx, [FORMAT_CSV] = read_csv, [FORMAT_TSV] = read_csv,
    [FORMAT_NPY] = read_npy, [FORMAT_NPZ] = read_npz, [FORMAT_LIBSVM] = read_libsvm,
};
_Static_assert(ARRAY_LEN(readers) == FORMAT_COUNT, "one of each");

int read_part(struct reading *r, enum samples_part part, struct table *out, struct errbuf *err)
{
    return readers[r->source->format](r, part, out, err);
}
