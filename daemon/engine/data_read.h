/* What a sweep's data was taken for, as a person is told who did not say it. */
#ifndef SWEEPD_ENGINE_DATA_READ_H
#define SWEEPD_ENGINE_DATA_READ_H

#include "sweep/record.h"

struct json_writer;

/* [{"key":"data.task","text":"…"}]: the notes of a prepared line. NULL where it has no data. */
char *data_read_notes(const struct record_prepared *p);
/* Into an open object: "data":{"task","target","samples","features","classes","outputs","notes"};
 * nothing where there is no data. */
void data_read_write(const struct record_prepared *p, struct json_writer *w);

#endif
