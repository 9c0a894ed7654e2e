/* Objects of JSON as rows of a training log. */
#ifndef COMMON_CURVES_JSON_ROW_H
#define COMMON_CURVES_JSON_ROW_H

#include "sweep/loose_json.h"
#include "sweep/training_log.h"

/* A row of the object's members: numbers (also in quotes, also alone in a list), text and words;
 * members of objects inside with the names joined by '/'. Other lists, and objects that stand for
 * something else ("_type": histogram), are passed over. 0 or ERR_LIMIT. */
int json_row(struct training_log *out, const struct loose_json *j, const struct loose_value *object,
             size_t where, struct errbuf *err);
/* The same cells into the row that was begun last, each title behind a prefix ("" for none). */
int json_row_cells(struct training_log *out, const struct loose_json *j,
                   const struct loose_value *object, const char *prefix, struct errbuf *err);
/* One value into the row that was begun last. */
int json_row_cell(struct training_log *out, const struct loose_json *j,
                  const struct loose_value *v, const char *title, struct errbuf *err);

#endif
