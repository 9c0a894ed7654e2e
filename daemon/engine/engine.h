/* The engine: the only writer of run and sweep state. An event goes in, effects come out: rows
 * to be committed, and actions that may happen once they are. No I/O, no clock, no libuv: it can
 * be replayed. Same events, same effects.
 *
 * Slots, not processes: the engine decides which run starts, and under which launcher; the pool
 * does it. A launcher is a number here, and how many slots it has. */
#ifndef SWEEPD_ENGINE_H
#define SWEEPD_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/engine/restored.h"
#include "daemon/engine/rows.h"
#include "daemon/causes/remedy.h"
#include "daemon/plan/remedy_prior.h"
#include "sweep/err.h"
#include "sweep/limits.h"
#include "sweep/record.h"
#include "sweep/space.h"

struct engine;
struct json;
struct json_writer;
struct resource_pool;
struct spec;

#define RUN_OWNER_MAX 256

/* Whose a run's folder is. */
struct run_owner {
    char identity[RUN_OWNER_MAX]; /* its identity.json: database, sweep and run */
    bool may_be_unmarked;         /* an earlier version may have made it, without one */
};

enum action_type {
    ACTION_START_RUN,       /* run folder, config.json, exec */
    ACTION_TERM_RUN,        /* SIGTERM (a worker leaves a checkpoint then), SIGKILL after 5 s */
    ACTION_DROP_CHECKPOINT, /* the run has ended */
    ACTION_DROP_WEIGHTS,    /* the run is no longer among the sweep's best three */
    ACTION_DELETE_RUNS,     /* run folders of a deleted sweep */
    ACTION_NOTIFY,          /* to watchers: method + params */
    ACTION_REPLY,           /* to the request `token`: result or error */
    ACTION_WAKE_WAITERS,    /* the sweep is terminal or held: `wait` requests are answered */
    ACTION_IMPORTED,        /* the sweep of an import is durable */
};

struct action {
    enum action_type type;
    int64_t sweep_id, run_id;
    size_t launcher;          /* START_RUN: whose slot it has */
    char *config;             /* START_RUN: the text of config.json; owned */
    struct run_owner *owner;  /* START_RUN: whose its folder must be; owned */
    struct run_limits limits; /* START_RUN */
    bool whole_environment;   /* START_RUN: its worker gets all of the daemon's */
    int64_t *run_ids;         /* DELETE_RUNS; owned */
    size_t run_id_count;
    const char *method;   /* NOTIFY; static */
    char *json;           /* NOTIFY params, REPLY result; owned */
    void *token;          /* REPLY */
    struct errbuf *error; /* REPLY; owned, NULL: json is the result */
};

struct effects {
    struct store_batch batch;
    size_t action_count, action_cap;
    struct action *actions; /* to be carried out in order, after the batch is durable */
};
void effects_finish(struct effects *e);
/* Behind what it holds; more is empty then. */
void effects_join(struct effects *fx, struct effects *more);
struct action *effects_add(struct effects *fx, enum action_type type, int64_t sweep_id,
                           int64_t run_id);
/* To the request of the token: the result, which is taken over, or the error. */
void effects_reply(struct effects *fx, void *token, char *json);
void effects_refuse(struct effects *fx, void *token, const struct errbuf *err);
void action_finish(struct action *a);

/* runs_dir: the folder of the runs, for config.weights and config.checkpoint. */
struct engine *engine_create(const char *runs_dir);
#define ENGINE_LAUNCHERS_MAX 8
/* Runs that the launcher can have at a time; 0 before this is called. Fewer than it has now: those
 * go on. */
void engine_set_capacity(struct engine *e, size_t launcher, size_t slots);
/* What it has beside them: a copy, of which what its runs have is taken. Without this nothing is
 * counted. After engine_restore. */
void engine_set_resources(struct engine *e, size_t launcher, const struct resource_pool *pool);
/* 0, or ERR_VALUE where its runs need what this machine never has. */
int engine_check_resources(const struct engine *e, const struct spec *spec, struct errbuf *err);
/* The GPUs that an adopted run has, by name. */
void engine_run_devices(struct engine *e, int64_t run_id, char *const *names, size_t count);
/* What this machine has, and what of it is taken. */
void engine_write_resources(const struct engine *e, struct json_writer *w);
/* Slots of an open sweep's own, under the launcher that its specification names: that launcher's
 * other slots, if any, are not for it. 0 before this is called. */
void engine_set_sweep_slots(struct engine *e, int64_t sweep_id, size_t slots);
/* Least time between two checkpoints of a run that is not asked to end. */
void engine_set_checkpoint_seconds(struct engine *e, double seconds);
/* The first wait before a failed attempt is followed by another; it doubles up to 64 times. */
void engine_set_retry_seconds(struct engine *e, double seconds);
/* Of runs whose specification says none. */
void engine_set_limits(struct engine *e, const struct run_limits *limits);
void engine_destroy(struct engine *e);

/* --- events (each appends to fx; now in UTC µs) -------------------------------------------- */

/* Once, first: open sweeps and their runs. Runs that were `running` stay so: the pool says of
 * each whether it was adopted or lost. A sweep that cannot be read is held, with the reason; the
 * others go on. Takes over what the rows of runs own. */
void engine_restore(struct engine *e, struct store_restored *r, utc_us now,
                    struct effects *fx);
/* The pool found the run's worker alive, or its folder complete: it goes on, in a slot of that
 * launcher. */
void engine_run_adopted(struct engine *e, int64_t run_id, size_t launcher, utc_us now,
                        struct effects *fx);
/* No worker and no result: queued again (a daemon's death never counts as an attempt). */
void engine_run_lost(struct engine *e, int64_t run_id, utc_us now, struct effects *fx);

/* A run that a person asks for. */
struct enqueued {
    enum run_kind kind; /* search: the values `at`; treatment: all the rest */
    struct assignment at;
    const char *stage, *reason; /* of a search's; NULL: those of a person's wish */
    int64_t parent_id; /* run that is treated, of any sweep */
    struct settings parent_settings;
    bool has_parent_metric;
    double parent_metric; /* which the treatment's is held against */
    enum remedy remedy;
    enum pattern pattern; /* of the parent */
    enum cause_id cause;
    const struct treatment *treatment; /* the whole configuration; borrowed */
};

struct submission {
    struct spec *spec;
    const struct record_prepared *prepared;
    const struct remedy_prior *known; /* what earlier sweeps taught of remedies */
    const struct enqueued *first;     /* a run it begins with; NULL: the search's own */
    const char *id;                   /* of the client's choice; NULL: none */
    const char *warm;                 /* of earlier sweeps (warm.h); NULL: nothing */
    utc_us deadline;                  /* what the specification's `until` is; 0: it has none */
};
/* Data is prepared and the spec checked: the sweep becomes rows, and is acknowledged. Takes over
 * what spec holds and leaves it empty; the struct itself stays the caller's. Held at once where
 * prepared has findings of NaN and on_nan may be hold. */
void engine_submit(struct engine *e, struct submission *in, void *token, utc_us now,
                   struct effects *fx);
/* The open sweep with that id of a client's choice, perhaps not durable yet; 0: none. */
int64_t engine_submitted(const struct engine *e, const char *id);
/* An id that an open sweep has: answers with that sweep, which is durable then, or refuses where
 * the spec is another one. False: no open sweep has it. */
bool engine_submit_again(struct engine *e, const char *id, const struct spec *spec, void *token,
                         struct effects *fx);
/* Adds a run with those values (an object with one of each swept parameter) to an open sweep. */
void engine_enqueue(struct engine *e, int64_t sweep_id, const struct json *params, void *token,
                    utc_us now, struct effects *fx);
/* More runs of a sweep, or wider ranges; or of one that is not open, which is again then. */
struct extension {
    int64_t sweep_id;
    struct spec_extension what;
    struct store_restored *ended; /* of one that has ended; its runs are taken. NULL: open */
};
void engine_extend(struct engine *e, const struct extension *in, void *token, utc_us now,
                   struct effects *fx);
/* A run that another program has carried out. */
struct imported_run {
    struct assignment at;
    enum run_status status;        /* completed, stopped, failed */
    char *reason, *text;           /* where it is from; why it was stopped or failed. NULL: none */
    utc_us started, ended;         /* 0: not known */
    size_t count, cap;
    struct point_metrics **points; /* by ascending epochs; their numbers are given here */
};
/* A whole sweep of them: history. */
struct imported_sweep {
    struct spec *spec;  /* of method by_hand and task client; what it holds is taken over */
    const char *id;     /* what its content is known by */
    const char *source; /* in words */
    size_t count;
    struct imported_run *runs;
};
/* An engine of its own carries it out, beside this one, which goes on meanwhile: it has the ids of
 * a sweep and of so many runs, which nobody else is given from now on. The caller destroys it. */
struct engine *engine_import_begin(struct engine *e, const char *id, size_t runs);
/* By that engine alone, on any thread: it becomes a sweep that has ended, in one batch, labelled as
 * if its runs had been carried out here. Its events and notifications are those of the sweep alone.
 * Returns its id. */
int64_t engine_import(struct engine *own, const struct imported_sweep *in, utc_us now,
                      struct effects *fx);
/* It is durable, or given up. */
void engine_import_end(struct engine *e, int64_t sweep_id);
/* The sweep that the content of that id is to be, between the begin and the end; 0: none. */
int64_t engine_importing(const struct engine *e, const char *id);
/* Of an open sweep, borrowed until the next event: its specification, and the hash of its data.
 * NULL: it is not open. */
const struct spec *engine_sweep_spec(const struct engine *e, int64_t sweep_id);
const char *engine_sweep_data(const struct engine *e, int64_t sweep_id);
/* How many sweeps have ended, or were deleted, since the start: where it is another number, what
 * was read of an ended one may not hold any more. */
uint64_t engine_closed(const struct engine *e);
/* --- clients that carry runs out (task `client`) --- */

#define LEASE_SECONDS 60
#define LEASE_SECONDS_MAX 86400
#define LEASE_MAX 40 /* bytes, with the NUL */
struct lease_wanted {
    int64_t sweep_id;
    int seconds;       /* so long after its client was last heard of it ends */
    const char *lease; /* a word of the client's choice; "": one of ours */
};
/* The next run of an open sweep, or none, while there is none. The run that is held by the word
 * already, where one is: who does not know whether his ask was answered asks again. */
void engine_ask(struct engine *e, const struct lease_wanted *in, void *token, utc_us now,
                struct effects *fx);
struct lease_report {
    int64_t run_id;
    const char *lease;
    struct point_metrics *const *points; /* with their epochs; their numbers are given here */
    size_t count;
};
/* Points, as far as the run's rung, and whether it goes on behind them. */
void engine_report(struct engine *e, const struct lease_report *in, void *token, utc_us now,
                   struct effects *fx);
struct lease_told {
    int64_t run_id;
    const char *lease;
    const struct record_result *result; /* completed or failed */
    bool has_value;
    double value; /* of the metric, at the end; may be non-finite */
    const struct point_metrics *values; /* of objectives, by their names, or all in their order
                                           ("" then); NULL: none */
};
void engine_tell(struct engine *e, const struct lease_told *in, void *token, utc_us now,
                 struct effects *fx);

/* Fills the free slots. Called once after every burst of events, and at engine_wake_at. */
void engine_schedule(struct engine *e, utc_us now, struct effects *fx);

void engine_run_spawned(struct engine *e, int64_t run_id, const char *handle, utc_us now,
                        struct effects *fx);
/* A worker's first line. Its points go on behind s->resumed_point: those behind that, if they were
 * seen before, come again. */
void engine_run_start_line(struct engine *e, int64_t run_id, const struct record_start *s);
/* Before a start line that says so: what the run has reported counts for nothing, for a better way
 * to report was heard. */
void engine_run_anew(struct engine *e, int64_t run_id, struct effects *fx);
/* The number of points that were taken; fewer than count: what follows is no good. */
size_t engine_run_points(struct engine *e, int64_t run_id, const struct point *p, size_t count,
                         utc_us now, struct effects *fx);
/* Values by names of the program's own, n points of them, after their points. */
void engine_run_metrics(struct engine *e, int64_t run_id, struct point_metrics *const *m, size_t n,
                        struct effects *fx);
/* What the layers showed at a point that was given before; again when a worker resumes. */
void engine_run_layers(struct engine *e, int64_t run_id, const struct layer_stats *s,
                       struct effects *fx);
/* The worker is gone. result: what it said itself, NULL if nothing. error/signal/text: what the
 * pool saw, when there is no result. */
struct run_exit {
    const struct record_result *result;
    enum run_error error;
    int signal;
    const char *text;        /* or NULL */
    const char *stderr_tail; /* or NULL */
    double joules;           /* that it used, as far as it was measured */
    bool inherited;          /* PROTOCOL: what is wrong was there before this attempt */
};
void engine_run_ended(struct engine *e, int64_t run_id, const struct run_exit *x, utc_us now,
                      struct effects *fx);
/* Something that a person may want to know of: an event of that kind. */
void engine_run_note(struct engine *e, int64_t run_id, const char *kind, const char *text,
                     utc_us now, struct effects *fx);

/* Commands. Reply by an ACTION_REPLY with that token. A sweep that is not open (terminal before
 * the daemon started) is ERR_STATE/ERR_NOT_FOUND: the caller asks the store which. */
enum sweep_command { COMMAND_PAUSE, COMMAND_RESUME, COMMAND_CANCEL, COMMAND_DELETE };
void engine_command(struct engine *e, enum sweep_command c, int64_t sweep_id, void *token,
                    utc_us now, struct effects *fx);
void engine_cancel_run(struct engine *e, int64_t run_id, void *token, utc_us now,
                       struct effects *fx);
/* No more starts. drain false: every running run that can go on from a checkpoint gets TERM, leaves
 * one and goes back to the queue (no attempt counted) when it ends. Those that would have to begin
 * anew run on: the next daemon adopts them. */
void engine_shutdown(struct engine *e, bool drain, utc_us now, struct effects *fx);
/* How many those are: the end does not wait for them. 0: there is no end, or all are drained. */
size_t engine_left(const struct engine *e);

/* Its launcher cannot carry it out: it waits for a person. Runs that have a worker go on. */
void engine_hold_sweep(struct engine *e, int64_t sweep_id, const char *why, utc_us now,
                       struct effects *fx);

/* Of this machine: sweeps that name another place do not mind it.
 * New runs start only while the gate is open: it is open at first. pause: those that run and can go
 * on from a checkpoint yield their places meanwhile, as at a pause of their sweep. */
void engine_set_gate(struct engine *e, bool open, bool pause, struct effects *fx);

/* --- queries ------------------------------------------------------------------------------- */
/* When something that waits may be begun, or a sweep's next step is due: engine_schedule is to be
 * called then. 0: nothing waits. */
utc_us engine_wake_at(const struct engine *e, utc_us now);
/* Workers cannot be started at present. */
struct launch_trouble {
    unsigned failures; /* in a row */
    double seconds;    /* to the next attempt */
    const char *why;   /* borrowed */
};
bool engine_launch_trouble(const struct engine *e, utc_us now, struct launch_trouble *out);
/* Queued runs that wait after a failure: how many, and those of a sweep as an array. */
size_t engine_delayed(const struct engine *e, utc_us now);
void engine_write_delayed(const struct engine *e, int64_t sweep_id, utc_us now,
                          struct json_writer *w);
/* An open sweep whose specification names that launcher. */
struct placed_sweep {
    int64_t id;
    enum sweep_status status;
    size_t running, waiting; /* runs with a slot, and those that may begin now */
};
/* Of those, the first max; returns how many there are. */
size_t engine_placed(const struct engine *e, size_t launcher, utc_us now, struct placed_sweep *out,
                     size_t max);
/* The launcher that its sweep names; 0: any. Of a run with a slot. */
size_t engine_run_launcher(const struct engine *e, int64_t run_id);
int64_t engine_run_sweep(const struct engine *e, int64_t run_id); /* 0: it has no slot */
/* What a run with a slot may take. */
struct run_limits engine_run_limits(const struct engine *e, int64_t run_id);
size_t engine_running(const struct engine *e); /* runs with a worker */
size_t engine_leased(const struct engine *e);  /* runs that clients have */
size_t engine_queued(const struct engine *e);
size_t engine_workers(const struct engine *e); /* slots of all launchers */
bool engine_sweep_open(const struct engine *e, int64_t sweep_id, enum sweep_status *status,
                       const char **reason);
/* Ids of runs that have a worker, for adoption after engine_restore. Returns the number written. */
size_t engine_running_ids(const struct engine *e, int64_t *out, size_t max);
enum run_known {
    RUN_KNOWN_LIVE,   /* not ended, of an open sweep: out is filled in */
    RUN_KNOWN_PAST,   /* it has ended, or was deleted */
    RUN_KNOWN_NOT_YET /* no run has had that id */
};
enum run_known engine_run_owner(const struct engine *e, int64_t run_id, struct run_owner *out);
/* What tells the database from every other. */
const char *engine_database(const struct engine *e);
/* Of its worker; "" where it has none. */
const char *engine_run_handle(const struct engine *e, int64_t run_id);

#endif
