/* What targets are: classes, or values to predict. The training file decides for all parts. */
#ifndef WORKER_DATA_CLASSES_H
#define WORKER_DATA_CLASSES_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/data/source.h"
#include "worker/data/table.h"

struct errbuf;

#define CLASSES_WHY_MAX 240 /* bytes, with the NUL */

/* The labels that there are, ascending; the place of one is its class. */
struct classes {
    const char *path; /* of the file that has them */
    size_t count;     /* 0: values to predict */
    double label[SAMPLES_CLASSES_MAX];
    size_t rows[SAMPLES_CLASSES_MAX]; /* of the training part that have it */
    char why[CLASSES_WHY_MAX]; /* in words, where the file alone decided: "regression: 654 …" */
};

/* out->path is set. As the configuration says; else the targets are classes when they are names,
 * labels of an IDX file, or whole numbers that look like codes (docs/spec.md, "Classes or
 * values"). ERR_DATA, ERR_LIMIT with key "$.data.task". */
int classes_decide(enum format format, enum task task, const struct table *train,
                   struct classes *out, struct errbuf *err);
/* Several targets a sample, always one of them 1 and the others 0: a class each, unless there is
 * one for each step. */
bool classes_are_one_hot(const struct table *t);
/* Such targets become the place of the 1. False, and t is unchanged, where a row has none. */
bool classes_from_one_hot(struct table *t);
/* The classes of one-hot targets. */
void classes_of_places(size_t count, struct classes *out);
/* Place of the label; false when it is none of them. */
bool classes_find(const struct classes *c, double label, size_t *place);
/* "0, 1, 2, … (10 in all)" */
void classes_list(const struct classes *c, char *out, size_t size);

#endif
