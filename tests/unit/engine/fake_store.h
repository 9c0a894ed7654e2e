/* The store of the engine's tests: rows in memory, by the rules of the database. It and
 * daemon/store keep one contract (tests/unit/store/contract.h). */
#ifndef TESTS_ENGINE_FAKE_STORE_H
#define TESTS_ENGINE_FAKE_STORE_H

#include "daemon/engine/restored.h"

struct fake_label {
    struct label_row row;
    char created_at[32]; /* as the database writes it */
};

struct fake_point {
    int64_t run_id;
    struct point p;
};

struct fake_layer {
    int64_t run_id, point, layer;
    struct layer_stat stat;
};

struct fake_metric {
    int64_t run_id;
    struct metric_row row;
};

struct fake_event {
    int64_t id, sweep_id, run_id;
    char kind[32];
    char *detail;
};

struct fake_finding {
    int64_t id, sweep_id;
    struct record_finding finding;
};

struct fake_edit {
    int64_t sweep_id, position;
    struct edit_row row;
};

struct fake_decision {
    int64_t id, sweep_id, run_id;
    enum decision_kind kind;
    char *reason, *detail_json;
    int64_t seen_event; /* 0: there was none */
};

/* Zeroed it is a valid, empty one. Rows stand in the order they came. */
struct fake_store {
    struct sweep_row **sweeps;
    struct run_row **runs;
    struct fake_label **labels;
    struct fake_point *points;
    struct fake_layer *layers;
    struct fake_metric *metrics;
    struct fake_event *events;
    struct fake_finding *findings;
    struct fake_edit *edits;
    struct fake_decision *decisions;
    size_t sweep_count, run_count, label_count, point_count, layer_count, metric_count;
    size_t event_count, finding_count, edit_count, decision_count;
    int64_t last_sweep_id, last_run_id, last_event_id, last_finding_id, last_decision_id;
    size_t nondeterminism; /* values that came again and were others; */
    size_t refused;        /* ops that the schema does not accept: they only leave an event */
};

void fake_store_finish(struct fake_store *s);
/* The op stays the caller's. */
void fake_store_apply(struct fake_store *s, const struct store_op *op);
/* The rows are borrowed, the arrays the caller's: fake_restored_finish. */
void fake_store_restore(const struct fake_store *s, struct store_restored *out);
/* The rows of one sweep, whatever its state. */
void fake_store_ended(const struct fake_store *s, int64_t sweep_id, struct store_restored *out);
void fake_restored_finish(struct store_restored *r);

/* NULL: there is none. */
struct sweep_row *fake_sweep(const struct fake_store *s, int64_t id);
struct run_row *fake_run(const struct fake_store *s, int64_t id);
struct fake_label *fake_label(const struct fake_store *s, int64_t run_id);

#endif
