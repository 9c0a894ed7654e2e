/* A sweep that is taken into other tools: asked of the daemon once, for every form. Nothing here
 * trusts its names and texts: a form makes them safe as its readers want them. */
#ifndef SWEEPCTL_EXPORTED_H
#define SWEEPCTL_EXPORTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/client.h"
#include "sweep/spec.h"

/* What became of a run, as other tools tell apart: a run that a rule stopped is pruned, but the
 * sweep's best is complete; one that ended without a number has failed. */
enum exported_state {
    EXPORTED_WAITING, EXPORTED_RUNNING, EXPORTED_COMPLETE, EXPORTED_PRUNED, EXPORTED_FAILED,
    EXPORTED_STATE_COUNT
};

struct exported {
    struct client *client;
    int64_t id;
    const struct json *sweep; /* the row of `show` */
    char *name;               /* the sweep's, or "sweep 3" */
    const char *metric;       /* that it ranks by */
    struct spec spec;
    struct json **runs;       /* rows of `runs`, in their order */
    size_t run_count, run_cap;
    size_t states[EXPORTED_STATE_COUNT];
    size_t values;            /* counted: of points, as a form wrote them */
    size_t read;              /* runs whose points it has read */
    struct errbuf err;        /* for a form's use */
    struct rpc_reply reply;   /* to `show` */
};

/* An exit status; else the failure has been reported and there is nothing to close. */
int exported_open(struct client *c, int64_t sweep, struct exported *out);
void exported_close(struct exported *e);

enum exported_state exported_state_of(const struct exported *e, const struct json *run);
/* What the run is ranked by, which may be no number. false: it has none, or failed or was
 * cancelled: other tools take the best of what they are given for the best. */
bool exported_metric(const struct json *run, double *out);

/* What a run is known by beside its parameters, and its key in the row of `runs`.
 * X(key, name) */
#define EXPORTED_ATTRIBUTE_MAP(X)     \
    X("run_id", "run_id")             \
    X("label", "label")               \
    X("cause", "cause")               \
    X("confidence", "confidence")     \
    X("remedy", "remedy")             \
    X("status", "status")             \
    X("kind", "kind")                 \
    X("stage", "stage")               \
    X("reason", "reason")             \
    X("stop_reason", "stop_reason")   \
    X("error_class", "error")         \
    X("error_text", "error_text")     \
    X("parent_id", "parent_run")      \
    X("treated_with", "treated_with") \
    X("cured", "cured")               \
    X("change", "change")             \
    X("best_epoch", "best_epoch")     \
    X("epochs_done", "epochs_done")   \
    X("seconds", "seconds")           \
    X("val_loss", "val_loss")         \
    X("val_acc", "val_acc")           \
    X("test_loss", "test_loss")       \
    X("test_acc", "test_acc")         \
    X("metric_value", "metric_value")

struct exported_attribute {
    const char *key, *name;
};
extern const struct exported_attribute exported_attributes[];
extern const size_t exported_attribute_count;

/* A start or an end ("started_at") in seconds since 1970, UTC; 0: none. */
double exported_time(const struct json *run, const char *key);
/* When a run began; of one that never did, when it was made. */
double exported_started(const struct json *run);
/* A text as it is, anything else as JSON; NULL: not there, or null. The caller frees. */
char *exported_text(const struct json *v);

struct exported_value {
    const char *name;
    double value; /* NaN and ±Inf are values */
};
/* What was measured at a point: known columns, then what has a name of the program's own. */
struct exported_point {
    int64_t point;
    double epoch;
    double seconds; /* since the run's start; NAN: not known */
    size_t count;
    const struct exported_value *values;
};
typedef void exported_each(void *arg, const struct exported_point *p);
/* Those of one run, in order. An exit status. */
int exported_points(struct exported *e, const struct json *run, exported_each *each, void *arg);

#endif
