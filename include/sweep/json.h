/* JSON, strictly: RFC 8259 and nothing more. The parser refuses what is usually let through:
 * trailing bytes, duplicate keys, numbers that overflow (1e999), NaN/Infinity tokens, \u0000 and
 * lone surrogates, bytes that are not UTF-8, nesting deeper than JSON_MAX_DEPTH. Keys are
 * compared case-sensitively.
 *
 * Numbers that are not finite travel as the strings "nan", "+inf", "-inf"; "not measured" is
 * null. Doubles are written with 17 significant digits, so every one survives a round trip. */
#ifndef SWEEP_JSON_H
#define SWEEP_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_MAX_DEPTH 64
#define JSON_MAX_SAFE_INTEGER 9007199254740992.0 /* 2^53 */

struct buf;
struct errbuf;
struct json; /* one value; children are borrowed from the root */

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* Parses text[0..len). NULL and err (ERR_PARSE, with line and column in key) on failure. */
struct json *json_parse(const char *text, size_t len, struct errbuf *err);
/* The same of a whole file of at most max bytes: 0, ERR_PARSE, ERR_IO or ERR_LIMIT. */
int json_read_file(const char *path, size_t max, struct json **out, struct errbuf *err);
void json_destroy(struct json *root);

/* The bytes of a member of the object that text is, as they stand in it: what json_parse has read
 * of the text may not give them back. false: no such member, or its key is written with escapes. */
bool json_member_text(const char *text, size_t len, const char *key, const char **out,
                      size_t *out_len);

/* The deepest value on the way along a path as errors have it ("$.parameters.depth.min"). */
const struct json *json_at_path(const struct json *root, const char *path);
struct json_place {
    size_t line, column; /* from 1 */
};
/* Where the key of v, which root holds, stands in the text that root was read from; of an element
 * of a list the place of the nearest key. */
bool json_place(const char *text, size_t len, const struct json *root, const struct json *v,
                struct json_place *out);

enum json_type json_type(const struct json *v);
/* "null", "boolean", "number", "string", "array", "object" */
const char *json_type_name(enum json_type type);
bool json_bool(const struct json *v);          /* only on JSON_BOOL */
double json_number(const struct json *v);      /* only on JSON_NUMBER */
const char *json_string(const struct json *v); /* only on JSON_STRING */
/* A number that is written with a point or an exponent: 1.0, but not 1. */
bool json_written_real(const struct json *v);

/* Children of an array or object in order, none of NULL; key of an object's member (NULL
 * otherwise). */
size_t json_count(const struct json *v);
const struct json *json_first(const struct json *v);
const struct json *json_next(const struct json *v);
const char *json_key(const struct json *v);
/* Member of an object, NULL when absent or v is NULL or not an object. */
const struct json *json_get(const struct json *v, const char *key);

/* Reads a number that may be non-finite ("nan", "+inf", "-inf" as strings). 0 or ERR_TYPE. */
int json_real(const struct json *v, double *out);
/* Reads an integer in [-2^53, 2^53], given as number or decimal string. 0, ERR_TYPE, ERR_VALUE. */
int json_int64(const struct json *v, int64_t *out);
/* Reads a seed: an integer 0..2^53, or a decimal string 0..2^64-1. 0, ERR_TYPE, ERR_VALUE. */
int json_uint64(const struct json *v, uint64_t *out);

/* Typed members of an object for our own line formats: 0; ERR_MISSING, ERR_TYPE or ERR_VALUE with
 * err naming the key. The string is borrowed. */
int json_get_string(const struct json *obj, const char *key, const char **out, struct errbuf *err);
int json_get_int64(const struct json *obj, const char *key, int64_t *out, struct errbuf *err);
int json_get_uint64(const struct json *obj, const char *key, uint64_t *out, struct errbuf *err);
int json_get_real(const struct json *obj, const char *key, double *out, struct errbuf *err);
int json_get_bool(const struct json *obj, const char *key, bool *out, struct errbuf *err);

/* A short rendering for error messages: at most size-1 bytes, "…" where cut. */
void json_excerpt(const struct json *v, char *out, size_t size);

/* Writer: appends to a buffer and places commas itself. Nesting up to JSON_MAX_DEPTH. */
struct json_writer {
    struct buf *out;
    int depth;
    bool need_comma[JSON_MAX_DEPTH + 1];
};

void jw_init(struct json_writer *w, struct buf *out);
void jw_begin_object(struct json_writer *w);
void jw_end_object(struct json_writer *w);
void jw_begin_array(struct json_writer *w);
void jw_end_array(struct json_writer *w);
void jw_key(struct json_writer *w, const char *key);
void jw_string(struct json_writer *w, const char *s); /* NULL → null; bad UTF-8 → U+FFFD */
void jw_int(struct json_writer *w, int64_t v);
void jw_uint_string(struct json_writer *w, uint64_t v); /* decimal string */
void jw_uint(struct json_writer *w, uint64_t v);        /* that beyond 2^53 only */
void jw_real(struct json_writer *w, double v);          /* %.17g or "nan", "+inf", "-inf" */
/* Rounded: for what people read, and nothing is computed from. Several times as fast. */
void jw_real_digits(struct json_writer *w, double v, int digits);
void jw_bool(struct json_writer *w, bool v);
void jw_null(struct json_writer *w);
void jw_raw(struct json_writer *w, const char *json); /* already valid JSON */
void jw_value(struct json_writer *w, const struct json *v);

/* key + value in one call */
void jw_kv_string(struct json_writer *w, const char *key, const char *s);
void jw_kv_int(struct json_writer *w, const char *key, int64_t v);
void jw_kv_real(struct json_writer *w, const char *key, double v);
void jw_kv_bool(struct json_writer *w, const char *key, bool v);
void jw_kv_raw(struct json_writer *w, const char *key, const char *json);

/* The number as jw_real writes it, without quotes ("nan", "+inf", "0.10000000000000001" is
 * shortened to the fewest digits that give the same double back: "0.1"). out[32]. */
void json_format_real(double v, char out[32]);

#endif
