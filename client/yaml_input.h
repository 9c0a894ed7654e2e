/* YAML as JSON: what PyYAML's safe_load would make of it, but for these: 1e-3 is a number, and what
 * would be a date stays text. Anchors and aliases are followed; merge keys, tags of other kinds and
 * keys that are no words are refused. Each value stands on the line that it has in the YAML, as far
 * as that can be, so that a complaint about the JSON names the right one. */
#ifndef SWEEPCTL_YAML_INPUT_H
#define SWEEPCTL_YAML_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/buf.h"
#include "sweep/err.h"

/* Built with libyaml? */
bool yaml_is_there(void);
/* Appends to out at most `most` bytes (aliases can make much of little). 0, ERR_PARSE, ERR_LIMIT or
 * ERR_VALUE; err names line and column. */
int yaml_to_json(const char *text, size_t len, size_t most, struct buf *out, struct errbuf *err);

#endif
