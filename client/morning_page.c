/* The page of the morning as text. */
#include "client/morning.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "client/report.h"
#include "sweep/require.h"

/* Prints its lines, the first behind that title; nothing where there is nothing to say. */
struct section {
    const char *title;
    void (*print)(struct client *c, const char *title, const struct json *page);
};

static void say(struct client *c, const char *title, struct buf *text)
{
    report_line(c, title, text->len > 0 ? text->data : "-", TONE_PLAIN);
    buf_finish(text);
}

static void put_number(struct buf *out, const char *before, const struct json *v, const char *key,
                       const char *(*format)(double v, char *out))
{
    char text[HUMAN_MAX];
    double d = member_real(v, key, NAN);
    if (!isnan(d))
        buf_printf(out, "%s%s", before, format(d, text));
}

static int64_t stamp(const struct json *v, const char *key)
{
    return human_parse_utc(member_string(v, key, ""));
}

/* --- what it is, and the winner --------------------------------------------------------------- */

static void print_head(struct client *c, const struct json *page)
{
    const struct json *s = json_get(page, "sweep");
    const char *status = member_string(s, "status", ""), *reason = member_string(s, "reason", "");
    struct buf text = {0}, name = {0};
    char when[HUMAN_MAX];
    int64_t now = human_now_us(), from = stamp(s, "started_at"), to = stamp(s, "ended_at");
    render_text(&name, member_string(s, "name", ""), false);
    buf_printf(&text, "sweep %lld %s: %s, %lld of %lld runs", (long long)member_int(s, "id", 0),
               name.len > 0 ? name.data : "", status, (long long)member_int(s, "done", 0),
               (long long)member_int(s, "run_cap", 0));
    if (from != 0)
        buf_printf(&text, ", %s%s", to != 0 ? "took " : "for ",
                   human_duration((double)((to != 0 ? to : now) - from) / 1e6, when));
    if (to != 0)
        buf_printf(&text, ", ended %s", human_ago(to, now, when));
    if (*reason != '\0')
        buf_printf(&text, " (%s)", reason);
    struct buf line = {0};
    render_wrapped(&line, text.data, 2, c->width > 26 ? c->width - 2 : 0,
                   render_tone(TONE_BOLD, c->colour));
    buf_putc(&line, '\n');
    client_print(c, &line);
    buf_finish(&text);
    buf_finish(&name);
}

static void print_winner(struct client *c, const char *title, const struct json *page)
{
    const struct json *w = json_get(page, "winner"), *s = json_get(page, "sweep");
    const char *metric = member_string(s, "metric", "metric");
    struct buf text = {0};
    if (json_get(w, "run") == NULL) {
        report_line(c, title, "no run has a result yet", TONE_PLAIN);
        return;
    }
    buf_printf(&text, "run %lld: %s ", (long long)member_int(w, "run", 0), metric);
    if (member_int(w, "seeds", 0) > 1) {
        put_number(&text, "", w, "mean", human_loss);
        put_number(&text, " ± ", w, "sd", human_loss);
        buf_printf(&text, ", the mean over %lld seeds", (long long)member_int(w, "seeds", 0));
    } else {
        put_number(&text, "", w, "metric_value", human_loss);
        buf_puts(&text, ", from one seed");
    }
    put_number(&text, "; test loss ", w, "test_loss", human_loss);
    put_number(&text, ", test accuracy ", w, "test_acc", human_percent);
    if (member_string(w, "label", NULL) != NULL)
        buf_printf(&text, "; %s", member_string(w, "label", ""));
    say(c, title, &text);
    char *params = render_member(w, "params", CELL_PARAMS);
    buf_puts(&text, params);
    if (member_string(w, "treated_with", NULL) != NULL)
        buf_printf(&text, ", treated with %s", member_string(w, "treated_with", ""));
    say(c, "", &text);
    free(params);
}

static void print_sure(struct client *c, const char *title, const struct json *page)
{
    const struct json *s = json_get(page, "sure");
    struct buf text = {0};
    if (json_get(json_get(page, "winner"), "run") == NULL)
        return;
    buf_puts(&text, member_string(s, "says", "-"));
    if (!isnan(member_real(s, "standard_errors", NAN))) {
        buf_printf(&text, " (run %lld, ", (long long)member_int(s, "next_run", 0));
        put_number(&text, "apart by ", s, "apart", human_loss);
        put_number(&text, ", ", s, "standard_errors", human_number);
        buf_puts(&text, " standard errors)");
    }
    say(c, title, &text);
}

#define FRONT_LINES 5

/* Of a sweep with several objectives: the ends of its front, and what lies between. */
static void print_front(struct client *c, const char *title, const struct json *page)
{
    const struct json *front = json_get(page, "front");
    size_t count = front != NULL ? json_count(front) : 0, i = 0;
    struct buf text = {0};
    for (const struct json *v = json_first(front); v != NULL; v = json_next(v), i++) {
        if (count > FRONT_LINES && i % ((count + FRONT_LINES - 2) / (FRONT_LINES - 1)) != 0 &&
            i + 1 != count)
            continue;
        char *values = render_member(v, "objectives", CELL_PARAMS);
        buf_printf(&text, "run %lld: %s", (long long)member_int(v, "run_id", 0), values);
        free(values);
        if (i == 0 && count > 1)
            buf_printf(&text, "; %zu such configurations that no other one betters in all", count);
        say(c, i == 0 ? title : "", &text);
    }
}

/* --- what was learnt -------------------------------------------------------------------------- */

static void print_importance(struct client *c, const char *title, const struct json *page)
{
    const struct json *v = json_first(json_get(json_get(page, "importance"), "importances"));
    struct buf text = {0};
    if (member_real(v, "raw", 0) == 0)
        return; /* none shows an influence */
    for (; v != NULL; v = json_next(v)) {
        buf_printf(&text, "%s%s", text.len > 0 ? ", " : "", member_string(v, "parameter", ""));
        put_number(&text, " ", v, "importance", human_percent);
    }
    say(c, title, &text);
}

static void print_edits(struct client *c, const char *title, const struct json *page)
{
    const struct json *v = json_first(json_get(page, "range_edits"));
    for (; v != NULL; v = json_next(v), title = "") {
        char *from = render_member(v, "from", CELL_TEXT), *to = render_member(v, "to", CELL_TEXT);
        struct buf text = {0};
        buf_printf(&text, "%s %s: %s → %s; %s", member_string(v, "kind", ""),
                   member_string(v, "setting", ""), from, to, member_string(v, "sentence", ""));
        say(c, title, &text);
        free(from);
        free(to);
    }
}

static void print_remedies(struct client *c, const char *title, const struct json *page)
{
    const struct json *v = json_first(json_get(page, "remedies"));
    for (; v != NULL; v = json_next(v), title = "") {
        struct buf text = {0};
        buf_printf(&text, "%s against %s: cured %lld of %lld", member_string(v, "remedy", ""),
                   member_string(v, "label", ""), (long long)member_int(v, "cured", 0),
                   (long long)member_int(v, "tried", 0));
        if (member_real(v, "best_change", 0) < 0)
            put_number(&text, "; the best of them ", v, "best_change", human_percent);
        else
            buf_puts(&text, "; none made the metric better");
        say(c, title, &text);
    }
}

/* --- what went wrong -------------------------------------------------------------------------- */

static void print_wrong(struct client *c, const char *title, const struct json *page)
{
    const struct json *v = json_first(json_get(page, "wrong"));
    size_t shown = 0;
    for (; v != NULL && shown < MORNING_GROUPS; v = json_next(v), title = "", shown++) {
        const char *cause = member_string(v, "cause", NULL);
        const char *because = member_string(v, "because", member_string(v, "sentence", NULL));
        struct buf text = {0};
        buf_printf(&text, "%lld %s%s%s", (long long)member_int(v, "runs", 0),
                   member_string(v, "label", ""), cause != NULL ? ", for " : "",
                   cause != NULL ? cause : "");
        buf_printf(&text, "; run %lld: ", (long long)member_int(v, "example", 0));
        buf_puts(&text, because != NULL ? because : "nothing more is known");
        say(c, title, &text);
    }
    if (v != NULL)
        report_line(c, "", "… and less frequent ones: `sweepctl show`", TONE_PLAIN);
}

static void print_failures(struct client *c, const char *title, const struct json *page)
{
    const struct json *v = json_first(json_get(page, "failures"));
    for (; v != NULL; v = json_next(v), title = "") {
        struct buf text = {0};
        buf_printf(&text, "%lld %s; run %lld: %s", (long long)member_int(v, "runs", 0),
                   member_string(v, "error", ""), (long long)member_int(v, "example", 0),
                   member_string(v, "last_words", "it left no words"));
        say(c, title, &text);
    }
}

static void print_findings(struct client *c, const char *title, const struct json *page)
{
    const struct json *v = json_first(json_get(page, "findings"));
    for (; v != NULL; v = json_next(v), title = "") {
        struct buf text = {0};
        buf_printf(&text, "%s: %s", member_string(v, "kind", ""),
                   member_string(v, "text", ""));
        say(c, title, &text);
    }
}

/* --- next, and the cost ----------------------------------------------------------------------- */

static void print_next(struct client *c, const char *title, const struct json *page)
{
    const struct json *v = json_first(json_get(page, "next"));
    for (; v != NULL; v = json_next(v), title = "") {
        struct buf text = {0};
        buf_printf(&text, "%s   # %s", member_string(v, "command", ""),
                   member_string(v, "why", ""));
        say(c, title, &text);
    }
}

static void print_cost(struct client *c, const char *title, const struct json *page)
{
    const struct json *v = json_get(page, "cost");
    double seconds = member_real(v, "seconds", 0), lost = member_real(v, "lost_seconds", 0);
    char hours[HUMAN_MAX], time[HUMAN_MAX];
    struct buf text = {0};
    if (seconds <= 0)
        return;
    if (seconds >= 3600)
        buf_printf(&text, "%s hours of runs (%s; ", human_number(seconds / 3600, hours),
                   human_duration(seconds, time));
    else
        buf_printf(&text, "%s of runs (", human_duration(seconds, time));
    buf_puts(&text, "each of our own trainer keeps one processor busy)");
    if (lost > 0)
        buf_printf(&text, "; %s in runs that failed, were stopped or cancelled",
                   human_percent(lost / seconds, hours));
    put_number(&text, "; ", v, "joules", human_energy);
    put_number(&text, "; stopping saved ", v, "seconds_saved_by_stopping", human_duration);
    say(c, title, &text);
}

static const struct section sections[] = {
    {"winner", print_winner},     {"how sure", print_sure},      {"front", print_front},
    {"importance", print_importance},
    {"range", print_edits},
    {"remedies", print_remedies}, {"went wrong", print_wrong},   {"failed", print_failures},
    {"in the data", print_findings}, {"next", print_next},       {"cost", print_cost},
};

void morning_print(struct client *c, const struct json *page)
{
    print_head(c, page);
    for (size_t i = 0; i < ARRAY_LEN(sections); i++)
        sections[i].print(c, sections[i].title, page);
}
