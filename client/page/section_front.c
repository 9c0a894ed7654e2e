/* Of a sweep with several objectives: the configurations that no other one betters in all. */
#include <math.h>
#include <stdlib.h>

#include "client/page/html.h"
#include "client/page/section.h"
#include "client/render.h"
#include "sweep/json.h"

#define FRONT_LISTED 60
#define OTHERS 3 /* columns beside the objectives */

static void add_titles(const struct section *s)
{
    const struct study *study = &s->sweep->study;
    const char *titles[OBJECTIVES_MAX + OTHERS];
    size_t n = 0;
    titles[n++] = section_word(s, WORD_RUN);
    for (size_t i = 0; i < study->objective_count; i++)
        titles[n++] = study->objectives[i].name;
    titles[n++] = section_word(s, WORD_SEEDS);
    titles[n++] = section_word(s, WORD_SETTING);
    html_table(s->out, section_word(s, WORD_FRONT), titles, n);
}

static void add_row(const struct section *s, const struct json *row)
{
    const struct study *study = &s->sweep->study;
    const struct json *values = json_get(row, "objectives");
    char *params = render_member(row, "params", CELL_PARAMS);
    html_row(s->out);
    section_run_cell(s, member_int(row, "run_id", 0));
    for (size_t i = 0; i < study->objective_count; i++)
        html_number(s->out, member_real(values, study->objectives[i].name, NAN));
    html_number(s->out, (double)member_int(row, "repetitions", 0));
    html_cell(s->out, params);
    html_row_end(s->out);
    free(params);
}

void section_front(const struct section *s)
{
    const struct json *front = json_get(s->sweep->show, "front");
    size_t listed = 0;
    if (s->sweep->study.objective_count == 0 || json_first(front) == NULL)
        return;
    section_head(s, WORD_FRONT);
    add_titles(s);
    for (const struct json *v = json_first(front); v != NULL && listed < FRONT_LISTED;
         v = json_next(v), listed++)
        add_row(s, v);
    html_table_end(s->out);
    if (json_count(front) > listed)
        section_note(s, WORD_FIRST_OF, listed, json_count(front));
}
