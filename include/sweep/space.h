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
#define SPACE_MAX_CONSTRAINTS 64
#define SPACE_CONSTRAINT_MAX 512 /* bytes of one */

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
    X(Q_LOG_UNIFORM_VALUES, "q_log_uniform_values") \
    X(NORMAL, "normal")                        \
    X(Q_NORMAL, "q_normal")                    \
    X(LOG_NORMAL, "log_normal")                \
    X(Q_LOG_NORMAL, "q_log_normal")            \
    X(BETA, "beta")                            \
    X(Q_BETA, "q_beta")

enum distribution {
#define X(id, name) DISTRIBUTION_##id,
    DISTRIBUTION_MAP(X)
#undef X
    DISTRIBUTION_COUNT
};
const char *distribution_name(enum distribution d);
/* Its scale is that of the logarithm; its values are multiples of q. */
bool distribution_is_log(enum distribution d);
bool distribution_is_quantized(enum distribution d);
/* What is drawn evenly between min and max; a bell with mu and sigma; a beta with a and b. */
enum distribution_shape { SHAPE_EVEN, SHAPE_NORMAL, SHAPE_BETA };
enum distribution_shape distribution_shape(enum distribution d);

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

/* That dimension has one of these values, or one from min to max. */
struct condition {
    size_t on; /* index of the dimension */
    size_t value_count;
    double *values;  /* owned by the space; NULL: a range */
    double min, max; /* of a range; an end that is not given is infinite */
};

/* One swept parameter. */
struct dimension {
    char name[SPACE_NAME_MAX];  /* as the spec says it */
    enum role role;
    enum value_type type;
    int key;                    /* the task's own number for it; -1: none */
    enum distribution distribution;
    double min, max, q;         /* not for CATEGORICAL; q only for Q_* (default 1) */
    double mu, sigma;           /* NORMAL: of the value, or of its logarithm; cut to min … max */
    double a, b;                /* BETA, likewise */
    size_t value_count;         /* CATEGORICAL: listed values in order */
    double *values;             /* owned by the space */
    double *probabilities;      /* of them; owned by the space; NULL: equal ones */
    size_t choice_count;        /* CHOICE: a value is an index into these */
    char **choices;             /* owned by the space */
    size_t condition_count;     /* it is there only where all of them hold */
    struct condition *conditions; /* owned by the space */
    uint64_t rests_on;          /* dimensions by whose values it is there: a bit for each */
};

struct constraint; /* common/space/expression.h */

/* What the last three say follows from the others: space_settle. */
struct space {
    size_t count;
    struct dimension dimensions[SPACE_MAX_DIMENSIONS]; /* in the order of the spec */
    size_t constraint_count;
    struct constraint **constraints; /* owned */
    bool conditional;                /* some dimension has a condition */
    uint8_t order[SPACE_MAX_DIMENSIONS]; /* then: each one behind those that it rests on */
    struct space_walk *walk; /* of conditions or constraints: what was counted; owned */
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
/* Its condition holds, and it has a value. */
bool space_is_present(const struct space *s, const struct assignment *a, size_t i);
/* Of values for all dimensions: makes those absent whose condition does not hold. One whose
 * condition holds, but which has none, gets its middle. */
void space_complete(const struct space *s, struct assignment *a);
/* The constraints between its values hold; one with an absent value does. */
bool space_allows(const struct space *s, const struct assignment *a);
/* The values at positions u[0 … count), completed. */
void space_at(const struct space *s, const double *u, struct assignment *out);
/* One that space_allows, as near to a as is simply found: a itself where it is. a is complete. */
void space_nearest(const struct space *s, struct assignment *a);

void dimension_finish(struct dimension *d);
void space_finish(struct space *s);
/* Nothing is conditional in it or constrained any more. */
void space_loosen(struct space *s);
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
/* Of a bell or a beta: the share of it that lies from min to max. */
double dimension_mass(const struct dimension *d);
/* Middle value: the middle of the listed ones (sorted when numeric; the lower of two), middle of
 * the range on its scale otherwise. */
double dimension_middle(const struct dimension *d);
/* The middle of everything swept, complete and allowed. */
void space_middle(const struct space *s, struct assignment *out);

/* --- configurations by number ------------------------------------------------------------- */

/* A set of dimensions is a bit mask: bit i is the space's dimension i. */
_Static_assert(SPACE_MAX_DIMENSIONS <= 64, "one bit per dimension");

/* Number of configurations over the dimensions whose bit in frozen is clear; UINT64_MAX when it
 * is infinite or does not fit. Of a space with conditions or constraints: of those that differ and
 * are allowed when nothing is frozen (UINT64_MAX: more than could be counted), else at most so
 * many. */
uint64_t space_size(const struct space *s, uint64_t frozen);
/* The same exactly, with the frozen ones as they are in at, but at most limit. */
uint64_t space_count(const struct space *s, uint64_t frozen, const struct assignment *at,
                     uint64_t limit);
/* All combinations of all values have places 0, 1, …, the first dimension slowest; how many: */
uint64_t space_places(const struct space *s, uint64_t frozen);
/* The first configuration at that place or behind it, into the unfrozen dimensions of c, which is
 * then complete: its place, UINT64_MAX where there is none. At most *looks places are looked at
 * (NULL: all), and taken off it. */
uint64_t space_next(const struct space *s, uint64_t frozen, uint64_t place, struct assignment *c,
                    uint64_t *looks);
/* The place of configuration i < space_size(s, 0). */
uint64_t space_place_of(const struct space *s, uint64_t i);
/* Configuration i < space_size over the unfrozen dimensions; the frozen ones are left as they are
 * in c. With conditions or constraints nothing may be frozen. */
void space_nth(const struct space *s, uint64_t frozen, uint64_t i, struct assignment *c);

/* --- conditions and constraints ------------------------------------------------------------ */

/* To be called when all of them are known, and again when a range changes. Order and counting; at
 * most that many places are looked at. ERR_VALUE: at (an index, or count + index of a constraint)
 * says whose fault err tells: a circle of conditions, one that can never hold, constraints that
 * leave nothing. */
int space_settle(struct space *s, uint64_t looks, size_t *at, struct errbuf *err);
/* "depth * width <= 2048": of names that find knows. */
struct constraint_name {
    int dimension;     /* -1: a constant */
    enum value_type type;
    double value;      /* of a constant */
    const char *text;  /* of a constant choice */
    char name[SPACE_NAME_MAX]; /* as the canonical form has it */
};
typedef bool constraint_find(const void *arg, const char *name, struct constraint_name *out);
/* Adds the constraint. err: path, column and what is expected there. */
int space_constrain(struct space *s, const char *text, const char *path, constraint_find *find,
                    const void *arg, struct errbuf *err);
const char *space_constraint_text(const struct space *s, size_t i);
/* One of them; it does where one of its values is absent. */
bool space_constraint_holds(const struct space *s, size_t i, const struct assignment *a);

#endif
