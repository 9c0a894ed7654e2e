/* A sweep as event files of TensorBoard: DIR/run-ID of each run has its scalars and, for the
 * HParams plugin, its parameters and how it ended; DIR itself says which parameters and metrics
 * there are. Records in TensorFlow's framing: length, its check, an Event message, its check. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/export/form.h"
#include "client/new_folder.h"
#include "client/proto.h"
#include "sweep/crc32.h"

/* Fields of event.proto, summary.proto, tensor.proto, of the plugin's plugin_data.proto and
 * api.proto, and of struct.proto. */
enum { EVENT_WALL_TIME = 1, EVENT_STEP = 2, EVENT_FILE_VERSION = 3, EVENT_SUMMARY = 5 };
enum { SUMMARY_VALUE = 1, VALUE_TAG = 1, VALUE_SIMPLE = 2, VALUE_TENSOR = 8, VALUE_METADATA = 9 };
enum { METADATA_PLUGIN = 1, PLUGIN_NAME = 1, PLUGIN_CONTENT = 2 };
enum { TENSOR_DTYPE = 1, TENSOR_SHAPE = 2, SHAPE_DIM = 2, DT_FLOAT = 1 };
enum { DATA_EXPERIMENT = 2, DATA_SESSION_START = 3, DATA_SESSION_END = 4 };
enum { EXPERIMENT_DESCRIPTION = 1, EXPERIMENT_CREATED = 3, EXPERIMENT_HPARAM = 4,
       EXPERIMENT_METRIC = 5, EXPERIMENT_NAME = 6 };
enum { HPARAM_NAME = 1, HPARAM_TYPE = 4, HPARAM_DISCRETE = 5, HPARAM_INTERVAL = 6 };
enum { INTERVAL_MIN = 1, INTERVAL_MAX = 2, LIST_VALUE = 1 };
enum { METRIC_INFO_NAME = 1, METRIC_INFO_DISPLAY = 3, METRIC_TAG = 2 };
enum { START_HPARAM = 1, START_GROUP = 4, START_TIME = 5, MAP_KEY = 1, MAP_VALUE = 2 };
enum { END_STATUS = 1, END_TIME = 2 };
enum { ANY_NUMBER = 2, ANY_STRING = 3, ANY_BOOL = 4 };
enum { TYPE_STRING = 1, TYPE_BOOL = 2, TYPE_FLOAT64 = 3 };
enum { STATUS_UNKNOWN, STATUS_SUCCESS, STATUS_FAILURE, STATUS_RUNNING };

static const int statuses[EXPORTED_STATE_COUNT] = {
    [EXPORTED_WAITING] = STATUS_UNKNOWN, [EXPORTED_RUNNING] = STATUS_RUNNING,
    [EXPORTED_COMPLETE] = STATUS_SUCCESS, [EXPORTED_PRUNED] = STATUS_SUCCESS,
    [EXPORTED_FAILED] = STATUS_FAILURE,
};

struct board {
    struct exported *e;
    struct new_folder folder;
    FILE *file; /* of the run in hand */
    double started;
    char *best_tag; /* of the value that a run is ranked by */
};

/* --- records --------------------------------------------------------------------------------- */

static void add_check(struct buf *out, const void *bytes, size_t len)
{
    proto_little_endian(out, crc32_masked(crc32_castagnoli(0, bytes, len)), 4);
}

static void write_event(FILE *file, struct buf *event)
{
    struct buf record = {0};
    proto_little_endian(&record, event->len, 8);
    add_check(&record, record.data, record.len);
    buf_append(&record, event->data, event->len);
    add_check(&record, event->data, event->len);
    fwrite(record.data, 1, record.len, file);
    buf_finish(&record);
    buf_finish(event);
}

static void begin_event(struct buf *event, double wall_time, int64_t step)
{
    *event = (struct buf){0};
    proto_double(event, EVENT_WALL_TIME, wall_time);
    if (step != 0)
        proto_int(event, EVENT_STEP, step);
}

static void add_scalar(struct buf *summary, const char *tag, double value)
{
    struct buf v = {0};
    proto_text(&v, VALUE_TAG, tag);
    proto_float(&v, VALUE_SIMPLE, (float)value);
    proto_message(summary, SUMMARY_VALUE, &v);
}

/* A file says its version first. */
static FILE *open_events(struct board *b, const char *place, double at)
{
    char *name =
        xasprintf("%sevents.out.tfevents.%010lld.sweepd", place, (long long)fmax(at, 0));
    FILE *file = new_folder_open(&b->folder, name, &b->e->err);
    struct buf event;
    free(name);
    if (file == NULL)
        return NULL;
    begin_event(&event, at, 0);
    proto_text(&event, EVENT_FILE_VERSION, "brain.Event:2");
    write_event(file, &event);
    return file;
}

/* --- the HParams plugin ---------------------------------------------------------------------- */

/* A summary of nothing but what the plugin is told. */
static void write_plugin(FILE *file, const char *tag, double at, struct buf *data)
{
    struct buf event, summary = {0}, value = {0}, plugin = {0}, metadata = {0}, tensor = {0};
    struct buf shape = {0}, dim = {0};
    proto_text(&plugin, PLUGIN_NAME, "hparams");
    proto_message(&plugin, PLUGIN_CONTENT, data);
    proto_message(&metadata, METADATA_PLUGIN, &plugin);
    proto_message(&shape, SHAPE_DIM, &dim); /* a dimension of size 0 */
    proto_int(&tensor, TENSOR_DTYPE, DT_FLOAT);
    proto_message(&tensor, TENSOR_SHAPE, &shape);
    proto_text(&value, VALUE_TAG, tag);
    proto_message(&value, VALUE_TENSOR, &tensor);
    proto_message(&value, VALUE_METADATA, &metadata);
    proto_message(&summary, SUMMARY_VALUE, &value);
    begin_event(&event, at, 0);
    proto_message(&event, EVENT_SUMMARY, &summary);
    write_event(file, &event);
}

/* A value as struct.proto has it. */
static void add_any(struct buf *out, unsigned field, const struct json *v)
{
    struct buf any = {0};
    double number;
    if (json_type(v) == JSON_BOOL) {
        proto_int(&any, ANY_BOOL, json_bool(v));
    } else if (json_type(v) == JSON_NUMBER && json_real(v, &number) == 0) {
        proto_double(&any, ANY_NUMBER, number);
    } else {
        char *text = exported_text(v);
        proto_text(&any, ANY_STRING, text != NULL ? text : "");
        free(text);
    }
    proto_message(out, field, &any);
}

static bool is_listed(const struct dimension *d)
{
    return d->distribution == DISTRIBUTION_CATEGORICAL || d->type == VALUE_CHOICE ||
           d->type == VALUE_SWITCH;
}

static int type_of(const struct dimension *d)
{
    return d->type == VALUE_SWITCH   ? TYPE_BOOL
           : d->type == VALUE_CHOICE ? TYPE_STRING
                                     : TYPE_FLOAT64;
}

static void add_list(struct buf *out, const struct dimension *d)
{
    struct buf list = {0};
    for (size_t i = 0; i < d->value_count; i++) {
        struct buf text = {0};
        struct json_writer w;
        jw_init(&w, &text);
        dimension_to_json(d, d->values[i], &w);
        struct json *v = json_parse(text.data, text.len, NULL);
        if (v != NULL)
            add_any(&list, LIST_VALUE, v);
        json_destroy(v);
        buf_finish(&text);
    }
    proto_message(out, HPARAM_DISCRETE, &list);
}

static void add_hparam(struct buf *experiment, const struct dimension *d)
{
    struct buf info = {0}, interval = {0};
    proto_text(&info, HPARAM_NAME, d->name);
    proto_int(&info, HPARAM_TYPE, type_of(d));
    if (is_listed(d)) {
        add_list(&info, d);
    } else if (isfinite(d->min) && isfinite(d->max)) {
        proto_double(&interval, INTERVAL_MIN, d->min);
        proto_double(&interval, INTERVAL_MAX, d->max);
        proto_message(&info, HPARAM_INTERVAL, &interval);
    }
    proto_message(experiment, EXPERIMENT_HPARAM, &info);
}

static void add_metric(struct buf *experiment, const char *tag, const char *display)
{
    struct buf info = {0}, name = {0};
    proto_text(&name, METRIC_TAG, tag);
    proto_message(&info, METRIC_INFO_NAME, &name);
    proto_text(&info, METRIC_INFO_DISPLAY, display);
    proto_message(experiment, EXPERIMENT_METRIC, &info);
}

static int write_experiment(struct board *b)
{
    const struct exported *e = b->e;
    const struct space *s = &e->spec.space;
    struct buf data = {0}, experiment = {0};
    double created = exported_time(e->sweep, "created_at");
    FILE *file = open_events(b, "", created);
    if (file == NULL)
        return ERR_IO;
    proto_text(&experiment, EXPERIMENT_DESCRIPTION, "a sweep of sweepd " SWEEPD_VERSION);
    proto_double(&experiment, EXPERIMENT_CREATED, created);
    for (size_t i = 0; i < s->count; i++)
        add_hparam(&experiment, &s->dimensions[i]);
    add_metric(&experiment, b->best_tag, b->best_tag);
    add_metric(&experiment, e->metric, e->metric);
    proto_text(&experiment, EXPERIMENT_NAME, e->name);
    proto_message(&data, DATA_EXPERIMENT, &experiment);
    write_plugin(file, "_hparams_/experiment", created, &data);
    return new_folder_close(&b->folder, file, &b->e->err);
}

static void write_start(struct board *b, const struct json *run)
{
    struct buf data = {0}, start = {0};
    const struct json *params = json_get(run, "params");
    char *group = xasprintf("run %lld", (long long)member_int(run, "run_id", 0));
    for (const struct json *v = json_first(params); v != NULL; v = json_next(v)) {
        struct buf entry = {0};
        proto_text(&entry, MAP_KEY, json_key(v));
        add_any(&entry, MAP_VALUE, v);
        proto_message(&start, START_HPARAM, &entry);
    }
    proto_text(&start, START_GROUP, group);
    proto_double(&start, START_TIME, b->started);
    proto_message(&data, DATA_SESSION_START, &start);
    write_plugin(b->file, "_hparams_/session_start_info", b->started, &data);
    free(group);
}

static void write_end(struct board *b, const struct json *run)
{
    struct buf data = {0}, end = {0};
    double ended = exported_time(run, "ended_at");
    proto_int(&end, END_STATUS, statuses[exported_state_of(b->e, run)]);
    if (ended > 0)
        proto_double(&end, END_TIME, ended);
    proto_message(&data, DATA_SESSION_END, &end);
    write_plugin(b->file, "_hparams_/session_end_info", ended > 0 ? ended : b->started, &data);
}

/* --- runs ------------------------------------------------------------------------------------ */

static void write_point(void *arg, const struct exported_point *p)
{
    struct board *b = arg;
    struct buf event, summary = {0};
    add_scalar(&summary, "epoch", p->epoch);
    for (size_t i = 0; i < p->count; i++)
        add_scalar(&summary, p->values[i].name, p->values[i].value);
    b->e->values += p->count;
    begin_event(&event, b->started + (isfinite(p->seconds) ? p->seconds : 0), p->point);
    proto_message(&event, EVENT_SUMMARY, &summary);
    write_event(b->file, &event);
}

/* What the run is ranked by: the last value of a curve is not its best. */
static void write_best(struct board *b, const struct json *run)
{
    double ended = exported_time(run, "ended_at"), value;
    struct buf event, summary = {0};
    if (!exported_metric(run, &value))
        return;
    add_scalar(&summary, b->best_tag, value);
    begin_event(&event, ended > 0 ? ended : b->started, 0);
    proto_message(&event, EVENT_SUMMARY, &summary);
    write_event(b->file, &event);
}

static int write_run(struct board *b, const struct json *run)
{
    char *place = xasprintf("run-%04lld/", (long long)member_int(run, "run_id", 0));
    b->started = exported_started(run);
    b->file = open_events(b, place, b->started);
    free(place);
    if (b->file == NULL)
        return client_fail(b->e->client, CLIENT_REFUSED, &b->e->err);
    write_start(b, run);
    int status = exported_points(b->e, run, write_point, b);
    write_best(b, run);
    write_end(b, run);
    if (new_folder_close(&b->folder, b->file, &b->e->err) != 0 && status == CLIENT_DONE)
        status = client_fail(b->e->client, CLIENT_REFUSED, &b->e->err);
    return status;
}

static int write_tensorboard(struct exported *e, const char *path)
{
    struct board b = {.e = e, .best_tag = xasprintf("best/%s", e->metric)};
    int rc = new_folder_begin(&b.folder, path, &e->err);
    if (rc == 0)
        rc = write_experiment(&b);
    int status = rc == 0 ? CLIENT_DONE : client_fail(e->client, CLIENT_REFUSED, &e->err);
    for (size_t i = 0; i < e->run_count && status == CLIENT_DONE; i++)
        status = write_run(&b, e->runs[i]);
    if (status == CLIENT_DONE && new_folder_commit(&b.folder, &e->err) != 0)
        status = client_fail(e->client, CLIENT_REFUSED, &e->err);
    new_folder_abandon(&b.folder);
    free(b.best_tag);
    return status;
}

const struct export_form export_form_tensorboard = {"event files of TensorBoard",
                                                    write_tensorboard};
