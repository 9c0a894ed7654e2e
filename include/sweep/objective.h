/* Several objectives of a sweep: what each of its runs is judged by, at once. Pure data.
 *
 * The first is the sweep's metric. Each of the others is a value that a run has when it ends: of a
 * metric what it came to at the run's best point (by the first), or last, where it was not measured
 * there; of the others what is known of the run itself. */
#ifndef SWEEP_OBJECTIVE_H
#define SWEEP_OBJECTIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/curve.h"

#define OBJECTIVES_MAX 8

/* What is known of a run itself; a program's own value of that name comes first.
 * X(id, name, measured: not the same a second time, doc) */
#define OBJECTIVE_SOURCE_MAP(X)                                                     \
    X(SECONDS, "seconds", 1, "time of training")                                    \
    X(JOULES, "joules", 1, "energy of training, where the machine measures it")     \
    X(EPOCHS, "epochs", 0, "epochs trained")                                        \
    X(PARAMETERS, "parameters", 0, "trained numbers of the network")                \
    X(FLOP, "flop", 0, "floating-point operations to train on one sample")

enum objective_source {
    OBJECTIVE_REPORTED, /* a metric: a column of the curve, or under a name of its own */
#define X(id, name, measured, doc) OBJECTIVE_##id,
    OBJECTIVE_SOURCE_MAP(X)
#undef X
    OBJECTIVE_SOURCE_COUNT
};

struct objective {
    char name[METRIC_NAME_MAX];
    enum objective_source source;
    bool maximize;
};

struct objectives {
    size_t count; /* 0: the metric alone; else from 2 */
    struct objective items[OBJECTIVES_MAX];
};

/* OBJECTIVE_REPORTED: it is none of those. */
enum objective_source objective_source_find(const char *name);
/* Some of them is measured: a sweep is not the same a second time. */
bool objectives_measured(const struct objectives *o);
/* What a run came to, as its row has it (a JSON list in the order of o, or NULL); NAN: it is not
 * known. Bytes from the database are not trusted: what is no number is not known. */
void objectives_read(const struct objectives *o, const char *stored, double out[OBJECTIVES_MAX]);

#endif
