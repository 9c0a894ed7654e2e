#include "daemon/causes/data_facts.h"

#include <string.h>

#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/record.h"
#include "sweep/setting.h"

void data_facts_init(struct data_facts *out, const struct record_prepared *p)
{
    *out = (struct data_facts){
        .train_samples = p->samples,
        .validation_samples = p->validation_samples,
        .features = p->features,
        .classes = p->classes,
        .steps = p->rank == 2 ? p->dim[0] : 0,
    };
    for (size_t i = 0; i < p->finding_count && i < RECORD_FINDINGS_MAX; i++) {
#define X(member, kind_prefix) \
    out->member |= strncmp(p->findings[i].kind, kind_prefix, sizeof(kind_prefix) - 1) == 0;
        DATA_FLAG_MAP(X)
#undef X
    }
}

struct data_facts data_facts_of_run(const struct data_facts *whole, const struct settings *s)
{
    struct data_facts d = *whole;
    int64_t limit = (int64_t)s->v[SETTING_LIMIT], held = (int64_t)s->v[SETTING_VALIDATION];

    if (limit > 0 && limit < d.train_samples)
        d.train_samples = limit;
    if (d.validation_samples == 0) {
        d.validation_samples = held;
        d.train_samples -= held < d.train_samples ? held : d.train_samples;
    }
    return d;
}

void data_facts_write(const struct data_facts *d, struct json_writer *w)
{
    jw_begin_object(w);
#define X(member, doc) jw_kv_int(w, #member, d->member);
    DATA_COUNT_MAP(X)
#undef X
#define X(member, kind) jw_kv_bool(w, #member, d->member);
    DATA_FLAG_MAP(X)
#undef X
    jw_end_object(w);
}

static int read_count(const struct json *v, const char *key, int64_t *out, struct errbuf *err)
{
    return json_get(v, key) ? json_get_int64(v, key, out, err) : 0;
}

static int read_flag(const struct json *v, const char *key, bool *out, struct errbuf *err)
{
    return json_get(v, key) ? json_get_bool(v, key, out, err) : 0;
}

int data_facts_parse(const struct json *v, struct data_facts *out, struct errbuf *err)
{
    struct data_facts d = {0};
    int rc = 0;

#define X(member, doc)  \
    if (rc == 0)        \
        rc = read_count(v, #member, &d.member, err);
    DATA_COUNT_MAP(X)
#undef X
#define X(member, kind) \
    if (rc == 0)        \
        rc = read_flag(v, #member, &d.member, err);
    DATA_FLAG_MAP(X)
#undef X
    if (rc == 0)
        *out = d;
    return rc;
}
