/* What must hold of every table that a reader accepts. */
#ifndef TESTS_FUZZ_TABLE_CHECK_H
#define TESTS_FUZZ_TABLE_CHECK_H

#include "worker/data/table.h"

#define TABLE_CHECK_BYTES ((size_t)4 << 20) /* for values: a target must stay fast */

void table_check(const struct table *t);
/* The same to the bit. */
void table_check_same(const struct table *a, const struct table *b);

#endif
