/* The columns of the store's two wide tables, for the statements that write and restore them. */
#ifndef SWEEPD_STORE_COLUMNS_H
#define SWEEPD_STORE_COLUMNS_H

/* Every column of `sweeps` and `runs` behind the id, in the order of the writing statement's
 * parameters and of the restoring SELECT: X(column, kind, value of row r). Kinds are the bind_…
 * functions of store_sql.c. A test compares the lists with the schema. */
#define SWEEP_COLUMNS(X)                                                                           \
    X(name, text, r->name ? r->name : "")                                                          \
    X(status, text, sweep_status_name(r->status))                                                  \
    X(reason, text, r->reason)                                                                     \
    X(method, text, method_name(r->method))                                                        \
    X(metric, text, r->metric ? r->metric : "")                                                    \
    X(goal, text, r->maximize ? "maximize" : "minimize")                                           \
    X(spec, text, r->spec_json)                                                                    \
    X(seed, seed, r->seed)                                                                         \
    X(run_cap, int, r->run_cap)                                                                    \
    X(epochs, int, r->epochs)                                                                      \
    X(priority, int, r->priority)                                                                  \
    X(after_sweep, count, r->after)                                                                \
    X(data_hash, word, r->data_hash)                                                               \
    X(data_samples, int, r->data_samples)                                                          \
    X(data_features, int, r->data_features)                                                        \
    X(data_classes, int, r->data_classes)                                                          \
    X(created_at, time, r->created)                                                                \
    X(started_at, time, r->started)                                                                \
    X(ended_at, time, r->ended)                                                                    \
    X(data_facts, data_facts, &r->data)                                                            \
    X(remedy_prior, text, r->remedy_prior)                                                         \
    X(data_accepted, int, r->data_accepted)   \
    X(submit_id, text, r->submit_id)                                                               \
    X(data_target, text, r->data_target)                                                           \
    X(data_notes, text, r->data_notes)                                                             \
    X(importances, text, r->importances)                                                           \
    X(deadline_at, time, r->deadline)                                                              \
    X(fits, text, r->fits)                                                                         \
    X(warm_start, text, r->warm)

#define RUN_COLUMNS(X)                                                                             \
    X(sweep_id, int, r->sweep_id)                                                                  \
    X(number, int, r->number)                                                                      \
    X(kind, text, run_kind_name(r->kind))                                                          \
    X(stage, text, r->stage)                                                                       \
    X(reason, word, r->reason)                                                                     \
    X(status, text, run_status_name(r->status))                                                    \
    X(stop_reason, word, r->stop_reason)                                                           \
    X(parent_id, count, r->parent_id)                                                              \
    X(params, text, r->params_json ? r->params_json : "{}")                                        \
    X(learning_rate, real, setting_of(r, SETTING_LEARNING_RATE))                                   \
    X(batch_size, whole, setting_of(r, SETTING_BATCH_SIZE))                                        \
    X(optimizer, choice, choice_of(r, SETTING_OPTIMIZER))                                          \
    X(depth, whole, setting_of(r, SETTING_DEPTH))                                                  \
    X(width, whole, setting_of(r, SETTING_WIDTH))                                                  \
    X(activation, choice, choice_of(r, SETTING_ACTIVATION))                                        \
    X(settings, settings, r)                                                                       \
    X(seed, seed, r->seed)                                                                         \
    X(epochs, int, r->epochs)                                                                      \
    X(attempts, int, r->attempts)                                                                  \
    X(metric_value, maybe, maybe(r->has_metric, r->metric_value))                                  \
    X(best_epoch, real, r->has_metric ? r->best_epoch : NAN)                                       \
    X(val_loss, maybe, maybe(r->has_val_loss, r->val_loss))                                        \
    X(val_acc, maybe, maybe(r->has_val_acc, r->val_acc))                                           \
    X(error_text, text, r->error_text)                                                             \
    X(signal, count, r->signal)                                                                    \
    X(stderr_tail, text, r->stderr_tail)                                                           \
    X(core_type, word, r->core)                                                                    \
    X(blas_version, word, r->blas)                                                                 \
    X(created_at, time, r->created)                                                                \
    X(started_at, time, r->started)                                                                \
    X(ended_at, time, r->ended)                                                                    \
    X(seconds, real, r->seconds)                                                                   \
    X(test_loss, maybe, maybe(r->has_test_loss, r->test_loss))                                     \
    X(test_acc, maybe, maybe(r->has_test_acc, r->test_acc))                                        \
    X(remedy, word, treatment(r, remedy_name(r->remedy)))                                          \
    X(guide_ref, word, treatment(r, remedy_guide_ref(r->remedy)))                                  \
    X(treats_pattern, word, treatment(r, pattern_name(r->treats_pattern)))                         \
    X(treats_cause, word, treatment(r, cause_name(r->treats_cause)))                               \
    X(cured, flag, r->has_outcome ? r->cured : -1)                                                 \
    X(change, real, r->has_outcome ? r->change : NAN)                                              \
    X(flop, count, r->flop)                                                                        \
    X(parent_metric, maybe, maybe(r->has_parent_metric, r->parent_metric))                         \
    X(until_epoch, count, r->until_epoch)                                                          \
    X(paused_by, word, run_pauser_name(r->paused_by))                                              \
    X(handle, word, r->handle)                                                                     \
    X(retry_failures, count, run_row_waits(r) ? r->retry_failures : 0)                             \
    X(retry_at, time, run_row_waits(r) ? r->retry_at : 0)                                          \
    X(retry_for, word, run_error_name(run_row_waits(r) ? r->retry_for : RUN_ERROR_NONE))           \
    X(error_class, word, run_error_name(r->error))                                                 \
    X(joules, real, r->joules > 0 ? r->joules : NAN)                                               \
    X(objectives, text, r->objectives)

enum {
    SWEEP_id_column,
#define X(column, kind, value) SWEEP_##column##_column,
    SWEEP_COLUMNS(X)
#undef X
};

enum {
    RUN_id_column,
#define X(column, kind, value) RUN_##column##_column,
    RUN_COLUMNS(X)
#undef X
};

/* ", name, status, …" */
#define COLUMN_NAME(column, kind, value) ", " #column

#endif
