/* What may hold beside any label. */
#ifndef COMMON_DIAGNOSIS_TAGS_H
#define COMMON_DIAGNOSIS_TAGS_H

#include <stdint.h>

#include "common/label/facts.h"

/* Bits per enum diagnosis_tag. */
uint32_t tags_of(const struct facts *f);

#endif
