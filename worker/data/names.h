/* A set of different texts: the categories of a column, the classes of a target. */
#ifndef WORKER_DATA_NAMES_H
#define WORKER_DATA_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "sweep/buf.h"

#define NAMES_NONE UINT32_MAX

/* A zeroed one is empty. */
struct names {
    struct buf bytes; /* all texts, each with its NUL */
    size_t *start;    /* [count] of each in bytes */
    uint32_t count;
    uint32_t *slot; /* [slots] hash table: place + 1, 0 is free */
    size_t slots;   /* 0, or a power of two > count */
};

void names_finish(struct names *n);
/* Adds a text (without NUL) unless it is there. */
void names_add(struct names *n, const char *text, size_t len);
/* Place of a text, or NAMES_NONE. */
uint32_t names_find(const struct names *n, const char *text, size_t len);
/* Of classes: also the one that the text has with a point behind it (UCI's adult.test). */
uint32_t names_find_class(const struct names *classes, const char *text, size_t len);
/* Orders them by their bytes (UTF-8: by code point). */
void names_sort(struct names *n);
/* NUL-terminated; valid until the next names_add. */
const char *names_at(const struct names *n, uint32_t place);

#endif
