#include "client/serve/route.h"

#include <string.h>

#include "client/opts.h"
#include "sweep/buf.h"
#include "sweep/require.h"

#define ID_DIGITS_MAX 16

static const struct route routes[] = {
#define X(kind, post, path, handler) {ROUTE_##kind, post, path, handler},
    ROUTE_MAP(X)
#undef X
};

/* Takes the digits of an id; NULL: there is none. */
static const char *take_id(const char *p, int64_t *id)
{
    char digits[ID_DIGITS_MAX + 1];
    size_t len = strspn(p, "0123456789");
    if (len == 0 || len > ID_DIGITS_MAX || p[0] == '0')
        return NULL;
    memcpy(digits, p, len);
    digits[len] = '\0';
    return opts_positive(digits, id) == 0 ? p + len : NULL;
}

static bool fits(const char *pattern, const char *path, int64_t *id)
{
    for (; *pattern != '\0' && path != NULL; pattern++) {
        if (*pattern == '#')
            path = take_id(path, id);
        else
            path = *path == *pattern ? path + 1 : NULL;
    }
    return path != NULL && *path == '\0';
}

const struct route *route_find(const char *path, bool post, int64_t *id, bool *other)
{
    *other = false;
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        *id = 0;
        if (!fits(routes[i].path, path, id))
            continue;
        if (routes[i].post == post)
            return &routes[i];
        *other = true;
    }
    return NULL;
}
