/* Where a sweep's runs are carried out: "on" of its specification. Pure data. */
#ifndef SWEEP_PLACE_H
#define SWEEP_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(id, name): in the order of the daemon's table of launchers. */
#define LAUNCHER_MAP(X) X(LOCAL, local) X(SLURM, slurm)

enum launcher_id {
#define X(id, name) LAUNCHER_##id,
    LAUNCHER_MAP(X)
#undef X
        LAUNCHER_COUNT
};

#define PLACE_PARTITION_MAX 128
#define PLACE_SLOTS_MAX 10000
#define PLACE_OPTIONS_MAX 64
#define PLACE_OPTION_BYTES 512

struct spec_place {
    enum launcher_id launcher;
    /* The rest is of launchers whose slots are the sweep's own. */
    char partition[PLACE_PARTITION_MAX]; /* "": the cluster's default */
    int64_t slots;                       /* runs at a time; 0: this machine's workers */
    char **options;                      /* for the command that asks for a slot; owned */
    size_t option_count;
};

const char *launcher_name(enum launcher_id id);

#endif
