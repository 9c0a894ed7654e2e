#include "sweep/err.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/require.h"

#define TEXT_MAX 2048 /* longer than every part of struct errbuf, so only str_copy cuts */
#define LIST_MAX 120 /* bytes of a list of names that a sentence with a near miss goes on with */
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

static bool is_missing(const struct errbuf *e)
{
    return e->code == ERR_MISSING && strcmp(e->value, "nothing") == 0;
}

/* What stands between the key and what is allowed. */
static void write_given(const struct errbuf *e, bool names, struct buf *out)
{
    if (e->code == ERR_KEY && names)
        buf_puts(out, "unknown");
    else if (is_missing(e))
        buf_puts(out, "missing");
    else if (e->value[0])
        buf_printf(out, "got %s", e->value);
}

/* "KEY: got VALUE; did you mean depth? allowed: one of: depth, width" */
static void write_sentence(const struct errbuf *e, struct buf *out)
{
    static const char near[] = "did you mean ";
    bool suggests = strncmp(e->allowed, near, sizeof(near) - 1) == 0;
    bool names = suggests || strstr(e->allowed, "one of: ");
    const char *rest = suggests ? strstr(e->allowed, "? ") : NULL;
    struct buf given = {0};

    write_given(e, names, &given);
    buf_puts(out, e->key);
    if (e->key[0] && (given.len > 0 || e->allowed[0]))
        buf_puts(out, ": ");
    buf_append(out, given.data, given.len);
    if (given.len > 0 && e->allowed[0])
        buf_puts(out, "; ");
    if (suggests && !rest)
        buf_puts(out, e->allowed);
    else if (suggests && strlen(rest) > LIST_MAX)
        buf_append(out, e->allowed, (size_t)(rest + 1 - e->allowed));
    else if (suggests && strncmp(rest + 2, "one of: ", 8) != 0)
        buf_puts(out, e->allowed);
    else if (suggests)
        buf_printf(out, "%.*s allowed: %s", (int)(rest + 1 - e->allowed), e->allowed, rest + 2);
    else if (e->allowed[0])
        buf_printf(out, "%s: %s", is_missing(e) ? "wanted" : "allowed", e->allowed);
    buf_finish(&given);
}

int err_bad(struct errbuf *err, int code, const char *key, const char *value,
            const char *allowed_fmt, ...)
{
    struct errbuf made = {.code = code};
    struct buf text = {0};
    va_list ap;

    if (!err)
        return code;
    str_copy(made.key, sizeof(made.key), key ? key : "");
    str_copy(made.value, sizeof(made.value), value ? value : "");
    if (allowed_fmt) {
        va_start(ap, allowed_fmt);
        buf_vprintf(&text, allowed_fmt, ap);
        va_end(ap);
        str_copy(made.allowed, sizeof(made.allowed), text.data ? text.data : "");
    }
    buf_clear(&text);
    write_sentence(&made, &text);
    str_copy(made.message, sizeof(made.message), text.data ? text.data : "");
    buf_finish(&text);
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
