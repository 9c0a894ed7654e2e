/* Why a run is as it is: label, causes, what could be done, what was tried and what came of it; and
 * what was decided about it. */
#include <string.h>

#include "daemon/serve/request.h"
#include "daemon/causes/cause.h"
#include "daemon/state.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/pattern.h"
#include "daemon/causes/remedy.h"

/* Of a run that is judged by several objectives: null, when it is on the front of the runs. */
static void take_bettered(struct request *r, const struct table *t)
{
    if (t->rows > 0 && table_number(t, 0, "judged") > 0) {
        int64_t by = (int64_t)table_number(t, 0, "bettered_by");
        jw_key(&r->w, "bettered_by");
        if (by > 0)
            jw_int(&r->w, by);
        else
            jw_null(&r->w);
    }
    jw_end_object(&r->w);
    request_result_built(r);
}

static void take_decisions(struct request *r, const struct table *t)
{
    request_write_rows(r, "decisions", t);
    request_query(r, STORE_QUERY_BETTERED, &r->subject, 1, take_bettered);
}

static void take_treatments(struct request *r, const struct table *t)
{
    const int64_t args[] = {r->subject, 0, RPC_PAGE_MAX};
    request_write_rows(r, "treatments", t);
    request_query(r, STORE_QUERY_RUN_DECISIONS, args, 3, take_decisions);
}

static void write_remedy(struct json_writer *w, enum remedy r)
{
    jw_begin_object(w);
    jw_kv_string(w, "remedy", remedy_name(r));
    jw_kv_string(w, "guide_ref", remedy_guide_ref(r));
    jw_kv_string(w, "does", remedy_does(r));
    jw_end_object(w);
}

/* Those that were found with the label: `best` says the first of them. */
static bool write_advice(struct request *r, const struct table *label)
{
    struct errbuf why;
    const char *text = table_text(label, 0, "remedies_json", "");
    struct json *names = *text ? json_parse(text, strlen(text), &why) : NULL;
    bool known = names != NULL;
    for (const struct json *v = names ? json_first(names) : NULL; v; v = json_next(v)) {
        int remedy = json_type(v) == JSON_STRING ? remedy_find(json_string(v)) : -1;
        if (remedy >= 0)
            write_remedy(&r->w, (enum remedy)remedy);
    }
    json_destroy(names);
    return known;
}

/* Of a label that was made before advice was kept, or while its run goes on: those of the label in
 * the guide's order, whether they apply to the run or not. */
static void write_remedies(struct request *r, const struct table *label)
{
    enum remedy remedies[REMEDIES_MAX];
    const struct cell *pattern = table_cell(label, 0, "pattern");
    const struct cell *cause = table_cell(label, 0, "cause");
    int p = pattern->type == CELL_TEXT ? pattern_find(pattern->text) : -1;
    int c = cause->type == CELL_TEXT ? cause_find(cause->text) : -1;
    size_t count = p < 0 ? 0
                         : remedies_of((enum pattern)p,
                                       c < 0 ? CAUSE_UNKNOWN : (enum cause_id)c, remedies);
    for (size_t i = 0; i < count; i++)
        write_remedy(&r->w, remedies[i]);
}

static void take_label(struct request *r, const struct table *t)
{
    jw_key(&r->w, "remedies");
    jw_begin_array(&r->w);
    if (t->rows > 0 && !write_advice(r, t))
        write_remedies(r, t);
    jw_end_array(&r->w);
    request_query(r, STORE_QUERY_TREATMENTS, &r->subject, 1, take_treatments);
}

static void run(struct request *r)
{
    request_open_run(r, take_label);
}

const struct command command_explain = {
    .name = "explain",
    .params = {PARAM_RUN(true)},
    .run = run,
};
