/* Names and values as a browser sends them: a=b&c=d. Pure; the bytes are hostile. */
#ifndef SWEEPCTL_SERVE_FORM_H
#define SWEEPCTL_SERVE_FORM_H

#include <stddef.h>
#include <stdint.h>

#define FORM_FIELDS_MAX 512

struct form_field {
    char *name, *value;
};
struct form {
    struct form_field *fields;
    size_t count, cap;
};

/* 0; ERR_VALUE where a "%" is followed by no two hexadecimal digits or stands for NUL, or a NUL is
 * in the text; ERR_LIMIT for more than FORM_FIELDS_MAX. out is empty then. */
int form_parse(const char *text, size_t len, struct form *out);
void form_finish(struct form *f);
/* The first of that name; NULL: there is none. */
const char *form_get(const struct form *f, const char *name);
/* The same as an id: an integer from 1; 0: none, or none that is one. */
int64_t form_id(const struct form *f, const char *name);
/* Decodes %XX, and "+" as a blank where asked. NULL: ERR_VALUE of form_parse. The caller frees. */
enum form_plus { FORM_PLUS_IS_PLUS, FORM_PLUS_IS_BLANK };
char *form_decode(const char *text, size_t len, enum form_plus plus);

#endif
