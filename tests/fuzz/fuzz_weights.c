/* safetensors files as they come from outside, against a network's layout. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sweep/err.h"
#include "sweep/require.h"
#include "worker/weights.h"

#include "../unit/worker/tiny_net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const real untouched[TINY_VALUES];
    struct tiny_net t;
    tiny_net_init(&t);
    for (int skip_output = 0; skip_output < 2; skip_output++) {
        real values[TINY_VALUES] = {0};
        struct errbuf err = {0};
        int rc = weights_decode(data, size, &t.net, skip_output, values, &err);
        if (rc != 0) {
            REQUIRE(err.code == rc && err.message[0]);
            REQUIRE(memcmp(values, untouched, sizeof values) == 0);
        }
    }
    return 0;
}
