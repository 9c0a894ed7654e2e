/* The lines of a run folder's run.jsonl (docs/protocol.md, "The run folder"): one JSON object a
 * line, the first a start, then points (each may be followed by a line of its layers), the last a
 * result; behind one that is paused may follow the start of the worker that goes on.
 * `sweep-worker --prepare` prints one prepared or error line in the same way. Other programs may
 * write these lines. */
#ifndef SWEEP_RECORD_H
#define SWEEP_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/curve.h"
#include "sweep/err.h"
#include "sweep/layer_stat.h"
#include "sweep/metrics.h"
#include "sweep/run.h"

#define RECORD_VERSION 1
#define RECORD_LINE_MAX (1 << 20) /* bytes; holds RECORD_FINDINGS_MAX findings of any text */
#define RECORD_SOURCES_MAX 8
#define RECORD_FINDINGS_MAX 256
#define RECORD_NOTES_MAX 16

enum record_type {
    RECORD_START,
    RECORD_POINT,
    RECORD_RESULT,
    RECORD_PREPARED,
    RECORD_ERROR,
    RECORD_LAYERS, /* of the last point */
};

struct record_start {
    int64_t pid;
    char core[48];   /* BLAS kernel in use, "Cooperlake" */
    char blas[160];  /* library and version */
    int64_t parameters; /* trainable numbers in the network */
    int64_t flop;       /* floating-point operations to train on one sample; 0: not said */
    int64_t resumed_point; /* the checkpoint's last point; 0: from the beginning */
    int64_t grace_ms;      /* after a SIGTERM it may take so long to end; 0: as is usual */
    bool anew;             /* what it has reported before counts for nothing: points come again */
};

struct record_result {
    enum run_status status;   /* completed, stopped, failed or paused */
    enum run_error error;     /* with failed */
    char text[512];           /* reason of stopped, message of failed; else "" */
    double seconds;
    int64_t epoch;            /* with paused: the last one it finished; 0 else */
    bool has_test;            /* the best weights were kept and there is a test set */
    bool has_test_acc;        /* classification */
    double test_loss, test_acc;
};

/* A place in the data that a person must look at (G3.1). */
struct record_finding {
    char kind[32];    /* "nan_in_input", "inf_in_input", "nan_after_scaling", "constant_column",
                         "class_only_in_validation", "duplicate_rows", "class_imbalance",
                         "sorted_targets", and of columns (docs/spec.md, Findings) */
    int64_t row, column; /* from 1; 0: not of one row/column */
    int64_t count;    /* how many such values in all */
    char text[256];
};

struct record_source { /* a file the data came from */
    char path[1024];
    int64_t size_bytes, mtime_ns;
};

/* What was inferred of the data, which its person did not say. */
struct record_note {
    char key[40];     /* of the spec, that says it otherwise: "data.task" */
    char text[256];
};

struct record_prepared {
    char hash[65];     /* content hash of the data, hex */
    char cache[1024];  /* cache file that workers map */
    int64_t samples, features, classes; /* classes 0: regression; samples of the training file */
    int64_t validation_samples, test_samples; /* of files of their own; 0: none */
    int64_t rank, dim[3];  /* shape of a sample: [features], [steps, features] or
                              [channels, height, width] */
    int64_t outputs;       /* targets of a sample (regression), or labels of it: 1, or its steps */
    int64_t flop;          /* to train on one sample, by the configuration itself; 0: not said */
    char target[160];      /* what is predicted, by the file's own name for it; "": it has none */
    size_t note_count;
    struct record_note notes[RECORD_NOTES_MAX];
    size_t source_count;
    struct record_source sources[RECORD_SOURCES_MAX];
    size_t finding_count;
    struct record_finding findings[RECORD_FINDINGS_MAX];
};

struct record {
    enum record_type type;
    struct point_metrics *metrics; /* of a point, NULL: none; owned: record_finish */
    union {
        struct record_start start;
        struct point point;
        struct record_result result;
        struct record_prepared *prepared; /* owned: record_finish */
        struct layer_stats *layers; /* owned: record_finish */
        struct errbuf error; /* --prepare refused; key relative to the spec, "$.data.path" */
    } u;
};

struct buf;
/* Appends the line with its '\n'. */
void record_write(const struct record *r, struct buf *out);
/* line[0..len) without '\n'. 0 or an error that says what is wrong with the line. */
int record_parse(const char *line, size_t len, struct record *out, struct errbuf *err);
/* What record_parse has said of a line, and the line as far as it fits: for whoever wrote the
 * program that printed it. */
void record_explain(const char *line, size_t len, const struct errbuf *why, char *out, size_t size);
void record_finish(struct record *r);

/* Each as an object, as the line has it. */
void record_finding_write(const struct record_finding *f, struct json_writer *w);
void record_note_write(const struct record_note *n, struct json_writer *w);

#endif
