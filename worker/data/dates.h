/* Texts and numbers that are dates. */
#ifndef WORKER_DATA_DATES_H
#define WORKER_DATA_DATES_H

#include <stdbool.h>
#include <stddef.h>

/* 2021-01-31, 31.1.2021, 1/31/21, 31 Jan 2021, Jan 2021, January 31, 2021; a time may follow, or
 * stand alone (12:30:05). */
bool date_is(const char *text, size_t len);
/* 20210131 */
bool date_is_number(double x);

#endif
