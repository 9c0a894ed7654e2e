#include "sweep/loose_json.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/curves/number_word.h"
#include "sweep/err.h"
#include "sweep/require.h"

struct reader {
    struct loose_json *j;
    const char *text;
    size_t len, at, line;
    int depth;
    struct errbuf *err;
};

static int read_value(struct reader *r, uint32_t *out);

static int fail(struct reader *r, int code, const char *allowed)
{
    size_t line = r->line, column = 1;
    for (size_t i = 0; i < r->at && i < r->len; i++) {
        line += r->text[i] == '\n';
        column = r->text[i] == '\n' ? 1 : column + 1;
    }
    char place[64], value[32] = "the end of the text";
    snprintf(place, sizeof(place), "line %zu, column %zu", line, column);
    unsigned char c = r->at < r->len ? (unsigned char)r->text[r->at] : 0;
    if (r->at < r->len && c > 0x20 && c < 0x7f)
        snprintf(value, sizeof(value), "'%c'", c);
    else if (r->at < r->len)
        snprintf(value, sizeof(value), "byte 0x%02X", c);
    return err_bad(r->err, code, place, value, "%s", allowed);
}

static int peek(const struct reader *r)
{
    return r->at < r->len ? (unsigned char)r->text[r->at] : -1;
}

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct reader *r)
{
    while (is_blank(peek(r)))
        r->at++;
}

static bool skip(struct reader *r, char c)
{
    if (peek(r) != c)
        return false;
    r->at++;
    return true;
}

static int add(struct reader *r, enum loose_kind kind, uint32_t *out)
{
    struct loose_json *j = r->j;
    if (j->count == LOOSE_VALUES_MAX)
        return fail(r, ERR_LIMIT, "at most 16777216 values");
    j->values = array_room(j->values, &j->cap, j->count, sizeof(*j->values));
    j->values[j->count] = (struct loose_value){.kind = kind};
    *out = (uint32_t)j->count++;
    return 0;
}

static void put_utf8(struct buf *b, uint32_t c)
{
    char out[4];
    if (c < 0x20 || c == 0x7f)
        c = ' ';
    if (c >= 0xD800 && c <= 0xDFFF)
        c = 0xFFFD;
    if (c < 0x80) {
        buf_putc(b, (char)c);
        return;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)((0xF00 >> n & 0xFF) | c);
    buf_append(b, out, n);
}

/* Hexadecimal digits at `at`; -1: fewer than that many. */
static long hex(const struct reader *r, size_t at, size_t count)
{
    long code = 0;
    if (r->len < count || at > r->len - count)
        return -1;
    for (size_t i = 0; i < count; i++) {
        int c = (unsigned char)r->text[at + i];
        if (!isxdigit(c))
            return -1;
        code = code * 16 + (isdigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return code;
}

/* Behind "\u": one character, of two halves where it is written as two. */
static void read_unicode(struct reader *r)
{
    long code = hex(r, r->at, 4);
    if (code < 0)
        return;
    r->at += 4;
    if (code >= 0xD800 && code < 0xDC00 && peek(r) == '\\' && r->at + 1 < r->len &&
        r->text[r->at + 1] == 'u') {
        long low = hex(r, r->at + 2, 4);
        if (low >= 0xDC00 && low <= 0xDFFF) {
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
            r->at += 6;
        }
    }
    put_utf8(&r->j->texts, (uint32_t)code);
}

static void read_escape(struct reader *r)
{
    int c = peek(r);
    r->at += c >= 0;
    if (c == 'u')
        read_unicode(r);
    else if (c == 'x' && hex(r, r->at, 2) >= 0) {
        put_utf8(&r->j->texts, (uint32_t)hex(r, r->at, 2));
        r->at += 2;
    } else if (c == 'n' || c == 't' || c == 'r' || c == 'b' || c == 'f')
        buf_putc(&r->j->texts, ' ');
    else if (c >= 0x20)
        buf_putc(&r->j->texts, c == 0x7f ? ' ' : (char)c);
}

/* Control characters become blanks: titles and names of runs are shown on terminals. */
static int read_string(struct reader *r, uint32_t *out)
{
    int quote = peek(r);
    size_t from = r->at++;
    *out = (uint32_t)r->j->texts.len;
    for (int c = peek(r); c != quote; c = peek(r)) {
        if (c < 0) {
            r->at = from;
            return fail(r, ERR_PARSE, "text that ends with a quote");
        }
        r->at++;
        if (c == '\\')
            read_escape(r);
        else
            buf_putc(&r->j->texts, c < 0x20 || c == 0x7f ? ' ' : (char)c);
    }
    r->at++;
    buf_putc(&r->j->texts, '\0');
    return 0;
}

/* "key": in front of a member; a number or a word as key is what Python prints of int keys. */
static int read_key(struct reader *r, uint32_t *out)
{
    int rc = 0;
    if (peek(r) == '"' || peek(r) == '\'') {
        rc = read_string(r, out);
    } else {
        size_t from = r->at;
        while (isalnum(peek(r)) || peek(r) == '_' || peek(r) == '.' || peek(r) == '-')
            r->at++;
        if (r->at == from)
            return fail(r, ERR_PARSE, "a key in quotes");
        *out = (uint32_t)r->j->texts.len;
        buf_append(&r->j->texts, r->text + from, r->at - from);
        buf_putc(&r->j->texts, '\0');
    }
    skip_blanks(r);
    return rc == 0 && !skip(r, ':') ? fail(r, ERR_PARSE, "':'") : rc;
}

/* The parts of a list or an object. */
static int read_parts(struct reader *r, uint32_t parent, bool keys, char close)
{
    uint32_t last = 0;
    if (++r->depth > LOOSE_DEPTH_MAX)
        return fail(r, ERR_LIMIT, "at most 64 levels");
    r->at++;
    for (skip_blanks(r); !skip(r, close); skip_blanks(r)) {
        uint32_t key = 0, child = 0;
        int rc = keys ? read_key(r, &key) : 0;
        skip_blanks(r);
        rc = rc == 0 ? read_value(r, &child) : rc;
        if (rc != 0)
            return rc;
        struct loose_value *values = r->j->values;
        values[child].key = key;
        *(last ? &values[last].next : &values[parent].child) = child;
        values[parent].count++;
        last = child;
        skip_blanks(r);
        if (!skip(r, ',') && peek(r) != close)
            return fail(r, ERR_PARSE, keys ? "',' or '}'" : "',' or a closing bracket");
    }
    r->depth--;
    return 0;
}

/* Behind the first value in tensor(0.5, device='cuda:0'): to its closing parenthesis. */
static int skip_arguments(struct reader *r)
{
    for (int depth = 1; depth > 0; r->at++) {
        int c = peek(r);
        if (c < 0)
            return fail(r, ERR_PARSE, "')'");
        if (c == '"' || c == '\'') {
            const char *end = memchr(r->text + r->at + 1, c, r->len - r->at - 1);
            if (end)
                r->at = (size_t)(end - r->text);
        }
        depth += (c == '(') - (c == ')');
    }
    return 0;
}

static int read_call(struct reader *r, uint32_t *out)
{
    if (++r->depth > LOOSE_DEPTH_MAX)
        return fail(r, ERR_LIMIT, "at most 64 levels");
    r->at++;
    skip_blanks(r);
    int rc = read_value(r, out);
    r->depth--;
    return rc == 0 ? skip_arguments(r) : rc;
}

static int read_word(struct reader *r, uint32_t *out)
{
    static const struct {
        const char *word;
        enum loose_kind kind;
        double number;
    } words[] = {
        {"null", LOOSE_NULL, 0}, {"None", LOOSE_NULL, 0}, {"undefined", LOOSE_NULL, 0},
        {"true", LOOSE_BOOL, 1}, {"True", LOOSE_BOOL, 1}, {"false", LOOSE_BOOL, 0},
        {"False", LOOSE_BOOL, 0},
    };
    size_t from = r->at;
    while (isalnum(peek(r)) || peek(r) == '_' || peek(r) == '.')
        r->at++;
    size_t n = r->at - from;
    if (n > 0 && peek(r) == '(')
        return read_call(r, out);
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strlen(words[i].word) != n || memcmp(r->text + from, words[i].word, n) != 0)
            continue;
        int rc = add(r, words[i].kind, out);
        if (rc == 0)
            r->j->values[*out].number = words[i].number;
        return rc;
    }
    r->at = from;
    return fail(r, ERR_PARSE, "a value");
}

static int read_container(struct reader *r, uint32_t *out)
{
    int c = peek(r);
    int rc = add(r, c == '{' ? LOOSE_OBJECT : LOOSE_LIST, out);
    return rc != 0 ? rc : read_parts(r, *out, c == '{', c == '{' ? '}' : c == '[' ? ']' : ')');
}

static int read_value(struct reader *r, uint32_t *out)
{
    int c = peek(r), rc = 0;
    double number = 0;
    if (c == '{' || c == '[' || c == '(')
        return read_container(r, out);
    if (c == '"' || c == '\'') {
        uint32_t text = 0;
        rc = read_string(r, &text);
        rc = rc == 0 ? add(r, LOOSE_TEXT, out) : rc;
        if (rc == 0)
            r->j->values[*out].text = text;
        return rc;
    }
    size_t n = c < 0 ? 0 : number_word(r->text + r->at, r->len - r->at, &number);
    if (n == 0)
        return read_word(r, out);
    r->at += n;
    rc = add(r, LOOSE_NUMBER, out);
    if (rc == 0)
        r->j->values[*out].number = number;
    return rc;
}

int loose_json_read(struct loose_json *j, const char *text, size_t len, size_t line, size_t *used,
                    struct errbuf *err)
{
    struct reader r = {.j = j, .text = text, .len = len, .line = line, .err = err};
    uint32_t root = 0;
    j->count = 0;
    buf_clear(&j->texts);
    if (len > UINT32_MAX / 2) /* places of texts are of 32 bits; an escape never grows */
        return err_set(err, ERR_LIMIT, "more than 2 GiB of JSON");
    r.at = loose_blanks(text, len);
    int rc = read_value(&r, &root);
    if (rc == 0)
        *used = r.at;
    return rc;
}

void loose_json_finish(struct loose_json *j)
{
    free(j->values);
    buf_finish(&j->texts);
    *j = (struct loose_json){0};
}

size_t loose_json_extent(const char *text, size_t len)
{
    size_t depth = 0;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (c == '"' || (c == '\'' && depth > 0)) {
            for (i++; i < len && text[i] != c; i++)
                i += text[i] == '\\';
            if (i >= len)
                return 0;
        }
        depth += c == '{' || c == '[';
        if ((c == '}' || c == ']') && (depth == 0 || --depth == 0))
            return i + 1;
    }
    return 0;
}

const struct loose_value *loose_root(const struct loose_json *j)
{
    return j->values;
}

const struct loose_value *loose_first(const struct loose_json *j, const struct loose_value *v)
{
    return v->child ? &j->values[v->child] : NULL;
}

const struct loose_value *loose_next(const struct loose_json *j, const struct loose_value *v)
{
    return v->next ? &j->values[v->next] : NULL;
}

const struct loose_value *loose_member(const struct loose_json *j, const struct loose_value *v,
                                       const char *key)
{
    const struct loose_value *found = NULL;
    if (!v || v->kind != LOOSE_OBJECT)
        return NULL;
    for (const struct loose_value *m = loose_first(j, v); m; m = loose_next(j, m))
        if (strcmp(loose_key(j, m), key) == 0)
            found = m;
    return found;
}

const char *loose_key(const struct loose_json *j, const struct loose_value *v)
{
    return j->texts.data ? j->texts.data + v->key : "";
}

const char *loose_text(const struct loose_json *j, const struct loose_value *v)
{
    return j->texts.data ? j->texts.data + v->text : "";
}

bool loose_number(const struct loose_json *j, const struct loose_value *v, double *out)
{
    double number = 0;
    if (v->kind == LOOSE_NUMBER) {
        *out = v->number;
        return true;
    }
    if (v->kind != LOOSE_TEXT)
        return false;
    const char *text = loose_text(j, v);
    size_t len = strlen(text);
    if (len == 0 || number_word(text, len, &number) != len)
        return false;
    *out = number;
    return true;
}

size_t loose_blanks(const char *text, size_t len)
{
    size_t at = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (at < len && is_blank((unsigned char)text[at]))
        at++;
    return at;
}
