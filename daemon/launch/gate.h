/* The good neighbour: whether new runs may start on this machine now. Judging is pure; looking
 * reads the load, the local time and the power supply. */
#ifndef SWEEPD_GATE_H
#define SWEEPD_GATE_H

#include <stdbool.h>

#define GATE_WHY_MAX 96
#define GATE_ANY_TIME (-1)

struct gate {
    double max_load; /* the 1-minute load average from which on nothing starts; 0: any */
    int from, until; /* minutes of the local day in which runs are wanted; GATE_ANY_TIME */
    bool mains_only; /* nothing on battery */
};

struct gate_facts {
    double load; /* ours included, as in `make -l` */
    int minute;  /* of the local day */
    bool on_battery;
};

enum gate_verdict {
    GATE_OPEN,
    GATE_NO_STARTS, /* what runs goes on: it is part of the load, which must not swing */
    GATE_PAUSE,     /* what can go on later from a checkpoint ends too */
};

struct gate_judgement {
    enum gate_verdict verdict;
    char why[GATE_WHY_MAX]; /* "" where it is open */
};

void gate_look(struct gate_facts *out);
struct gate_judgement gate_judge(const struct gate *g, const struct gate_facts *f);

#endif
