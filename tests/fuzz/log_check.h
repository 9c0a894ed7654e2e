/* What holds of every training log, whatever bytes it was read from. */
#ifndef TESTS_FUZZ_LOG_CHECK_H
#define TESTS_FUZZ_LOG_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "common/curves/format.h"

/* Asks the format whether these are its bytes, and has it read them in any case. */
void check_log(const struct curve_format *format, const void *bytes, size_t len);

#endif
