#include "sweep/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json_scan.h"
#include "sweep/buf.h"
#include "sweep/require.h"

/* Below that, 15 digits are all of a whole number. */
#define WHOLE_MAX 1e15

/* In a locale with a decimal comma. */
static void plain_point(char *text)
{
    for (char *c = text; *c; c++)
        if (!strchr("0123456789+-e.", *c))
            *c = '.';
}

void json_format_real(double v, char out[32])
{
    if (!isfinite(v)) {
        snprintf(out, 32, "%s", isnan(v) ? "nan" : v > 0 ? "+inf" : "-inf");
        return;
    }
    if (fabs(v) < WHOLE_MAX && v == (double)(int64_t)v && !(v == 0 && signbit(v))) {
        snprintf(out, 32, "%" PRId64, (int64_t)v);
        return;
    }
    /* 15 digits always survive text -> double -> text, 17 always double -> text -> double. */
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, 32, "%.*g", digits, v);
        if (digits == 17 || strtod(out, NULL) == v)
            break;
    }
    plain_point(out);
}

void jw_init(struct json_writer *w, struct buf *out)
{
    *w = (struct json_writer){.out = out};
}

/* Before every value and key: the comma that the one before it asks for. */
static void separate(struct json_writer *w)
{
    if (w->need_comma[w->depth])
        buf_putc(w->out, ',');
    w->need_comma[w->depth] = true;
}

static void begin(struct json_writer *w, char open)
{
    separate(w);
    REQUIRE(w->depth < JSON_MAX_DEPTH);
    w->need_comma[++w->depth] = false;
    buf_putc(w->out, open);
}

static void end(struct json_writer *w, char close)
{
    REQUIRE(w->depth > 0);
    w->depth--;
    buf_putc(w->out, close);
}

void jw_begin_object(struct json_writer *w)
{
    begin(w, '{');
}

void jw_end_object(struct json_writer *w)
{
    end(w, '}');
}

void jw_begin_array(struct json_writer *w)
{
    begin(w, '[');
}

void jw_end_array(struct json_writer *w)
{
    end(w, ']');
}

/* One character at s that cannot stand as it is; returns the bytes it took. */
static size_t put_escaped(struct buf *out, const unsigned char *s)
{
    static const char letters[] = "b\bf\fn\nr\rt\t\"\"\\\\"; /* pairs: letter, character */

    for (size_t i = 0; i + 1 < sizeof(letters); i += 2) {
        if (letters[i + 1] == (char)*s) {
            buf_printf(out, "\\%c", letters[i]);
            return 1;
        }
    }
    if (*s < 0x20)
        buf_printf(out, "\\u%04x", *s);
    else
        buf_puts(out, "\xEF\xBF\xBD"); /* U+FFFD for a byte that is not UTF-8 */
    return 1;
}

/* Printable ASCII that is not escaped: nearly all there is. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void put_string(struct buf *out, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t len = strlen(text), start = 0, i = 0;

    buf_putc(out, '"');
    while (i < len) {
        size_t n = is_plain(s[i]) ? 1 : json_utf8_length(s + i, len - i);

        if (n == 0 || s[i] < 0x20 || s[i] == '"' || s[i] == '\\') {
            buf_append(out, text + start, i - start);
            i += put_escaped(out, s + i);
            start = i;
        } else {
            i += n;
        }
    }
    buf_append(out, text + start, len - start);
    buf_putc(out, '"');
}

void jw_key(struct json_writer *w, const char *key)
{
    separate(w);
    put_string(w->out, key);
    buf_putc(w->out, ':');
    w->need_comma[w->depth] = false;
}

void jw_string(struct json_writer *w, const char *s)
{
    separate(w);
    if (s)
        put_string(w->out, s);
    else
        buf_puts(w->out, "null");
}

void jw_int(struct json_writer *w, int64_t v)
{
    separate(w);
    buf_printf(w->out, "%" PRId64, v);
}

void jw_uint_string(struct json_writer *w, uint64_t v)
{
    separate(w);
    buf_printf(w->out, "\"%" PRIu64 "\"", v);
}

void jw_uint(struct json_writer *w, uint64_t v)
{
    if (v <= (uint64_t)JSON_MAX_SAFE_INTEGER)
        jw_int(w, (int64_t)v);
    else
        jw_uint_string(w, v);
}

void jw_real_digits(struct json_writer *w, double v, int digits)
{
    char text[32];

    if (!isfinite(v)) {
        jw_real(w, v);
        return;
    }
    separate(w);
    snprintf(text, sizeof(text), "%.*g", digits, v);
    plain_point(text);
    buf_puts(w->out, text);
}

void jw_real(struct json_writer *w, double v)
{
    char text[32];

    separate(w);
    json_format_real(v, text);
    if (isfinite(v))
        buf_puts(w->out, text);
    else
        buf_printf(w->out, "\"%s\"", text);
}

void jw_bool(struct json_writer *w, bool v)
{
    separate(w);
    buf_puts(w->out, v ? "true" : "false");
}

void jw_null(struct json_writer *w)
{
    separate(w);
    buf_puts(w->out, "null");
}

void jw_raw(struct json_writer *w, const char *json)
{
    separate(w);
    buf_puts(w->out, json);
}

static void write_null(struct json_writer *w, const struct json *v)
{
    jw_null(w);
}

static void write_bool(struct json_writer *w, const struct json *v)
{
    jw_bool(w, json_bool(v));
}

static void write_number(struct json_writer *w, const struct json *v)
{
    double number = json_number(v);
    char real[32];

    /* Not "1e+15": some readers take that for a float. The sign of -0 is kept by jw_real. */
    if (number == floor(number) && fabs(number) <= JSON_MAX_SAFE_INTEGER &&
        !(number == 0 && signbit(number))) {
        snprintf(real, sizeof(real), "%.0f%s", number, json_written_real(v) ? ".0" : "");
        jw_raw(w, real);
    } else {
        jw_real(w, number);
    }
}

static void write_string(struct json_writer *w, const struct json *v)
{
    jw_string(w, json_string(v));
}

static void write_any(struct json_writer *w, const struct json *v);

static void write_array(struct json_writer *w, const struct json *v)
{
    jw_begin_array(w);
    for (const struct json *child = json_first(v); child; child = json_next(child))
        write_any(w, child);
    jw_end_array(w);
}

static void write_object(struct json_writer *w, const struct json *v)
{
    jw_begin_object(w);
    for (const struct json *child = json_first(v); child; child = json_next(child)) {
        jw_key(w, json_key(child));
        write_any(w, child);
    }
    jw_end_object(w);
}

static void write_any(struct json_writer *w, const struct json *v)
{
    static void (*const writers[])(struct json_writer *, const struct json *) = {
        [JSON_NULL] = write_null,     [JSON_BOOL] = write_bool,   [JSON_NUMBER] = write_number,
        [JSON_STRING] = write_string, [JSON_ARRAY] = write_array, [JSON_OBJECT] = write_object};

    writers[json_type(v)](w, v);
}

/* With a writer of its own: the value came from outside and may be JSON_MAX_DEPTH deep, wherever
 * it is put. */
void jw_value(struct json_writer *w, const struct json *v)
{
    struct json_writer inner;

    separate(w);
    jw_init(&inner, w->out);
    write_any(&inner, v);
}

void jw_kv_string(struct json_writer *w, const char *key, const char *s)
{
    jw_key(w, key);
    jw_string(w, s);
}

void jw_kv_int(struct json_writer *w, const char *key, int64_t v)
{
    jw_key(w, key);
    jw_int(w, v);
}

void jw_kv_real(struct json_writer *w, const char *key, double v)
{
    jw_key(w, key);
    jw_real(w, v);
}

void jw_kv_bool(struct json_writer *w, const char *key, bool v)
{
    jw_key(w, key);
    jw_bool(w, v);
}

void jw_kv_raw(struct json_writer *w, const char *key, const char *json)
{
    jw_key(w, key);
    jw_raw(w, json);
}

void json_excerpt(const struct json *v, char *out, size_t size)
{
    static const char cut[] = "…";
    struct buf text = {0};
    struct json_writer w;

    jw_init(&w, &text);
    jw_value(&w, v);
    if (text.len < size) {
        str_copy(out, size, text.data);
    } else {
        REQUIRE(size > sizeof(cut));
        str_copy(out, size - (sizeof(cut) - 1), text.data);
        memcpy(out + strlen(out), cut, sizeof(cut));
    }
    buf_finish(&text);
}
