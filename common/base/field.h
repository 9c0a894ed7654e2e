/* Values out of JSON that a person wrote, checked: every refusal names the JSON path, the value
 * and what is allowed, and suggests the nearest name where one is close. Private to common/. */
#ifndef SWEEP_COMMON_FIELD_H
#define SWEEP_COMMON_FIELD_H

#include <stdbool.h>
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

/* The length of step where path begins with it, and ends there or goes on with another step; else
 * 0. */
size_t field_path_begins(const char *path, const char *step);

/* Fills err from path, an excerpt of v (NULL: no value) and the allowed text. Returns code. */
int field_refuse(struct errbuf *err, int code, const char *path, const struct json *v,
                 const char *allowed_fmt, ...) __attribute__((format(printf, 5, 6)));
/* ERR_MISSING for parent.key. */
int field_missing(struct errbuf *err, const char *parent, const char *key, const char *allowed);

/* "did you mean depth? " (unless near is NULL) + "one of: depth, width, …" */
void field_one_of(char *out, size_t size, const char *near, const char *const *names, size_t count);
/* The name that word stands for in the field, else the one it is nearest to; NULL: none. note: what
 * must be known of it, "" for nothing. */
const char *field_near(const char *word, const char *const *names, size_t count,
                       const char **note);
/* The name that such a text suggests; false: none. */
bool field_meant(const char *allowed, char *out, size_t size);
/* The same with the name that word is near to. */
void field_suggest(char *out, size_t size, const char *word, const char *const *names,
                   size_t count);

/* v is an object whose keys are all among keys: 0, ERR_TYPE or ERR_KEY. */
int field_object(const struct json *v, const char *path, const char *const *keys, size_t count,
                 struct errbuf *err);
/* "0.001": a number that only its quotes keep from being one. */
bool field_is_quoted_number(const struct json *v);
/* v is an object: 0, or ERR_TYPE with an example of one, in which %s is v as it was given. */
int field_like(const struct json *v, const char *path, const char *example, struct errbuf *err);
/* An integer min..max given as a JSON number. */
int field_integer(const struct json *v, const char *path, int64_t min, int64_t max, int64_t *out,
                  struct errbuf *err);
/* A seed: integer up to 2^53 or decimal string up to 2^64-1. */
int field_seed(const struct json *v, const char *path, uint64_t *out, struct errbuf *err);
/* A string of 1 to size-1 bytes without control characters. */
int field_string(const struct json *v, const char *path, char *out, size_t size,
                 struct errbuf *err);
/* One of the names, or a word that is the same but for case and what joins it ("Adam",
 * "min-max"); its index. */
int field_name(const struct json *v, const char *path, const char *const *names, size_t count,
               int *out, struct errbuf *err);

#endif
