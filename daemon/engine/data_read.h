/* What a sweep's data was taken for, as a person is told who did not say it. */
#ifndef SWEEPD_ENGINE_DATA_READ_H
#define SWEEPD_ENGINE_DATA_READ_H

#include "sweep/record.h"

struct json_writer;
struct spec;

/* [{"key":"data.task","text":"…"}]: the notes of a prepared line. NULL where it has no data. */
char *data_read_notes(const struct record_prepared *p);
/* Why a person must see the data before anything is trained (G3.1), and the ways out; NULL when
 * nobody need. The caller frees. */
char *data_read_hold(const struct spec *s, const struct record_prepared *p);
/* Into an open object: "data":{"task","target","samples","features","classes","outputs","notes",
 * "findings"}, a finding of each kind with the count of all, and "held": that reason, or null;
 * nothing where there is no data. */
void data_read_write(const struct record_prepared *p, const char *held, struct json_writer *w);

#endif
