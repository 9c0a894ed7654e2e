#include "client/export/name.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "client/utf8.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/sha256.h"

void export_run_hash(const struct json *sweep, const struct json *run, char out[65])
{
    static const char *const of_sweep[] = {"id", "created_at", "seed"};
    static const char *const of_run[] = {"run_id", "created_at"};
    struct sha256 hash;
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_begin_array(&w);
    for (size_t i = 0; i < ARRAY_LEN(of_sweep) + ARRAY_LEN(of_run); i++) {
        const struct json *v = i < ARRAY_LEN(of_sweep)
                                   ? json_get(sweep, of_sweep[i])
                                   : json_get(run, of_run[i - ARRAY_LEN(of_sweep)]);
        if (v != NULL)
            jw_value(&w, v);
        else
            jw_null(&w);
    }
    jw_end_array(&w);
    sha256_init(&hash);
    sha256_add(&hash, text.data, text.len);
    sha256_hex(&hash, out);
    buf_finish(&text);
}

/* Blocks of Unicode in which every character is a letter. */
static bool is_foreign_letter(uint32_t c)
{
    return (c >= 0xc0 && c <= 0x24f && c != 0xd7 && c != 0xf7) || (c >= 0x391 && c <= 0x3a1) ||
           (c >= 0x3a3 && c <= 0x3c9) || (c >= 0x400 && c <= 0x481) ||
           (c >= 0x3041 && c <= 0x3096) || (c >= 0x30a1 && c <= 0x30fa) ||
           (c >= 0x4e00 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7a3);
}

static bool is_allowed(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && c < 0x80 && strchr("_-. :", (int)c) != NULL) || is_foreign_letter(c);
}

/* One part between slashes; none is empty or begins with a dot. */
static const char *add_part(struct buf *out, const char *p)
{
    if (*p == '\0' || *p == '/' || *p == '.')
        buf_putc(out, '_');
    while (*p != '\0' && *p != '/') {
        uint32_t c = 0;
        size_t n = utf8_decode(p, &c);
        if (n > 0 && is_allowed(c))
            buf_append(out, p, n);
        else
            buf_putc(out, '_');
        p += n > 0 ? n : 1;
    }
    return p;
}

char *export_path_name(const char *name)
{
    struct buf out = {0};
    const char *p = add_part(&out, name);
    while (*p == '/') {
        buf_putc(&out, '/');
        p = add_part(&out, p + 1);
    }
    return buf_take(&out);
}

/* --- two names stay two ---------------------------------------------------------------------- */

struct export_name {
    char *name, *given;
};

/* The one is the other, or a folder on the way to it. */
static bool collide(const char *a, const char *b)
{
    size_t i = 0;
    while (a[i] != '\0' && a[i] == b[i])
        i++;
    return (a[i] == '\0' && (b[i] == '\0' || b[i] == '/')) || (b[i] == '\0' && a[i] == '/');
}

static bool is_taken(const struct export_names *names, const char *given)
{
    for (size_t i = 0; i < names->count; i++)
        if (collide(names->items[i].given, given))
            return true;
    return false;
}

/* The caller frees. */
static char *free_name(const struct export_names *names, const char *name)
{
    char *given = export_path_name(name);
    if (!is_taken(names, given))
        return given;
    for (char *p = given; *p != '\0'; p++)
        if (*p == '/')
            *p = '.';
    char *base = given;
    given = xstrdup(base);
    for (int n = 2; is_taken(names, given); n++) {
        free(given);
        given = xasprintf("%s-%d", base, n);
    }
    free(base);
    return given;
}

const char *export_names_get(struct export_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i].name, name) == 0)
            return names->items[i].given;
    char *given = free_name(names, name);
    names->items = array_room(names->items, &names->cap, names->count, sizeof *names->items);
    names->items[names->count++] = (struct export_name){xstrdup(name), given};
    return given;
}

void export_names_finish(struct export_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->items[i].name);
        free(names->items[i].given);
    }
    free(names->items);
    *names = (struct export_names){0};
}
