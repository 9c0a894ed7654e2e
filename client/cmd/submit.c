#include "client/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/outlook.h"
#include "client/place_spec.h"
#include "client/problems.h"
#include "client/progress.h"
#include "client/report.h"
#include "client/spec_input.h"
#include "client/submit_fate.h"
#include "client/watch.h"
#include "sweep/require.h"

static const struct field stage_fields[] = {
    {"stage", "stage", CELL_TEXT, FIELD_PLAIN},
    {"runs", "runs", CELL_COUNT, FIELD_PLAIN},
    {"what", "what", CELL_TEXT, FIELD_PLAIN},
};

static int read_stdin(struct buf *out, struct errbuf *err)
{
    for (;;) {
        char part[65536];
        ssize_t n = read(STDIN_FILENO, part, sizeof part);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_IO, "cannot read the spec from stdin: %s", strerror(errno));
        if (n == 0)
            return 0;
        buf_append(out, part, (size_t)n);
        if (out->len > RPC_LINE_MAX)
            return err_set(err, ERR_LIMIT, "the spec on stdin is longer than %d bytes",
                           RPC_LINE_MAX);
    }
}

static void say_lines(struct client *c, struct buf *notes)
{
    for (char *rest = notes->data, *line; rest && !c->json && (line = strsep(&rest, "\n"));) {
        char *said = xasprintf("note: %s", line);
        if (*line != '\0')
            client_say(c, said);
        free(said);
    }
    buf_finish(notes);
}

/* "12,15" as a list; false: it is none. */
static bool write_ids(const char *text, struct buf *out)
{
    char *ids = xstrdup(text), *rest = ids, *id;
    const char *comma = "";
    bool good = true;
    while (good && (id = strsep(&rest, ",")) != NULL) {
        int64_t number;
        good = opts_positive(id, &number) == 0;
        buf_printf(out, "%s%s", comma, id);
        comma = ",";
    }
    free(ids);
    return good;
}

/* --warm-start is a key of the specification: it is put in front of the others. */
static int add_warm_start(struct client *c, struct buf *spec, struct errbuf *err)
{
    struct errbuf why;
    const char *given = c->opts.text[OPTION_WARM_START], *from = strchr(spec->data, '{');
    struct buf out = {0};
    struct json *root = json_parse(spec->data, spec->len, &why);
    bool there = root != NULL && json_get(root, "warm_start") != NULL;
    bool empty = root == NULL || json_type(root) != JSON_OBJECT || json_count(root) == 0;
    json_destroy(root);
    if (there)
        return err_set(err, ERR_VALUE, "--warm-start: the specification has a warm_start already");
    if (empty || from == NULL) /* what is wrong with it is said by the daemon */
        return 0;
    buf_puts(&out, "{\"warm_start\":[");
    if (!write_ids(given, &out)) {
        buf_finish(&out);
        return err_bad(err, ERR_VALUE, "--warm-start", given,
                       "ids of sweeps, separated by commas: 12 or 12,15");
    }
    buf_printf(&out, "],%s", from + 1);
    buf_finish(spec);
    *spec = out;
    return 0;
}

static int read_spec(struct client *c, struct buf *out)
{
    struct errbuf err;
    bool from_stdin = strcmp(c->opts.arg, "-") == 0;
    int rc = from_stdin ? read_stdin(out, &err)
                        : buf_read_file(out, c->opts.arg, RPC_LINE_MAX, &err);
    if (rc != 0)
        return client_fail(c, rc == ERR_IO ? CLIENT_USAGE : CLIENT_REFUSED, &err);
    struct buf notes = {0};
    rc = spec_input_read(out, from_stdin ? "stdin" : c->opts.arg, &notes, &err);
    say_lines(c, &notes);
    return rc != 0 ? client_fail(c, CLIENT_REFUSED, &err) : CLIENT_DONE;
}

/* A line for each kind of finding, with how many there are. */
static void put_findings(const struct json *data, struct buf *text)
{
    const struct json *f = json_first(json_get(data, "findings"));
    for (; f != NULL; f = json_next(f)) {
        int64_t more = member_int(f, "count", 1) - 1;
        buf_puts(text, "  finding: ");
        render_text(text, member_string(f, "text", ""), false);
        if (more > 0)
            buf_printf(text, " (and %lld more: %s)", (long long)more,
                       member_string(f, "kind", ""));
        buf_putc(text, '\n');
    }
    const char *held = member_string(data, "held", NULL);
    if (held != NULL) {
        buf_puts(text, "held: ");
        render_text(text, held, false);
        buf_putc(text, '\n');
    }
}

/* "data: 3,200 rows, 4 features; regression of cnt", then a line for each thing that was inferred,
 * with the key that says it otherwise. */
static void print_data(struct client *c, const struct json *data)
{
    if (data == NULL)
        return;
    struct buf text = {0};
    char *samples = render_member(data, "samples", CELL_COUNT);
    char *features = render_member(data, "features", CELL_COUNT);
    char *classes = render_member(data, "classes", CELL_COUNT);
    const char *target = member_string(data, "target", NULL);
    bool classifies = member_int(data, "classes", 0) > 0;
    buf_puts(&text, "data: ");
    render_text(&text, samples, false);
    buf_puts(&text, " samples of ");
    render_text(&text, features, false);
    buf_puts(&text, classifies ? " features, " : " features, regression");
    if (classifies) {
        render_text(&text, classes, false);
        buf_puts(&text, " classes");
    }
    if (target != NULL) {
        buf_puts(&text, " of ");
        render_text(&text, target, false);
    }
    buf_putc(&text, '\n');
    const struct json *note = json_first(json_get(data, "notes"));
    for (; note != NULL; note = json_next(note)) {
        buf_puts(&text, "  ");
        render_text(&text, member_string(note, "text", ""), false);
        buf_puts(&text, "; to change it: ");
        render_text(&text, member_string(note, "key", ""), false);
        buf_putc(&text, '\n');
    }
    put_findings(data, &text);
    client_print(c, &text);
    free(samples);
    free(features);
    free(classes);
}

static void print_plan(struct client *c, const struct json *plan)
{
    char *runs = render_member(plan, "runs", CELL_COUNT);
    char *time = render_member(plan, "estimated_seconds", CELL_DURATION);
    report_list(c, stage_fields, ARRAY_LEN(stage_fields), json_get(plan, "stages"));
    struct buf text = {0};
    fputc('\n', c->out);
    print_data(c, json_get(plan, "data"));
    render_text(&text, runs, false);
    buf_puts(&text, " runs, about ");
    render_text(&text, time, false);
    buf_puts(&text, "; nothing was submitted\n");
    client_print(c, &text);
    free(runs);
    free(time);
}

static bool is_held(const struct json *result)
{
    return member_string(json_get(result, "data"), "held", NULL) != NULL;
}

/* What the daemon decided: on stderr, beside what a script reads. */
static void say_notes(struct client *c, const struct json *result)
{
    const struct json *list = json_get(result, "notes");
    const struct json *v = list != NULL ? json_first(list) : NULL;
    for (; v != NULL && !c->json; v = json_next(v)) {
        char *line = xasprintf("note: %s", json_type(v) == JSON_STRING ? json_string(v) : "-");
        client_say(c, line);
        free(line);
    }
}

static int submitted(struct client *c, const struct json *result)
{
    int64_t sweep = member_int(result, "sweep", 0);
    bool watch = opts_has(&c->opts, OPTION_WATCH);
    say_notes(c, result);
    if (opts_has(&c->opts, OPTION_DRY_RUN)) {
        if (c->json)
            client_print_json(c, result);
        else
            print_plan(c, result);
        return CLIENT_DONE;
    }
    if (c->json)
        client_print_json(c, result);
    else
        fprintf(c->out, "sweep %lld%s%s\n", (long long)sweep,
                json_get(result, "existing") != NULL ? ": was submitted before"
                : watch                              ? ""
                : is_held(result)                    ? ": held"
                                                     : ": queued",
                watch ? "" : "; `sweepctl watch` follows it");
    if (!c->json)
        print_data(c, json_get(result, "data"));
    fflush(c->out);
    outlook_say_logout(c);
    if (!watch && !is_held(result))
        outlook_say_waiting(c);
    return watch ? watch_sweep(c, sweep) : CLIENT_DONE;
}

/* An answer that does not come, or says that it may still become a sweep. */
static bool is_open(int status, const struct rpc_reply *reply)
{
    return status == CLIENT_INTERRUPTED || status == CLIENT_NO_DAEMON ||
           (status == CLIENT_DONE && reply->error.code == ERR_TIMEOUT);
}

static int call(struct client *c, const struct buf *spec, struct rpc_reply *reply)
{
    const char *file = strcmp(c->opts.arg, "-") == 0 ? "stdin" : c->opts.arg;
    char own[SUBMIT_ID_MAX];
    struct progress progress;
    submit_fate_id(own);
    const char *id = opts_has(&c->opts, OPTION_ID) ? c->opts.text[OPTION_ID] : own;
    int status = client_connect(c);
    if (status != CLIENT_DONE)
        return status;
    struct errbuf err;
    struct buf notes = {0}, whole = {0};
    buf_append(&whole, spec->data, spec->len);
    if (opts_has(&c->opts, OPTION_WARM_START) && add_warm_start(c, &whole, &err) != 0) {
        buf_finish(&whole);
        return client_fail(c, CLIENT_USAGE, &err);
    }
    if (place_spec_put(&c->opts, &whole, &err) != 0) {
        buf_finish(&whole);
        return client_fail(c, CLIENT_USAGE, &err);
    }
    char *params =
        spec_input_params(&whole, opts_has(&c->opts, OPTION_DRY_RUN) ? NULL : id, &notes);
    buf_finish(&whole);
    say_lines(c, &notes);
    submit_fate_begin(c);
    progress_begin(&progress, c, "the daemon reads the data");
    status = client_ask(c, "submit", params, reply);
    progress_end(&progress);
    free(params);
    bool open = is_open(status, reply) && !opts_has(&c->opts, OPTION_DRY_RUN);
    if (status == CLIENT_DONE && reply->error.code != 0) {
        status = problems_fail(c, &(struct spec_text){file, spec->data, spec->len}, reply);
        rpc_reply_finish(reply);
    }
    if (open) {
        rpc_client_close(&c->rpc);
        submit_fate_say(c, id);
    }
    submit_fate_end(c);
    return status;
}

int cmd_submit(struct client *c)
{
    struct buf spec = {0};
    struct rpc_reply reply;
    if (opts_has(&c->opts, OPTION_WATCH) && opts_has(&c->opts, OPTION_DRY_RUN))
        return client_usage(c, "--watch and --dry-run exclude each other");
    if (opts_has(&c->opts, OPTION_ID) && opts_has(&c->opts, OPTION_DRY_RUN))
        return client_usage(c, "--id and --dry-run exclude each other");
    int status = read_spec(c, &spec);
    if (status == CLIENT_DONE)
        status = call(c, &spec, &reply);
    buf_finish(&spec);
    if (status != CLIENT_DONE)
        return status;
    status = submitted(c, reply.result);
    rpc_reply_finish(&reply);
    return status;
}
