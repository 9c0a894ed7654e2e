/* A sweep as offline runs of W&B, which `wandb sync` uploads: of each run
 * DIR/wandb/offline-run-TIME-ID/run-ID.wandb. The file: 7 bytes, then LevelDB's log format (blocks
 * of 32 KiB; records of check u32, length u16, type u8, in one piece or several; the check is
 * zlib's), each record a protobuf Record. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/export/form.h"
#include "client/export/name.h"
#include "client/new_folder.h"
#include "client/proto.h"
#include "sweep/crc32.h"

#define BLOCK 32768
#define HEADER 7        /* of the file, and of a piece */
#define NAME_MAX_BYTES 129
#define TAG_MAX_BYTES 65
#define ID_LENGTH 8

enum { FULL = 1, FIRST, MIDDLE, LAST };
/* Fields of wandb_internal.proto. */
enum { RECORD_NUM = 1, RECORD_HISTORY = 2, RECORD_SUMMARY = 3, RECORD_RUN = 17, RECORD_EXIT = 18,
       RECORD_HEADER = 21, RECORD_INFO = 200, INFO_STREAM = 1 };
enum { HEADER_VERSION = 1, VERSION_PRODUCER = 1, VERSION_MIN_CONSUMER = 2 };
enum { RUN_ID = 1, RUN_PROJECT = 3, RUN_CONFIG = 4, RUN_GROUP = 6, RUN_DISPLAY_NAME = 8,
       RUN_NOTES = 9, RUN_TAGS = 10, RUN_START = 17, RUN_RUNTIME = 20 };
enum { UPDATE = 1, ITEM_KEY = 1, ITEM_NESTED_KEY = 2, ITEM_VALUE = 16 };
enum { TIME_SECONDS = 1, TIME_NANOS = 2, STEP_NUM = 1, HISTORY_STEP = 2 };
enum { EXIT_CODE = 1, EXIT_RUNTIME = 2 };

struct offline_run {
    struct exported *e;
    struct new_folder folder;
    FILE *file;    /* of the run in hand */
    size_t at;     /* bytes of it */
    int64_t count; /* records */
    char id[ID_LENGTH + 1];
    double started;
};

/* --- records --------------------------------------------------------------------------------- */

static void write_piece(struct offline_run *r, int type, const char *bytes, size_t len)
{
    struct buf piece = {0};
    char kind = (char)type;
    proto_little_endian(&piece, crc32_ieee(crc32_ieee(0, &kind, 1), bytes, len), 4);
    proto_little_endian(&piece, len, 2);
    buf_putc(&piece, kind);
    buf_append(&piece, bytes, len);
    fwrite(piece.data, 1, piece.len, r->file);
    r->at += piece.len;
    buf_finish(&piece);
}

static void write_bytes(struct offline_run *r, const struct buf *record)
{
    static const char zeros[HEADER];
    size_t done = 0;
    do {
        size_t left = BLOCK - r->at % BLOCK;
        if (left < HEADER) {
            r->at += fwrite(zeros, 1, left, r->file);
            left = BLOCK;
        }
        size_t rest = record->len - done, len = rest < left - HEADER ? rest : left - HEADER;
        bool last = len == rest;
        write_piece(r, done == 0 ? (last ? FULL : FIRST) : (last ? LAST : MIDDLE),
                    record->data + done, len);
        done += len;
    } while (done < record->len);
}

/* The message as that field of a record. */
static void write_record(struct offline_run *r, unsigned field, struct buf *message)
{
    struct buf record = {0}, info = {0};
    proto_int(&record, RECORD_NUM, ++r->count);
    proto_message(&record, field, message);
    proto_text(&info, INFO_STREAM, r->id);
    proto_message(&record, RECORD_INFO, &info);
    write_bytes(r, &record);
    buf_finish(&record);
}

static void write_header(struct offline_run *r)
{
    struct buf header = {0}, version = {0};
    fwrite(":W&B\xe1\xbe\0", 1, HEADER, r->file);
    r->at = HEADER;
    r->count = 0;
    proto_text(&version, VERSION_PRODUCER, "sweepd " SWEEPD_VERSION);
    proto_text(&version, VERSION_MIN_CONSUMER, "0.70.0");
    proto_message(&header, HEADER_VERSION, &version);
    write_record(r, RECORD_HEADER, &header);
}

/* --- items ----------------------------------------------------------------------------------- */

/* A key with a value as JSON; W&B's own begin with '_'. */
static void add_item(struct buf *out, unsigned field, const char *key, const char *json)
{
    struct buf item = {0};
    proto_text(&item, ITEM_NESTED_KEY, key);
    proto_text(&item, ITEM_VALUE, json);
    proto_message(out, field, &item);
}

/* NaN, Infinity and -Infinity are words of Python's JSON. */
static void add_number(struct buf *out, unsigned field, const char *key, double v)
{
    char text[32];
    json_format_real(v, text);
    add_item(out, field, key,
             isnan(v)   ? "NaN"
             : isinf(v) ? (v > 0 ? "Infinity" : "-Infinity")
                        : text);
}

/* A name that is one of W&B's gets another. The caller frees. */
static char *own_name(const char *name)
{
    return *name == '_' ? xasprintf("reported/%s", name) : xstrdup(name);
}

static void add_metric(struct buf *out, unsigned field, const char *name, double v)
{
    char *own = own_name(name);
    add_number(out, field, own, v);
    free(own);
}

static void add_json(struct buf *out, unsigned field, const char *key, const struct json *v)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_value(&w, v);
    add_item(out, field, key, text.data);
    buf_finish(&text);
}

/* --- the run --------------------------------------------------------------------------------- */

/* A project's name has none of these characters. */
static void project_of(const struct exported *e, char out[NAME_MAX_BYTES])
{
    str_copy(out, NAME_MAX_BYTES, e->name);
    for (char *p = out; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f || strchr("/\\#?%:\"<>", *p) != NULL)
            *p = '-';
}

static void add_config(struct buf *run_record, const struct json *params)
{
    struct buf config = {0};
    for (const struct json *v = json_first(params); v != NULL; v = json_next(v)) {
        struct buf text = {0}, item = {0};
        struct json_writer w;
        char *own = own_name(json_key(v));
        jw_init(&w, &text);
        jw_value(&w, v);
        proto_text(&item, ITEM_KEY, own);
        proto_text(&item, ITEM_VALUE, text.data);
        proto_message(&config, UPDATE, &item);
        buf_finish(&text);
        free(own);
    }
    proto_message(run_record, RUN_CONFIG, &config);
}

static void add_tag(struct buf *run_record, const struct json *run, const char *key)
{
    char tag[TAG_MAX_BYTES];
    str_copy(tag, sizeof tag, member_string(run, key, ""));
    if (*tag != '\0')
        proto_text(run_record, RUN_TAGS, tag);
}

static void write_run_record(struct offline_run *r, const struct json *run)
{
    struct buf m = {0}, start = {0};
    char project[NAME_MAX_BYTES];
    char *group = xasprintf("sweep %lld", (long long)r->e->id);
    char *name = xasprintf("run %lld", (long long)member_int(run, "run_id", 0));
    project_of(r->e, project);
    proto_text(&m, RUN_ID, r->id);
    proto_text(&m, RUN_PROJECT, project);
    add_config(&m, json_get(run, "params"));
    proto_text(&m, RUN_GROUP, group);
    proto_text(&m, RUN_DISPLAY_NAME, name);
    proto_text(&m, RUN_NOTES, member_string(run, "reason", ""));
    add_tag(&m, run, "status");
    add_tag(&m, run, "label");
    proto_int(&start, TIME_SECONDS, (int64_t)r->started);
    proto_int(&start, TIME_NANOS, (int64_t)((r->started - floor(r->started)) * 1e9));
    proto_message(&m, RUN_START, &start);
    write_record(r, RECORD_RUN, &m);
    free(group);
    free(name);
}

static void write_point(void *arg, const struct exported_point *p)
{
    struct offline_run *r = arg;
    struct buf history = {0}, step = {0};
    double seconds = isfinite(p->seconds) ? p->seconds : 0;
    for (size_t i = 0; i < p->count; i++)
        add_metric(&history, 1, p->values[i].name, p->values[i].value);
    r->e->values += p->count;
    add_number(&history, 1, "epoch", p->epoch);
    add_number(&history, 1, "_timestamp", r->started + seconds);
    add_number(&history, 1, "_runtime", seconds);
    add_number(&history, 1, "_step", (double)p->point);
    proto_int(&step, STEP_NUM, p->point);
    proto_message(&history, HISTORY_STEP, &step);
    write_record(r, RECORD_HISTORY, &history);
}

/* What stands in a table of runs: how it is ranked, its label, how it ended. */
static void write_summary(struct offline_run *r, const struct json *run)
{
    struct buf m = {0};
    char *best = xasprintf("best/%s", r->e->metric);
    double value;
    if (exported_metric(run, &value))
        add_number(&m, UPDATE, best, value);
    for (size_t i = 0; i < exported_attribute_count; i++) {
        const struct exported_attribute *a = &exported_attributes[i];
        char *key = xasprintf("sweepd/%s", a->name);
        const struct json *member = json_get(run, a->key);
        if (member != NULL && json_type(member) != JSON_NULL)
            add_json(&m, UPDATE, key, member);
        free(key);
    }
    write_record(r, RECORD_SUMMARY, &m);
    free(best);
}

static void write_exit(struct offline_run *r, const struct json *run)
{
    struct buf m = {0};
    double seconds = member_real(run, "seconds", 0);
    proto_int(&m, EXIT_CODE, exported_state_of(r->e, run) == EXPORTED_FAILED);
    proto_int(&m, EXIT_RUNTIME, isfinite(seconds) && seconds < INT32_MAX ? (int64_t)seconds : 0);
    write_record(r, RECORD_EXIT, &m);
}

/* --- the folder ------------------------------------------------------------------------------ */

/* "wandb/offline-run-20260131_220509-0123abcd/run-0123abcd.wandb"; the caller frees. */
static char *place_of(const struct offline_run *r)
{
    char text[32] = "19700101_000000";
    time_t started = (time_t)r->started;
    struct tm utc;
    if (gmtime_r(&started, &utc) != NULL)
        strftime(text, sizeof text, "%Y%m%d_%H%M%S", &utc);
    return xasprintf("wandb/offline-run-%s-%s/run-%s.wandb", text, r->id, r->id);
}

static int write_run(struct offline_run *r, const struct json *run)
{
    char hash[65];
    export_run_hash(r->e->sweep, run, hash);
    str_copy(r->id, sizeof r->id, hash);
    r->started = exported_started(run);
    char *place = place_of(r);
    r->file = new_folder_open(&r->folder, place, &r->e->err);
    free(place);
    if (r->file == NULL)
        return client_fail(r->e->client, CLIENT_REFUSED, &r->e->err);
    write_header(r);
    write_run_record(r, run);
    int status = exported_points(r->e, run, write_point, r);
    write_summary(r, run);
    write_exit(r, run);
    if (new_folder_close(&r->folder, r->file, &r->e->err) != 0 && status == CLIENT_DONE)
        status = client_fail(r->e->client, CLIENT_REFUSED, &r->e->err);
    return status;
}

static int write_wandb(struct exported *e, const char *path)
{
    struct offline_run r = {.e = e};
    int rc = new_folder_begin(&r.folder, path, &e->err);
    int status = rc == 0 ? CLIENT_DONE : client_fail(e->client, CLIENT_REFUSED, &e->err);
    for (size_t i = 0; i < e->run_count && status == CLIENT_DONE; i++)
        status = write_run(&r, e->runs[i]);
    if (status == CLIENT_DONE && new_folder_commit(&r.folder, &e->err) != 0)
        status = client_fail(e->client, CLIENT_REFUSED, &e->err);
    new_folder_abandon(&r.folder);
    return status;
}

const struct export_form export_form_wandb = {"offline runs of W&B", write_wandb};
