/* Any bytes as a metric of MLflow's file store. */
#include "log_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_log(&curve_format_mlflow_metric, data, size);
    return 0;
}
