/* NPZ archives as they come from outside. */
#include <stddef.h>
#include <stdint.h>

#include "sweep/err.h"
#include "sweep/require.h"
#include "worker/data/npz.h"
#include "worker/data/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const parts[] = {"train", "val", "test"};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        struct table t = {0};
        struct errbuf err = {0};
        int rc = npz_decode(data, size, &(struct npz_names){"", "", false}, parts[i], &t, &err);
        if (rc == 0) {
            REQUIRE(t.values && t.targets && t.count > 0 && t.outputs > 0);
            table_finish(&t);
        } else {
            REQUIRE(err.code == rc && err.message[0] && !t.values);
        }
    }
    return 0;
}
