/* What the tests of text readers share. */
#ifndef TESTS_UNIT_WORKER_TABLE_TEXT_H
#define TESTS_UNIT_WORKER_TABLE_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sweep/err.h"
#include "worker/data/columns.h"

#define expect_words(err, words)                                             \
    do {                                                                     \
        if (!strstr((err)->message, words))                                  \
            fail_msg("message \"%s\" does not say \"%s\"", (err)->message, words); \
    } while (0)

static inline float value_at(const struct table *t, size_t sample, size_t feature)
{
    return ((const float *)t->values)[sample * t->shape.dim[0] + feature];
}

#endif
