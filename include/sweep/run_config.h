/* config.json: all that a worker needs to train one run (docs/protocol.md, "The run folder"). */
#ifndef SWEEP_RUN_CONFIG_H
#define SWEEP_RUN_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/curve.h"
#include "sweep/setting.h"
#include "sweep/spec.h"

#define RUN_CHECKPOINT_SECONDS 30 /* default */

struct run_config {
    struct spec_data data;
    struct settings settings;
    struct layer_list layers;     /* of a sequential model */
    int64_t epochs;        /* the horizon: what its schedule counts to */
    int64_t until_epoch;   /* the budget: it pauses behind this epoch; 0 or epochs: to the end */
    uint64_t seed;         /* initialisation, order of samples */
    uint64_t split_seed;   /* held-out validation samples */
    enum metric metric;    /* decides which epoch's weights are the best */
    bool maximize;
    char data_hash[65];    /* "" by hand; else the data must still have this content hash */
    char weights[SPEC_PATH_MAX]; /* file for the best epoch's weights (safetensors); "": none */
    char start_weights[SPEC_PATH_MAX]; /* safetensors to start with; "": drawn (G3.2) */
    char predict[SPEC_PATH_MAX];       /* --predict: file of rows that start_weights answer for */
    char checkpoint[SPEC_PATH_MAX];    /* file to resume from and to write; "": none */
    char start_checkpoint[SPEC_PATH_MAX]; /* of another run, to go on from as if it were its own
                                             where it has none yet; "": it begins */
    double checkpoint_seconds;   /* least time between two */
    bool has_weights_floor;      /* weights of a run worse than the floor are not wanted */
    double weights_floor;        /* by the metric */
    const char *sweep;           /* only written, for --prepare: JSON of the one whose runs are
                                    checked; NULL: none; borrowed */
};

struct errbuf;
struct json;
struct json_writer;

/* {"version":1,"data":{},"model":{},"train":{},"epochs":10,"until_epoch":3,"seed":"110",
 *  "split_seed":"110","metric":{"name":"val_loss","goal":"minimize"},"data_hash":"…",
 *  "weights":"…","weights_floor":0.54,"start_weights":"…","predict":"…","checkpoint":"…",
 *  "start_checkpoint":"…",  "checkpoint_seconds":30,"sweep":{}}
 * Only data is required by hand; everything else has the defaults of docs/spec.md. */
int run_config_parse(const struct json *root, struct run_config *out, struct errbuf *err);
/* The same from a file of at most 1 MiB. Also ERR_IO. */
int run_config_read(const char *path, struct run_config *out, struct errbuf *err);
void run_config_write(const struct run_config *c, struct json_writer *w);

#endif
