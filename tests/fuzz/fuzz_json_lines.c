/* Any bytes as JSON lines. */
#include "log_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_log(&curve_format_json_lines, data, size);
    return 0;
}
