/* Any bytes as a trainer_state.json. */
#include "log_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_log(&curve_format_trainer_state, data, size);
    return 0;
}
