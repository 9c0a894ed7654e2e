/* What the files of record lines share. Private to common/run/. */
#ifndef SWEEP_COMMON_RECORD_PART_H
#define SWEEP_COMMON_RECORD_PART_H

#include <stddef.h>
#include <stdint.h>

#include "sweep/record.h"

struct json;
struct json_writer;

/* Each gives 0 or an error that names the key. Free text: cut where too long, "" where absent. */
int record_get_text(const struct json *v, const char *key, char *out, size_t size,
                    struct errbuf *err);
/* Text that must fit. */
int record_get_exact(const struct json *v, const char *key, char *out, size_t size,
                     struct errbuf *err);
/* A count, 0 or more. */
int record_get_count(const struct json *v, const char *key, int64_t *out, struct errbuf *err);
/* The same; absent: out is untouched. */
int record_get_optional(const struct json *v, const char *key, int64_t *out, struct errbuf *err);

void record_write_prepared(const struct record *r, struct json_writer *w);
int record_parse_prepared(const struct json *v, struct record *r, struct errbuf *err);

#endif
