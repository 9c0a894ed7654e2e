/* A sweep's specification: what docs/spec.md says, parsed and checked. Pure data. */
#ifndef SWEEP_SPEC_H
#define SWEEP_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/cause.h"
#include "sweep/curve.h"
#include "sweep/model.h"
#include "sweep/pattern.h"
#include "sweep/remedy.h"
#include "sweep/setting.h"

#define SPEC_NAME_MAX 128
#define SPEC_PATH_MAX 1024
#define SPEC_MAX_DIMENSIONS 64
#define SPEC_MAX_VALUES 256      /* listed values of one parameter */
#define SPEC_MAX_RUNS 1000000    /* run_cap, and the size of a grid */
#define SPEC_MAX_EPOCHS 1000000
#define SPEC_TREAT_SHARE 0.2     /* default of treat_share */
#define SPEC_TREAT_SHARE_MAX 0.8

/* X(id, name, what it does) */
#define METHOD_MAP(X)                                                            \
    X(COARSE_TO_FINE, "coarse_to_fine", "the guide's search in four stages (G2)") \
    X(GRID, "grid", "every combination of the listed values")                    \
    X(RANDOM, "random", "independent draws")

enum method {
#define X(id, name, doc) METHOD_##id,
    METHOD_MAP(X)
#undef X
    METHOD_COUNT
};
const char *method_name(enum method m);

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

/* X(id, name) — how data files are written */
#define FORMAT_MAP(X)    \
    X(IDX, "idx")        \
    X(CSV, "csv")        \
    X(TSV, "tsv")        \
    X(NPY, "npy")        \
    X(NPZ, "npz")        \
    X(LIBSVM, "libsvm")

enum format {
#define X(id, name) FORMAT_##id,
    FORMAT_MAP(X)
#undef X
    FORMAT_COUNT
};
const char *format_name(enum format f);

enum task { TASK_AUTO, TASK_CLASSIFICATION, TASK_REGRESSION };
enum header { HEADER_AUTO, HEADER_YES, HEADER_NO };

/* X(member, key, which format it is for, what it is) — files beside `path`; all absolute */
#define DATA_FILE_MAP(X)                                                                         \
    X(target_path, "target_path", "npy: the targets of path")                                    \
    X(validation_path, "validation_path", "held-out samples; none are drawn from path then")     \
    X(validation_target_path, "validation_target_path", "npy: the targets of validation_path")   \
    X(test_path, "test_path", "test samples, for the winners only")                              \
    X(test_target_path, "test_target_path", "npy: the targets of test_path")

/* Where the data is. What can be swept of "data" (limit, validation, scale, …) is a setting. */
struct spec_data {
    char name[SPEC_NAME_MAX];   /* a data set found by name, or "" */
    char path[SPEC_PATH_MAX];   /* absolute: a relative one is refused (the daemon has no cwd) */
    enum format format;         /* idx with a name */
#define X(member, key, doc) char member[SPEC_PATH_MAX];
    DATA_FILE_MAP(X)
#undef X
    char target[SPEC_NAME_MAX]; /* csv, tsv: column by name or number from 1, "" the last one;
                                   npz: the array, "" y */
    enum header header;         /* csv, tsv */
    enum task task;             /* auto: regression when targets are fractions or over 1000 */
};

/* One swept parameter. */
struct dimension {
    char name[64];              /* as the spec says it: short name or dotted path */
    enum setting_id setting;
    enum distribution distribution;
    double min, max, q;         /* not for CATEGORICAL; q only for Q_* (default 1) */
    size_t value_count;         /* CATEGORICAL: listed values, as setting doubles, in order */
    double *values;             /* owned by the spec */
};

/* The one run of a sweep that `sweepctl treat` has made: a treatment of an earlier run. */
struct spec_treats {
    int64_t run;                /* 0: it is no such sweep */
    enum remedy remedy;
    enum pattern pattern;       /* of that run */
    enum cause_id cause;
    bool has_metric;
    double metric_value;        /* its metric, which the treatment's is held against */
};

struct spec {
    char name[SPEC_NAME_MAX];
    enum method method;
    enum metric metric;         /* curve.h */
    bool maximize;
    struct spec_data data;
    struct settings fixed;      /* defaults, then "data"/"model"/"train", then single "value"s */
    struct layer_list layers;   /* of a sequential model */
    int64_t start_from;         /* run whose best weights every run starts with; 0: none (G3.2) */
    size_t dimension_count;
    struct dimension dimensions[SPEC_MAX_DIMENSIONS]; /* in the order of the spec */
    int64_t epochs;
    int64_t run_cap;            /* grid without run_cap: the size of the grid */
    uint64_t seed;
    int64_t priority;           /* higher first; default 0 */
    int64_t after;              /* sweep that must have ended first; 0: none */
    bool treat;                 /* sick runs among the best are treated at the end of a stage */
    double treat_share;         /* of run_cap, kept for treatments */
    struct spec_treats treats;
};

struct errbuf;
struct json;
struct json_writer;

/* Parses and checks. On failure err names the JSON path, the value and what is allowed (with a
 * near miss for unknown keys), and out is untouched; on success release with spec_finish. */
int spec_parse(const struct json *root, struct spec *out, struct errbuf *err);
int spec_parse_text(const char *text, size_t len, struct spec *out, struct errbuf *err);
void spec_finish(struct spec *s);
/* Canonical JSON: every default filled in; spec_parse of it gives the same spec again. */
void spec_write(const struct spec *s, struct json_writer *w);
/* The "data" object with its settings, as spec_write writes it. Also used by the worker's
 * configuration. parse reads the source only; settings_from_json the settings. */
void spec_data_write(const struct spec_data *d, const struct settings *s, struct json_writer *w);
int spec_data_parse(const struct json *v, struct spec_data *out, struct errbuf *err);

/* The swept parameters of one configuration as JSON, in the spec's order:
 * {"learning_rate": 0.1, "optimizer": "adam"}. */
void spec_params_write(const struct spec *s, const struct settings *config,
                       struct json_writer *w);
int spec_params_parse(const struct spec *s, const struct json *params, struct settings *out,
                      struct errbuf *err);

/* Runs of run_cap that are kept for treatments; the search has the others, and what is left over
 * of these. 0 without treat. */
int64_t spec_treat_cap(const struct spec *s);

/* --- the search space ------------------------------------------------------------------- */

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
/* The dimension that sweeps that setting, NULL when it is fixed. */
const struct dimension *spec_dimension(const struct spec *s, enum setting_id id);
/* Smallest and largest value of a setting in any run; a choice's by its index. */
void spec_setting_range(const struct spec *s, enum setting_id id, double *low, double *high);
/* The setting, swept or fixed now, may be swept: the preset does not fix it, and with a list of
 * layers one of them takes it up. */
bool spec_may_sweep(const struct spec *s, enum setting_id id);
/* Some run may have that value of a choice or switch. */
bool spec_may_be(const struct spec *s, enum setting_id id, double value);

#endif
