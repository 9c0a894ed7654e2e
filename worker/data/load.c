#include "worker/data/load.h"

#include <stdbool.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#define LOG_MODULE "data"
#include "sweep/log.h"
#include "worker/data/cache.h"
#include "worker/data/decode.h"
#include "worker/data/scan.h"

/* Sizes, from what was decoded or mapped. */
static void describe_sizes(const struct samples *x, struct record_prepared *p)
{
    p->samples = (int64_t)x->parts[PART_TRAIN];
    p->validation_samples = (int64_t)x->parts[PART_VALIDATION];
    p->test_samples = (int64_t)x->parts[PART_TEST];
    p->features = (int64_t)x->features;
    p->classes = (int64_t)x->classes;
    p->outputs = (int64_t)x->outputs;
    p->rank = (int64_t)x->shape.rank;
    for (size_t i = 0; i < SHAPE_RANK_MAX; i++)
        p->dim[i] = (int64_t)x->shape.dim[i];
}

static void describe_decisions(const struct decoded *d, struct record_prepared *p)
{
    memcpy(p->target, d->target, sizeof p->target);
    p->note_count = d->notes.count;
    memcpy(p->notes, d->notes.note, sizeof p->notes);
}

/* How the files are called, for messages. */
static void name_files(const struct source *s, struct samples *x)
{
    for (size_t k = 0; k < PART_COUNT; k++) {
        const char *path = s->files[SOURCE_SAMPLES(k)].path, *name = strrchr(path, '/');
        str_copy(x->file[k], sizeof x->file[k], name ? name + 1 : path);
    }
}

static void describe(const struct source *s, const struct decoded *d, const char *path,
                     struct record_prepared *p)
{
    const struct samples *x = &d->samples;
    memset(p, 0, sizeof *p);
    str_copy(p->hash, sizeof p->hash, x->hash);
    str_copy(p->cache, sizeof p->cache, path);
    describe_sizes(x, p);
    describe_decisions(d, p);
    for (size_t i = 0; i < SOURCE_FILE_COUNT; i++) {
        if (s->files[i].path[0])
            p->sources[p->source_count++] = s->files[i];
    }
    struct samples described = *x;
    described.schema = d->schema;
    name_files(s, &described);
    scan_samples(&described, p);
    scan_columns(&described, p);
    scan_sentinels(&described, p);
}

/* The cached copy of exactly these files. */
static int load_cached(const struct source *s, const char *link, struct samples *out,
                       struct record_prepared *p)
{
    struct errbuf quiet;
    char path[PATHS_MAX];
    int rc = cache_link_read(link, p, &quiet);
    if (rc == 0 && !source_same(s, p->sources, p->source_count))
        rc = ERR_NOT_FOUND;
    if (rc == 0)
        rc = cache_data_path(p->hash, path, &quiet);
    if (rc == 0)
        rc = cache_map(path, p->hash, out, &quiet);
    if (rc == 0 && cache_schema_read(link, &out->schema, &quiet) != 0) {
        samples_finish(out);
        rc = ERR_NOT_FOUND;
    }
    if (rc == ERR_DATA)
        log_warn("%s: it is made again from the source", quiet.message);
    if (rc != 0)
        return rc;
    /* The link may be forged or old: the cache file has the last word on sizes. */
    str_copy(p->cache, sizeof p->cache, path);
    describe_sizes(out, p);
    return 0;
}

/* The files changed while they were read: what was decoded may be half old, half new. */
static int check_unchanged(const struct spec_data *d, const struct record_prepared *p,
                           struct errbuf *err)
{
    struct source now;
    int rc = source_find(d, &now, err);
    if (rc == 0 && !source_same(&now, p->sources, p->source_count))
        rc = err_set(err, ERR_DATA, "the files changed while they were read");
    return rc;
}

static int load_decoded(const struct spec_data *d, const struct source *s, const char *link,
                        struct samples *out, struct record_prepared *p, struct errbuf *err)
{
    struct decoded decoded;
    char path[PATHS_MAX];
    int rc = decode_source(s, d, &decoded, err);
    if (rc != 0)
        return rc;
    rc = cache_data_path(decoded.samples.hash, path, err);
    if (rc == 0) {
        describe(s, &decoded, path, p);
        rc = check_unchanged(d, p, err);
    }
    if (rc == 0 && cache_map(path, p->hash, out, NULL) != 0) {
        rc = cache_write(path, &decoded.samples, err);
        if (rc == 0)
            rc = cache_map(path, p->hash, out, err);
    }
    if (rc == 0) {
        out->schema = decoded.schema;
        decoded.schema = NULL;
    }
    decode_finish(&decoded);
    if (rc != 0)
        return rc;
    rc = cache_schema_write(link, out->schema, err);
    if (rc == 0)
        rc = cache_link_write(link, p, err);
    if (rc != 0)
        samples_finish(out);
    return rc;
}

int load_check_counts(const struct settings *settings, const struct samples *s,
                      struct errbuf *err)
{
    char value[32], held[32];
    double most = (double)s->parts[PART_TRAIN], limit = settings->v[SETTING_LIMIT];
    double used = limit > 0 ? limit : most, validation = settings->v[SETTING_VALIDATION];
    bool own = s->parts[PART_VALIDATION] > 0;
    setting_format(SETTING_LIMIT, limit, value);
    setting_format(SETTING_VALIDATION, validation, held);
    if (used > most)
        return err_bad(err, ERR_VALUE, "$.data.limit", value,
                       "at most the %.0f samples that there are", most);
    if (own && validation > 0)
        return err_bad(err, ERR_VALUE, "$.data.validation", held,
                       "none, as there are %zu validation samples of their own",
                       s->parts[PART_VALIDATION]);
    if (!own && validation < 1)
        return err_bad(err, ERR_VALUE, "$.data.validation", held,
                       "at least 1 sample to hold out, as there are no validation samples of their "
                       "own");
    if (!own && validation >= used)
        return err_bad(err, ERR_VALUE, "$.data.validation", held,
                       "fewer than the %.0f samples in use", used);
    return 0;
}

static int check_hash(const struct run_config *c, const struct source *source,
                      const struct samples *s, struct errbuf *err)
{
    if (!c->data_hash[0] || strcmp(c->data_hash, s->hash) == 0)
        return 0;
    err_set(err, ERR_DATA, "data changed after submit: content hash %.16s, was %.16s", s->hash,
            c->data_hash);
    return source_blame(source, &c->data, 0, ERR_DATA, err);
}

int load_data(const struct run_config *config, struct samples *out,
              struct record_prepared *prepared, struct errbuf *err)
{
    const struct spec_data *d = &config->data;
    struct source source;
    struct samples samples;
    char link[65];
    int rc = source_find(d, &source, err);
    if (rc != 0)
        return rc;
    source_hash(&source, d, link);
    if (load_cached(&source, link, &samples, prepared) != 0)
        rc = load_decoded(d, &source, link, &samples, prepared, err);
    if (rc != 0)
        return source_blame(&source, d, 0, rc, err);
    name_files(&source, &samples);
    rc = check_hash(config, &source, &samples, err);
    if (rc == 0)
        rc = load_check_counts(&config->settings, &samples, err);
    if (rc == 0)
        *out = samples;
    else
        samples_finish(&samples);
    return rc;
}
