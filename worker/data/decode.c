#include "worker/data/decode.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/sha256.h"
#include "worker/data/readers.h"
#include "worker/data/schema.h"
#include "worker/memory.h"

/* A path and a few words. */
#define PLACE_MAX (sizeof ((struct record_source *)0)->path + 32)

/* --- reading -------------------------------------------------------------------------------- */

/* The file whose key an error about a part is given. */
static size_t part_file(const struct source *s, int part)
{
    size_t own = SOURCE_SAMPLES(part);
    return s->files[own].path[0] ? own : SOURCE_SAMPLES(PART_TRAIN);
}

static const char *part_path(const struct source *s, int part)
{
    return s->files[part_file(s, part)].path;
}

/* The one that has its targets. */
static const char *targets_path(const struct source *s, int part)
{
    const char *own = s->files[SOURCE_TARGETS(part)].path;
    return own[0] ? own : part_path(s, part);
}

/* How a message names the part: its file, and which part of it where the training part's file has
 * it as well. */
static const char *place_of(const struct source *s, int part, const char *path,
                            char out[PLACE_MAX])
{
    static const char *const names[PART_COUNT] = {
        [PART_TRAIN] = "", [PART_VALIDATION] = " (validation part)", [PART_TEST] = " (test part)"};
    bool shared = part_file(s, part) != SOURCE_SAMPLES(part);
    snprintf(out, PLACE_MAX, "%s%s", path, shared ? names[part] : "");
    return out;
}

int decode_source(const struct source *s, const struct spec_data *d, struct decoded *out,
                  struct errbuf *err)
{
    struct table tables[PART_COUNT] = {0};
    struct reading reading = {.source = s, .data = d};
    int rc = 0;
    for (int part = 0; rc == 0 && part < PART_COUNT; part++) {
        if (!s->files[SOURCE_SAMPLES(part)].path[0] && s->format != FORMAT_NPZ)
            continue;
        rc = read_part(&reading, (enum samples_part)part, &tables[part], err);
        if (rc != 0)
            source_blame(s, d, part_file(s, part), rc, err);
    }
    if (rc == 0)
        rc = decode_tables(s, d, tables, out, err);
    if (rc == 0)
        out->schema = schema_write(&tables[PART_TRAIN], reading.columns, out->classes);
    for (int part = 0; part < PART_COUNT; part++)
        table_finish(&tables[part]);
    table_columns_destroy(reading.columns);
    return rc;
}

/* --- the tables against limits and each other ----------------------------------------------- */

static int check_sizes(const struct table *t, const char *path, struct errbuf *err)
{
    size_t features = shape_count(&t->shape);
    if (t->outputs == 0)
        return err_set(err, ERR_MISSING, "%s: there are no targets", path);
    if (t->count > SAMPLES_MAX || features > SAMPLES_FEATURES_MAX ||
        t->outputs > SAMPLES_OUTPUTS_MAX || features > TABLE_NUMBERS_MAX / t->count)
        return err_set(err, ERR_LIMIT,
                       "%s: %zu samples of %zu numbers and %zu targets; allowed: %zu of %zu and "
                       "%zu, %zu numbers in all", path, t->count, features, t->outputs, SAMPLES_MAX,
                       SAMPLES_FEATURES_MAX, SAMPLES_OUTPUTS_MAX, TABLE_NUMBERS_MAX);
    return 0;
}

static int check_same(const struct table *train, const char *train_path, const struct table *t,
                      const char *path, struct errbuf *err)
{
    char shape[SHAPE_TEXT_MAX], train_shape[SHAPE_TEXT_MAX];
    if (strcmp(shape_format(&t->shape, shape), shape_format(&train->shape, train_shape)) != 0)
        return err_set(err, ERR_DATA, "%s: samples of shape %s, but those of %s are %s", path,
                       shape, train_path, train_shape);
    if (t->outputs != train->outputs)
        return err_set(err, ERR_DATA, "%s: %zu targets a sample, but %s has %zu", path, t->outputs,
                       train_path, train->outputs);
    bool named = t->class_names > 0, train_named = train->class_names > 0;
    if (named != train_named)
        return err_set(err, ERR_DATA, "%s: targets are %s, but those of %s are %s", path,
                       named ? "names" : "numbers", train_path, train_named ? "names" : "numbers");
    if (t->class_names != train->class_names ||
        (named && memcmp(t->class_name, train->class_name,
                         t->class_names * sizeof *t->class_name) != 0))
        return err_set(err, ERR_DATA, "%s: other classes than those of %s", path, train_path);
    return 0;
}

/* Where the first target is that is refused; count · outputs when none is. */
static size_t find_target(const struct table *t, bool (*refused)(double target))
{
    size_t i = 0, n = t->count * t->outputs;
    while (i < n && !refused(t->targets[i]))
        i++;
    return i;
}

static bool not_float(double x)
{
    return !(fabs(x) <= (double)FLT_MAX);
}

static int check_targets(const struct table *t, const char *path, struct errbuf *err)
{
    size_t at = find_target(t, not_float);
    if (at == t->count * t->outputs)
        return 0;
    return err_set(err, ERR_DATA, "%s: the target of sample %zu is %g; allowed: numbers of at most "
                   "%g", path, at / t->outputs + 1, t->targets[at], (double)FLT_MAX);
}

static int check_tables(const struct source *s, const struct spec_data *d,
                        const struct table tables[PART_COUNT], struct errbuf *err)
{
    const char *train_path = part_path(s, PART_TRAIN);
    size_t total = 0;
    for (int part = 0; part < PART_COUNT; part++) {
        const struct table *t = &tables[part];
        if (part > 0 && t->count == 0)
            continue;
        char place[PLACE_MAX], targets[PLACE_MAX];
        const char *path = place_of(s, part, part_path(s, part), place);
        int rc = t->count == 0 ? err_set(err, ERR_DATA, "%s: there are no samples", path)
                               : check_sizes(t, path, err);
        if (rc == 0)
            rc = check_same(&tables[PART_TRAIN], train_path, t, path, err);
        if (rc == 0)
            rc = check_targets(t, place_of(s, part, targets_path(s, part), targets), err);
        if (rc == 0 && t->count > SAMPLES_MAX - total)
            rc = err_set(err, ERR_LIMIT, "%s: more than %zu samples in all", path, SAMPLES_MAX);
        if (rc != 0)
            return source_blame(s, d, part_file(s, part), rc, err);
        total += t->count;
    }
    size_t bytes = total * shape_count(&tables[PART_TRAIN].shape) * sizeof(float);
    if (bytes > memory_physical_bytes() / 2)
        return source_blame(s, d, 0,
                            err_set(err, ERR_LIMIT, "%.1f GiB of data do not fit into this "
                                    "machine's memory", (double)bytes / 0x1p30), err);
    return 0;
}

/* --- labels --------------------------------------------------------------------------------- */

static int map_labels(const struct table *t, const char *path, const struct classes *c,
                      uint16_t *out, struct errbuf *err)
{
    for (size_t i = 0; i < t->count * t->outputs; i++) {
        double label = t->targets[i];
        size_t at;
        if (!classes_find(c, label, &at)) {
            char known[256];
            classes_list(c, known, sizeof known);
            return err_set(err, ERR_DATA, "%s: sample %zu has the label %.15g; the classes of %s "
                           "are %s", path, i / t->outputs + 1, label, c->path, known);
        }
        out[i] = (uint16_t)at;
    }
    return 0;
}

/* --- joining -------------------------------------------------------------------------------- */

static void bytes_to_floats(struct table *t)
{
    size_t n = t->count * shape_count(&t->shape);
    const uint8_t *bytes = t->values;
    float *floats = xmalloc(n * sizeof *floats);
    for (size_t i = 0; i < n; i++)
        floats[i] = (float)bytes[i] * (1.0f / 255.0f); /* as samples_gather does */
    free(t->values);
    t->values = floats;
    t->type = SAMPLES_F32;
}

/* Floats as soon as one part has them. */
static void unify_types(struct table tables[PART_COUNT])
{
    bool floats = false;
    for (int part = 0; part < PART_COUNT; part++)
        floats = floats || (tables[part].count > 0 && tables[part].type == SAMPLES_F32);
    for (int part = 0; floats && part < PART_COUNT; part++) {
        if (tables[part].count > 0 && tables[part].type == SAMPLES_U8)
            bytes_to_floats(&tables[part]);
    }
}

/* The other parts' values behind those of the training part, in its memory. */
static void *join_values(struct table tables[PART_COUNT], const struct samples *s)
{
    size_t row_bytes = s->features * samples_value_bytes(s->type);
    size_t used = tables[PART_TRAIN].count * row_bytes;
    char *values = xrealloc(tables[PART_TRAIN].values, s->count * row_bytes);
    tables[PART_TRAIN].values = NULL;
    for (int part = PART_TRAIN + 1; part < PART_COUNT; part++) {
        size_t bytes = tables[part].count * row_bytes;
        if (bytes > 0)
            memcpy(values + used, tables[part].values, bytes);
        used += bytes;
        free(tables[part].values);
        tables[part].values = NULL;
    }
    return values;
}

static int join_labels(const struct reading *r, const struct table tables[PART_COUNT],
                       const struct classes *c, struct decoded *out, struct errbuf *err)
{
    const struct source *s = r->source;
    out->labels = xmalloc(out->samples.count * out->samples.outputs * sizeof *out->labels);
    size_t at = 0;
    for (int part = 0; part < PART_COUNT; part++) {
        char place[PLACE_MAX];
        int rc = map_labels(&tables[part], place_of(s, part, targets_path(s, part), place), c,
                            out->labels + at, err);
        if (rc != 0)
            return source_blame(s, r->data, part_file(s, part), rc, err);
        at += tables[part].count * tables[part].outputs;
    }
    return 0;
}

static void join_targets(const struct table tables[PART_COUNT], struct decoded *out)
{
    out->targets = xmalloc(out->samples.count * out->samples.outputs * sizeof *out->targets);
    size_t at = 0;
    for (int part = 0; part < PART_COUNT; part++) {
        for (size_t i = 0; i < tables[part].count * tables[part].outputs; i++)
            out->targets[at++] = (float)tables[part].targets[i];
    }
}

static void hash_samples(struct samples *s)
{
    uint64_t sizes[] = {s->type,         s->parts[0],     s->parts[1],     s->parts[2],
                        s->shape.rank,   s->shape.dim[0], s->shape.dim[1], s->shape.dim[2],
                        s->outputs,      s->classes};
    size_t targets = s->count * s->outputs;
    struct sha256 sum;
    sha256_init(&sum);
    sha256_add(&sum, sizes, sizeof sizes);
    if (s->labels)
        sha256_add(&sum, s->labels, targets * sizeof *s->labels);
    else
        sha256_add(&sum, s->targets, targets * sizeof *s->targets);
    sha256_add(&sum, s->values, s->count * s->features * samples_value_bytes(s->type));
    sha256_hex(&sum, s->hash);
}

#define NAMES_SHOWN 5

/* "classification: 3 names, setosa, versicolor, virginica" */
static void note_names(const struct table *t, struct notes *out)
{
    struct buf names = {0};
    for (size_t i = 0; i < t->class_names && i < NAMES_SHOWN; i++)
        buf_printf(&names, ", %s", t->class_name[i]);
    notes_add(out, "data.task", "classification: %zu name%s%s%s", t->class_names,
              t->class_names == 1 ? "" : "s", names.data,
              t->class_names > NAMES_SHOWN ? ", …" : "");
    buf_finish(&names);
}

static void note_task(const struct table *train, const struct classes *c, struct decoded *out)
{
    out->notes = train->notes;
    memcpy(out->target, train->target, sizeof out->target);
    if (c->why[0])
        notes_add(&out->notes, "data.task", "%s", c->why);
    else if (train->class_names > 0)
        note_names(train, &out->notes);
}

/* One-hot targets become labels in all parts; *count: how many classes they are of, else 0. */
static int take_one_hot(const struct source *s, const struct spec_data *d,
                        struct table tables[PART_COUNT], size_t *count, struct errbuf *err)
{
    *count = 0;
    if (d->task == TASK_REGRESSION || !classes_are_one_hot(&tables[PART_TRAIN]))
        return 0;
    *count = tables[PART_TRAIN].outputs;
    for (int part = 0; part < PART_COUNT; part++) {
        char place[PLACE_MAX];
        if (tables[part].count == 0 || classes_from_one_hot(&tables[part]))
            continue;
        int rc = err_set(err, ERR_DATA, "%s: some targets are not one-hot (a 1 among zeros), as "
                         "those of %s are; data.task regression takes them as numbers",
                         place_of(s, part, targets_path(s, part), place),
                         targets_path(s, PART_TRAIN));
        return source_blame(s, d, part_file(s, part), rc, err);
    }
    return 0;
}

int decode_tables(const struct source *s, const struct spec_data *d,
                  struct table tables[PART_COUNT], struct decoded *out, struct errbuf *err)
{
    const struct table *train = &tables[PART_TRAIN];
    const struct reading reading = {.source = s, .data = d};
    struct classes classes = {.path = targets_path(s, PART_TRAIN)};
    struct decoded done = {0};
    struct samples *x = &done.samples;
    size_t hot = 0;
    int rc = check_tables(s, d, tables, err);
    if (rc == 0)
        rc = take_one_hot(s, d, tables, &hot, err);
    if (rc == 0 && hot > 0)
        classes_of_places(hot, &classes);
    else if (rc == 0)
        rc = classes_decide(s->format, d->task, train, &classes, err);
    if (rc != 0)
        return rc;
    for (int part = 0; part < PART_COUNT; part++) {
        x->parts[part] = tables[part].count;
        x->count += tables[part].count;
    }
    x->shape.rank = train->shape.rank;
    for (size_t i = 0; i < train->shape.rank; i++)
        x->shape.dim[i] = train->shape.dim[i];
    x->features = shape_count(&x->shape);
    x->outputs = train->outputs;
    x->classes = classes.count;
    if (classes.count > 0)
        rc = join_labels(&reading, tables, &classes, &done, err);
    else
        join_targets(tables, &done);
    if (rc != 0) {
        decode_finish(&done);
        return rc;
    }
    unify_types(tables);
    x->type = train->type;
    done.values = join_values(tables, x);
    x->values = done.values;
    x->labels = done.labels;
    x->targets = done.targets;
    hash_samples(x);
    note_task(train, &classes, &done);
    done.classes = xmalloc(sizeof classes);
    *done.classes = classes;
    *out = done;
    return 0;
}

void decode_finish(struct decoded *d)
{
    free(d->values);
    free(d->labels);
    free(d->targets);
    free(d->classes);
    free(d->schema);
    memset(d, 0, sizeof *d);
}
