/* Where in its text a value stands: what reads a text keeps no places, so the keys are counted. */
#include "sweep/json.h"

#include <string.h>

#include "common/base/field.h"
#include "common/base/json_scan.h"

/* One step down towards path; NULL: nothing there. at: v's path, then that of the result. */
static const struct json *step_down(const struct json *v, const char *path,
                                    char at[FIELD_PATH_MAX])
{
    bool object = json_type(v) == JSON_OBJECT;
    char next[FIELD_PATH_MAX];
    size_t index = 0;

    if (!object && json_type(v) != JSON_ARRAY)
        return NULL;
    for (const struct json *m = json_first(v); m; m = json_next(m)) {
        object ? field_path(next, at, json_key(m)) : field_path_index(next, at, index++);
        if (!field_path_begins(path, next))
            continue;
        memcpy(at, next, sizeof(next));
        return m;
    }
    return NULL;
}

const struct json *json_at_path(const struct json *root, const char *path)
{
    char at[FIELD_PATH_MAX] = "$";
    const struct json *found = root;

    for (const struct json *v = root; v; v = step_down(v, path, at))
        found = v;
    return found;
}

/* The number of a value's own key, else of the last one before it, in the order of the text. */
static bool key_number(const struct json *v, const struct json *wanted, size_t *keys)
{
    *keys += json_key(v) != NULL;
    if (v == wanted)
        return true;
    if (json_type(v) == JSON_OBJECT || json_type(v) == JSON_ARRAY)
        for (const struct json *m = json_first(v); m; m = json_next(m))
            if (key_number(m, wanted, keys))
                return true;
    return false;
}

bool json_place(const char *text, size_t len, const struct json *root, const struct json *v,
                struct json_place *out)
{
    size_t keys = 0;

    if (!key_number(root, v, &keys))
        return false;
    if (!json_key(v) && json_type(v) == JSON_OBJECT && json_first(v))
        keys++; /* an object of a list: its first key is nearer than the list's */
    if (keys > 0)
        return json_scan_key(text, len, keys - 1, &out->line, &out->column);
    *out = (struct json_place){1, 1};
    return true;
}
