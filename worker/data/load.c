#include "worker/data/load.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "worker/data/cache.h"
#include "worker/data/decode.h"
#include "worker/data/scan.h"

/* The cached copy of exactly these files. */
static int load_cached(const struct source *s, struct samples *out, struct record_prepared *p)
{
    struct errbuf quiet;
    char path[PATHS_MAX];
    int rc = cache_link_read(s->folder, p, &quiet);
    if (rc == 0 && !source_same(s, p->sources, p->source_count))
        rc = ERR_NOT_FOUND;
    if (rc == 0)
        rc = cache_data_path(p->hash, path, &quiet);
    if (rc == 0)
        rc = cache_map(path, p->hash, out, &quiet);
    if (rc != 0)
        return rc;
    /* The link may be forged or old: the cache file has the last word on shapes. */
    str_copy(p->cache, sizeof p->cache, path);
    p->samples = (int64_t)out->count;
    p->features = (int64_t)out->features;
    p->classes = (int64_t)out->classes;
    return 0;
}

static void describe(const struct source *s, const struct samples *x, const char *path,
                     struct record_prepared *p)
{
    memset(p, 0, sizeof *p);
    str_copy(p->hash, sizeof p->hash, x->hash);
    str_copy(p->cache, sizeof p->cache, path);
    p->samples = (int64_t)x->count;
    p->features = (int64_t)x->features;
    p->classes = (int64_t)x->classes;
    for (size_t i = 0; i < SOURCE_FILE_COUNT; i++) {
        if (s->files[i].path[0])
            p->sources[p->source_count++] = s->files[i];
    }
    scan_samples(x, p);
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

static int load_decoded(const struct spec_data *d, const struct source *s, struct samples *out,
                        struct record_prepared *p, struct errbuf *err)
{
    struct decoded decoded;
    char path[PATHS_MAX];
    int rc = decode_source(s, &decoded, err);
    if (rc != 0)
        return rc;
    rc = cache_data_path(decoded.samples.hash, path, err);
    if (rc == 0) {
        describe(s, &decoded.samples, path, p);
        rc = check_unchanged(d, p, err);
    }
    if (rc == 0 && cache_map(path, p->hash, out, NULL) != 0) {
        rc = cache_write(path, &decoded.samples, err);
        if (rc == 0)
            rc = cache_map(path, p->hash, out, err);
    }
    decode_finish(&decoded);
    if (rc == 0 && cache_link_write(s->folder, p, err) != 0) {
        samples_finish(out);
        rc = err ? err->code : ERR_IO;
    }
    return rc;
}

/* Gives an error about a file the configuration's key and value, unless it has a key already. */
static int blame(const struct spec_data *d, int rc, struct errbuf *err)
{
    if (!err || err->key[0])
        return rc;
    char message[sizeof err->message];
    str_copy(message, sizeof message, err->message);
    err_set(err, rc, "%s: got %s: %s", source_key(d), source_value(d), message);
    str_copy(err->key, sizeof err->key, source_key(d));
    str_copy(err->value, sizeof err->value, source_value(d));
    str_copy(err->allowed, sizeof err->allowed, "whole IDX files of the MNIST layout that agree");
    return rc;
}

static int check_counts(const struct spec_data *d, const struct samples *s, struct errbuf *err)
{
    char value[32];
    int64_t used = d->limit > 0 ? d->limit : (int64_t)s->count;
    if (used > (int64_t)s->count) {
        snprintf(value, sizeof value, "%" PRId64, d->limit);
        return err_bad(err, ERR_VALUE, "$.data.limit", value,
                       "at most the %zu samples that there are", s->count);
    }
    if (d->validation >= used) {
        snprintf(value, sizeof value, "%" PRId64, d->validation);
        return err_bad(err, ERR_VALUE, "$.data.validation", value,
                       "fewer than the %" PRId64 " samples in use", used);
    }
    return 0;
}

static int check_hash(const struct run_config *c, const struct samples *s, struct errbuf *err)
{
    if (!c->data_hash[0] || strcmp(c->data_hash, s->hash) == 0)
        return 0;
    err_set(err, ERR_DATA, "data changed after submit: content hash %.16s, was %.16s", s->hash,
            c->data_hash);
    return blame(&c->data, ERR_DATA, err);
}

int load_data(const struct run_config *config, struct samples *out,
              struct record_prepared *prepared, struct errbuf *err)
{
    const struct spec_data *d = &config->data;
    struct source source;
    struct samples samples;
    int rc = source_find(d, &source, err);
    if (rc != 0)
        return rc;
    if (load_cached(&source, &samples, prepared) != 0)
        rc = load_decoded(d, &source, &samples, prepared, err);
    if (rc != 0)
        return blame(d, rc, err);
    rc = check_hash(config, &samples, err);
    if (rc == 0)
        rc = check_counts(d, &samples, err);
    if (rc == 0)
        *out = samples;
    else
        samples_finish(&samples);
    return rc;
}
