/* Formats of training logs: one file each, and a row of the table. Pure: bytes in, a log out. */
#ifndef COMMON_CURVES_FORMAT_H
#define COMMON_CURVES_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/training_log.h"

/* X(name). The first whose `is` says so reads the file; delimited text is asked last but one, plain
 * lines of stdout last. */
#define CURVE_FORMAT_MAP(X) \
    X(trainer_state)             \
    X(catboost_training)         \
    X(catboost_lines)            \
    X(json_history)              \
    X(json_lines)                \
    X(tensorboard)               \
    X(wandb)                     \
    X(mlflow_metric)             \
    X(printed_table)             \
    X(delimited)                 \
    X(plain_lines)

struct curve_bytes {
    const char *name; /* of the file, for messages and for what it says of its one series */
    const char *bytes;
    size_t len;
};

struct curve_format {
    /* By content, never by the file's name. Cheap: looks at the beginning. */
    bool (*is)(const struct curve_bytes *in);
    /* 0, ERR_PARSE, ERR_VALUE, ERR_MISSING or ERR_LIMIT; err names file, place, value and what is
     * allowed. */
    int (*read)(const struct curve_bytes *in, struct training_log *out, struct errbuf *err);
};

#define X(name) extern const struct curve_format curve_format_##name;
CURVE_FORMAT_MAP(X)
#undef X

#endif
