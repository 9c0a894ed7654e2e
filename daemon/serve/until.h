/* When a specification's `until` is: a time of the day where this machine is, the next time that it
 * comes. Reads the time zone. */
#ifndef SWEEPD_UNTIL_H
#define SWEEPD_UNTIL_H

#include <stddef.h>

#include "daemon/engine/rows.h"

/* The first instant after now at which the clock on the wall shows that minute of the day. */
utc_us until_next(int minute, utc_us now);
/* "until 07:30 is 2026-12-01 07:30 CET, 2026-12-01 06:30 UTC: …" */
void until_sentence(int minute, utc_us at, char *out, size_t size);

#endif
