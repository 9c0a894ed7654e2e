/* Values out of JSON that a person wrote, checked: every refusal names the JSON path, the value
 * and what is allowed, and suggests the nearest name where one is close. Private to common/. */
#ifndef SWEEP_COMMON_FIELD_H
#define SWEEP_COMMON_FIELD_H

#include <stddef.h>
#include <stdint.h>

struct errbuf;
struct json;

/* Longer than errbuf.key, so that only str_copy cuts, at a UTF-8 boundary. */
#define FIELD_PATH_MAX 320

/* parent.key, or parent["key"] where key is not an identifier; bytes that would upset a terminal
 * or the quotes become '?'. */
void field_path(char out[FIELD_PATH_MAX], const char *parent, const char *key);
/* parent[index] */
void field_path_index(char out[FIELD_PATH_MAX], const char *parent, size_t index);

/* Fills err from path, an excerpt of v (NULL: no value) and the allowed text. Returns code. */
int field_refuse(struct errbuf *err, int code, const char *path, const struct json *v,
                 const char *allowed_fmt, ...) __attribute__((format(printf, 5, 6)));
/* ERR_MISSING for parent.key. */
int field_missing(struct errbuf *err, const char *parent, const char *key, const char *allowed);

/* "did you mean depth? " (unless near is NULL) + "one of: depth, width, …" */
void field_one_of(char *out, size_t size, const char *near, const char *const *names, size_t count);
/* The same with the name nearest to word. */
void field_suggest(char *out, size_t size, const char *word, const char *const *names,
                   size_t count);

/* v is an object whose keys are all among keys: 0, ERR_TYPE or ERR_KEY. */
int field_object(const struct json *v, const char *path, const char *const *keys, size_t count,
                 struct errbuf *err);
/* An integer min..max given as a JSON number. */
int field_integer(const struct json *v, const char *path, int64_t min, int64_t max, int64_t *out,
                  struct errbuf *err);
/* A seed: integer up to 2^53 or decimal string up to 2^64-1. */
int field_seed(const struct json *v, const char *path, uint64_t *out, struct errbuf *err);
/* A string of 1 to size-1 bytes without control characters. */
int field_string(const struct json *v, const char *path, char *out, size_t size,
                 struct errbuf *err);
/* One of the names; its index. */
int field_name(const struct json *v, const char *path, const char *const *names, size_t count,
               int *out, struct errbuf *err);

#endif
