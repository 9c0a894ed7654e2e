/* Data of a configuration, from the cache where it is current, else decoded and cached. */
#ifndef WORKER_DATA_LOAD_H
#define WORKER_DATA_LOAD_H

#include "sweep/record.h"
#include "sweep/run_config.h"
#include "worker/data/samples.h"

/* Both outputs are filled; of the findings, those of the files as they are (scan_samples).
 * config->data_hash, unless "", must be the content's hash. Errors have a key of "$.data", value
 * and what is allowed. */
int load_data(const struct run_config *config, struct samples *out,
              struct record_prepared *prepared, struct errbuf *err);

/* Do limit and validation fit the files? load_data asks it of config's own. */
int load_check_counts(const struct settings *settings, const struct samples *s,
                      struct errbuf *err);

#endif
