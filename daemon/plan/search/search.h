/* A search method: from what is known to the next configurations. Pure: same study, same
 * proposals, whatever the number of workers and however often it is asked. A method is a row of
 * METHOD_MAP (sweep/method.h) and the file that defines search_<name>. */
#ifndef SWEEPD_SEARCH_H
#define SWEEPD_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/plan/study.h"
#include "sweep/method.h"
#include "sweep/space.h"

struct errbuf;
struct rng;
struct tried;

struct proposal {
    size_t ground; /* number of the run whose other settings it has; TRIAL_NONE: the spec's */
    size_t parent; /* number of the run from whose checkpoint it goes on; TRIAL_NONE: it begins */
    int64_t until; /* epoch at which it has come to its end; 0: the last one */
    char stage[24];
    char reason[160];     /* in words: "learning rate 0.1, large first (G2.1)" */
    struct assignment at;
};

struct proposals {
    size_t count, cap;
    struct proposal *items;
    bool begin_stage;     /* they are the first of their stage */
    bool exhausted;       /* every configuration was tried, or is among these */
};
void proposals_add(struct proposals *p, const struct assignment *at, const char *stage,
                   const char *reason_fmt, ...) __attribute__((format(printf, 4, 5)));
void proposals_finish(struct proposals *p);

/* ANSWER_RUNS: some were proposed. ANSWER_WAIT: not before one of the live runs is terminal.
 * ANSWER_DONE: none any more, unless the budget grows. */
enum answer { ANSWER_RUNS, ANSWER_WAIT, ANSWER_DONE };

/* So many runs, or as many as there are configurations. */
uint64_t search_runs(const struct study *st, size_t runs);
/* RUNS where there are any; else whether anything may still change that. */
enum answer proposals_answer(const struct proposals *p, const struct study *st);

struct search_outline {
    size_t count;
    struct {
        char stage[24];
        int64_t runs;
        char what[256];
    } stages[8];
};

/* Of a method of one stage that draws from a seed. */
void outline_single(const struct study *st, struct search_outline *out, const char *stage,
                    const char *what);

struct search_method {
    /* Refuses a study the method cannot work on (grid over a continuous parameter, coarse_to_fine
     * whose run_cap is too small …). 0 or an error with the JSON path of the spec. */
    int (*check)(const struct study *st, struct errbuf *err);
    /* Number of runs each stage will get, as far as known before the start. */
    void (*outline)(const struct study *st, struct search_outline *out);
    /* Appends at most `want` proposals. */
    enum answer (*ask)(const struct study *st, size_t want, struct proposals *out);
};

/* check of a method that works on any study. */
int search_any(const struct study *st, struct errbuf *err);

/* Of a method whose run number i depends on i alone, and in a finite space on what was tried. */
struct draws {
    const char *stage, *word; /* "point": for the reason */
    /* r goes on when what was drawn was tried before. */
    void (*draw)(const struct study *st, const struct tried *tried, uint64_t i, struct rng *r,
                 struct assignment *a);
};
enum answer search_ask_draws(const struct draws *d, const struct study *st, size_t want,
                             struct proposals *out);

const struct search_method *search_method(enum method m);

#define X(id, name, traits, doc) extern const struct search_method search_##name;
METHOD_MAP(X)
#undef X

#endif
