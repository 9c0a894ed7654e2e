#include "daemon/store/point_row.h"

#include <math.h>

#include <sqlite3.h>

void point_row_read(struct sqlite3_stmt *st, struct point *out)
{
    *out = (struct point){.point = sqlite3_column_int64(st, 1),
                          .epoch = sqlite3_column_double(st, 2)};
    for (int c = 0; c < CURVE_COLUMN_COUNT; c++) {
        int type = sqlite3_column_type(st, 3 + c);
        if (type != SQLITE_NULL)
            point_set(out, (enum curve_column)c,
                      type == SQLITE_TEXT ? NAN : sqlite3_column_double(st, 3 + c));
    }
}
