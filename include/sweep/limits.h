/* What a run may take before it is ended; 0: no limit. */
#ifndef SWEEP_LIMITS_H
#define SWEEP_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#define LIMITS_SECONDS_MAX 31536000.0 /* a year */
#define LIMITS_MEMORY_MIB_MAX (INT64_C(1) << 32)
#define LIMITS_FAILURES 16 /* default of "failures" */
#define LIMITS_FAILURES_MAX 1000000

struct run_limits {
    int64_t memory_mib;   /* private memory of the worker and all that it has started */
    double seconds;       /* of an attempt */
    double idle_seconds;  /* without a new line of run.jsonl */
    double quiet_seconds; /* without a line, or processor time that it used */
};

/* "limits" of a specification. */
struct spec_limits {
    struct run_limits run; /* 0: what the daemon was started with */
    bool has_failures;
    int64_t failures; /* alike in a row hold the sweep; 0: however many, it goes on */
};

#endif
