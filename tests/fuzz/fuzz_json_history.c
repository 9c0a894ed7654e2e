/* Any bytes as a history in JSON. */
#include "log_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_log(&curve_format_json_history, data, size);
    return 0;
}
