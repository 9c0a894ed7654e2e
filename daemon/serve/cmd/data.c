/* The data sets that a spec may name. */
#include <stdlib.h>

#include "daemon/serve/request.h"
#include "sweep/dataset.h"

static void run(struct request *r)
{
    struct dataset *sets = xcalloc(DATASET_MAX, sizeof(*sets));
    size_t count = dataset_list(sets, DATASET_MAX);
    jw_begin_object(&r->w);
    jw_key(&r->w, "datasets");
    jw_begin_array(&r->w);
    for (size_t i = 0; i < count; i++) {
        jw_begin_object(&r->w);
        jw_kv_string(&r->w, "name", sets[i].name);
        jw_kv_string(&r->w, "path", sets[i].path);
        jw_kv_string(&r->w, "format", sets[i].format);
        jw_end_object(&r->w);
    }
    jw_end_array(&r->w);
    jw_end_object(&r->w);
    free(sets);
    request_result_built(r);
}

const struct command command_data = {
    .name = "data",
    .run = run,
};
