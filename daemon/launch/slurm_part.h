/* Private to the files slurm*.c: sweeps that name this launcher, their jobs, pilots and workers. */
#ifndef SWEEPD_SLURM_PART_H
#define SWEEPD_SLURM_PART_H

#include <uv.h>

#include "daemon/launch/launcher.h"
#include "daemon/launch/slurm_command.h"
#include "daemon/launch/slurm_state.h"
#include "daemon/launch/spool/spool.h"

#define SLURM_TICK_MS 50

struct slurm;

/* A job of ours, as Slurm last said. */
struct slurm_task {
    struct slurm_job job;
    enum slurm_kind kind;
    uint64_t known_from; /* listings begun before that one may not have it yet */
    bool listed;         /* in the listing that is read */
    bool had_pilot;      /* a pilot of it has said hello */
    bool has_left;       /* and bye */
};

struct slurm_pilot {
    char name[SPOOL_PILOT_MAX], job[SLURM_JOB_MAX], host[64];
    int64_t run_id;      /* 0: none */
    int64_t orders;      /* that it saw when it began: of two of one job the later saw more */
    uint64_t heard_ms;   /* when it last said something */
    uint64_t known_from; /* as of a task */
    char state[32];      /* of its job, as Slurm last said; "": nothing yet */
    bool has_completed;  /* so its job was: it has said why it goes, and that will be read */
};

struct slurm_worker {
    struct worker base;
    struct worker_place at;
    int64_t sweep_id;
    bool is_over;
    struct slurm_worker *next;
};

struct slurm_sweep {
    struct slurm *slurm;
    struct slurm_sweep *next;
    int64_t id;
    char uuid[40]; /* name of its jobs, and of its room */
    char path[PATHS_MAX];
    struct spec_place on; /* partition, slots, options: owned */
    bool is_program;      /* its task hands on the environment */
    bool is_named;        /* by the engine, at the last look */
    enum sweep_status status;
    size_t running, waiting;
    /* its room */
    struct room *room;
    struct spool_job job;
    bool job_is_out, is_open, wants_removal, is_removed;
    struct room_command *commands, **commands_end;
    uint64_t turn_ms; /* when the last turn began */
    char trouble[512];
    /* its jobs, by id */
    struct slurm_task *tasks;
    size_t task_count, task_cap;
    uint64_t listed;       /* the last listing that was read */
    bool submits, cancels; /* the command is under way */
    unsigned failures;     /* of sbatch, in a row */
    unsigned false_starts; /* jobs in a row that ended without a pilot */
    uint64_t submit_ms;    /* not before */
    size_t asked;          /* jobs that were submitted in all */
    char refusal[512];     /* what sbatch said last */
    /* its pilots, by name */
    struct slurm_pilot *pilots;
    size_t pilot_count, pilot_cap;
    bool end_is_said;
    uint64_t end_ms, cancel_ms;
};

struct slurm {
    struct launcher base;
    uv_timer_t timer;
    void (*tick)(uv_timer_t *timer);
    bool has_timer, is_stopping, spool_hangs;
    bool is_closing; /* nothing is waited for but what was begun */
    bool gives_up;   /* nor that: commands are ended */
    uint64_t stopping_ms; /* since when the daemon is ending */
    uint64_t stop_ms;     /* and all runs have ended */
    struct spool_job scan;
    char *database; /* of the scan */
    bool has_scanned, is_scanning;
    struct spool *spool; /* NULL: there was no sweep for it yet */
    struct slurm_sweep *sweeps;
    struct slurm_worker *workers;
    size_t commands; /* under way */
    /* listings */
    bool lists;
    uint64_t listings; /* begun so far */
    uint64_t list_ms;  /* the next, not before */
    unsigned list_failures;
    char list_trouble[512];
};

static inline struct slurm *slurm_of(const struct launcher *l)
{
    return (struct slurm *)l;
}

/* --- slurm_ground.c --- */
void slurm_wake(struct slurm *s);
struct slurm_sweep *slurm_sweep_find(const struct slurm *s, int64_t sweep_id);
/* Made where it is not there; only its id is known then. */
struct slurm_sweep *slurm_sweep_get(struct slurm *s, int64_t sweep_id);
void slurm_give(struct slurm_sweep *w, struct room_command *c);
/* Pointers to tasks and pilots hold until the next one is inserted, or forgotten. */
struct slurm_task *slurm_task_find(const struct slurm_sweep *w, const char *id);
struct slurm_task *slurm_task_insert(struct slurm_sweep *w, const char *id); /* it is not there */
/* Its pilot is there: known before Slurm's next listing says so. */
void slurm_task_begins(struct slurm_task *t);
bool slurm_task_has_ended(const struct slurm_task *t);
size_t slurm_tasks_live(const struct slurm_sweep *w);
size_t slurm_tasks_waiting(const struct slurm_sweep *w);
struct slurm_pilot *slurm_pilot_find(const struct slurm_sweep *w, const char *name);
struct slurm_pilot *slurm_pilot_insert(struct slurm_sweep *w, const char *name);
/* The spool could not be read for a while. */
void slurm_pilots_excuse(struct slurm_sweep *w);
void slurm_pilot_forget(struct slurm_sweep *w, struct slurm_pilot *p);
void slurm_pilot_lose(struct slurm_sweep *w, struct slurm_pilot *p, const char *why,
                      bool out_of_memory);
/* The engine learns how many runs its pilots can have. */
void slurm_grant(struct slurm_sweep *w);

/* --- slurm_sweep.c --- */
void slurm_sweep_destroy(struct slurm_sweep *w);
/* What is due of its room: a turn, or its removal. */
void slurm_sweep_turn(struct slurm_sweep *w, uint64_t now_ms);

/* --- slurm_jobs.c --- */
void slurm_list(struct slurm *s, uint64_t now_ms);
void slurm_mind_jobs(struct slurm_sweep *w, uint64_t now_ms);
/* Judges silent pilots. */
void slurm_mind_pilots(struct slurm_sweep *w, uint64_t now_ms);

/* --- slurm_script.c: what sbatch is called with; slurm_words_free gives it back --- */
char **slurm_sbatch_words(const struct slurm_sweep *w, size_t count);
void slurm_words_free(char **words);
char *slurm_script(const struct launch_site *site, const char *room, bool is_program);

/* --- slurm_workers.c: as launcher.h has them --- */
int slurm_worker_start(struct launcher *l, const struct worker_place *at, struct worker **out,
                       struct errbuf *err);
struct worker *slurm_worker_adopt(struct launcher *l, const struct worker_place *at,
                                  const char *handle);
bool slurm_worker_alive(struct worker *base);
bool slurm_worker_signal(struct worker *base, int signal);
void slurm_worker_release(struct worker *base);
void slurm_run_over(struct slurm *s, const struct room_news *n);
size_t slurm_cut_off(const struct launcher *l);
bool slurm_has_workers(const struct slurm *s, int64_t sweep_id);

/* --- slurm_status.c --- */
void slurm_write_status(const struct launcher *l, struct json_writer *w);

#endif
