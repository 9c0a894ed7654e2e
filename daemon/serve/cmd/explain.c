/* Why a run is as it is: label, causes, what could be done, what was tried and what came of it. */
#include "daemon/serve/request.h"
#include "daemon/causes/cause.h"
#include "daemon/state.h"
#include "sweep/pattern.h"
#include "daemon/causes/remedy.h"

static void take_treatments(struct request *r, const struct table *t)
{
    request_write_rows(r, "treatments", t);
    jw_end_object(&r->w);
    request_result_built(r);
}

/* Those of the label in the guide's order, whether they apply to the run or not. */
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
    for (size_t i = 0; i < count; i++) {
        jw_begin_object(&r->w);
        jw_kv_string(&r->w, "remedy", remedy_name(remedies[i]));
        jw_kv_string(&r->w, "guide_ref", remedy_guide_ref(remedies[i]));
        jw_kv_string(&r->w, "does", remedy_does(remedies[i]));
        jw_end_object(&r->w);
    }
}

static void take_label(struct request *r, const struct table *t)
{
    jw_key(&r->w, "remedies");
    jw_begin_array(&r->w);
    if (t->rows > 0)
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
