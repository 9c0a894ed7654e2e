#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/task.h"

void task_of_config(const char *path, char *out, size_t size)
{
    struct json *root = NULL;
    const struct json *task = NULL;

    if (json_read_file(path, TASK_CONFIG_MAX, &root, NULL) == 0)
        task = json_get(root, "task");
    if (task && json_type(task) == JSON_STRING)
        str_copy(out, size, json_string(task));
    json_destroy(root);
}
