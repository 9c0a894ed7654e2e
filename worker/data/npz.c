#include "worker/data/npz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "worker/data/npy.h"
#include "worker/data/table.h"
#include "worker/data/zip.h"
#include "worker/memory.h"

#define NAME_MAX_BYTES (SPEC_NAME_MAX + 16)
#define LIST_MAX 200

/* The member "NAME.npy", NULL when there is none. */
static const struct zip_entry *find_array(const struct zip *z, const char *name)
{
    char file[NAME_MAX_BYTES + 8];
    snprintf(file, sizeof file, "%s.npy", name);
    return zip_find(z, file);
}

/* Features and targets under the first pair of names whose features are there. target: the
 * targets' name as the spec says it, "" for the usual ones. */
struct pair {
    char features[NAME_MAX_BYTES], targets[NAME_MAX_BYTES];
};

static bool choose(const struct zip *z, const char *target, const char *part, struct pair *p)
{
    static const char *const plain[][2] = {{"x", "y"}, {"data", "target"}};
    snprintf(p->features, sizeof p->features, "x_%s", part);
    snprintf(p->targets, sizeof p->targets, "%s_%s", target[0] ? target : "y", part);
    if (find_array(z, p->features))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(plain) && strcmp(part, "train") == 0; i++) {
        snprintf(p->features, sizeof p->features, "%s", plain[i][0]);
        snprintf(p->targets, sizeof p->targets, "%s", target[0] ? target : plain[i][1]);
        if (find_array(z, p->features))
            return true;
    }
    return false;
}

/* "x, y": the arrays of the archive, for messages. */
static void list_arrays(const struct zip *z, struct buf *out)
{
    for (size_t i = 0; i < z->count && out->len < LIST_MAX; i++) {
        char name[ZIP_NAME_TEXT_MAX];
        buf_printf(out, "%s%s", i > 0 ? ", " : "", zip_name(&z->entries[i], name));
    }
    if (out->len >= LIST_MAX)
        buf_puts(out, ", …");
    if (out->len == 0)
        buf_puts(out, "nothing");
}

static int no_features(const struct zip *z, const char *part, struct errbuf *err)
{
    struct buf there = {0};
    list_arrays(z, &there);
    int rc = strcmp(part, "train") == 0 ? ERR_DATA : ERR_NOT_FOUND;
    err_set(err, rc, "no features in it; it has %s; allowed: x_%s and y_%s%s", there.data, part,
            part, rc == ERR_DATA ? ", x and y, or data and target (.npy)" : "");
    buf_finish(&there);
    return rc;
}

static int no_targets(const struct zip *z, const struct pair *p, struct errbuf *err)
{
    struct buf there = {0};
    list_arrays(z, &there);
    err_set(err, ERR_DATA, "no array '%s' (the targets of '%s'); it has %s", p->targets,
            p->features, there.data);
    buf_finish(&there);
    return ERR_DATA;
}

static int take_array(const struct zip_entry *e, const char *name, struct table *t,
                      int (*take)(const struct npy *, struct table *, struct errbuf *),
                      struct errbuf *err)
{
    const unsigned char *bytes;
    unsigned char *owned = NULL;
    struct errbuf why = {0};
    struct npy a;
    int rc = zip_extract(e, &bytes, &owned, &why);
    if (rc == 0)
        rc = npy_parse(bytes, e->size, &a, &why);
    if (rc == 0)
        rc = take(&a, t, &why);
    free(owned);
    return rc == 0 ? 0 : err_set(err, rc, "array '%s': %s", name, why.message);
}

int npz_decode(const unsigned char *bytes, size_t len, const char *target, const char *part,
               struct table *out, struct errbuf *err)
{
    struct zip z;
    struct pair p;
    struct table t = {0};
    const struct zip_entry *targets;
    int rc = zip_open(bytes, len, &z, err);
    if (rc != 0)
        return rc;
    if (!choose(&z, target, part, &p))
        rc = no_features(&z, part, err);
    else if ((targets = find_array(&z, p.targets)) == NULL)
        rc = no_targets(&z, &p, err);
    else
        rc = take_array(find_array(&z, p.features), p.features, &t, npy_features, err);
    if (rc == 0)
        rc = take_array(targets, p.targets, &t, npy_targets, err);
    if (rc == 0)
        *out = t;
    else
        table_finish(&t);
    zip_close(&z);
    return rc;
}

int npz_read(const char *path, const struct spec_data *d, const char *part, struct table *out,
             struct errbuf *err)
{
    struct buf file = {0};
    size_t most = memory_physical_bytes() / 2;
    int rc = buf_read_file(&file, path, most < NPY_FILE_MAX ? most : NPY_FILE_MAX, err);
    if (rc == 0) {
        struct errbuf why = {0};
        rc = npz_decode((const unsigned char *)file.data, file.len, d->target, part, out, &why);
        if (rc != 0)
            err_set(err, rc, "%s: %s", path, why.message);
    }
    buf_finish(&file);
    return rc;
}
