/* "resources": what each run needs beside a slot. */
#include "sweep/resources.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/field.h"
#include "common/spec/part.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define PATH "$.resources"
#define SHARE_MIN 0.01 /* of a GPU */

const struct resource *resources_find(const struct resources *r, const char *name)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->items[i].name, name) == 0)
            return &r->items[i];
    return NULL;
}

static bool is_name(const char *name, size_t len)
{
    bool good = len > 0 && len < RESOURCE_NAME_MAX && isalpha((unsigned char)name[0]);
    for (size_t i = 0; i < len && good; i++)
        good = isalnum((unsigned char)name[i]) || strchr("_.-", name[i]) != NULL;
    return good;
}

bool resources_add(struct resources *r, const char *name, size_t len, int64_t amount)
{
    if (!is_name(name, len) || r->count == RESOURCES_MAX)
        return false;
    struct resource *item = &r->items[r->count];
    memcpy(item->name, name, len);
    item->name[len] = '\0';
    item->amount = amount;
    if (resources_find(r, item->name) != NULL)
        return false;
    r->count++;
    return true;
}

void resource_format(int64_t amount, char out[RESOURCE_TEXT_MAX])
{
    snprintf(out, RESOURCE_TEXT_MAX, "%.6g", (double)amount / RESOURCE_ONE);
    if (amount % RESOURCE_ONE == 0)
        snprintf(out, RESOURCE_TEXT_MAX, "%" PRId64, amount / RESOURCE_ONE);
}

/* Words that mean one of those that the daemon knows. */
static const char *meant(const char *name)
{
    static const char *const words[][2] = {
        {"gpu", RESOURCE_GPUS},      {"cuda", RESOURCE_GPUS}, {"cpu", RESOURCE_CPUS},
        {"cores", RESOURCE_CPUS},    {"core", RESOURCE_CPUS}, {"memory", RESOURCE_MEMORY},
        {"memory_mb", RESOURCE_MEMORY}, {"mem", RESOURCE_MEMORY}, {"ram", RESOURCE_MEMORY},
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(words[i][0], name) == 0)
            return words[i][1];
    return NULL;
}

static int parse_amount(const struct json *v, const char *path, int64_t *out, struct errbuf *err)
{
    bool gpus = strcmp(json_key(v), RESOURCE_GPUS) == 0;
    double n = 0;
    bool number = json_type(v) == JSON_NUMBER && json_real(v, &n) == 0;
    bool whole = number && n == floor(n) && n >= !gpus && n <= (double)RESOURCE_MAX;

    if (!whole && !gpus)
        return field_refuse(err, ERR_VALUE, path, v, "a whole number from 1 to %" PRId64,
                            RESOURCE_MAX);
    if (!whole && !(number && n >= SHARE_MIN && n < 1))
        return field_refuse(err, ERR_VALUE, path, v,
                            "a number of GPUs, or the share of one that a run needs: from 0.01 to "
                            "below 1");
    *out = (int64_t)floor(n * RESOURCE_ONE + 1e-6);
    return 0;
}

static int parse_one(const struct json *v, struct resources *r, struct errbuf *err)
{
    char path[FIELD_PATH_MAX];
    int64_t amount = 0;

    field_path(path, PATH, json_key(v));
    if (meant(json_key(v)))
        return field_refuse(err, ERR_KEY, path, v, "did you mean %s?", meant(json_key(v)));
    int rc = parse_amount(v, path, &amount, err);
    if (!rc && !resources_add(r, json_key(v), strlen(json_key(v)), amount))
        rc = field_refuse(err, ERR_KEY, path, v,
                          "at most %d names, each of letters, digits and _ . -, a letter first, "
                          "below %d bytes", RESOURCES_MAX, RESOURCE_NAME_MAX);
    return rc;
}

/* Of whom it can be said at all. */
static int check_task(const struct json *v, const struct spec *s, struct errbuf *err)
{
    if (task_of(s)->is_leased)
        return field_refuse(err, ERR_KEY, PATH, v,
                            "nothing: clients carry out the runs of task client");
    if (task_of(s)->has_settings && json_get(v, RESOURCE_GPUS))
        return field_refuse(err, ERR_KEY, PATH "." RESOURCE_GPUS, json_get(v, RESOURCE_GPUS),
                            "nothing: the trainer uses no GPU, a program may");
    return 0;
}

int spec_resources_parse(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *v = json_get(root, "resources");
    struct resources r = {0};
    int rc = 0;

    if (!v)
        return 0;
    if (json_type(v) != JSON_OBJECT)
        return field_refuse(err, ERR_TYPE, PATH, v,
                            "an object: what each run needs, such as {\"gpus\": 1}");
    for (const struct json *m = json_first(v); m && !rc; m = json_next(m))
        rc = parse_one(m, &r, err);
    if (!rc)
        rc = check_task(v, s, err);
    if (!rc)
        s->resources = r;
    return rc;
}

/* Only what was said: the rest is the daemon's. */
void spec_resources_write(const struct spec *s, struct json_writer *w)
{
    if (s->resources.count == 0)
        return;
    jw_key(w, "resources");
    jw_begin_object(w);
    for (size_t i = 0; i < s->resources.count; i++) {
        const struct resource *r = &s->resources.items[i];
        if (r->amount % RESOURCE_ONE == 0)
            jw_kv_int(w, r->name, r->amount / RESOURCE_ONE);
        else
            jw_kv_real(w, r->name, (double)r->amount / RESOURCE_ONE);
    }
    jw_end_object(w);
}
