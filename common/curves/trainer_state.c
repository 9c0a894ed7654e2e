/* trainer_state.json of Hugging Face's Trainer: "log_history" is a list of objects, training and
 * evaluation in entries of their own, and a summary at the end. */
#include <string.h>

#include "common/curves/format.h"
#include "common/curves/json_row.h"
#include "sweep/err.h"

#define HEAD_BYTES 65536 /* the list comes behind some ten short members */

static bool is_trainer_state(const struct curve_bytes *in)
{
    static const char name[] = "\"log_history\"";
    size_t at = loose_blanks(in->bytes, in->len);
    size_t head = in->len < HEAD_BYTES ? in->len : HEAD_BYTES;
    return at < in->len && in->bytes[at] == '{' &&
           memmem(in->bytes, head, name, sizeof(name) - 1) != NULL;
}

static int rows_of(const struct curve_bytes *in, const struct loose_json *j,
                   struct training_log *out, struct errbuf *err)
{
    const struct loose_value *list = loose_member(j, loose_root(j), "log_history");
    size_t where = 0;
    int rc = 0;
    if (!list || list->kind != LOOSE_LIST)
        return err_set(err, ERR_MISSING, "%s: log_history: allowed: a list of objects", in->name);
    for (const struct loose_value *v = loose_first(j, list); v && rc == 0; v = loose_next(j, v)) {
        where++;
        if (v->kind == LOOSE_OBJECT)
            rc = json_row(out, j, v, where, err);
    }
    return rc;
}

static int read_trainer_state(const struct curve_bytes *in, struct training_log *out,
                              struct errbuf *err)
{
    struct loose_json j = {0};
    size_t used = 0;
    int rc = loose_json_read(&j, in->bytes, in->len, 1, &used, err);
    if (rc == 0)
        rc = rows_of(in, &j, out, err);
    loose_json_finish(&j);
    return rc;
}

const struct curve_format curve_format_trainer_state = {is_trainer_state, read_trainer_state};
