/* One run: its row, its label where it has one, and where its files are. */
#include <unistd.h>

#include "daemon/serve/request.h"
#include "daemon/state.h"
#include "sweep/paths.h"

/* The path, or null while there is no such file. */
static void write_path(struct request *r, const char *key, const char *path)
{
    jw_kv_string(&r->w, key, access(path, R_OK) == 0 ? path : NULL);
}

static void take_paths(struct request *r, const struct table *label)
{
    const char *runs = r->daemon->runs_dir;
    char path[PATHS_MAX];
    (void)label;
    paths_run(path, sizeof(path), runs, r->subject);
    write_path(r, "folder", path);
    paths_run_file(path, sizeof(path), runs, r->subject, RUN_FILE_WEIGHTS);
    write_path(r, "weights", path);
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
