/* Times as the database has them: UTC to the millisecond, as text. Private to store/. */
#ifndef SWEEPD_STORE_TIME_H
#define SWEEPD_STORE_TIME_H

#include "daemon/engine/rows.h"

/* "2026-11-24 00:50:58.123" ↔ µs; reading gives 0 for NULL and for what is no time. */
#define STORE_TIME_SIZE 32
utc_us store_clock(void);
void store_time_format(utc_us t, char out[STORE_TIME_SIZE]);
utc_us store_time_parse(const char *text);

#endif
