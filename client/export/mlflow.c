/* A sweep as an experiment in MLflow's file store: DIR/EXPERIMENT/RUN with meta.yaml, params/NAME,
 * tags/NAME and metrics/NAME, lines "milliseconds value step". */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/export/form.h"
#include "client/export/name.h"
#include "client/new_folder.h"
#include "client/utf8.h"
#include "sweep/require.h"

#define VALUE_MAX 6001      /* with its NUL: of a parameter or a tag */
#define NAME_MAX_BYTES 501  /* of an experiment */
#define ID_DIGITS 32
#define MS 1e3

enum { RUNNING = 1, SCHEDULED, FINISHED, FAILED, KILLED };
static const int statuses[EXPORTED_STATE_COUNT] = {
    [EXPORTED_WAITING] = SCHEDULED, [EXPORTED_RUNNING] = RUNNING, [EXPORTED_COMPLETE] = FINISHED,
    [EXPORTED_PRUNED] = KILLED, [EXPORTED_FAILED] = FAILED,
};

struct metric_file {
    const char *name;
    struct buf lines;
};

struct store {
    struct exported *e;
    struct new_folder folder;
    struct export_names names;
    char *place; /* "3/0123…/" of the run in hand */
    double started;
    struct metric_file *metrics; /* of it */
    size_t metric_count, metric_cap;
    char root[PATH_MAX]; /* the folder as it will be */
    int rc;
};

/* --- YAML ------------------------------------------------------------------------------------ */

/* A double-quoted scalar: nothing but printable ASCII stands in it as it is. */
static void yaml_text(struct buf *out, const char *key, const char *text)
{
    buf_printf(out, "%s: \"", key);
    for (const char *p = text; *p != '\0';) {
        uint32_t c = 0xfffd;
        size_t n = utf8_decode(p, &c);
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
            buf_putc(out, (char)c);
        else
            buf_printf(out, c > 0xffff ? "\\U%08x" : "\\u%04x", c);
        p += n > 0 ? n : 1;
    }
    buf_puts(out, "\"\n");
}

static void yaml_int(struct buf *out, const char *key, int64_t v)
{
    buf_printf(out, "%s: %lld\n", key, (long long)v);
}

/* The first failure stays; the bytes are released. */
static void put(struct store *s, const char *place, const char *name, struct buf *bytes)
{
    char *path = xasprintf("%s%s", place, name);
    if (s->rc == 0)
        s->rc = new_folder_write(&s->folder, path, bytes, &s->e->err);
    buf_finish(bytes);
    free(path);
}

/* --- the experiment -------------------------------------------------------------------------- */

static void put_experiment(struct store *s)
{
    struct buf yaml = {0};
    const struct exported *e = s->e;
    char name[NAME_MAX_BYTES], *place = xasprintf("%lld/", (long long)e->id);
    char *location = xasprintf("file://%s/%lld", s->root, (long long)e->id);
    int64_t created = (int64_t)(exported_time(e->sweep, "created_at") * MS);
    int64_t ended = (int64_t)(exported_time(e->sweep, "ended_at") * MS);
    str_copy(name, sizeof name, e->name);
    yaml_text(&yaml, "artifact_location", location);
    yaml_int(&yaml, "creation_time", created);
    buf_printf(&yaml, "experiment_id: '%lld'\n", (long long)e->id);
    yaml_int(&yaml, "last_update_time", ended > 0 ? ended : created);
    buf_puts(&yaml, "lifecycle_stage: active\n");
    yaml_text(&yaml, "name", name);
    put(s, place, "meta.yaml", &yaml);
    free(location);
    free(place);
}

/* --- runs ------------------------------------------------------------------------------------ */

static void put_meta(struct store *s, const struct json *run, const char *id)
{
    struct buf yaml = {0};
    int64_t ended = (int64_t)(exported_time(run, "ended_at") * MS);
    char *uri = xasprintf("file://%s/%sartifacts", s->root, s->place);
    char *name = xasprintf("run %lld", (long long)member_int(run, "run_id", 0));
    yaml_text(&yaml, "artifact_uri", uri);
    if (ended > 0)
        yaml_int(&yaml, "end_time", ended);
    else
        buf_puts(&yaml, "end_time: null\n");
    buf_printf(&yaml, "entry_point_name: ''\nexperiment_id: '%lld'\nlifecycle_stage: active\n",
               (long long)s->e->id);
    buf_printf(&yaml, "run_id: %s\n", id);
    yaml_text(&yaml, "run_name", name);
    buf_printf(&yaml, "run_uuid: %s\nsource_name: ''\nsource_type: 4\nsource_version: ''\n", id);
    yaml_int(&yaml, "start_time", (int64_t)(s->started * MS));
    yaml_int(&yaml, "status", statuses[exported_state_of(s->e, run)]);
    buf_puts(&yaml, "tags: []\nuser_id: ''\n");
    put(s, s->place, "meta.yaml", &yaml);
    free(uri);
    free(name);
}

/* A file of one value: folder "params" or "tags". */
static void put_value(struct store *s, const char *folder, const char *name, const char *value)
{
    char text[VALUE_MAX], *path = xasprintf("%s/%s", folder, name);
    struct buf bytes = {0};
    str_copy(text, sizeof text, value);
    buf_puts(&bytes, text);
    put(s, s->place, path, &bytes);
    free(path);
}

/* A folder is a run where it has all of these. */
static void make_folders(struct store *s)
{
    static const char *const names[] = {"artifacts", "metrics", "params", "tags"};
    for (size_t i = 0; i < ARRAY_LEN(names) && s->rc == 0; i++) {
        char *path = xasprintf("%s%s", s->place, names[i]);
        s->rc = new_folder_make(&s->folder, path, &s->e->err);
        free(path);
    }
}

static void put_params(struct store *s, const struct json *run)
{
    struct export_names names = {0}; /* no run has one that another has not */
    const struct json *params = json_get(run, "params");
    for (const struct json *v = json_first(params); v != NULL; v = json_next(v)) {
        char *text = exported_text(v);
        put_value(s, "params", export_names_get(&names, json_key(v)), text != NULL ? text : "");
        free(text);
    }
    export_names_finish(&names);
}

static void put_tags(struct store *s, const struct json *run)
{
    char *name = xasprintf("run %lld", (long long)member_int(run, "run_id", 0));
    put_value(s, "tags", "mlflow.runName", name);
    put_value(s, "tags", "mlflow.user", "");
    put_value(s, "tags", "mlflow.source.type", "LOCAL");
    for (size_t i = 0; i < exported_attribute_count; i++) {
        char *text = exported_text(json_get(run, exported_attributes[i].key));
        char *tag = xasprintf("sweepd.%s", exported_attributes[i].name);
        if (text != NULL)
            put_value(s, "tags", tag, text);
        free(tag);
        free(text);
    }
    free(name);
}

/* --- metrics --------------------------------------------------------------------------------- */

static struct buf *lines_of(struct store *s, const char *name)
{
    const char *given = export_names_get(&s->names, name);
    for (size_t i = 0; i < s->metric_count; i++)
        if (s->metrics[i].name == given)
            return &s->metrics[i].lines;
    s->metrics = array_room(s->metrics, &s->metric_cap, s->metric_count, sizeof *s->metrics);
    s->metrics[s->metric_count] = (struct metric_file){.name = given};
    return &s->metrics[s->metric_count++].lines;
}

/* Python reads nan, inf and -inf. */
static void add_line(struct buf *out, double at, double value, int64_t step)
{
    char text[32];
    json_format_real(value, text);
    buf_printf(out, "%lld %s %lld\n", (long long)(at * MS),
               isinf(value) && value > 0 ? "inf" : text, (long long)step);
}

static void add_point(void *arg, const struct exported_point *p)
{
    struct store *s = arg;
    double at = s->started + (isfinite(p->seconds) ? p->seconds : 0);
    add_line(lines_of(s, "epoch"), at, p->epoch, p->point);
    for (size_t i = 0; i < p->count; i++)
        add_line(lines_of(s, p->values[i].name), at, p->values[i].value, p->point);
    s->e->values += p->count;
}

/* What the run is ranked by stands apart: the last value of a curve is not its best. */
static void add_best(struct store *s, const struct json *run)
{
    char *name = xasprintf("best/%s", s->e->metric);
    double value, ended = exported_time(run, "ended_at");
    if (exported_metric(run, &value))
        add_line(lines_of(s, name), ended > 0 ? ended : s->started, value, 0);
    free(name);
}

static void put_metrics(struct store *s)
{
    for (size_t i = 0; i < s->metric_count; i++) {
        char *path = xasprintf("metrics/%s", s->metrics[i].name);
        put(s, s->place, path, &s->metrics[i].lines);
        free(path);
    }
    s->metric_count = 0;
}

static int put_run(struct store *s, const struct json *run)
{
    char id[65];
    export_run_hash(s->e->sweep, run, id);
    id[ID_DIGITS] = '\0';
    s->place = xasprintf("%lld/%s/", (long long)s->e->id, id);
    s->started = exported_started(run);
    make_folders(s);
    put_meta(s, run, id);
    put_params(s, run);
    put_tags(s, run);
    int status = exported_points(s->e, run, add_point, s);
    add_best(s, run);
    put_metrics(s);
    free(s->place);
    return status;
}

/* --- the folder ------------------------------------------------------------------------------ */

/* Where it will lie, as other programs say it. */
static void find_root(struct store *s)
{
    if (realpath(s->folder.temporary, s->root) == NULL)
        str_copy(s->root, sizeof s->root, s->folder.path);
    char *slash = strrchr(s->root, '/');
    const char *name = strrchr(s->folder.path, '/');
    if (slash != NULL)
        str_copy(slash + 1, sizeof s->root - (size_t)(slash + 1 - s->root),
                 name != NULL ? name + 1 : s->folder.path);
}

static int write_mlflow(struct exported *e, const char *path)
{
    struct store s = {.e = e};
    int status = CLIENT_DONE;
    s.rc = new_folder_begin(&s.folder, path, &e->err);
    if (s.rc == 0) {
        find_root(&s);
        put_experiment(&s);
    }
    for (size_t i = 0; i < e->run_count && status == CLIENT_DONE && s.rc == 0; i++)
        status = put_run(&s, e->runs[i]);
    if (s.rc == 0 && status == CLIENT_DONE)
        s.rc = new_folder_commit(&s.folder, &e->err);
    if (s.rc != 0 && status == CLIENT_DONE)
        status = client_fail(e->client, CLIENT_REFUSED, &e->err);
    new_folder_abandon(&s.folder);
    export_names_finish(&s.names);
    free(s.metrics);
    return status;
}

const struct export_form export_form_mlflow = {"an experiment of MLflow's file store",
                                               write_mlflow};
