/* JSON as programs really write it: NaN and Infinity as words, a dict as Python prints it (single
 * quotes, True, None, nan, tensor(0.5), np.float64(0.5)), a comma too many. Strict JSON, which is
 * what this program itself speaks, is in sweep/json.h.
 *
 * A value with all its children lies in one array, children behind their parent; 0 is the root and
 * no child's place. Of hostile bytes: depth, values and text are limited. */
#ifndef SWEEP_LOOSE_JSON_H
#define SWEEP_LOOSE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/buf.h"

#define LOOSE_DEPTH_MAX 64
#define LOOSE_VALUES_MAX ((size_t)1 << 24) /* 32 bytes each */

struct errbuf;

enum loose_kind { LOOSE_NULL, LOOSE_BOOL, LOOSE_NUMBER, LOOSE_TEXT, LOOSE_LIST, LOOSE_OBJECT };

struct loose_value {
    double number;        /* of LOOSE_NUMBER; 1 and 0 of LOOSE_BOOL */
    uint32_t kind;        /* enum loose_kind */
    uint32_t key, text;   /* places among the texts */
    uint32_t child, next; /* places among the values; 0: none */
    uint32_t count;       /* of children */
};

struct loose_json { /* zeroed: empty; loose_json_finish releases it */
    struct loose_value *values;
    size_t count, cap;
    struct buf texts;
};

/* Reads the value that text begins with; *used: its bytes. 0, ERR_PARSE or ERR_LIMIT, err naming
 * line and column, counted from `line`. What was read before is replaced. */
int loose_json_read(struct loose_json *j, const char *text, size_t len, size_t line, size_t *used,
                    struct errbuf *err);
void loose_json_finish(struct loose_json *j);

/* Bytes of the value that text begins with, by its brackets and quotes alone; 0: it never ends. */
size_t loose_json_extent(const char *text, size_t len);

const struct loose_value *loose_root(const struct loose_json *j);
const struct loose_value *loose_first(const struct loose_json *j, const struct loose_value *v);
const struct loose_value *loose_next(const struct loose_json *j, const struct loose_value *v);
/* The last member of that key, as Python reads it; NULL: none, or no object. */
const struct loose_value *loose_member(const struct loose_json *j, const struct loose_value *v,
                                       const char *key);
const char *loose_key(const struct loose_json *j, const struct loose_value *v);
const char *loose_text(const struct loose_json *j, const struct loose_value *v); /* of LOOSE_TEXT */
/* A number, or text that is one from end to end ("0.5", "NaN", "-Infinity"). */
bool loose_number(const struct loose_json *j, const struct loose_value *v, double *out);

/* Blanks and line ends, and a byte order mark, that text begins with. */
size_t loose_blanks(const char *text, size_t len);

#endif
