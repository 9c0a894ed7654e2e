/* The grammar of JSON, checked before anything is built from a text. Private to common/json*.c. */
#ifndef COMMON_JSON_SCAN_H
#define COMMON_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_SCAN_NO_KEY SIZE_MAX

struct errbuf;

/* 0, or ERR_PARSE with "line L, column C" as key. The object key number refused_key (in the order
 * of the text, from 0) is refused as a duplicate: who builds the objects sees equal keys, but not
 * where they stood. */
int json_scan(const char *text, size_t len, size_t refused_key, struct errbuf *err);

/* Line and column, from 1, of the object key of that number in a text that is JSON; false: it has
 * fewer. */
bool json_scan_key(const char *text, size_t len, size_t number, size_t *line, size_t *column);

/* Bytes of the well-formed UTF-8 character at p[0..len), 0 when there is none. */
size_t json_utf8_length(const unsigned char *p, size_t len);

/* strtod() for len characters of JSON number in any locale; len <= JSON_NUMBER_MAX. */
#define JSON_NUMBER_MAX 63 /* cJSON reads no longer ones */
double json_read_number(const char *text, size_t len);

#endif
