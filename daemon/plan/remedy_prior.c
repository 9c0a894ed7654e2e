#include "daemon/plan/remedy_prior.h"

#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"

void remedy_prior_add(struct remedy_prior *p, const struct remedy_count *c)
{
    p->items = array_room(p->items, &p->cap, p->count, sizeof(*p->items));
    p->items[p->count++] = *c;
}

void remedy_prior_finish(struct remedy_prior *p)
{
    free(p->items);
    *p = (struct remedy_prior){0};
}

void remedy_prior_count(const struct remedy_prior *p, enum pattern pattern, enum cause_id cause,
                        enum remedy remedy, int64_t *tried, int64_t *cured)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct remedy_count *c = &p->items[i];
        if (c->pattern != pattern || c->cause != cause || c->remedy != remedy)
            continue;
        *tried += c->tried;
        *cured += c->cured;
    }
}

/* --- as JSON --------------------------------------------------------------------------------- */

void remedy_prior_write(const struct remedy_prior *p, struct json_writer *w)
{
    jw_begin_array(w);
    for (size_t i = 0; i < p->count; i++) {
        const struct remedy_count *c = &p->items[i];
        jw_begin_object(w);
        jw_kv_string(w, "pattern", pattern_name(c->pattern));
        jw_kv_string(w, "cause", cause_name(c->cause));
        jw_kv_string(w, "remedy", remedy_name(c->remedy));
        jw_kv_int(w, "tried", c->tried);
        jw_kv_int(w, "cured", c->cured);
        jw_end_object(w);
    }
    jw_end_array(w);
}

static int read_count(const struct json *v, struct remedy_prior *out, struct errbuf *err)
{
    const char *pattern, *cause, *remedy;
    struct remedy_count c = {0};
    int rc = json_get_string(v, "pattern", &pattern, err);
    if (rc == 0)
        rc = json_get_string(v, "cause", &cause, err);
    if (rc == 0)
        rc = json_get_string(v, "remedy", &remedy, err);
    if (rc == 0)
        rc = json_get_int64(v, "tried", &c.tried, err);
    if (rc == 0)
        rc = json_get_int64(v, "cured", &c.cured, err);
    if (rc != 0)
        return rc;
    int p = pattern_find(pattern), k = cause_find(cause), r = remedy_find(remedy);
    if (p < 0 || k < 0 || r < 0)
        return 0;
    if (c.cured < 0 || c.tried < c.cured)
        return err_bad(err, ERR_VALUE, "cured", NULL, "0 to tried");
    c.pattern = (enum pattern)p;
    c.cause = (enum cause_id)k;
    c.remedy = (enum remedy)r;
    remedy_prior_add(out, &c);
    return 0;
}

int remedy_prior_parse(const char *text, struct remedy_prior *out, struct errbuf *err)
{
    struct remedy_prior p = {0};
    struct json *root = json_parse(text, strlen(text), err);
    int rc = 0;

    if (root == NULL)
        return ERR_DATA;
    for (const struct json *v = json_first(root); v && rc == 0; v = json_next(v))
        rc = read_count(v, &p, err);
    json_destroy(root);
    if (rc == 0)
        *out = p;
    else
        remedy_prior_finish(&p);
    return rc;
}
