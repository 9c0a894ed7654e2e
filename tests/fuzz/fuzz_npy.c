/* NPY arrays as they come from outside: as features, and as the targets of themselves. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/err.h"
#include "sweep/require.h"
#include "worker/data/npy.h"
#include "worker/data/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every value must be there to be read. */
static void read_all(const struct table *t)
{
    size_t count = t->count * shape_count(&t->shape), odd = 0;
    REQUIRE(t->count > 0 && count > 0);
    for (size_t i = 0; i < count; i++)
        odd += t->type == SAMPLES_U8 ? ((uint8_t *)t->values)[i] & 1
                                     : isnan(((float *)t->values)[i]) != 0;
    for (size_t i = 0; i < t->count * t->outputs; i++)
        odd += isnan(t->targets[i]) != 0;
    REQUIRE(odd <= count + t->count * t->outputs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct npy a;
    struct table t = {0};
    struct errbuf err = {0};
    int rc = npy_parse(data, size, &a, &err);
    if (rc == 0)
        rc = npy_features(&a, &t, &err);
    if (rc != 0) {
        REQUIRE(err.code == rc && err.message[0]);
        return 0;
    }
    rc = npy_targets(&a, &t, &err);
    REQUIRE((rc == 0) == (a.rank <= 3));
    read_all(&t);
    table_finish(&t);
    return 0;
}
