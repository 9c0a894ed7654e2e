/* What is known of a sweep when something about it is decided: its space, its budget, and its runs
 * so far. Pure data; nothing here knows what a run executes. */
#ifndef SWEEPD_STUDY_H
#define SWEEPD_STUDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/causes/run_facts.h"
#include "daemon/causes/cause.h"
#include "daemon/causes/remedy.h"
#include "sweep/objective.h"
#include "sweep/run.h"
#include "sweep/space.h"

struct earlier;
struct memo;
struct spec;
struct stop_settings;
struct trainer_config;

/* What a run came to at a rung: its best metric up to that epoch. */
struct rung {
    int64_t epoch;
    double value; /* may be non-finite */
    double *further; /* of the objectives behind the first; NAN: not known; NULL: there are none */
};

/* A run of the sweep. */
struct trial {
    size_t number;
    char stage[24];
    enum run_kind kind;
    /* What is not swept: 0 as the specification says it, else a hash of what it is instead. Equal
     * values of both: the same configuration. */
    uint64_t ground;
    enum run_status status;
    enum run_error error; /* of failed */
    int64_t epochs;
    double metric_value;
    double seconds;   /* that it took; 0: not known */
    double pace;      /* seconds of an epoch of it, while it runs too; 0: not measured */
    bool skipped;     /* for want of time (deadline.h): as if it had never been planned */
    bool has_metric; /* false: no point was stored; ranks last */
    double *further; /* when it has ended: of the objectives behind the first; NAN: not known; NULL:
                        none is. Owned by whoever keeps the trials */
    bool labelled;   /* the two below are known */
    enum cause_id cause; /* the likeliest; CAUSE_COUNT: nothing is wrong */
    struct run_facts *facts; /* NULL: not labelled; owned by whoever keeps the trials */
    struct rung *rungs;  /* by epoch; owned by whoever keeps the trials */
    size_t rung_count, rung_cap;
    int64_t audited;     /* epoch at which it would have been stopped, but for an audit; 0: none */
    size_t parent; /* number of the run it treats or repeats; TRIAL_NONE: not of this sweep */
    /* a treatment */
    enum remedy remedy;
    enum pattern treats_pattern;
    enum cause_id treats_cause;
    bool has_outcome, cured;
    /* the trainer's whole configuration, where it need not be what the specification and `at` say;
     * owned by whoever keeps the trials */
    struct trainer_config *config;
    /* The values of what is swept. The last member: a trial of the engine's has room for as many as
     * its space has dimensions, and is never copied whole (space_take). */
    struct assignment at;
};
#define TRIAL_NONE SIZE_MAX

/* Completed or stopped, with a finite metric. */
bool trial_usable(const struct trial *t);
/* Usable ones first, then by metric. */
bool trial_better(const struct trial *a, const struct trial *b, bool maximize);

struct study {
    const struct spec *spec;
    const struct space *space;
    uint64_t seed;
    bool maximize;
    const struct objectives *objectives; /* NULL: the metric alone */
    int64_t perturb; /* of a population: epochs from exchange to exchange … */
    size_t population; /* … and its members */
    bool rounds;       /* a search in stages goes through them in rounds (search/rounds.h) */
    int64_t epochs; /* of a run that comes to its end */
    size_t run_cap; /* of all runs of the sweep, without … */
    size_t last;    /* … the last ones, which repeat the best few (finalists.h) */
    size_t along;   /* of those last ones that were begun before the end (contenders.h) */
    size_t before;  /* of them such last runs as it had before it was extended … */
    bool extended;  /* … which it was: its space may have grown */
    size_t kept;    /* of them for treatments: the search plans with the rest … */
    size_t budget;  /* … and may have so many runs by now */
    bool carries; /* what treatments changed for the better */
    const struct stop_settings *stop;
    double least_gain; /* that the rest of the search must promise (gain.h) */
    size_t lag;        /* of a method that learns: its run n sees the runs numbered below n - lag */
    const struct earlier *earlier; /* what is known of earlier sweeps (earlier.h); NULL: nothing */
    struct memo *memo; /* what methods keep of the sweep between asks; NULL: nothing */
    size_t skipped; /* runs of run_cap, not of `last`, that are as if never planned: not in
                       `trials`, nor in run_cap any more */
    size_t live;  /* runs of any kind that are not terminal */
    size_t count; /* the search's own runs, by number */
    const struct trial *const *trials;
    size_t all_count; /* all runs of the sweep, by number */
    const struct trial *const *all;
};

/* A treatment that came to more than its parent, from which the search may go on: all that it
 * changed can be kept for other runs, at no further cost. */
bool trial_carries(const struct study *st, const struct trial *t);

uint64_t trial_ground(const struct spec *s, const struct trial *t);
/* Of a run of the trainer: its settings, the list of layers that is its own (NULL: it has the
 * specification's), and the run whose weights it starts with (0: the specification's). */
void trial_settings(const struct spec *s, const struct trial *t, struct settings *out);
const struct layer_list *trial_layers(const struct trial *t);
int64_t trial_start_from(const struct trial *t);
/* Of its label; the first where it has none. */
enum pattern trial_pattern(const struct trial *t);

/* As it is before the first run. */
void study_init(struct study *st, const struct spec *s);

#endif
