/* What the machine's processors and memory use, as RAPL counts it (Linux: powercap, of Intel's and
 * AMD's), and a worker's share of it: that of its processor time in all that was used meanwhile. So
 * what the machine takes while idle is shared among those who work. */
#ifndef SWEEPD_ENERGY_H
#define SWEEPD_ENERGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENERGY_ROOT "/sys/class/powercap"
#define ENERGY_ZONES_MAX 32
#define ENERGY_PATH_MAX 160

/* A counter that begins again behind its highest value. */
struct energy_zone {
    char path[ENERGY_PATH_MAX];
    uint64_t last, highest; /* µJ */
};

struct energy_meter {
    size_t count; /* 0: there is none that may be read */
    struct energy_zone zones[ENERGY_ZONES_MAX];
    double joules; /* since it was opened */
};

struct energy_reading {
    double joules;       /* of this machine, since the meter was opened */
    double busy_seconds; /* of all its processors, since its start */
};

/* root: the folder of the zones. False: nothing there, or only root may read it. */
bool energy_open(struct energy_meter *m, const char *root);
/* At least once a minute, else a counter may have begun again unseen. False: it cannot be read. */
bool energy_read(struct energy_meter *m, struct energy_reading *out);

/* Of one worker. Zeros at its beginning. */
struct energy_share {
    bool begun;
    struct energy_reading at; /* the last look */
    double cpu_seconds;       /* of the worker, then */
    double part;              /* of all processor time, before it */
    double joules;
};

/* A worker's processor time so far. */
void energy_share_look(struct energy_share *s, const struct energy_reading *now,
                       double cpu_seconds);
/* It has ended since the last look: it went on as before. */
void energy_share_end(struct energy_share *s, const struct energy_reading *now);

#endif
