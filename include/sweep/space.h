/* The space that a sweep searches: dimensions with names, types and distributions, and
 * configurations as one value for each of them. Nothing here knows what a dimension is for: what a
 * run does with a value is its task's business (task.h). Pure data.
 *
 * Every value is a double: integers exactly, a switch as 0/1, a choice as its index. */
#ifndef SWEEP_SPACE_H
#define SWEEP_SPACE_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPACE_MAX_DIMENSIONS 64
#define SPACE_MAX_VALUES 256 /* listed values of one dimension */
#define SPACE_NAME_MAX 64
#define SPACE_TEXT_MAX 64    /* of a value as people read it */

struct errbuf;
struct json;
struct json_writer;

/* X(id, name) — the keys of W&B's sweep configuration */
#define DISTRIBUTION_MAP(X)                    \
    X(CONSTANT, "constant")                    \
    X(CATEGORICAL, "categorical")              \
    X(INT_UNIFORM, "int_uniform")              \
    X(UNIFORM, "uniform")                      \
    X(LOG_UNIFORM_VALUES, "log_uniform_values") \
    X(Q_UNIFORM, "q_uniform")                  \
    X(Q_LOG_UNIFORM_VALUES, "q_log_uniform_values")

enum distribution {
#define X(id, name) DISTRIBUTION_##id,
    DISTRIBUTION_MAP(X)
#undef X
    DISTRIBUTION_COUNT
};
const char *distribution_name(enum distribution d);

/* What a dimension means to the guide's search: by its name, or as the spec's "role" says.
 * X(id, name, other names of it separated by '|') */
#define ROLE_MAP(X)                                                             \
    X(NONE, "none", "")                                                         \
    X(LEARNING_RATE, "learning_rate", "train.learning_rate|lr|learning-rate")   \
    X(OPTIMIZER, "optimizer", "train.optimizer|optim")

enum role {
#define X(id, name, others) ROLE_##id,
    ROLE_MAP(X)
#undef X
    ROLE_COUNT
};
const char *role_name(enum role r);
/* The role that a parameter of that name has by itself. */
enum role role_of_name(const char *name);

enum value_type { VALUE_REAL, VALUE_INTEGER, VALUE_SWITCH, VALUE_CHOICE };

/* One swept parameter. */
struct dimension {
    char name[SPACE_NAME_MAX];  /* as the spec says it */
    enum role role;
    enum value_type type;
    int key;                    /* the task's own number for it; -1: none */
    enum distribution distribution;
    double min, max, q;         /* not for CATEGORICAL; q only for Q_* (default 1) */
    size_t value_count;         /* CATEGORICAL: listed values in order */
    double *values;             /* owned by the space */
    size_t choice_count;        /* CHOICE: a value is an index into these */
    char **choices;             /* owned by the space */
};

struct space {
    size_t count;
    struct dimension dimensions[SPACE_MAX_DIMENSIONS]; /* in the order of the spec */
};

/* A configuration: v[i] is the value of the space's dimension i; NAN: it is absent, because its
 * condition does not hold. */
struct assignment {
    double v[SPACE_MAX_DIMENSIONS];
};

static inline bool space_has(const struct assignment *a, size_t i)
{
    return !isnan(a->v[i]);
}
/* Of values drawn for all dimensions: makes those absent whose condition does not hold. */
void space_complete(const struct space *s, struct assignment *a);
/* The constraints between its values hold; one with an absent value does. */
bool space_allows(const struct space *s, const struct assignment *a);

void dimension_finish(struct dimension *d);
void space_finish(struct space *s);
/* Index of the first dimension with that role, or of the one with that name or key; -1: none. */
int space_find_role(const struct space *s, enum role role);
int space_find_name(const struct space *s, const char *name);
int space_find_key(const struct space *s, int key);
bool space_same(const struct space *s, const struct assignment *a, const struct assignment *b);
/* A copy of the values that are there, and zeros. */
void space_take(const struct space *s, const struct assignment *a, struct assignment *out);

/* The values of one configuration as JSON, in the spec's order:
 * {"learning_rate": 0.1, "optimizer": "adam"}. */
void space_params_write(const struct space *s, const struct assignment *a, struct json_writer *w);
/* Reads them back; each must be there and one that its dimension can take. */
int space_params_parse(const struct space *s, const struct json *params, struct assignment *out,
                       struct errbuf *err);

/* The same of what a person gives: each value must be one that its dimension can take. */
int space_check(const struct space *s, const struct json *params, struct assignment *out,
                struct errbuf *err);

/* --- values ------------------------------------------------------------------------------ */

/* Numbers have an order of their own, switches and choices that of the list. */
bool dimension_ordered(const struct dimension *d);
void dimension_to_json(const struct dimension *d, double value, struct json_writer *w);
/* A number, switch or choice at path (a JSON path) that has the dimension's type; whether it lies
 * in the range is not asked: what earlier versions stored may lie outside. */
int dimension_from_json(const struct dimension *d, const struct json *v, const char *path,
                        double *out, struct errbuf *err);
/* As people read it ("adam", "0.001", "true"). */
void dimension_format(const struct dimension *d, double value, char out[SPACE_TEXT_MAX]);
/* The dimension can have exactly that value. */
bool dimension_takes(const struct dimension *d, double value);
/* The listed value of that text, NAN when it is not listed. */
double dimension_listed(const struct dimension *d, const char *text);

/* --- positions --------------------------------------------------------------------------- */

/* Position u in [0,1] ↔ value, following the distribution (log scale where it is one). A listed
 * or integer dimension is cut into equal cells. */
double dimension_value(const struct dimension *d, double u);
double dimension_position(const struct dimension *d, double value);
/* Number of different values, 0 when continuous. */
uint64_t dimension_cardinality(const struct dimension *d);
/* i-th of them (0-based) in the spec's order. */
double dimension_nth(const struct dimension *d, uint64_t i);
/* Middle value: the middle of the listed ones (sorted when numeric; the lower of two), middle of
 * the range on its scale otherwise. */
double dimension_middle(const struct dimension *d);
/* The middle of everything swept. */
void space_middle(const struct space *s, struct assignment *out);

#endif
