/* What the engine may expect of its store, as checks of any that has this interface: the real one
 * (contract_real.c) and the one of the engine's tests (contract_fake.c). */
#ifndef STORE_CONTRACT_H
#define STORE_CONTRACT_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/engine/restored.h"
#include "sweep/buf.h"

enum contract_table {
    CONTRACT_SWEEPS,    /* id, status */
    CONTRACT_RUNS,      /* id, sweep_id, number, status, parent_id, cured, test_loss, test_acc */
    CONTRACT_CURVES,    /* run_id, point, epoch, train_loss, val_loss */
    CONTRACT_LABELS,    /* run_id, pattern, runner_up, confidence, tags, evidence, facts, cause,
                           causes, created_at */
    CONTRACT_EVENTS,    /* id, sweep_id, run_id, kind, detail up to its first ':' */
    CONTRACT_FINDINGS,  /* id, sweep_id, kind, row, column, count, text */
    CONTRACT_LAYERS,    /* run_id, point, layer, name, each of LAYER_STAT_MAP */
    CONTRACT_METRICS,   /* run_id, point, name, value */
    CONTRACT_EDITS,     /* sweep_id, position, kind, setting, from, to, runs, guide_ref, sentence */
    CONTRACT_DECISIONS, /* id, sweep_id, run_id, kind, reason, detail, seen_event */
    CONTRACT_TABLE_COUNT
};

struct contract_store {
    const char *name;
    void *(*open)(void); /* an empty one */
    void (*close)(void *store);
    /* As store_submit. */
    void (*submit)(void *store, struct store_batch *b, void (*cb)(void *arg), void *arg);
    /* Both see all that was submitted. restore: as the next daemon would; valid until the next
     * call. rows: a line each in any order, columns by '|', by the functions below. */
    const struct store_restored *(*restore)(void *store);
    void (*rows)(void *store, enum contract_table t, struct buf *out);
};

extern const struct contract_store contract_fake, contract_real;

/* Columns of a row: '-' where there is NULL. */
void row_int(struct buf *out, int64_t v);
void row_count(struct buf *out, int64_t v); /* 0 is none */
void row_real(struct buf *out, bool has, double v);
void row_text(struct buf *out, const char *text);
void row_end(struct buf *out);

/* A check while it runs. */
struct contract {
    const struct contract_store *type;
    void *store;
    int lost;
    struct buf failures;
};

/* Both submit all but what is lost. */
void contract_put(struct contract *c, struct store_batch *b);
void contract_submit(struct contract *c, struct store_batch *b, void (*cb)(void *arg), void *arg);
/* The table holds these lines, sorted. */
void contract_rows(struct contract *c, enum contract_table t, const char *lines);
/* The next daemon would begin with this, as contract_brief. */
void contract_restored(struct contract *c, const char *lines);
void contract_same(struct contract *c, const char *what, const char *is, const char *should);

struct contract_check {
    const char *name;
    uint32_t ops; /* bits of enum store_op_type: without any of these it fails */
    void (*run)(struct contract *c);
};
/* Up to one without a name; of both, NULL behind the last. */
extern const struct contract_check contract_of_runs[], contract_of_sweeps[];
const struct contract_check *contract_check_at(size_t i);
#define OP(id) (1u << STORE_##id)
#define RUN_OPS (OP(PUT_SWEEP) | OP(PUT_RUN))

/* What of the check does not hold; "" where all does. The caller frees. A store that is made to
 * lose all ops of type lost (STORE_OP_COUNT: none) must fail where that is one of the check's. */
char *contract_failures(const struct contract_store *s, const struct contract_check *check,
                        int lost);

/* Rows that the checks share. put_run: run 1, of sweep 1. full_run: run 2, with all that a run can
 * have. put_metrics: "val/loss" of points 1 and 2. */
#define CREATED "2026-11-24 00:50:58.123" /* of the fixture's rows */
#define LABEL(pattern, facts) pattern "|-|0.75|spike|{\"gap\":0.5}|" facts
void contract_set(char **member, const char *text);
void contract_put_run(struct contract *c);
struct run_row *contract_full_run(void);
void contract_put_metrics(struct contract *c, int64_t run_id, double first, double second);
struct label_row *contract_label(int64_t run_id, enum pattern p, const char *facts);
/* Puts both, beside run 1, and they come back as they were, to the last column. Takes them over. */
void contract_comes_back(struct contract *c, struct sweep_row *sweep, struct run_row *run);

/* contract_rows.c: rows as text, one line each; the caller frees. Every column of sweeps and runs;
 * what is restored by ids. */
char *contract_whole(const struct store_restored *r);
char *contract_brief(const struct store_restored *r);

#endif
