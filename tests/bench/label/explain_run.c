/* explain_run [--after REMEDY CAUSE | --all] RUN [SIBLING…]: label and causes of a run that was trained by hand, and what each
 * remedy would make of its configuration, in order, as one JSON line. Each argument is a folder with
 * config.json, prepared.jsonl (`sweep-worker --prepare`) and run.jsonl (`sweep-worker CONFIG`).
 * --after: it is a treatment that helped, by that remedy, for that cause of its parent.
 * --all: every remedy that there is, whatever the label. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "daemon/causes/cause.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/record.h"
#include "daemon/causes/remedy.h"
#include "sweep/run_config.h"

#define FILE_MAX ((size_t)256 << 20)

struct told { /* by the files of one run */
    struct run_config config;
    struct data_facts data;
    struct run_facts facts;
    int64_t parameters;
    struct diagnosis diagnosis;
    struct run_facts_gather gather;
    struct point *points;
    size_t count;
};

static void fail(const char *path, const struct errbuf *err)
{
    fprintf(stderr, "explain_run: %s: %s\n", path, err->message);
    exit(1);
}

static void read_file(const char *folder, const char *name, struct buf *out)
{
    char path[4096];
    struct errbuf err;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (buf_read_file(out, path, FILE_MAX, &err) != 0)
        fail(path, &err);
}

static void read_config(const char *folder, struct told *t)
{
    struct buf text = {0};
    struct errbuf err = {0};
    read_file(folder, "config.json", &text);
    struct json *root = json_parse(text.data, text.len, &err);
    if (!root || run_config_parse(root, &t->config, &err) != 0)
        fail(folder, &err);
    settings_apply_preset(&t->config.settings);
    json_destroy(root);
    buf_finish(&text);
}

static void take_prepared(struct told *t, const struct record_prepared *p)
{
    struct data_facts whole;
    data_facts_init(&whole, p);
    t->data = data_facts_of_run(&whole, &t->config.settings);
}

static void take_record(struct told *t, const struct record *r)
{
    if (r->type == RECORD_START) {
        t->parameters = r->u.start.parameters;
    } else if (r->type == RECORD_POINT) {
        t->points = xrealloc(t->points, (t->count + 1) * sizeof *t->points);
        t->points[t->count++] = r->u.point;
    } else if (r->type == RECORD_LAYERS) {
        run_facts_layers(&t->gather, r->u.layers);
    } else if (r->type == RECORD_PREPARED) {
        take_prepared(t, r->u.prepared);
    }
}

static void read_records(const char *folder, const char *name, struct told *t)
{
    struct buf text = {0};
    struct errbuf err;
    struct record r;
    read_file(folder, name, &text);
    for (char *line = text.data, *end; line && (end = strchr(line, '\n')); line = end + 1) {
        if (record_parse(line, (size_t)(end - line), &r, &err) != 0)
            fail(folder, &err);
        take_record(t, &r);
        record_finish(&r);
    }
    buf_finish(&text);
}

static void read_run(const char *folder, struct told *t)
{
    run_facts_begin(&t->gather);
    read_config(folder, t);
    read_records(folder, "prepared.jsonl", t);
    read_records(folder, "run.jsonl", t);
    struct diagnosis_input in = {.points = t->points, .count = t->count,
                                 .dropout = t->config.settings.v[SETTING_DROPOUT]};
    void *workspace = xmalloc(diagnosis_workspace_bytes(t->count));
    diagnose(&in, workspace, &t->diagnosis);
    free(workspace);
    run_facts_end(&t->gather, t->points, t->count, &t->diagnosis, &t->facts);
}

struct asked {
    struct remedy_past past;
    bool all; /* remedies, not those of the label */
};

static size_t remedies_asked(const struct told *t, const struct causes *causes,
                             const struct asked *asked, enum remedy list[REMEDY_COUNT])
{
    enum cause_id cause = causes->count > 0 ? causes->items[0].id : CAUSE_UNKNOWN;
    if (!asked->all)
        return remedies_next(t->facts.pattern, cause, &asked->past, list);
    for (int r = 0; r < REMEDY_COUNT; r++)
        list[r] = (enum remedy)r;
    return REMEDY_COUNT;
}

/* [{"remedy":"…","guide_ref":"G2.1","config":{}}, …]; those that do not apply are left out. */
static void write_remedies(const struct told *t, const struct causes *causes,
                           const struct asked *asked, struct json_writer *w)
{
    const struct remedy_context context = {.data = &t->data};
    enum remedy list[REMEDY_COUNT];
    size_t count = remedies_asked(t, causes, asked, list);
    jw_begin_array(w);
    for (size_t i = 0; i < count; i++) {
        struct run_config config = t->config;
        struct treatment treated = {.settings = config.settings, .layers = config.layers,
                                    .epochs = config.epochs};
        if (!remedy_apply(list[i], &context, &treated))
            continue;
        config.settings = treated.settings;
        config.layers = treated.layers;
        config.epochs = treated.epochs;
        jw_begin_object(w);
        jw_kv_string(w, "remedy", remedy_name(list[i]));
        jw_kv_string(w, "guide_ref", remedy_guide_ref(list[i]));
        jw_key(w, "config");
        run_config_write(&config, w);
        jw_end_object(w);
    }
    jw_end_array(w);
}

static void write_explanation(const struct told *t, const struct causes *causes,
                              const struct asked *asked)
{
    struct buf out = {0};
    struct json_writer w;
    jw_init(&w, &out);
    jw_begin_object(&w);
    jw_kv_string(&w, "pattern", pattern_name(t->facts.pattern));
    jw_key(&w, "causes");
    causes_write(causes, &w);
    jw_key(&w, "remedies");
    write_remedies(t, causes, asked, &w);
    jw_key(&w, "facts");
    run_facts_write(&t->facts, &w);
    jw_end_object(&w);
    printf("%s\n", out.data);
    buf_finish(&out);
}

/* Takes the option off argv; 0 when there is none, -1 when it is not understood. */
static int read_asked(int argc, char **argv, struct asked *out)
{
    out->all = argc > 1 && strcmp(argv[1], "--all") == 0;
    if (out->all)
        return 1;
    if (argc < 2 || strcmp(argv[1], "--after") != 0)
        return 0;
    int remedy = argc > 4 ? remedy_find(argv[2]) : -1, cause = argc > 4 ? cause_find(argv[3]) : -1;
    if (remedy < 0 || cause < 0)
        return -1;
    out->past = (struct remedy_past){(enum remedy)remedy, (enum cause_id)cause, true};
    return 3;
}

int main(int argc, char **argv)
{
    struct asked asked = {0};
    struct causes causes;
    int taken = read_asked(argc, argv, &asked);
    if (taken < 0 || argc - taken < 2)
        return 2;
    size_t count = (size_t)(argc - taken) - 1;
    struct told *runs = xcalloc(count, sizeof *runs);
    struct sibling *siblings = xcalloc(count, sizeof *siblings);
    for (size_t i = 0; i < count; i++) {
        read_run(argv[taken + (int)i + 1], &runs[i]);
        siblings[i] = (struct sibling){&runs[i].config.settings, &runs[i].facts};
    }
    struct cause_input in = {.facts = &runs->facts, .settings = &runs->config.settings,
                             .layers = &runs->config.layers, .data = &runs->data,
                             .parameters = runs->parameters, .siblings = siblings + 1,
                             .sibling_count = count - 1};
    causes_of(&in, &causes);
    write_explanation(&runs[0], &causes, &asked);
    for (size_t i = 0; i < count; i++)
        free(runs[i].points);
    free(runs);
    free(siblings);
    return 0;
}
