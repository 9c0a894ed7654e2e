#include "worker/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/curve.h"
#include "sweep/err.h"
#define LOG_MODULE "job"
#include "sweep/log.h"
#include "sweep/require.h"
#include "sweep/run_config.h"
#include "sweep/spec.h"
#include "worker/data/load.h"
#include "worker/data/scan.h"
#include "worker/interrupt.h"
#include "worker/nn/gemm.h"
#include "worker/rights.h"
#include "worker/setup.h"
#include "worker/told.h"
#include "worker/train.h"
#include "worker/variants.h"
#include "worker/weights.h"

static int send_start(struct link *link, const struct train *t)
{
    struct record r = {.type = RECORD_START};
    r.u.start.pid = getpid();
    str_copy(r.u.start.core, sizeof r.u.start.core, gemm_core());
    str_copy(r.u.start.blas, sizeof r.u.start.blas, gemm_library());
    r.u.start.parameters = (int64_t)t->setup.step.net.parameter_count;
    r.u.start.flop = (int64_t)t->setup.step.net.flop;
    r.u.start.resumed_point = t->resumed_point;
    return link_send(link, &r);
}

static int send_point(void *context, const struct point *p)
{
    struct record r = {.type = RECORD_POINT, .u.point = *p};
    return link_send(context, &r);
}

static int send_layers(void *context, const struct layer_stats *s)
{
    struct record r = {.type = RECORD_LAYERS, .u.layers = (struct layer_stats *)s};
    return link_send(context, &r);
}

static int sync_points(void *context)
{
    return link_sync(context);
}

/* The class of a run whose network could not be made: start weights that are gone or damaged are
 * data as any. */
static enum run_error open_error(int code)
{
    static const struct {
        int code;
        enum run_error error;
    } classes[] = {
        {ERR_LIMIT, RUN_ERROR_OUT_OF_MEMORY},
        {ERR_DATA, RUN_ERROR_DATA},
        {ERR_IO, RUN_ERROR_DATA},
        {ERR_NOT_FOUND, RUN_ERROR_DATA},
    };
    for (size_t i = 0; i < ARRAY_LEN(classes); i++)
        if (classes[i].code == code)
            return classes[i].error;
    return RUN_ERROR_CONFIG;
}

/* The class of a run whose data could not be read: what is not there may be in a moment. */
static enum run_error load_error(int code)
{
    return code == ERR_IO || code == ERR_NOT_FOUND ? RUN_ERROR_DATA_MISSING : RUN_ERROR_DATA;
}

static int send_result(struct link *link, struct record_result result, double start)
{
    struct record r = {.type = RECORD_RESULT, .u.result = result};
    r.u.result.seconds = train_clock_seconds() - start;
    int rc = link_send(link, &r);
    return rc != 0 || result.status == RUN_FAILED;
}

static int send_failure(struct link *link, enum run_error error, const struct errbuf *err,
                        double start)
{
    struct record_result result = {.status = RUN_FAILED, .error = error};
    str_copy(result.text, sizeof result.text, err->message);
    log_error("%s", err->message);
    return send_result(link, result, start);
}

/* The training stands even if its weights find no place; whoever wanted them sees no file. */
static void leave_weights(const struct train *t)
{
    struct errbuf err;
    const real *best = train_best(t);
    if (!best)
        return;
    char *told = told_write(t);
    if (weights_write(t->config->weights, &t->setup.step.net, best, told, &err) != 0)
        log_error("weights: %s", err.message);
    free(told);
}

static enum run_status end_status(const struct train *t)
{
    return t->stopped ? RUN_STOPPED : t->paused ? RUN_PAUSED : RUN_COMPLETED;
}

/* The weights first: evaluating on the test set takes the network's place. A paused run leaves all
 * that an ended one does, for it may never go on. */
static int finish_run(struct train *t, struct link *link)
{
    struct record_result result = {.status = end_status(t)};
    struct evaluation test;
    if (t->paused)
        result.epoch = t->progress.epoch - 1;
    str_copy(result.text, sizeof result.text, t->reason);
    leave_weights(t);
    result.has_test = train_test(t, &test);
    if (result.has_test) {
        result.test_loss = test.loss;
        result.has_test_acc = test.has_acc;
        result.test_acc = test.acc;
    }
    return send_result(link, result, t->start_seconds - t->progress.seconds);
}

static int train_and_report(struct train *t, struct link *link)
{
    struct errbuf err = {0};
    int rc = train_open(t, &err);
    if (rc != 0)
        return send_failure(link, open_error(rc), &err, t->start_seconds);
    int status = 1;
    interrupt_catch();
    if (send_start(link, t) == 0 && train_run(t, &err) == 0)
        status = t->interrupted ? EX_TEMPFAIL : finish_run(t, link);
    train_close(t);
    return status;
}

int worker_trainer(const char *config_path, struct link *link)
{
    double start = train_clock_seconds();
    struct run_config config;
    struct samples samples;
    struct split split;
    struct errbuf err = {0};
    gemm_init();
    int rc = run_config_read(config_path, &config, &err);
    if (rc != 0)
        return send_failure(link, RUN_ERROR_CONFIG, &err, start);
    struct record_prepared *prepared = xmalloc(sizeof *prepared);
    rc = rights_enter(&config, &err);
    if (rc == 0)
        rc = load_data(&config, &samples, prepared, &err);
    free(prepared);
    if (rc != 0)
        return send_failure(link, load_error(rc), &err, start);
    rights_narrow(&config);
    int status;
    rc = split_init(&split, &samples, &config.settings, config.split_seed, &err);
    if (rc == 0) {
        struct train t = {.config = &config,
                          .samples = &samples,
                          .split = &split,
                          .report = send_point,
                          .layers = send_layers,
                          .sync = sync_points,
                          .context = link,
                          .start_seconds = start};
        status = train_and_report(&t, link);
        split_finish(&split);
    } else {
        status = send_failure(link, RUN_ERROR_DATA, &err, start);
    }
    samples_finish(&samples);
    return status;
}

static int send_refusal(struct link *link, const struct errbuf *err)
{
    struct record r = {.type = RECORD_ERROR, .u.error = *err};
    log_error("%s", err->message);
    link_send(link, &r);
    return 1;
}

/* Nothing could be ranked by a metric that this kind of target does not have. */
static int check_metric(const struct run_config *config, const struct samples *samples,
                        struct errbuf *err)
{
    bool classes = samples->classes > 0;
    enum curve_column column = metric_column(config->metric);
    bool of_classes =
        column == CURVE_TRAIN_ACC || column == CURVE_VAL_ACC || column == CURVE_VAL_F1;
    if ((!of_classes && column != CURVE_VAL_R2) || of_classes == classes)
        return 0;
    return err_bad(err, ERR_VALUE, "$.metric.name", metric_name(config->metric),
                   classes ? "a loss, val_acc, train_acc or val_f1: the target is classes"
                           : "a loss or val_r2: the target is numbers, not classes");
}

/* That every run starts from. */
static int check_start(const struct run_config *config, struct errbuf *err)
{
    struct errbuf why = {0};
    int rc = config->start_weights[0] ? weights_check(config->start_weights, &why) : 0;
    if (rc == 0)
        return 0;
    err_set(err, rc, "$.start_from: %s", why.message);
    str_copy(err->key, sizeof err->key, "$.start_from");
    return rc;
}

/* What else runs need of their data: with on_nan drop too little may be left, and networks must
 * fit the samples' shape. */
static int check_runs(const struct run_config *config, const struct spec *sweep,
                      const struct samples *samples, struct record_prepared *prepared,
                      struct errbuf *err)
{
    struct split split;
    double flop = 0;
    int rc = check_metric(config, samples, err);
    if (rc == 0)
        rc = check_start(config, err);
    if (rc != 0)
        return rc;
    rc = split_init(&split, samples, &config->settings, config->split_seed, err);
    if (rc != 0)
        return rc;
    scan_split(samples, &split, &config->settings, prepared);
    rc = variants_check(config, sweep, samples, &split, err);
    if (rc == 0)
        rc = setup_check(config, samples, &flop, err);
    prepared->flop = (int64_t)flop;
    split_finish(&split);
    return rc;
}

int job_prepare(const char *config_path, struct link *link)
{
    struct run_config config;
    struct samples samples;
    struct spec *sweep = NULL;
    struct errbuf err = {0};
    int rc = run_config_read(config_path, &config, &err);
    if (rc == 0)
        rc = spec_read_prepare(config_path, &sweep, &err);
    if (rc != 0)
        return send_refusal(link, &err);
    struct record_prepared *prepared = xcalloc(1, sizeof *prepared);
    struct record r = {.type = RECORD_PREPARED, .u.prepared = prepared};
    rc = rights_enter(&config, &err);
    if (rc == 0)
        rc = load_data(&config, &samples, prepared, &err);
    if (rc == 0) {
        rc = check_runs(&config, sweep, &samples, prepared, &err);
        samples_finish(&samples);
    }
    int status = rc != 0 ? send_refusal(link, &err) : link_send(link, &r) != 0;
    record_finish(&r);
    if (sweep)
        spec_finish(sweep);
    free(sweep);
    return status;
}
