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

/* Names of features and targets. */
struct pair {
    char features[NAME_MAX_BYTES], targets[NAME_MAX_BYTES];
};

/* %s: the part. */
static const char *const of_parts[][2] = {
    {"x_%s", "y_%s"},           {"X_%s", "y_%s"},           {"X_%s", "Y_%s"},
    {"%s_x", "%s_y"},           {"%s_X", "%s_y"},           {"%s_X", "%s_Y"},
    {"%s_images", "%s_labels"}, {"%s_data", "%s_labels"},   {"%s_data", "%s_targets"},
    {"%s_data", "%s_target"},   {"%s_features", "%s_labels"}, {"%s_features", "%s_targets"},
    {"images_%s", "labels_%s"}, {"data_%s", "labels_%s"},   {"features_%s", "labels_%s"}};
static const char *const plain[][2] = {
    {"x", "y"},             {"data", "target"},    {"X", "y"},           {"X", "Y"},
    {"data", "targets"},    {"data", "labels"},    {"data", "label"},    {"features", "labels"},
    {"features", "target"}, {"features", "targets"}, {"images", "labels"}, {"inputs", "targets"},
    {"inputs", "labels"},   {"arr_0", "arr_1"}};

/* "train" in a name becomes the part; false where there is none and the part is another. */
static bool name_part(const char *told, const char *part, char out[NAME_MAX_BYTES])
{
    const char *at = strstr(told, "train");
    if (!at && strcmp(part, "train") != 0)
        return false;
    if (at)
        snprintf(out, NAME_MAX_BYTES, "%.*s%s%s", (int)(at - told), told, part, at + 5);
    else
        snprintf(out, NAME_MAX_BYTES, "%s", told);
    return true;
}

/* The told name of the targets, as it goes with those features. */
static void name_targets(const struct zip *z, const char *told, const char *part, struct pair *p)
{
    if (!told[0])
        return;
    if (name_part(told, part, p->targets) && find_array(z, p->targets))
        return;
    snprintf(p->targets, sizeof p->targets, "%s_%s", told, part);
    if (!find_array(z, p->targets) && strcmp(part, "train") == 0)
        snprintf(p->targets, sizeof p->targets, "%s", told);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void fill(const char *const names[2], const char *part, struct pair *p)
{
    snprintf(p->features, sizeof p->features, names[0], part);
    snprintf(p->targets, sizeof p->targets, names[1], part);
}
#pragma GCC diagnostic pop

/* The first pair that is there whole, else the first whose features are. */
static bool choose_among(const struct zip *z, const char *const (*names)[2], size_t count,
                         const char *part, const char *target, struct pair *p)
{
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        struct pair q;
        fill(names[i], part, &q);
        name_targets(z, target, part, &q);
        if (!find_array(z, q.features) || (found && !find_array(z, q.targets)))
            continue;
        *p = q;
        found = true;
        if (find_array(z, q.targets))
            break;
    }
    return found;
}

static bool choose(const struct zip *z, const struct npz_names *told, const char *part,
                   struct pair *p)
{
    static const char *const validation[] = {"val", "valid", "validation"};
    if (told->features[0]) {
        snprintf(p->targets, sizeof p->targets, "%s", "y");
        if (!name_part(told->features, part, p->features) || !find_array(z, p->features))
            return false;
        name_targets(z, told->target, part, p);
        return true;
    }
    if (strcmp(part, "val") != 0 &&
        choose_among(z, of_parts, ARRAY_LEN(of_parts), part, told->target, p))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(validation) && strcmp(part, "val") == 0; i++)
        if (choose_among(z, of_parts, ARRAY_LEN(of_parts), validation[i], told->target, p))
            return true;
    return strcmp(part, "train") == 0 &&
           choose_among(z, plain, ARRAY_LEN(plain), part, told->target, p);
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
            part, rc == ERR_DATA ? ", x and y, or data and target, or names of their own "
                                   "(data.features, data.target)" : "");
    buf_finish(&there);
    return rc;
}

static int no_targets(const struct zip *z, const struct pair *p, struct errbuf *err)
{
    struct buf there = {0};
    list_arrays(z, &there);
    err_set(err, ERR_DATA, "no array '%s' (the targets of '%s'); it has %s; data.target names "
            "another", p->targets, p->features, there.data);
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

/* Arrays without names are taken in their order; what looks like the other way round is not. */
static int check_order(const struct pair *p, const struct table *t, struct errbuf *err)
{
    if (strcmp(p->features, "arr_0") != 0 || t->shape.rank > 1 || t->shape.dim[0] > 1 ||
        t->outputs < 2)
        return 0;
    return err_set(err, ERR_DATA, "'arr_0' has one number a sample and 'arr_1' %zu; which are the "
                   "features? data.features and data.target say it", t->outputs);
}

static void note_names(const struct npz_names *told, const struct pair *p, struct table *t)
{
    if (!told->features[0] && strcmp(p->features, "x") != 0 && strcmp(p->features, "x_train") != 0)
        notes_add(&t->notes, "data.features", "features are the array '%s', targets '%s'",
                  p->features, p->targets);
}

/* The only array there is. */
static bool choose_only(const struct zip *z, struct pair *p)
{
    char name[ZIP_NAME_TEXT_MAX];
    size_t len = z->count == 1 ? strlen(zip_name(&z->entries[0], name)) : 0;
    bool is = len > 4 && len < sizeof p->features && strcmp(name + len - 4, ".npy") == 0;
    if (is)
        str_copy(p->features, len - 3, name);
    return is && find_array(z, p->features);
}

/* The pair's features, and targets where they are wanted. */
static int take_pair(const struct zip *z, const struct npz_names *told, const struct pair *p,
                     struct table *t, struct errbuf *err)
{
    const struct zip_entry *targets = find_array(z, p->targets);
    if (!targets && !told->features_alone)
        return no_targets(z, p, err);
    int rc = take_array(find_array(z, p->features), p->features, t, npy_features, err);
    if (rc != 0 || told->features_alone)
        return rc;
    rc = take_array(targets, p->targets, t, npy_targets, err);
    return rc == 0 ? check_order(p, t, err) : rc;
}

int npz_decode(const unsigned char *bytes, size_t len, const struct npz_names *told,
               const char *part, struct table *out, struct errbuf *err)
{
    struct zip z;
    struct pair p = {0};
    struct table t = {0};
    int rc = zip_open(bytes, len, &z, err);
    if (rc != 0)
        return rc;
    if (choose(&z, told, part, &p) || (told->features_alone && choose_only(&z, &p)))
        rc = take_pair(&z, told, &p, &t, err);
    else
        rc = no_features(&z, part, err);
    note_names(told, &p, &t);
    if (rc == 0)
        *out = t;
    else
        table_finish(&t);
    zip_close(&z);
    return rc;
}

static int read_file(const char *path, const struct npz_names *told, const char *part,
                     struct table *out, struct errbuf *err)
{
    struct buf file = {0};
    size_t most = memory_physical_bytes() / 2;
    int rc = buf_read_file(&file, path, most < NPY_FILE_MAX ? most : NPY_FILE_MAX, err);
    if (rc == 0) {
        struct errbuf why = {0};
        rc = npz_decode((const unsigned char *)file.data, file.len, told, part, out, &why);
        if (rc != 0)
            err_set(err, rc, "%s: %s", path, why.message);
    }
    buf_finish(&file);
    return rc;
}

int npz_read(const char *path, const struct spec_data *d, const char *part, struct table *out,
             struct errbuf *err)
{
    const struct npz_names told = {d->features, d->target, false};
    return read_file(path, &told, part, out, err);
}

int npz_read_features(const char *path, const struct spec_data *d, struct table *out,
                      struct errbuf *err)
{
    const struct npz_names told = {d->features, "", true};
    return read_file(path, &told, "train", out, err);
}
