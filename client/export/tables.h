/* A database as Optuna has it, in memory: its tables, rows in, bytes out. The only file of the
 * client that sees SQLite. */
#ifndef SWEEPCTL_TABLES_H
#define SWEEPCTL_TABLES_H

#include <stdint.h>

#include "sweep/buf.h"

struct errbuf;

/* X(id, how many values, statement) */
#define TABLES_INSERT_MAP(X)                                                                       \
    X(STUDY, 2, "INSERT INTO studies VALUES(?,?)")                                                 \
    X(DIRECTION, 3, "INSERT INTO study_directions VALUES(NULL,?,?,?)")                             \
    X(STUDY_USER, 2, "INSERT INTO study_user_attributes VALUES(NULL,1,?,?)")                       \
    X(STUDY_SYSTEM, 2, "INSERT INTO study_system_attributes VALUES(NULL,1,?,?)")                   \
    X(TRIAL, 5, "INSERT INTO trials VALUES(?,?,1,?,?,?)")                                          \
    X(PARAM, 4, "INSERT INTO trial_params VALUES(NULL,?,?,?,?)")                                   \
    X(VALUE, 4, "INSERT INTO trial_values VALUES(NULL,?,?,?,?)")                                   \
    X(INTERMEDIATE, 4, "INSERT INTO trial_intermediate_values VALUES(NULL,?,?,?,?)")               \
    X(TRIAL_USER, 3, "INSERT INTO trial_user_attributes VALUES(NULL,?,?,?)")                       \
    X(TRIAL_SYSTEM, 3, "INSERT INTO trial_system_attributes VALUES(NULL,?,?,?)")

enum tables_insert {
#define X(id, count, sql) TABLES_##id,
    TABLES_INSERT_MAP(X)
#undef X
        TABLES_INSERT_COUNT
};

struct tables_value {
    enum { TABLES_NULL, TABLES_INTEGER, TABLES_REAL, TABLES_TEXT } type;
    int64_t integer;
    double real;
    const char *text;
};
static inline struct tables_value tables_integer(int64_t v)
{
    return (struct tables_value){.type = TABLES_INTEGER, .integer = v};
}
/* One that is no number is NULL. */
static inline struct tables_value tables_real(double v)
{
    return (struct tables_value){.type = TABLES_REAL, .real = v};
}
/* NULL: none. */
static inline struct tables_value tables_text(const char *v)
{
    return (struct tables_value){.type = v != NULL ? TABLES_TEXT : TABLES_NULL, .text = v};
}

struct tables;
/* With its tables, and nothing in them. NULL and err where there is no memory. */
struct tables *tables_create(struct errbuf *err);
void tables_destroy(struct tables *t);
/* values: as many as the statement takes. 0 or ERR_IO. */
int tables_insert(struct tables *t, enum tables_insert i, const struct tables_value *values,
                  struct errbuf *err);
/* The file. */
int tables_bytes(struct tables *t, struct buf *out, struct errbuf *err);

#endif
