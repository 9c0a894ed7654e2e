/* One chart of a sweep as an SVG file. */
#include "client/client.h"

#include <stdlib.h>
#include <string.h>

#include "client/new_file.h"
#include "client/plot/gather.h"
#include "client/plot/plot.h"
#include "client/progress.h"

#define CURVES_MAX 200

static int unknown_kind(struct client *c, const char *given)
{
    const char *names[PLOT_COUNT];
    struct buf list = {0};
    for (int i = 0; i < PLOT_COUNT; i++) {
        names[i] = plot_info((enum plot_kind)i)->name;
        buf_printf(&list, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    const char *near = err_nearest(given, names, PLOT_COUNT);
    int status = client_usage(c, "KIND: got %s; %s%s%sallowed: %s", given,
                              near != NULL ? "did you mean " : "", near != NULL ? near : "",
                              near != NULL ? "? " : "", list.data);
    buf_finish(&list);
    return status;
}

static int unknown_parameter(struct client *c, const char *option, const char *given,
                             const struct study *s)
{
    struct buf list = {0};
    for (size_t i = 0; i < s->parameter_count; i++)
        buf_printf(&list, "%s%s", i > 0 ? ", " : "", s->parameters[i].name);
    int status = client_usage(c, "%s: got %s; allowed: a swept parameter of sweep %lld: %s", option,
                              given, (long long)s->id, list.len > 0 ? list.data : "it has none");
    buf_finish(&list);
    return status;
}

/* The language of --language; the default is English. */
static int take_language(struct client *c, enum language *out)
{
    const char *name = c->opts.text[OPTION_LANGUAGE];
    int found = name != NULL ? language_find(name) : LANGUAGE_EN;
    if (found < 0)
        return client_usage(c, "--language: got %s; allowed: en, zh", name);
    *out = (enum language)found;
    return CLIENT_DONE;
}

/* KIND, and the sweep behind it; without one the newest. */
static int take_arguments(struct client *c, enum plot_kind *kind, int64_t *sweep)
{
    int found = plot_find(c->opts.arg);
    if (found < 0)
        return unknown_kind(c, c->opts.arg);
    if (c->opts.value_count > 1)
        return client_usage(c, "one SWEEP; got also %s", c->opts.values[1]);
    *kind = (enum plot_kind)found;
    *sweep = 0;
    if (c->opts.value_count == 1 && opts_positive(c->opts.values[0], sweep) != 0)
        return client_usage(c, "SWEEP: got %s; allowed: the id of a sweep, an integer from 1",
                            c->opts.values[0]);
    return CLIENT_DONE;
}

/* Of a front the axes are objectives. */
static int check_objective(struct client *c, const char *option, const char *given,
                           const struct study *s)
{
    struct buf list = {0};
    if (given == NULL || study_objective(s, given) >= 0)
        return CLIENT_DONE;
    for (size_t i = 0; i < s->objective_count; i++)
        buf_printf(&list, "%s%s", i > 0 ? ", " : "", s->objectives[i].name);
    int status = client_usage(c, "%s: got %s; allowed: an objective of sweep %lld: %s", option,
                              given, (long long)s->id,
                              list.len > 0 ? list.data : "it has one, and its front is over time");
    buf_finish(&list);
    return status;
}

static int check_parameter(struct client *c, const char *option, const char *given,
                           const struct study *s)
{
    if (given == NULL || study_parameter(s, given) >= 0)
        return CLIENT_DONE;
    return unknown_parameter(c, option, given, s);
}

static int check_names(struct client *c, enum plot_kind kind, const struct study *s,
                       const struct plot_options *o)
{
    int (*check)(struct client *, const char *, const char *, const struct study *) =
        kind == PLOT_pareto ? check_objective : check_parameter;
    int status = check(c, "--x", o->x, s);
    if (status == CLIENT_DONE)
        status = check(c, "--y", o->y, s);
    if (status != CLIENT_DONE)
        return status;
    if (o->x != NULL && o->y != NULL && strcmp(o->x, o->y) == 0)
        return client_usage(c, "--x and --y name the same: %s", o->x);
    for (size_t i = 0; i < s->run_count; i++)
        if (s->runs[i].id == o->run)
            return CLIENT_DONE;
    return o->run == 0
               ? CLIENT_DONE
               : client_usage(c,
                              "--run: got %lld; allowed: a run of sweep %lld (`sweepctl runs "
                              "%lld`)",
                              (long long)o->run, (long long)s->id, (long long)s->id);
}

static int write_svg(struct client *c, struct buf *svg)
{
    const char *path = c->opts.text[OPTION_OUTPUT];
    struct new_file file;
    struct errbuf err;
    if (path == NULL) {
        client_print(c, svg);
        return CLIENT_DONE;
    }
    new_file_init(&file, path, opts_has(&c->opts, OPTION_FORCE));
    int rc = new_file_write(&file, svg->data, svg->len, &err);
    if (rc == 0)
        rc = new_file_commit(&file, &err);
    new_file_abandon(&file);
    return rc == 0 ? CLIENT_DONE : client_fail(c, CLIENT_REFUSED, &err);
}

static int draw(struct client *c, enum plot_kind kind, const struct study *s,
                const struct plot_options *o)
{
    struct buf svg = {0};
    (void)plot_draw(kind, s, o, &svg);
    size_t bytes = svg.len;
    int status = write_svg(c, &svg);
    if (status == CLIENT_DONE && c->opts.text[OPTION_OUTPUT] != NULL)
        fprintf(c->out, "%s of sweep %lld, %zu runs: %zu bytes in %s\n", plot_info(kind)->name,
                (long long)s->id, s->run_count, bytes, c->opts.text[OPTION_OUTPUT]);
    buf_finish(&svg);
    return status;
}

int cmd_plot(struct client *c)
{
    struct plot_options o = {.standalone = true,
                             .x = c->opts.text[OPTION_X],
                             .y = c->opts.text[OPTION_Y],
                             .run = c->opts.number[OPTION_RUN]};
    struct rpc_reply show;
    struct study study;
    struct progress progress;
    enum plot_kind kind = PLOT_history;
    int64_t sweep = 0;
    int status = take_arguments(c, &kind, &sweep);
    if (status == CLIENT_DONE)
        status = take_language(c, &o.language);
    if (status == CLIENT_DONE) {
        const struct gather_wish wish = {plot_info(kind)->curves ? CURVES_MAX : 0, o.run};
        progress_begin(&progress, c, "reading the curves");
        status = study_gather(c, sweep, &wish, &show, &study);
        progress_end(&progress);
    }
    if (status != CLIENT_DONE)
        return status;
    o.only = kind == PLOT_slice ? o.x : NULL;
    status = check_names(c, kind, &study, &o);
    if (status == CLIENT_DONE)
        status = draw(c, kind, &study, &o);
    study_finish(&study);
    rpc_reply_finish(&show);
    return status;
}
