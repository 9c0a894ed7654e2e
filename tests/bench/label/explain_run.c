/* explain_run RUN [SIBLING…]: label and causes of a run that was trained by hand, as one JSON
 * line. Each argument is a folder with config.json, prepared.jsonl (`sweep-worker --prepare`) and
 * run.jsonl (`sweep-worker CONFIG`). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/cause.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/record.h"
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

int main(int argc, char **argv)
{
    struct causes causes;
    struct buf out = {0};
    struct json_writer w;
    if (argc < 2)
        return 2;
    size_t count = (size_t)argc - 1;
    struct told *runs = xcalloc(count, sizeof *runs);
    struct sibling *siblings = xcalloc(count, sizeof *siblings);
    for (size_t i = 0; i < count; i++) {
        read_run(argv[i + 1], &runs[i]);
        siblings[i] = (struct sibling){&runs[i].config.settings, &runs[i].facts};
    }
    struct cause_input in = {.facts = &runs->facts, .settings = &runs->config.settings,
                             .layers = &runs->config.layers, .data = &runs->data,
                             .parameters = runs->parameters, .siblings = siblings + 1,
                             .sibling_count = count - 1};
    causes_of(&in, &causes);
    jw_init(&w, &out);
    jw_begin_object(&w);
    jw_kv_string(&w, "pattern", pattern_name(runs->facts.pattern));
    jw_key(&w, "causes");
    causes_write(&causes, &w);
    jw_key(&w, "facts");
    run_facts_write(&runs->facts, &w);
    jw_end_object(&w);
    printf("%s\n", out.data);
    buf_finish(&out);
    for (size_t i = 0; i < count; i++)
        free(runs[i].points);
    free(runs);
    free(siblings);
    return 0;
}
