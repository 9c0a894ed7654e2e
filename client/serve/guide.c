/* The guide: each rule, how often it applied here, and what it was worth. */
#include "client/serve/guide.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/human.h"
#include "client/page/html.h"
#include "client/plot/svg.h"
#include "client/serve/frame.h"
#include "sweep/require.h"

#define SWEEPS_MAX 200 /* the newest */

static const struct {
    const char *ref, *says, *says_zh;
} rules[] = {
#define X(ref, en, zh) {ref, en, zh},
    GUIDE_MAP(X)
#undef X
};
/* Labels of a chapter as a whole have its number alone. */
static const struct {
    const char *ref;
    enum word title;
} chapters[] = {{"G1", WORD_CHAPTER_1},
                {"G2", WORD_CHAPTER_2},
                {"G3", WORD_CHAPTER_3},
                {"G4", WORD_CHAPTER_4}};
#define REFERENCES (ARRAY_LEN(rules) + ARRAY_LEN(chapters))

struct tally {
    int64_t labels, causes, edits, findings, tried, cured;
    int64_t example; /* a run; 0: none */
    double *changes; /* of the metric, of treatments */
    size_t change_count, change_cap;
};

struct counted {
    struct tally tallies[REFERENCES]; /* rules, then chapters */
    int64_t *sweeps;
    size_t count, cap;
};

/* --- counting ----------------------------------------------------------------------------------
 */

static struct tally *tally_of(struct counted *v, const char *ref)
{
    for (size_t i = 0; ref != NULL && i < ARRAY_LEN(rules); i++)
        if (strcmp(rules[i].ref, ref) == 0)
            return &v->tallies[i];
    for (size_t i = 0; ref != NULL && i < ARRAY_LEN(chapters); i++)
        if (strcmp(chapters[i].ref, ref) == 0)
            return &v->tallies[ARRAY_LEN(rules) + i];
    return NULL;
}

static void add_run(struct tally *t, const struct json *row)
{
    if (t->example == 0)
        t->example = member_int(row, "run_id", 0);
}

static void count_label(struct counted *v, struct tally *t, const struct json *row)
{
    t->labels += member_int(row, "runs", 0);
}

static void count_cause(struct counted *v, struct tally *t, const struct json *row)
{
    t->causes += member_int(row, "runs", 0);
    add_run(t, row);
}

static void count_edit(struct counted *v, struct tally *t, const struct json *row)
{
    t->edits++;
}

/* What has not ended is no experience yet. */
static void count_treatment(struct counted *v, struct tally *t, const struct json *row)
{
    const struct json *cured = json_get(row, "cured");
    double change = member_real(row, "change", NAN);
    if (cured == NULL || json_type(cured) == JSON_NULL)
        return;
    t->tried++;
    t->cured += member_int(row, "cured", 0) != 0;
    t->example = member_int(row, "run_id", t->example);
    if (!isfinite(change))
        return;
    t->changes = array_room(t->changes, &t->change_cap, t->change_count, sizeof *t->changes);
    t->changes[t->change_count++] = change;
}

static void count_list(struct counted *v, const struct json *show, const char *member,
                       void (*count)(struct counted *v, struct tally *t, const struct json *row))
{
    const struct json *row = json_first(json_get(show, member));
    for (; row != NULL; row = json_next(row)) {
        struct tally *t = tally_of(v, member_string(row, "guide_ref", NULL));
        if (t != NULL)
            count(v, t, row);
    }
}

/* What was found in the data is G3.1's, but for its order, which is G1.3's. */
static void count_findings(struct counted *v, const struct json *show)
{
    const struct json *row = json_first(json_get(show, "findings"));
    for (; row != NULL; row = json_next(row)) {
        const char *kind = member_string(row, "kind", "");
        const char *ref = strncmp(kind, "nan", 3) == 0 || strncmp(kind, "inf", 3) == 0 ? "G3.1"
                          : strstr(kind, "order") != NULL || strstr(kind, "sorted") != NULL
                              ? "G1.3"
                              : NULL;
        struct tally *t = tally_of(v, ref);
        if (t != NULL)
            t->findings += member_int(row, "count", 1);
    }
}

static void take_id(void *arg, const struct json *sweep)
{
    struct counted *v = arg;
    v->sweeps = array_room(v->sweeps, &v->cap, v->count, sizeof *v->sweeps);
    v->sweeps[v->count++] = member_int(sweep, "id", 0);
}

/* One that was deleted meanwhile counts for nothing. */
static int count_sweep(struct desk *d, struct counted *v, int64_t id)
{
    struct rpc_reply reply;
    int status = client_call_id(&d->client, "show", "sweep", id, &reply);
    if (status != CLIENT_DONE)
        return d->failed.code == ERR_NOT_FOUND ? CLIENT_DONE : status;
    count_list(v, reply.result, "labels", count_label);
    count_list(v, reply.result, "causes", count_cause);
    count_list(v, reply.result, "range_edits", count_edit);
    count_list(v, reply.result, "treatments", count_treatment);
    count_findings(v, reply.result);
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}

static int count_all(struct desk *d, struct counted *v)
{
    int status =
        client_pages(&d->client, &(struct client_paged){"list", "", "sweeps"}, take_id, v);
    size_t first = v->count > SWEEPS_MAX ? v->count - SWEEPS_MAX : 0;
    for (size_t i = first; i < v->count && status == CLIENT_DONE; i++)
        status = count_sweep(d, v, v->sweeps[i]);
    v->count -= first;
    return status;
}

/* --- the page ----------------------------------------------------------------------------------
 */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void number_cell(struct buf *out, int64_t n)
{
    char text[HUMAN_MAX];
    buf_printf(out, "<td class=\"n\">%s</td>", n > 0 ? human_count(n, text) : "–");
}

static void change_cell(struct buf *out, double change)
{
    char text[HUMAN_MAX];
    buf_printf(out, "<td class=\"n\">%s</td>", isnan(change) ? "–" : human_percent(change, text));
}

static void add_cells(struct tally *t, struct buf *out)
{
    if (t->change_count > 0)
        qsort(t->changes, t->change_count, sizeof *t->changes, by_value);
    number_cell(out, t->labels);
    number_cell(out, t->causes);
    number_cell(out, t->edits);
    number_cell(out, t->findings);
    number_cell(out, t->tried);
    if (t->tried > 0)
        buf_printf(out, "<td class=\"n\">%lld</td>", (long long)t->cured);
    else
        number_cell(out, 0);
    change_cell(out, t->change_count > 0 ? t->changes[(t->change_count - 1) / 2] : NAN);
    change_cell(out, t->change_count > 0 ? t->changes[0] : NAN);
    if (t->example > 0)
        buf_printf(out, "<td class=\"n\"><a href=\"/run/%lld\">%lld</a></td>",
                   (long long)t->example, (long long)t->example);
    else
        html_cell(out, "–");
}

static void add_rule(struct buf *out, const char *ref, const char *says, struct tally *t)
{
    buf_printf(out, "<tr id=\"%s\"><th scope=\"row\">%s</th>", ref, ref);
    html_cell(out, says);
    add_cells(t, out);
    html_row_end(out);
}

static void add_chapter(const struct desk *d, struct counted *v, size_t chapter, struct buf *out)
{
    static const enum word words[] = {
        WORD_RULE,         WORD_RULE_SAYS,   WORD_COUNT_LABELS,  WORD_COUNT_CAUSES,
        WORD_COUNT_EDITS,  WORD_COUNT_FINDINGS, WORD_COUNT_TRIED, WORD_CURED,
        WORD_MEDIAN_CHANGE, WORD_BEST_CHANGE, WORD_EXAMPLE};
    const char *titles[ARRAY_LEN(words)];
    const char *ref = chapters[chapter].ref, *title = frame_word(d, chapters[chapter].title);
    bool zh = d->site->language == LANGUAGE_ZH;
    char *head = xasprintf("%s %s", ref, title);
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        titles[i] = frame_word(d, words[i]);
    html_element(out, "h2", head);
    html_table(out, head, titles, ARRAY_LEN(titles));
    free(head);
    add_rule(out, ref, title, &v->tallies[ARRAY_LEN(rules) + chapter]);
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (strncmp(rules[i].ref, ref, strlen(ref)) == 0)
            add_rule(out, rules[i].ref, zh ? rules[i].says_zh : rules[i].says, &v->tallies[i]);
    html_table_end(out);
}

static void write_page(const struct desk *d, struct counted *v, struct answer *a)
{
    char text[1200];
    frame_begin(d->site, a, &(struct frame){.title = WORD_TUNING_GUIDE});
    html_element(&a->body, "p", frame_word(d, WORD_RULES));
    snprintf(text, sizeof text, frame_word(d, WORD_RULES_SAYS), v->count);
    buf_printf(&a->body, "<p class=\"soft\">%s</p>\n", text);
    for (size_t i = 0; i < ARRAY_LEN(chapters); i++)
        add_chapter(d, v, i, &a->body);
    frame_end(a, NULL);
}

void page_guide(struct desk *d, const struct request *r, struct answer *a)
{
    struct counted *v = xcalloc(1, sizeof *v);
    if (count_all(d, v) == CLIENT_DONE)
        write_page(d, v, a);
    else
        frame_failed(d, a);
    for (size_t i = 0; i < REFERENCES; i++)
        free(v->tallies[i].changes);
    free(v->sweeps);
    free(v);
}
