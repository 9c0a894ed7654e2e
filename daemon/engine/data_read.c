#include "daemon/engine/data_read.h"

#include <inttypes.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/spec.h"

static void write_notes(const struct record_prepared *p, struct json_writer *w)
{
    jw_begin_array(w);
    for (size_t i = 0; i < p->note_count; i++)
        record_note_write(&p->notes[i], w);
    jw_end_array(w);
}

char *data_read_notes(const struct record_prepared *p)
{
    struct buf json = {0};
    struct json_writer w;
    if (p->hash[0] == '\0')
        return NULL;
    jw_init(&w, &json);
    write_notes(p, &w);
    return buf_take(&json);
}

/* NaN in the data waits for a person, unless the spec says what to do with it. */
static bool may_hold(const struct spec *s)
{
    return task_of(s)->needs_data && spec_may_be(s, SETTING_ON_NAN, ON_NAN_HOLD);
}

static bool is_of_kind_before(const struct record_prepared *p, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(p->findings[k].kind, p->findings[i].kind) == 0)
            return true;
    return false;
}

char *data_read_hold(const struct spec *s, const struct record_prepared *p)
{
    const struct record_finding *first = NULL;
    int64_t count = 0;
    if (!may_hold(s))
        return NULL;
    for (size_t i = 0; i < p->finding_count && i < RECORD_FINDINGS_MAX; i++) {
        const struct record_finding *f = &p->findings[i];
        if (strncmp(f->kind, "nan", 3) != 0 && strncmp(f->kind, "inf", 3) != 0)
            continue;
        first = first ? first : f;
        if (!is_of_kind_before(p, i)) /* each carries the count of all of its kind */
            count += f->count > 0 ? f->count : 1;
    }
    if (first == NULL)
        return NULL;
    return xasprintf("%" PRId64 " values of the data are not numbers, the first (%s) at row "
                     "%" PRId64 ", column %" PRId64 "; see table findings (G3.1). Ways on: "
                     "data.on_nan impute (the column's mean) or drop (the rows), data.ignore (the "
                     "column), or `sweepctl resume` as it is",
                     count, first->kind, first->row, first->column);
}

static void write_findings(const struct record_prepared *p, struct json_writer *w)
{
    jw_begin_array(w);
    for (size_t i = 0; i < p->finding_count && i < RECORD_FINDINGS_MAX; i++)
        if (!is_of_kind_before(p, i))
            record_finding_write(&p->findings[i], w);
    jw_end_array(w);
}

void data_read_write(const struct record_prepared *p, const char *held, struct json_writer *w)
{
    if (p->hash[0] == '\0')
        return;
    jw_key(w, "data");
    jw_begin_object(w);
    jw_kv_string(w, "task", p->classes > 0 ? "classification" : "regression");
    jw_kv_string(w, "target", p->target[0] ? p->target : NULL);
    jw_kv_int(w, "samples", p->samples);
    jw_kv_int(w, "features", p->features);
    jw_kv_int(w, "classes", p->classes);
    jw_kv_int(w, "outputs", p->outputs);
    jw_key(w, "notes");
    write_notes(p, w);
    jw_key(w, "findings");
    write_findings(p, w);
    jw_kv_string(w, "held", held);
    jw_end_object(w);
}
