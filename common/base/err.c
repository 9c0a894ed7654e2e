#include "sweep/err.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/require.h"

#define TEXT_MAX 1024 /* longer than every part of struct errbuf, so only str_copy cuts */
#define WORD_MAX 64   /* longer words are not typing errors */

static const struct {
    int code;
    const char *name;
    int rpc;
} codes[] = {
#define X(code, number, name, rpc) {code, name, rpc},
    SWEEP_ERR_MAP(X)
#undef X
};

/* Both put the result together aside: what they are given may point into *err. */

int err_set(struct errbuf *err, int code, const char *fmt, ...)
{
    struct errbuf made = {.code = code};
    char text[TEXT_MAX];
    va_list ap;

    if (!err)
        return code;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    str_copy(made.message, sizeof(made.message), text);
    *err = made;
    return code;
}

int err_bad(struct errbuf *err, int code, const char *key, const char *value,
            const char *allowed_fmt, ...)
{
    struct errbuf made = {.code = code};
    char text[TEXT_MAX] = "";
    bool has_key, has_value, has_allowed;
    va_list ap;

    if (!err)
        return code;
    if (allowed_fmt) {
        va_start(ap, allowed_fmt);
        vsnprintf(text, sizeof(text), allowed_fmt, ap);
        va_end(ap);
    }
    str_copy(made.key, sizeof(made.key), key ? key : "");
    str_copy(made.value, sizeof(made.value), value ? value : "");
    str_copy(made.allowed, sizeof(made.allowed), text);
    has_key = made.key[0];
    has_value = made.value[0];
    has_allowed = made.allowed[0];
    snprintf(text, sizeof(text), "%s%s%s%s%s%s%s", made.key,
             has_key && (has_value || has_allowed) ? ": " : "", has_value ? "got " : "", made.value,
             has_value && has_allowed ? "; " : "", has_allowed ? "allowed: " : "", made.allowed);
    str_copy(made.message, sizeof(made.message), text);
    *err = made;
    return code;
}

const char *err_name(int code)
{
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (codes[i].code == code)
            return codes[i].name;
    return "internal_error";
}

int err_rpc_code(int code)
{
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (codes[i].code == code)
            return codes[i].rpc;
    return err_rpc_code(ERR_INTERNAL);
}

int err_from_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (strcmp(codes[i].name, name) == 0)
            return codes[i].code;
    return ERR_INTERNAL;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours
 * (Damerau 1964), letters compared without case. Both at most WORD_MAX long. */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][WORD_MAX + 1]; /* row i-2, i-1 and i of the table, in turn */

    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

        now[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t cost = same_letter(a[i - 1], b[j - 1]) ? 0 : 1;

            now[j] = min_size(min_size(last[j], now[j - 1]) + 1, last[j - 1] + cost);
            if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
                same_letter(a[i - 2], b[j - 1]))
                now[j] = min_size(now[j], before[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

const char *err_nearest(const char *word, const char *const *names, size_t count)
{
    size_t len = strnlen(word, WORD_MAX + 1);
    size_t best_distance = 1 + len / 4;
    const char *best = NULL;

    if (len > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t name_len = strlen(names[i]), distance;

        if (name_len > WORD_MAX)
            continue;
        distance = edit_distance(word, len, names[i], name_len);
        /* A word of which no letter is left is no near miss, however short it is. */
        if (distance < len && (distance < best_distance || (!best && distance == best_distance))) {
            best = names[i];
            best_distance = distance;
        }
    }
    return best;
}
