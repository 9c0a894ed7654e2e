/* Private to daemon/engine/: what the engine keeps of open sweeps. Runs are kept whole while they
 * are live (queued, running, or cancelled with the worker still ending); of an ended run only what
 * the search needs remains, so that memory follows the batch, not the sweep. */
#ifndef SWEEPD_ENGINE_PRIVATE_H
#define SWEEPD_ENGINE_PRIVATE_H

#include "daemon/engine/engine.h"
#include "daemon/causes/labelling.h"
#include "daemon/plan/deadline.h"
#include "daemon/plan/earlier.h"
#include "daemon/plan/contenders.h"
#include "daemon/plan/finalists.h"
#include "daemon/plan/search/search.h"
#include "daemon/engine/resources.h"
#include "daemon/plan/treat.h"
#include "daemon/causes/run_facts.h"

#define LAUNCHER_OF_LEASES ENGINE_LAUNCHERS_MAX
#define BEST_RUNS_KEPT 3          /* whose weights stay */
#define FINALISTS_KEPT 16         /* until other seeds of the best have ended */
#define KEPT_MAX (FINALISTS_KEPT + FINALISTS_MAX + 1) /* never reached */
#define STAGE_ENQUEUED "enqueued" /* of runs that a person asked for */
#define STAGE_REPEAT "repeat"
#define STAGE_IMPORTED "imported" /* of runs that another program has carried out */

struct diagnosis;
struct importing;
struct ladder;
struct objective_track;
struct stored_rung;
struct json_writer;
struct rung_verdict;
struct sweep;

/* Failures in a row, and until when nothing is begun because of them. In memory: a restart of the
 * daemon tries at once. */
struct backoff {
    unsigned failures;
    utc_us until; /* 0: no wait */
};

/* That a client has the run. */
struct lease {
    char id[LEASE_MAX]; /* "": nobody has it */
    int seconds;   /* so long after its client was last heard of it ends */
    utc_us until;
};

struct run {
    struct sweep *sweep;
    struct run_row *row;
    size_t index;    /* in sweep->trials */
    size_t launcher; /* whose slot it has, while it has one */
    uint64_t devices; /* GPUs of that launcher that it has beside it, as bits */
    struct lease lease;
    uint64_t started_before; /* workers its launcher had started when that first failed for it */
    /* this attempt */
    enum pattern announced; /* last label sent while it runs; PATTERN_NONE: none */
    utc_us began;
    int64_t point_at_start; /* furthest_point then */
    struct kept_points kept;
    int64_t last_point;     /* number of the last one accepted; a resumed worker starts lower */
    double last_epoch;      /* of that point, or of an earlier one */
    int64_t seen_point;     /* highest accepted: kept and ranked up to here */
    char *protocol_error;   /* what broke the format; NULL: nothing */
    size_t labelled_points; /* points when the curve was last labelled */
    int64_t parameters;     /* of the network; 0: not said yet */
    bool claims_more;       /* its checkpoint is further than its lines */
    bool adopted;           /* its folder is read anew, and may end at the rung before this one */
    bool yielding;          /* asked to end by a pause or a shutdown: it goes on later */
    /* all attempts of this daemon */
    bool unmarked;                   /* its folder may have no identity */
    struct objective_track *objectives; /* of this attempt; NULL: nothing yet */
    struct run_facts_gather *gather; /* what its layers showed; NULL: nothing yet */
    int64_t furthest_point;          /* a new one is announced, and resets row->attempts */
};

struct kept { /* one of the sweep's best runs */
    int64_t run_id, number;
    double metric;
    bool has_test; /* and so scores on the test set */
};

/* A sweep's specification, which takes tens of KiB: where many sweeps are open, only those at work
 * have it; the others have the text in their row. */
struct spec_cache {
    struct spec *spec; /* NULL: as text alone */
};

struct sweep {
    struct sweep_row *row;
    struct spec_cache *cache; /* sweep_spec */
    bool leased;              /* clients carry out its runs */
    struct resources *needs;  /* of each of its runs; NULL: it says nothing */
    bool imported;            /* history: nothing of it is to be looked at or done again */
    size_t launcher;          /* the one its specification names; 0: none, any with free slots */
    size_t own_slots;         /* there, of its own */
    const struct search_method *method;
    struct memo *memo; /* of the method */
    struct trial **trials;         /* by run number; owned */
    const struct trial **searched; /* of them the search's own, by number */
    size_t searched_count;
    bool due; /* something has changed that may call for a next step */
    int64_t *run_ids;
    uint64_t *written_causes; /* hash of the causes as they were last written; 0: not yet */
    uint64_t *compared;       /* siblings_around each when a barrier found them; 0: none did */
    size_t run_count, run_cap;
    size_t treatments;         /* runs of that kind */
    struct ladder *ladder;     /* of runs that wait to be promoted; NULL: none did yet */
    size_t finalists;          /* runs of that stage, since the sweep was last extended … */
    size_t finalists_before;   /* … and before, with contenders */
    size_t contenders;         /* runs of that stage, since then */
    size_t extended_from;      /* runs numbered from there on came since then */
    size_t edits;              /* of the search range, as they were last written */
    struct deadline_plan fits; /* where row->fits is not NULL: that, read */
    size_t skipped;            /* runs, but for finalists and contenders */
    bool overdue;              /* its deadline has passed, and what was left was skipped */
    struct earlier *earlier;   /* of row->warm; NULL: nothing */
    struct remedy_prior prior; /* of earlier sweeps, frozen at submit */
    struct run **live;         /* by number */
    size_t live_count, live_cap;
    size_t running;      /* live runs with a slot */
    size_t waiting;      /* live runs in the queue */
    uint64_t served;     /* queue.h */
    struct backoff wait; /* for its data */
    utc_us last_until;   /* no run of it waits for longer */
    size_t alike_from;   /* failures of runs numbered below a person has seen */
    bool failures_seen;  /* by a person: they hold it no more at its end */
    struct kept best[KEPT_MAX + 1]; /* by the metric */
    size_t best_count;
    size_t ended[RUN_STATUS_COUNT], errors[RUN_ERROR_COUNT];
};

struct launcher_slots {
    size_t slots, taken;
    struct resource_pool *resources; /* NULL: not counted */
    struct backoff wait; /* workers could not be started */
    int64_t failing_run; /* the one run that they were of; 0: several */
    uint64_t started;    /* workers so far */
    char why[256];       /* the last could not be */
};

struct engine {
    struct launcher_slots launchers[ENGINE_LAUNCHERS_MAX + 1]; /* the last: of leases */
    char *runs_dir;
    char database[RESTORED_IDENTITY_MAX]; /* what tells it from every other */
    double checkpoint_seconds;
    utc_us retry_us;          /* the first wait after a failure */
    struct run_limits limits; /* of runs whose specification says none */
    int64_t last_sweep_id, last_run_id;
    const int64_t *given_ids; /* of a sweep's runs, by number: it is decided again; borrowed */
    size_t given_count;
    bool keeps_ended; /* sweeps stay: one that is decided again may have been extended */
    struct sweep **sweeps; /* by id */
    size_t sweep_count, sweep_cap;
    uint64_t closed; /* that were: engine_closed */
    struct run **running; /* with a slot */
    size_t running_count, running_cap;
    uint64_t starts;
    struct importing *importing; /* imports under way: importing.c */
    bool stopping;
    bool leaves;             /* at its end, what cannot resume: it runs on */
    bool shut; /* the gate: nothing starts */
};

/* --- roster.c -------------------------------------------------------------------------------- */
struct sweep *engine_sweep(const struct engine *e, int64_t sweep_id); /* NULL: not open */
struct run *engine_running_run(const struct engine *e, int64_t run_id);
struct run *sweep_live_run(const struct sweep *s, int64_t run_id); /* NULL: none that is live */
/* It is carried out by clients: no worker of ours does. */
bool run_is_leased(const struct run *r);
/* It is not held, paused, or behind another sweep. */
bool sweep_may_start(const struct engine *e, const struct sweep *s);
/* Of r->launcher. */
void engine_take_slot(struct engine *e, struct run *r);
void engine_move_slot(struct engine *e, struct run *r, size_t launcher);
void engine_free_slot(struct engine *e, struct run *r);
void engine_add_sweep(struct engine *e, struct sweep *s);
void engine_drop_sweep(struct engine *e, struct sweep *s);
/* Takes the row, and over what the spec holds. */
struct sweep *sweep_create(struct sweep_row *row, const struct spec *spec);
void sweep_destroy(struct sweep *s);
/* Takes the row; live runs stay whole. Numbers must come in order. */
struct run *sweep_add_run(struct sweep *s, struct run_row *row);
/* Runs numbered from there on came after it was extended: finalists of before are none of the
 * coming ones. */
void sweep_note_extended(struct sweep *s, size_t from);
/* Its specification is `wider` from now on, taken over; one that has ended is open again. */
void sweep_extend(struct sweep *s, const struct spec_extension *x, const struct spec *wider,
                  utc_us now, struct effects *fx);
void sweep_remove_live(struct sweep *s, struct run *r);
/* It is as if it had never been planned. */
void sweep_note_skipped(struct sweep *s, size_t index);
/* A run of it starts. When it is the first, max_hours counts from now on. */
void sweep_begin(struct sweep *s, utc_us now);
void sweep_set_status(struct sweep *s, enum sweep_status to, const char *reason, utc_us now,
                      struct effects *fx);
/* Number of the run with that id; TRIAL_NONE: not of this sweep. */
size_t sweep_run_number(const struct sweep *s, int64_t run_id);
static inline const struct trial *const *sweep_trials(const struct sweep *s)
{
    return (const struct trial *const *)s->trials;
}
/* What is known of the sweep by now. */
struct study sweep_study(const struct sweep *s);
/* As if there were no deadline, but without what was skipped. */
struct study sweep_bare_study(const struct sweep *s);
void trial_update(struct trial *t, const struct run_row *row);
/* Room for them, where there was none. */
struct run_facts *trial_facts(struct trial *t);
void run_put(const struct run *r, struct effects *fx);

/* --- run_plain.c ----------------------------------------------------------------------------- */
/* The whole configuration of a run of the trainer, which the caller lets go of; NULL: another
 * task's. Its row has it where it is not as the specification and its values say. */
struct trainer_config *run_config(const struct run *r);
/* The values of what is swept as JSON; owned by the caller. */
char *run_params(const struct run *r);
/* Finds the trial's ground; of one that is plain the configuration and the parameters go, which are
 * those that the two above make. */
void trial_drop_plain(const struct sweep *s, struct trial *t, struct run_row *row);

/* --- needs.c --------------------------------------------------------------------------------- */
/* What the specification says that each run needs, for the sweep; NULL: nothing. */
struct resources *needs_create(const struct spec *spec);
/* With its slot. */
void needs_take(struct engine *e, struct run *r);
void needs_give(struct engine *e, struct run *r);
/* For its configuration; gpus borrows. */
void needs_setup(const struct engine *e, const struct run *r, struct run_setup *out,
                 const char *gpus[RESOURCE_DEVICES_MAX]);

/* --- shortage.c ------------------------------------------------------------------------------ */
/* Is there what the sweep's next run needs? If not, those behind it leave it for that run; a sweep
 * that needs more than there ever is is held. */
bool needs_met(struct engine *e, size_t launcher, struct sweep *s, struct resource_claims *claims,
               utc_us now, struct effects *fx);

/* --- spec_cache.c ---------------------------------------------------------------------------- */
/* Borrowed until the sweep is put to sleep. */
const struct spec *sweep_spec(const struct sweep *s);
/* Takes over what the spec holds. */
void spec_cache_put(struct spec_cache *c, const struct spec *spec);
void spec_cache_destroy(struct spec_cache *c);
/* Where many are open, a sweep of which nothing runs gives up its specification until it is asked
 * for again. Only while nobody has it in hand. */
void sweep_put_to_sleep(const struct engine *e, struct sweep *s);
void engine_put_to_sleep(struct engine *e); /* all */

/* --- best.c ---------------------------------------------------------------------------------- */
/* Books an ended run, whose trial knows its end: counts, best runs. Drops weights that are no
 * longer wanted, and test scores with them: only winners have those (fx may be NULL when history is
 * read back). */
void sweep_book_ended(struct sweep *s, const struct run_row *row, struct effects *fx);
/* The same of a run that ends now, and an event where the best run is another one since. */
void run_book_ended(struct run *r, utc_us now, struct effects *fx);
/* It has several objectives. */
bool sweep_has_front(const struct sweep *s);
/* As soon as so many runs keep their weights, none that is worse than the last of them will; of
 * several objectives none that is further from the front. */
size_t sweep_keeps(const struct sweep *s);
/* No more than sweep_keeps. */
void sweep_keep_fewer(struct sweep *s, struct effects *fx);
/* All runs have ended: the weights stay of the best run of each of the best three configurations,
 * the winner's first; of several objectives of each on the front (of very many FINALISTS_KEPT). */
void sweep_keep_winners(struct sweep *s, const struct study *st, struct effects *fx);

/* --- plan.c ---------------------------------------------------------------------------------- */
/* What comes next, as rows: WAIT when that depends on a live run, DONE when nothing is left. */
enum answer sweep_plan(struct engine *e, struct sweep *s, utc_us now, struct effects *fx);
/* When something has changed: the next runs, or the end. May drop the sweep. */
void sweep_step(struct engine *e, struct sweep *s, utc_us now, struct effects *fx);
/* The run takes its place in the queue. */
void sweep_enqueue(struct engine *e, struct sweep *s, const struct enqueued *q, utc_us now,
                   struct effects *fx);
/* What a reply says of it, into an open object. */
void enqueued_write(const struct enqueued *q, int64_t run_id, struct json_writer *w);

/* --- label.c --------------------------------------------------------------------------------- */
/* What its points show by now. */
void label_diagnose(const struct run *r, bool running, struct diagnosis *d);
/* Label, causes and facts of a run whose worker is gone; what came of it, if it is a treatment. */
void label_ended(struct run *r, utc_us now, struct effects *fx);
/* The label while it runs: again after every sixty-fourth of its points. */
void label_running(struct run *r, utc_us now, struct effects *fx);
/* At a barrier: causes again, now that all siblings have ended, and the edits of the search range
 * that the runs speak for. */
void label_barrier(struct sweep *s, struct effects *fx);
/* Why the sweep should wait for a person: most runs say that the data is at fault (G3.1, G4.3).
 * NULL when they do not. */
char *label_data_fault(const struct sweep *s);

/* --- population.c ---------------------------------------------------------------------------- */
/* Its method has runs go on from checkpoints of others, which stay until those have ended. */
bool population_is(const struct sweep *s);
/* Id of the run that it goes on from; 0: none. */
int64_t population_parent(const struct run *r);
/* Epochs that were over when it began: those of the run that it goes on from; else 0. */
int64_t population_from_epoch(const struct sweep *s, const struct run_row *row);
/* Those that it trains itself; of any other run all. */
int64_t population_epochs(const struct sweep *s, const struct run_row *row);
/* Has it come to its end there, though the training may go on in others? */
bool population_ends_at(const struct run *r, int64_t epoch);
/* It has ended, and others may go on from it. */
bool population_keeps(const struct run *r);
/* Runs of the next stage are planned: what the one before has gone on from is not wanted any
 * more. */
void population_drop_before(const struct sweep *s, const struct proposals *next,
                            struct effects *fx);
/* The sweep has ended. */
void population_drop_all(const struct sweep *s, struct effects *fx);

/* --- importance.c ---------------------------------------------------------------------------- */
/* Into its row: how much each of its parameters decided. */
void sweep_weigh_parameters(struct sweep *s);

/* --- objectives.c ---------------------------------------------------------------------------- */
/* At a point of the run, when its best one is known. m: its metrics, NULL: none, or none read. */
void objectives_note(struct run *r, const struct point *p, const struct point_metrics *m);
void objectives_forget(struct run *r);
/* Of the objectives behind the first, by now; heap, NAN: not known; NULL: the metric is alone. */
double *objectives_so_far(const struct run *r);
/* Objective i, from 1, has a value by now, or will have one of its own. */
bool objectives_is_known(const struct run *r, size_t i);
/* Into its row, which is terminal. */
void objectives_ended(struct run *r, utc_us now, struct effects *fx);
/* Of an ended run, out of its row. */
void trial_take_objectives(struct trial *t, const struct spec *spec, const struct run_row *row);

/* --- rung_notes.c ---------------------------------------------------------------------------- */
/* False when that rung, or a later one, is known already. Takes over what it owns in any case. */
bool trial_add_rung(struct trial *t, const struct rung *r);
/* The run has paused there: its value is kept. */
void rung_reached(struct run *r, int64_t epoch, struct effects *fx);
/* What a rule said of the run at its last rung. */
void rung_decided(const struct run *r, enum decision_kind kind, const struct rung_verdict *v,
                  struct effects *fx);

/* --- rungs.c --------------------------------------------------------------------------------- */
/* Runs at rungs go on or are stopped, where all that they may be held against is known. */
void rungs_decide(struct engine *e, struct sweep *s, utc_us now, struct effects *fx);
/* Nothing is left to do but to wait: those that wait to be promoted are looked at once more. False:
 * there is somebody else to wait for, or they were. */
bool rungs_flush(struct sweep *s);
/* What an earlier daemon decided. */
void rungs_restore(struct sweep *s, size_t number, const struct stored_rung *r);

/* --- deadline.c ------------------------------------------------------------------------------ */
/* What does not fit before it is skipped; when it has passed, all that is left. */
void deadline_review(struct engine *e, struct sweep *s, utc_us now, struct effects *fx);
/* When the next one is; 0: there is none. */
utc_us deadlines_next(const struct engine *e, utc_us now);
/* Sweeps whose deadline has passed are due. */
void deadlines_due(struct engine *e, utc_us now);
/* Of its row, after a restart. */
void deadline_restore(struct sweep *s);
/* What it was decided by says so; it is done and said. False: the numbers speak against it. */
bool deadline_skip_run(struct engine *e, struct run *r, const struct deadline_run *at, utc_us now,
                       struct effects *fx);
void deadline_take_plan(struct sweep *s, const struct deadline_plan *p, utc_us now,
                        struct effects *fx);
/* Why it has fewer runs than run_cap; NULL: no deadline is to blame. */
char *deadline_left_out(const struct sweep *s);

/* --- sweep.c --------------------------------------------------------------------------------- */
/* Of its row. */
void sweep_read_earlier(struct sweep *s);
/* What it knows of earlier sweeps. */
void sweep_note_earlier(const struct sweep *s, struct effects *fx);
/* Why its method was picked, where it was. */
void sweep_note_picked(const struct sweep *s, struct effects *fx);
/* A live run of an open sweep that is not cancelled; NULL: err says what it is instead, and what
 * the verb is for. */
struct run *engine_live_run(const struct engine *e, int64_t run_id, const char *verb,
                            struct errbuf *err);

/* --- run.c ----------------------------------------------------------------------------------- */
void run_start(struct engine *e, struct run *r, utc_us now, struct effects *fx);
/* TERM, if it has a worker: back to the queue, or paused with its sweep, when that has ended. */
void run_yield(struct run *r, struct effects *fx);
/* One that a person paused takes its place in the queue again; a rung's stays. */
void run_resume(struct run *r, struct effects *fx);
/* A run that was never started pauses behind that epoch; 0: goes to its end. The caller puts it. */
void run_set_budget(struct run *r, int64_t until_epoch);
/* Is it paused at its rung, with its points known? */
bool run_at_rung(const struct run *r);
/* A run at its rung goes on to a later one, or to its end (0). */
void run_continue(struct run *r, int64_t until_epoch, utc_us now, struct effects *fx);
/* A leased run whose client has waited goes on, in the same attempt. */
void run_take_up(struct engine *e, struct run *r, struct effects *fx);
/* A run at its rung has ended there, by a rule: labelled and booked like any other. The run is gone
 * afterwards. Does not step the sweep. */
void run_stop(struct engine *e, struct run *r, const char *reason, utc_us now, struct effects *fx);
/* A run that was not begun will not be: cancelled, with that reason. The run is gone afterwards. */
void run_skip(struct engine *e, struct run *r, const char *reason, utc_us now, struct effects *fx);
/* TERM: it has stopped when its worker has ended. Its row says so meanwhile. */
void run_end_overdue(struct run *r, const char *reason, struct effects *fx);
bool run_is_overdue(const struct run *r);
/* Without a worker of ours: it has stopped. The run is gone afterwards. */
void run_end_here(struct engine *e, struct run *r, const char *reason, utc_us now,
                  struct effects *fx);
/* Terminal at once in the database; with a worker it stays live until that has ended. Does not
 * step the sweep. */
void run_cancel(struct engine *e, struct run *r, utc_us now, struct effects *fx);
/* What an attempt left in memory and in the row: its file is read anew. */
void run_forget_attempt(struct run *r);

/* Its row says that it runs from now on, in another attempt; the caller has chosen r->launcher. */
void run_begin(struct engine *e, struct run *r, utc_us now, struct effects *fx);
/* It has ended there; the row keeps its handle where it is leased. */
void run_pause_at_rung(struct engine *e, struct run *r, const struct record_result *res, utc_us now,
                       struct effects *fx);

/* --- engine.c -------------------------------------------------------------------------------- */
/* An ended sweep is open again, with its status as it was: ERR_NOT_FOUND, ERR_DATA. */
int engine_reopen(struct engine *e, struct store_restored *ended, int64_t sweep_id, utc_us now,
                  struct errbuf *err);

/* --- lease.c --------------------------------------------------------------------------------- */
/* A run that was begun goes on after a restart; its points are those that are stored. */
void lease_restore(struct engine *e, struct run *r, const struct store_restored *restored,
                   utc_us now);
/* Runs whose clients were not heard of for too long. */
void leases_end(struct engine *e, utc_us now, struct effects *fx);
/* When the first of them ends; 0: there is none. */
utc_us leases_end_at(const struct engine *e);

/* --- points.c -------------------------------------------------------------------------------- */
/* Its lines were no good, as why says: it goes on from its checkpoint where that fits what is left
 * of them, else anew. */
void run_repair(struct run *r, const char *why, utc_us now, struct effects *fx);

/* --- owner.c --------------------------------------------------------------------------------- */
void run_owner(const struct engine *e, const struct run *r, struct run_owner *out);
/* --- run_setup.c ----------------------------------------------------------------------------- */
/* config.json of the run, as its task writes it; owned by the caller. */
char *run_configure(const struct engine *e, const struct run *r);

/* --- failure.c ------------------------------------------------------------------------------- */
struct failure {
    enum run_error error;
    const char *text; /* NULL: none */
};
/* A start of the run, in its slot. */
void failure_begin(struct engine *e, struct run *r, utc_us now);
void failure_spawned(struct engine *e, struct run *r, utc_us now, struct effects *fx);
/* After a restart its runs wait on, as their rows say, and it waits for its data. */
void failure_restore(const struct engine *e, struct sweep *s);
/* A start that does not count as an attempt. */
void failure_uncount(struct run *r);
/* Is the failed attempt to be followed by another? Then it is known who waits how long. */
bool failure_is_retried(struct engine *e, struct run *r, const struct failure *f, utc_us now,
                        struct effects *fx);
/* For the event; owned by the caller. */
char *failure_retry_text(const struct run *r, const struct failure *f, utc_us now);
/* The run has ended so: many failures alike in a row hold its sweep. */
void failure_ended(const struct run *r, utc_us now, struct effects *fx);
/* Why the sweep should not be called completed: most of its runs failed alike. NULL: it may. */
char *failure_of_most(const struct sweep *s);
/* When somebody's wait is over; 0: nobody waits. */
utc_us failure_wake_at(const struct engine *e, utc_us now);
/* Is it too early for that run, or for any of that launcher? */
bool failure_run_waits(const struct engine *e, const struct run *r, utc_us now);
bool failure_launcher_waits(const struct engine *e, size_t launcher, utc_us now);
/* Queued runs that may be started now. */
size_t failure_startable(const struct engine *e, struct sweep *s, utc_us now);

/* --- importing.c ----------------------------------------------------------------------------- */
void imports_note(struct engine *e, const char *id, int64_t sweep_id);
void imports_forget(struct engine *e);

/* --- notify.c -------------------------------------------------------------------------------- */
void notify_run_started(struct effects *fx, const struct run *r);
void notify_run_paused(struct effects *fx, const struct run *r);
void notify_point(struct effects *fx, const struct run *r, const struct point *p);
void notify_label(struct effects *fx, const struct run *r, const struct label_row *l);
void notify_run_ended(struct effects *fx, const struct run *r);
void notify_stage_planned(struct effects *fx, const struct sweep *s, const char *stage,
                          size_t runs);
/* sweep_changed; sweep_ended too when it is terminal; wakes those who wait. */
void notify_sweep(struct effects *fx, const struct sweep *s);

#endif
