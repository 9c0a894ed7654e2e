/* The task `trainer`: a network of settings and layers on data of the spec, by our own worker. */
#ifndef SWEEP_TRAINER_H
#define SWEEP_TRAINER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sweep/encoding.h"
#include "sweep/model.h"
#include "sweep/setting.h"
#include "sweep/space.h"
#include "sweep/task.h"

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

#define DATA_WORDS_BYTES 4096
#define DATA_CATEGORIES_USUAL 64
#define DATA_CATEGORIES_MAX 65536
#define DATA_FOOTER_MAX 1000

/* Words of a list, each with its NUL, one behind the other. */
struct data_words {
    uint32_t count, bytes;
    char text[DATA_WORDS_BYTES];
};
/* The next one; *word is NULL at first, and after the last. */
bool data_words_next(const struct data_words *w, const char **word);

/* X(key, which formats) — how a table is written; of zeros, all is found in the file */
#define DATA_TABLE_MAP(X) \
    X("header", "formats csv and tsv") \
    X("skip_rows", "formats csv and tsv") \
    X("skip_footer", "formats csv and tsv") \
    X("encoding", "formats csv and tsv") \
    X("delimiter", "formats csv and tsv") \
    X("decimal", "formats csv and tsv") \
    X("thousands", "formats csv and tsv") \
    X("missing", "formats csv and tsv") \
    X("without_target", "formats csv and tsv") \
    X("ignore", "formats csv and tsv") \
    X("max_categories", "formats csv and tsv")

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
    char features[SPEC_NAME_MAX]; /* npz: the array of the features, "" x */
    /* csv, tsv: */
    enum header header;
    int64_t header_line;        /* with HEADER_YES: the file's line that is it; 0: the first row */
    bool skip_told;
    int64_t skip_rows;          /* lines before the first row */
    bool footer_told;
    int64_t skip_footer;        /* rows at the end of each file that are none of the data */
    char encoding[ENCODING_NAME_MAX]; /* of files that are not UTF-8; "": found */
    char delimiter;             /* as of struct dialect; '\0': found */
    char decimal;               /* '.' or ','; '\0': found */
    char thousands;             /* as of struct number_form; '\0': found */
    bool missing_told;          /* `missing` stands for the words of sweep/nothing.h */
    bool missing_usual;         /* and those stand, too */
    struct data_words missing;  /* words for a value that is not there */
    bool drop_without_target;   /* rows that have none are left out, not refused */
    struct data_words ignore;   /* columns left out, by name or number from 1 */
    int64_t max_categories;     /* of a column of text; 0: DATA_CATEGORIES_USUAL */
    enum task task;             /* auto: docs/spec.md, "Classes or values" */
};

/* What a spec says of it. */
struct trainer_task {
    struct spec_data data;
    struct settings fixed;      /* defaults, then "data"/"model"/"train", then single "value"s */
    struct layer_list layers;   /* of a sequential model */
    int64_t start_from;         /* run whose best weights every run starts with; 0: none (G3.2) */
    bool split_told;
    uint64_t split_seed;        /* of the samples held out; else the sweep's seed */
    /* while a spec is read and checked: settings that it gives, and those of them it gives as
     * parameters with one value */
    bool given[SETTING_COUNT], fixed_here[SETTING_COUNT];
};

/* One run's whole configuration. Its row, its trial and the batches that write it have it in
 * common, whatever thread they end in: it is not changed once it is shared. */
struct trainer_config {
    atomic_uint sharers;       /* beside the first owner */
    struct settings settings;
    struct layer_list *layers; /* owned; that a remedy changed; NULL: the spec's */
    int64_t start_from;        /* run whose best weights it starts with; 0: the spec's */
};
/* One owner more of the same; each has to let go of it. NULL: none. */
struct trainer_config *trainer_config_share(struct trainer_config *c);
void trainer_config_release(struct trainer_config *c);

struct spec;
struct errbuf;
struct json;
struct json_writer;

/* Its format says that it is columns of whatever unit, so that they are scaled where nothing is
 * said: not images, sequences or arrays, whose numbers belong together. */
bool spec_data_is_table(const struct spec_data *d);
/* The "data" object with its settings, as spec_write writes it. Also used by the worker's
 * configuration. parse reads the source only; settings_from_json the settings. */
void spec_data_write(const struct spec_data *d, const struct settings *s, struct json_writer *w);
int spec_data_parse(const struct json *v, struct spec_data *out, struct errbuf *err);

/* The setting that a parameter's name stands for in the field, though it is neither its short name
 * nor its path: "lr", "batchSize", "momentum", "optimizer.lr"; -1: none, or not for sure. */
int trainer_setting_alias(const char *name);
/* A configuration of the space as settings, the preset applied; and back. */
void trainer_settings(const struct spec *s, const struct assignment *a, struct settings *out);
void trainer_assignment(const struct spec *s, const struct settings *settings,
                        struct assignment *out);
/* The dimension that sweeps that setting, NULL when it is fixed. */
const struct dimension *spec_dimension(const struct spec *s, enum setting_id id);
/* The setting that a dimension of a trainer's spec sweeps. */
static inline enum setting_id dimension_setting(const struct dimension *d)
{
    return (enum setting_id)d->key;
}
/* Smallest and largest value of a setting in any run; a choice's by its index. */
void spec_setting_range(const struct spec *s, enum setting_id id, double *low, double *high);
/* The setting, swept or fixed now, may be swept: the preset does not fix it, and with a list of
 * layers one of them takes it up. */
bool spec_may_sweep(const struct spec *s, enum setting_id id);
/* Some run may have that value of a choice or switch. */
bool spec_may_be(const struct spec *s, enum setting_id id, double value);

#endif
