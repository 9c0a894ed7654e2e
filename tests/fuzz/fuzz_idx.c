/* IDX files, plain and gzip, as they come from outside. */
#include <stddef.h>
#include <stdint.h>

#include "sweep/err.h"
#include "sweep/require.h"
#include "worker/data/idx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct idx x;
    struct errbuf err = {0};
    if (idx_decode(data, size, &x, &err) != 0) {
        REQUIRE(err.code < 0 && err.message[0]);
        return 0;
    }
    size_t count = 1;
    for (unsigned i = 0; i < x.rank; i++)
        count *= x.dims[i];
    REQUIRE(count == x.count && count > 0);
    /* Every number must be there to be read. */
    unsigned sum = 0;
    for (size_t i = 0; i < count * idx_type_bytes(x.type); i++)
        sum += x.data[i];
    float last;
    if (x.type != IDX_U8)
        idx_floats(&x, count - 1, 1, &last);
    idx_finish(&x);
    return sum == UINT32_MAX;
}
