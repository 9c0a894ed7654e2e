/* The cache: decoded data in $XDG_CACHE_HOME/sweepd, so that a hundred runs read it once.
 *
 *   CONTENT_HASH.data  header, labels or targets, values of all parts: what workers map; then a
 *                      sum of each block, which is compared when it is mapped, once for each file
 *                      and start of the machine (CONTENT_HASH.data.verified)
 *   SOURCE_HASH.link   the prepared line of a source (source_hash): its files' sizes and times →
 *                      CONTENT_HASH; then the line's own hash
 *   SOURCE_HASH.schema what that source's columns and classes are called (schema.h), likewise
 *
 * All are written under a name of their own and renamed, so readers and other writers never see
 * half a file. Nothing here is trusted: a file that does not fit in every byte is as good as
 * none, and is written again. */
#ifndef WORKER_DATA_CACHE_H
#define WORKER_DATA_CACHE_H

#include "sweep/paths.h"
#include "sweep/record.h"
#include "worker/data/samples.h"

/* Path of a content hash's file. 0, or ERR_VALUE when there is no place for a cache. */
int cache_data_path(const char *hash, char out[PATHS_MAX], struct errbuf *err);
/* Maps it. ERR_NOT_FOUND, or ERR_DATA when it is damaged (err says where) or of another version. */
int cache_map(const char *path, const char *hash, struct samples *out, struct errbuf *err);
int cache_write(const char *path, const struct samples *s, struct errbuf *err);

/* The prepared line last written for a source's hash; out untouched unless 0. */
int cache_link_read(const char *source, struct record_prepared *out, struct errbuf *err);
int cache_link_write(const char *source, const struct record_prepared *p, struct errbuf *err);
/* Of the same source: *out is the caller's. */
int cache_schema_read(const char *source, char **out, struct errbuf *err);
int cache_schema_write(const char *source, const char *schema, struct errbuf *err);

#endif
