/* A small world around the engine: a store that commits batches in order, a pool whose workers
 * train by a formula, and a clock that counts. Any of it can be cut off at any moment, as kill -9
 * of the daemon would: what was committed stays, workers live on, everything else is gone. */
#ifndef TESTS_ENGINE_WORLD_H
#define TESTS_ENGINE_WORLD_H

#include "daemon/engine/engine.h"
#include "sweep/buf.h"
#include "sweep/run_config.h"
#include "sweep/rng.h"
#include "tests/unit/engine/fake_store.h"

#define WORLD_POINTS 6 /* of each run */

struct world_worker {
    int64_t run_id;
    size_t launcher; /* whose slot it has */
    struct run_config config;
    size_t sent;     /* lines of its file told to this engine */
    int64_t trained; /* points */
    bool termed;
    bool adopted;    /* nobody learns its exit status */
    int64_t attempt; /* starts of that run so far */
};

/* A run's folder. Lines of run.jsonl: 0 and below a start that resumes -line, else a point. */
struct world_folder {
    int64_t *lines;
    size_t count;
    int64_t checkpoint;        /* points of it; 0: there is none */
    int64_t rung;              /* epoch of the paused result it ends with; 0: none */
    struct run_config *config; /* of the last start */
};

struct world_batch {
    struct effects fx;
};

struct world {
    struct engine *engine;
    size_t workers_max;
    struct rng rng;
    utc_us now;
    struct effects fx; /* of this turn */
    struct fake_store store;
    /* not committed yet */
    struct world_batch *batches;
    size_t batch_count;
    /* workers */
    struct world_worker *workers;
    size_t worker_count;
    struct world_folder folders[4096]; /* by run id */
    int64_t starts[4096];
    /* Every so many points a worker leaves a checkpoint, and when it is told to end; 0: never. */
    int64_t checkpoint_every;
    bool overfit; /* without l2 the validation loss turns up after the second point */
    /* what was seen */
    size_t most_running, replies, refusals, wakes, notes;
    struct errbuf last_error;
    char last_reply[256];
    int64_t dropped[4096]; /* weights dropped: times, by run id */
    size_t resumed;        /* starts from a checkpoint */
    size_t steps;          /* points trained */
    int64_t deleted_sweep;
    size_t deleted_runs;
    struct buf methods; /* "run_started point … " of the notifications */
    /* no worker can be started before that time, and of that run never */
    utc_us starts_from;
    int64_t never_starts;
    size_t failed_starts;
    /* makes attempt `attempt` of a run end without a result; RUN_ERROR_NONE: it goes well */
    enum run_error (*fate)(const struct run_config *c, int64_t attempt, int64_t *after_points);
};

void world_init(struct world *w, size_t workers, uint64_t seed);
void world_finish(struct world *w);
void world_submit(struct world *w, const char *method, const char *parameters, int64_t run_cap,
                  uint64_t seed, const char *more);
/* The spec is taken over; first may be NULL. */
void world_submit_spec(struct world *w, struct spec *s, const struct record_prepared *p,
                       const struct enqueued *first);
void world_enqueue(struct world *w, int64_t sweep_id, const char *params);
/* Shorthands: a grid submitted and settled; the same with data that has a finding; a point and an
 * end that a worker did not make up itself. */
#define SIX_DEPTHS "\"depth\":{\"min\":1,\"max\":6}"
#define ONE_RUN "\"depth\":{\"values\":[2]}"
void world_grid(struct world *w, const char *parameters, const char *more);
void world_submit_finding(struct world *w, const char *kind, const char *on_nan);
struct point point_at(int64_t number, double val_loss);
void world_tell(struct world *w, int64_t run_id, int64_t number, double val_loss);
void world_end(struct world *w, int64_t run_id, struct run_exit x);
/* One turn of the loop is over: schedule, queue the batch. */
void world_flush(struct world *w);
/* Commits the oldest batch and carries out its actions; false when there is none. */
bool world_commit(struct world *w);
void world_settle(struct world *w); /* flush and commit until nothing is left */
/* Worker i trains a point, or ends. */
void world_work(struct world *w, size_t i);
/* Until no worker is left and nothing to start. Random order from w->rng. */
void world_run(struct world *w);
/* kill -9 and a new daemon. Each living worker is adopted, or dies with chance lose/256. */
void world_crash(struct world *w, size_t workers, unsigned lose);
/* Turns of everything, fewer than `most`, in random order from w->rng. */
void world_wander(struct world *w, uint32_t most);
/* Flushes, commits and work in random order, until so many crashes have come, one in `one_in`
 * moments. */
void world_stumble(struct world *w, size_t crashes, uint32_t one_in, unsigned lose);

const struct sweep_row *world_sweep(const struct world *w, int64_t id);
const struct run_row *world_run_row(const struct world *w, int64_t sweep_id, int64_t number);
/* Decisions of that kind about the run; run_id 0: about any run of the sweep. */
size_t world_decisions(const struct world *w, int64_t sweep_id, int64_t run_id,
                       enum decision_kind kind);
/* Events of that kind about the run whose words have the text. */
size_t world_events(const struct world *w, int64_t run_id, const char *kind, const char *text);
size_t world_count(const struct world *w, int64_t sweep_id, enum run_status status);
/* What canonical_content promises: everything but ids, times, pids and attempts. */
char *world_canonical(const struct world *w, int64_t sweep_id);

#endif
