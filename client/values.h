/* NAME=VALUE arguments of a verb. */
#ifndef SWEEPCTL_VALUES_H
#define SWEEPCTL_VALUES_H

#include <stddef.h>

struct errbuf;
struct json_writer;
struct opts;

/* Each has a name, and no two the same: 0 or ERR_VALUE. form: what they look like. */
int values_check(const struct opts *o, const char *form, struct errbuf *err);
/* The name of the i-th as a key; what stands behind its "=". */
const char *values_key(const struct opts *o, size_t i, struct json_writer *w);
/* A JSON number, string, true or false as it stands; anything else as a text. */
void values_write(const char *text, size_t len, struct json_writer *w);

#endif
