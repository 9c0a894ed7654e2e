#include "common/curves/json_row.h"

#include <string.h>

#include "sweep/err.h"
#include "sweep/require.h"

#define TITLE_BYTES 512 /* what a log keeps of one */

/* What names something stays text, whatever its digits say. */
static bool is_name(const char *title)
{
    static const char *const names[] = {"run", "run_id", "run_name", "run_uuid", "name", "id",
                                        "key", "tag", "metric", "trial_id"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(title, names[i]) == 0)
            return true;
    return false;
}

int json_row_cell(struct training_log *out, const struct loose_json *j,
                  const struct loose_value *v, const char *title, struct errbuf *err)
{
    double number = 0;
    if (v->kind == LOOSE_LIST && v->count == 1)
        v = loose_first(j, v);
    if (v->kind == LOOSE_NULL || v->kind == LOOSE_LIST || v->kind == LOOSE_OBJECT)
        return 0;
    int column = training_log_column(out, title, strlen(title), err);
    if (column < 0)
        return column;
    if (!is_name(title) && loose_number(j, v, &number))
        return training_log_number(out, (size_t)column, number, err);
    if (v->kind == LOOSE_NUMBER)
        return training_log_number(out, (size_t)column, v->number, err);
    const char *text = v->kind == LOOSE_TEXT ? loose_text(j, v) : v->number ? "true" : "false";
    return training_log_text(out, (size_t)column, text, strlen(text), err);
}

int json_row_cells(struct training_log *out, const struct loose_json *j,
                   const struct loose_value *object, const char *prefix, struct errbuf *err)
{
    struct buf title = {0};
    int rc = 0;
    if (loose_member(j, object, "_type"))
        return 0;
    for (const struct loose_value *m = loose_first(j, object); m && rc == 0; m = loose_next(j, m)) {
        const char *key = loose_key(j, m);
        buf_clear(&title);
        if (*prefix)
            buf_printf(&title, "%s/", prefix);
        buf_append(&title, key, strnlen(key, TITLE_BYTES));
        if (title.len > TITLE_BYTES)
            break; /* deeper ones are longer yet */
        rc = m->kind == LOOSE_OBJECT ? json_row_cells(out, j, m, title.data, err)
                                     : json_row_cell(out, j, m, title.data, err);
    }
    buf_finish(&title);
    return rc;
}

int json_row(struct training_log *out, const struct loose_json *j, const struct loose_value *object,
             size_t where, struct errbuf *err)
{
    int rc = training_log_row(out, where, err);
    return rc != 0 ? rc : json_row_cells(out, j, object, "", err);
}
