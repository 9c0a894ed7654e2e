/* What a run executes, one kind a file in common/task/ behind this small table: how a spec says
 * it, what its parameters may be, and what a configuration of the space becomes. */
#ifndef SWEEP_TASK_H
#define SWEEP_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPEC_NAME_MAX 128
#define SPEC_PATH_MAX 1024
#define TASK_CONFIG_MAX ((size_t)1 << 20) /* bytes of a config.json */

struct assignment;
struct errbuf;
struct json;
struct json_writer;
struct spec;
struct dimension;
struct trainer_config;

/* X(id, name): the row is struct task_kind task_<name>, in common/task/<name>.c */
#define TASK_MAP(X)    \
    WORKER_TASK_MAP(X) \
    X(CLIENT, client)
/* Those that a worker of ours carries out: worker_<name> */
#define WORKER_TASK_MAP(X) \
    X(TRAINER, trainer)    \
    X(COMMAND, command)

enum task_id {
#define X(id, name) TASK_##id,
    TASK_MAP(X)
#undef X
    TASK_ID_COUNT
};

/* What its task may need to know of a run, for its config.json. */
struct run_setup {
    const struct assignment *at;
    const struct trainer_config *config; /* of the trainer */
    int64_t epochs, until_epoch;         /* horizon; how far it may go now (0: to the end) */
    uint64_t seed;
    int64_t run_id, sweep_id;
    const char *run_dir;                 /* its folder; "": too deep to be written */
    const char *params_json;             /* the values of what is swept */
    const char *metric_name;             /* which runs are ranked by */
    const char *data_hash;               /* "": none */
    char weights[SPEC_PATH_MAX];         /* file for the best epoch's weights */
    char checkpoint[SPEC_PATH_MAX];      /* file to resume from and to write */
    char start_weights[SPEC_PATH_MAX];   /* file to start with; "": none */
    char start_checkpoint[SPEC_PATH_MAX]; /* of the run that it goes on from; "": none */
    double checkpoint_seconds;
    bool has_weights_floor;              /* weights of a run worse than the floor are not wanted */
    double weights_floor;                /* by the metric */
    int64_t cpus;                        /* that it was given; 0: nothing is said */
    bool has_gpus;                       /* it was given those, or none on purpose */
    size_t gpu_count;
    const char *const *gpus;             /* by name */
};

struct task_kind {
    const char *name;
    bool has_settings;    /* its runs have a trainer_config; its metrics are columns of the curve */
    bool needs_data;      /* a worker prepares its data before the sweep is accepted */
    bool has_checkpoints; /* a run can end at a rung and go on later; see begins_anew */
    bool has_remedies;    /* its runs have causes and treatments, and the range its edits */
    bool has_environment; /* its runs get all of the daemon's environment */
    bool is_leased;       /* its runs are asked for: no worker of ours carries them out */

    /* Reads the members of a spec that are its own. */
    int (*parse)(const struct json *root, struct spec *s, struct errbuf *err);
    /* What is swept where nothing is named, when its own members have been read: a JSON object as
     * of "parameters", the caller's to free. NULL: they must be named. */
    char *(*usual)(const struct spec *s);
    /* A member of "parameters" at path (a JSON path), called name (of nested ones all their keys,
     * with dots): name, type, choices and key of the dimension, or what is wrong with the name. */
    int (*bind)(const struct json *member, const char *name, const char *path, struct spec *s,
                struct dimension *out, struct errbuf *err);
    /* A JSON value at path as a value of the dimension. */
    int (*read_value)(const struct dimension *d, const struct json *v, const char *path,
                      double *out, struct errbuf *err);
    /* A parameter with one value is no dimension: it is fixed. */
    int (*fix)(const struct dimension *d, const struct json *v, const char *path, struct spec *s,
               struct errbuf *err);
    /* What all says together, when "parameters" has been read. */
    int (*check)(const struct json *root, struct spec *s, struct errbuf *err);
    /* Its members of the canonical spec. */
    void (*write)(const struct spec *s, struct json_writer *w);
    void (*finish)(struct spec *s);
    /* Of one that has checkpoints: do its runs leave none, and begin anew after whatever ended
     * them? NULL: they do leave one. */
    bool (*begins_anew)(const struct spec *s);
    /* The configuration that `sweep-worker --prepare` reads; NULL where needs_data is false. sweep:
     * the spec as JSON, to go into it. Called by spec_write_prepare alone. */
    void (*prepare)(const struct spec *s, const char *sweep, const char *start_weights,
                    struct json_writer *w);
    /* The config.json that its worker reads. */
    void (*configure)(const struct spec *s, const struct run_setup *r, struct json_writer *w);
};

#define X(id, name) extern const struct task_kind task_##name;
TASK_MAP(X)
#undef X

const struct task_kind *task_of(const struct spec *s);
/* Its runs go on from a checkpoint: what they have shown stays. */
bool task_resumes(const struct spec *s);
/* By its name in a config.json; NULL: none. */
const struct task_kind *task_find(const char *name);
/* The member "task" of a config.json; out is untouched where there is none, or no such file. */
void task_of_config(const char *path, char *out, size_t size);

#endif
