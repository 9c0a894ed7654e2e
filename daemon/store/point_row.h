/* A row of `curves` as a point, for the statements that read curves back. */
#ifndef SWEEPD_STORE_POINT_ROW_H
#define SWEEPD_STORE_POINT_ROW_H

#include "sweep/curve.h"

struct sqlite3_stmt;

#define POINT_COLUMN_NAME(id, column, canonical) ", " #column
/* What such a statement selects, behind run_id: ", point, epoch, train_loss, …" */
#define POINT_COLUMNS ", point, epoch" CURVE_COLUMN_MAP(POINT_COLUMN_NAME)

/* Of a statement that selects run_id and POINT_COLUMNS. */
void point_row_read(struct sqlite3_stmt *st, struct point *out);

#endif
