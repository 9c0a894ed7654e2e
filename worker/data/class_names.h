/* What a class is called in a sentence about the data. */
#ifndef WORKER_DATA_CLASS_NAMES_H
#define WORKER_DATA_CLASS_NAMES_H

#include "sweep/text.h"
#include "worker/data/samples.h"

#define CLASS_SHOW_MAX (TEXT_SHOW_MAX + 8)

struct json;

struct class_names {
    struct json *schema;     /* owned */
    const struct json *list; /* NULL: classes have no names but their numbers */
};

void class_names_init(struct class_names *n, const struct samples *s);
void class_names_finish(struct class_names *n);
/* `class "cat"`, or `class 7` where labels are numbers; returns out. */
const char *class_show(const struct class_names *n, size_t class, char out[CLASS_SHOW_MAX]);

#endif
