/* What the columns and classes of data are called: a text that goes with the samples into the
 * weights of a run (preprocessing.h), so that new rows are read as the training file was when that
 * file is gone.
 *
 *   {"target":"price","header":true,"classes":["cat","dog"],
 *    "columns":[{"name":"age"},{"name":"job","categories":["cook","smith"]},
 *               {"name":"km","form":{"decimal":",","thousands":"","unit":"km",
 *               "unit_optional":false,"parentheses":true}}, {"name":"id","ignored":true},
 *               {"name":"price","target":true}]}
 *
 * classes: names, or the numbers that the labels were; absent for a regression. columns: of CSV and
 * TSV alone; `features`: of LIBSVM. */
#ifndef WORKER_DATA_SCHEMA_H
#define WORKER_DATA_SCHEMA_H

#include <stddef.h>

#include "worker/data/classes.h"
#include "worker/data/table.h"

struct errbuf;
struct json;

#define SCHEMA_MAX ((size_t)6 << 20) /* bytes; a weights file's header holds twice as many */

/* Owned by the caller. Longer than SCHEMA_MAX: {"too_long":true}. columns may be NULL. */
char *schema_write(const struct table *train, const struct table_columns *columns,
                   const struct classes *classes);
/* The columns in it; *out NULL where it has none. ERR_DATA when it is no such text. */
int schema_columns(const struct json *schema, struct table_columns **out, struct errbuf *err);

#endif
