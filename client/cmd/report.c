/* A report of sweeps: one HTML file. */
#include "client/client.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/new_file.h"
#include "client/page/page.h"
#include "client/page_gather.h"
#include "client/progress.h"

#define CURVES_MAX 1000 /* of a sweep, and of the whole report */

/* Sweeps as they were asked for, with the replies that they borrow from. */
struct gathered {
    struct page_sweep sweeps[OPTS_VALUES_MAX + 1];
    struct rpc_reply shows[OPTS_VALUES_MAX + 1];
    size_t count;
};

static void gathered_finish(struct gathered *g)
{
    for (size_t i = 0; i < g->count; i++) {
        page_sweep_finish(&g->sweeps[i]);
        rpc_reply_finish(&g->shows[i]);
    }
    free(g);
}

static int gather(struct client *c, struct gathered *g, int64_t sweep, size_t curves)
{
    const struct gather_wish wish = {curves, 0};
    int status =
        page_sweep_gather(c, sweep, &wish, &g->shows[g->count], &g->sweeps[g->count]);
    g->count += status == CLIENT_DONE;
    return status;
}

/* SWEEP and those behind it; without any the newest. */
static int gather_all(struct client *c, struct gathered *g)
{
    size_t wanted = 1 + c->opts.value_count;
    int status = gather(c, g, c->opts.id, CURVES_MAX / wanted);
    for (size_t i = 0; i < c->opts.value_count && status == CLIENT_DONE; i++) {
        int64_t sweep;
        if (opts_positive(c->opts.values[i], &sweep) != 0)
            return client_usage(c, "SWEEP: got %s; allowed: the id of a sweep, an integer from 1",
                                c->opts.values[i]);
        status = gather(c, g, sweep, CURVES_MAX / wanted);
    }
    return status;
}

static int write_page(struct client *c, const struct buf *text)
{
    struct new_file file;
    struct errbuf err;
    new_file_init(&file, c->opts.text[OPTION_OUTPUT], opts_has(&c->opts, OPTION_FORCE));
    int rc = new_file_write(&file, text->data, text->len, &err);
    if (rc == 0)
        rc = new_file_commit(&file, &err);
    new_file_abandon(&file);
    return rc == 0 ? CLIENT_DONE : client_fail(c, CLIENT_REFUSED, &err);
}

static void print_done(struct client *c, const struct gathered *g, size_t bytes)
{
    char count[HUMAN_MAX];
    for (size_t i = 0; i < g->count; i++) {
        const struct study *s = &g->sweeps[i].study;
        size_t with = 0;
        for (size_t k = 0; k < s->run_count; k++)
            with += s->runs[k].curve.count > 0;
        fprintf(c->out, "sweep %lld: %zu runs", (long long)s->id, s->run_count);
        fprintf(c->out, with < s->run_count ? ", curves of %zu of them\n" : "\n", with);
    }
    fprintf(c->out, "%s bytes in %s%s\n", human_count((int64_t)bytes, count),
            c->opts.text[OPTION_OUTPUT],
            page_library.len > 0 ? ""
                                 : "; this build has no chart library: its charts are pictures");
}

static int make_page(struct client *c, const struct gathered *g, enum language language)
{
    struct buf text = {0};
    char made[32];
    time_t now = (time_t)(human_now_us() / 1000000);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(made, sizeof made, "%Y-%m-%d %H:%M", &utc);
    page_write(&(struct page){language, made, g->sweeps, g->count, false}, &text);
    int status = write_page(c, &text);
    if (status == CLIENT_DONE)
        print_done(c, g, text.len);
    buf_finish(&text);
    return status;
}

int cmd_report(struct client *c)
{
    const char *name = c->opts.text[OPTION_LANGUAGE];
    int language = name != NULL ? language_find(name) : LANGUAGE_EN;
    if (language < 0)
        return client_usage(c, "--language: got %s; allowed: en, zh", name);
    if (c->opts.text[OPTION_OUTPUT] == NULL)
        return client_usage(c, "-o FILE.html is needed: where to put the report");
    struct gathered *g = xcalloc(1, sizeof *g);
    struct progress progress;
    progress_begin(&progress, c, "reading the curves");
    int status = gather_all(c, g);
    progress_end(&progress);
    if (status == CLIENT_DONE)
        status = make_page(c, g, (enum language)language);
    gathered_finish(g);
    return status;
}
