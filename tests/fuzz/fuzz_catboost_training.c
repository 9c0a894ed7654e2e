/* Any bytes as a catboost_training.json. */
#include "log_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_log(&curve_format_catboost_training, data, size);
    return 0;
}
