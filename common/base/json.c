#include "sweep/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "common/base/json_scan.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"

/* A struct json is a cJSON under another name; it is never defined. */
static const cJSON *node(const struct json *v)
{
    return (const cJSON *)v;
}

static const struct json *wrap(const cJSON *v)
{
    return (const struct json *)v;
}

/* --- parsing ----------------------------------------------------------------------------- */

struct member {
    const char *key;
    size_t index;
    const cJSON *node;
};

static int compare_members(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    int order = strcmp(x->key, y->key);

    return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* The second of two members with equal keys of one object, or NULL. Sorted, so that an object of
 * a whole line (RPC_LINE_MAX) costs milliseconds, not minutes. */
static const cJSON *duplicate_in(const cJSON *object)
{
    size_t count = 0, i = 0;
    const cJSON *child, *found = NULL;
    struct member few[32], *members = few;

    cJSON_ArrayForEach(child, object) count++;
    if (count > ARRAY_LEN(few))
        members = xmalloc(count * sizeof(*members));
    cJSON_ArrayForEach(child, object)
    {
        members[i] = (struct member){child->string, i, child};
        i++;
    }
    qsort(members, count, sizeof(*members), compare_members);
    for (i = 1; i < count && !found; i++)
        if (strcmp(members[i - 1].key, members[i].key) == 0)
            found = members[i].node;
    if (members != few)
        free(members);
    return found;
}

static const cJSON *find_duplicate(const cJSON *v)
{
    const cJSON *found = cJSON_IsObject(v) ? duplicate_in(v) : NULL;
    const cJSON *child;

    if (v->type & (cJSON_Object | cJSON_Array))
        for (child = v->child; child && !found; child = child->next)
            found = find_duplicate(child);
    return found;
}

/* The number of a member's key in the order of the text, counted on from *number. */
static bool key_number(const cJSON *v, const cJSON *wanted, size_t *number)
{
    const cJSON *child;

    cJSON_ArrayForEach(child, v)
    {
        if (child == wanted)
            return true;
        if (child->string)
            ++*number;
        if (key_number(child, wanted, number))
            return true;
    }
    return false;
}

/* A number with a point or an exponent. cJSON does not keep that, and leaves this bit alone. */
#define WRITTEN_REAL (1 << 16)

/* What is left of a text that is JSON. */
struct rest {
    const char *at, *end;
};

static bool is_of_number(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/* Goes behind the next number; whether that is written as a real one. There is one. */
static bool pass_number(struct rest *r)
{
    bool real = false;

    for (; *r->at != '-' && !(*r->at >= '0' && *r->at <= '9'); r->at++)
        if (*r->at == '"')
            for (r->at++; *r->at != '"'; r->at++)
                r->at += *r->at == '\\';
    for (; r->at < r->end && is_of_number(*r->at); r->at++)
        real |= *r->at == '.' || *r->at == 'e' || *r->at == 'E';
    return real;
}

static void mark_reals(cJSON *v, struct rest *r)
{
    if (cJSON_IsNumber(v) && pass_number(r))
        v->type |= WRITTEN_REAL;
    for (cJSON *child = v->child; child; child = child->next)
        mark_reals(child, r);
}

struct json *json_parse(const char *text, size_t len, struct errbuf *err)
{
    cJSON *root;
    const cJSON *duplicate;

    if (json_scan(text, len, JSON_SCAN_NO_KEY, err) != 0)
        return NULL;
    root = cJSON_ParseWithLength(text, len);
    if (!root) {
        err_set(err, ERR_INTERNAL, "valid JSON that cannot be read");
        return NULL;
    }
    duplicate = find_duplicate(root);
    if (duplicate) {
        size_t number = 0;

        key_number(root, duplicate, &number);
        json_scan(text, len, number, err);
        cJSON_Delete(root);
        return NULL;
    }
    mark_reals(root, &(struct rest){text, text + len});
    return (struct json *)root;
}

void json_destroy(struct json *root)
{
    cJSON_Delete((cJSON *)root);
}

/* --- reading ----------------------------------------------------------------------------- */

enum json_type json_type(const struct json *v)
{
    static const struct {
        int theirs;
        enum json_type ours;
    } types[] = {{cJSON_NULL, JSON_NULL},     {cJSON_False, JSON_BOOL},
                 {cJSON_True, JSON_BOOL},     {cJSON_Number, JSON_NUMBER},
                 {cJSON_String, JSON_STRING}, {cJSON_Array, JSON_ARRAY},
                 {cJSON_Object, JSON_OBJECT}};

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if ((node(v)->type & 0xFF) == types[i].theirs)
            return types[i].ours;
    require_failed("a type that json_parse makes", __FILE__, __LINE__);
}

const char *json_type_name(enum json_type type)
{
    static const char *const names[] = {
        [JSON_NULL] = "null",     [JSON_BOOL] = "boolean", [JSON_NUMBER] = "number",
        [JSON_STRING] = "string", [JSON_ARRAY] = "array",  [JSON_OBJECT] = "object"};

    return names[type];
}

bool json_bool(const struct json *v)
{
    REQUIRE(cJSON_IsBool(node(v)));
    return cJSON_IsTrue(node(v));
}

double json_number(const struct json *v)
{
    REQUIRE(cJSON_IsNumber(node(v)));
    return node(v)->valuedouble;
}

bool json_written_real(const struct json *v)
{
    return cJSON_IsNumber(node(v)) && (node(v)->type & WRITTEN_REAL) != 0;
}

const char *json_string(const struct json *v)
{
    REQUIRE(cJSON_IsString(node(v)));
    return node(v)->valuestring;
}

size_t json_count(const struct json *v)
{
    return (size_t)cJSON_GetArraySize(node(v));
}

const struct json *json_first(const struct json *v)
{
    return v ? wrap(node(v)->child) : NULL;
}

const struct json *json_next(const struct json *v)
{
    return wrap(node(v)->next);
}

const char *json_key(const struct json *v)
{
    return node(v)->string;
}

const struct json *json_get(const struct json *v, const char *key)
{
    return v && cJSON_IsObject(node(v)) ? wrap(cJSON_GetObjectItemCaseSensitive(node(v), key))
                                        : NULL;
}

int json_real(const struct json *v, double *out)
{
    static const struct {
        const char *name;
        double value;
    } words[] = {{"nan", NAN}, {"+inf", INFINITY}, {"-inf", -INFINITY}};

    if (cJSON_IsNumber(node(v))) {
        *out = node(v)->valuedouble;
        return 0;
    }
    if (!cJSON_IsString(node(v)))
        return ERR_TYPE;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(node(v)->valuestring, words[i].name) == 0) {
            *out = words[i].value;
            return 0;
        }
    }
    return ERR_TYPE;
}

/* Decimal digits alone, no sign, no leading zeros: 0, ERR_TYPE, or ERR_VALUE above 2^64-1. */
static int read_decimal(const char *s, uint64_t *out)
{
    uint64_t value = 0;

    if (!*s || (s[0] == '0' && s[1]))
        return ERR_TYPE;
    if (s[strspn(s, "0123456789")])
        return ERR_TYPE;
    for (; *s; s++) {
        uint64_t digit = (uint64_t)(*s - '0');

        if (value > (UINT64_MAX - digit) / 10)
            return ERR_VALUE;
        value = value * 10 + digit;
    }
    *out = value;
    return 0;
}

static bool is_safe_integer(double v)
{
    return v == floor(v) && fabs(v) <= JSON_MAX_SAFE_INTEGER;
}

int json_int64(const struct json *v, int64_t *out)
{
    if (cJSON_IsNumber(node(v))) {
        if (!is_safe_integer(node(v)->valuedouble))
            return ERR_VALUE;
        *out = (int64_t)node(v)->valuedouble;
        return 0;
    }
    if (cJSON_IsString(node(v))) {
        const char *s = node(v)->valuestring;
        uint64_t value;
        int rc = read_decimal(s + (*s == '-'), &value);

        if (rc == 0 && value > (uint64_t)JSON_MAX_SAFE_INTEGER)
            rc = ERR_VALUE;
        if (rc == 0)
            *out = *s == '-' ? -(int64_t)value : (int64_t)value;
        return rc;
    }
    return ERR_TYPE;
}

int json_uint64(const struct json *v, uint64_t *out)
{
    if (cJSON_IsString(node(v)))
        return read_decimal(node(v)->valuestring, out);
    if (!cJSON_IsNumber(node(v)))
        return ERR_TYPE;
    if (!is_safe_integer(node(v)->valuedouble) || node(v)->valuedouble < 0)
        return ERR_VALUE;
    *out = (uint64_t)node(v)->valuedouble;
    return 0;
}
