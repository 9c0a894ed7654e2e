/* One run: its row, its label where it has one, and where its files are. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/serve/request.h"
#include "daemon/state.h"
#include "sweep/paths.h"

/* A path below the run's folder (that itself: ""), or null while there is no such file. */
static void write_path(struct request *r, const char *key, const char *below)
{
    char path[PATHS_MAX];
    int n = snprintf(path, sizeof(path), "%s/%" PRId64 "%s", r->daemon->runs_dir, r->subject,
                     below);
    bool there = n > 0 && n < (int)sizeof(path) && access(path, R_OK) == 0;
    jw_kv_string(&r->w, key, there ? path : NULL);
}

static void take_paths(struct request *r, const struct table *label)
{
    (void)label;
    write_path(r, "folder", "");
    write_path(r, "weights", "/best.safetensors");
    jw_end_object(&r->w);
    request_result_built(r);
}

static void run(struct request *r)
{
    request_open_run(r, take_paths);
}

const struct command command_run = {
    .name = "run",
    .params = {PARAM_RUN(true)},
    .run = run,
};
