#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/task.h"

#define FILE_MAX_BYTES ((size_t)1 << 20)

void task_of_config(const char *path, char *out, size_t size)
{
    struct json *root = NULL;
    const struct json *task = NULL;

    if (json_read_file(path, FILE_MAX_BYTES, &root, NULL) == 0)
        task = json_get(root, "task");
    if (task && json_type(task) == JSON_STRING)
        str_copy(out, size, json_string(task));
    json_destroy(root);
}
