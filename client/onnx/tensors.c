/* Tensors of the weights file as constants of the graph. */
#include <stdio.h>
#include <string.h>

#include "client/onnx/writer.h"
#include "sweep/err.h"
#include "sweep/json.h"

#define NUMBERS_MAX ((int64_t)1 << 40)

static int damaged(const struct onnx_writer *w, const char *name)
{
    return err_set(w->err, ERR_DATA, "the weights file has no float32 tensor %s", name);
}

static int read_shape(const struct json *list, struct onnx_tensor *t)
{
    int64_t count = 1;
    t->rank = 0;
    if (!list || json_type(list) != JSON_ARRAY || json_count(list) > 4)
        return ERR_DATA;
    for (const struct json *v = json_first(list); v; v = json_next(v)) {
        int64_t dim;
        if (json_int64(v, &dim) != 0 || dim < 1 || dim > NUMBERS_MAX / count)
            return ERR_DATA;
        t->dim[t->rank++] = dim;
        count *= dim;
    }
    t->count = (size_t)count;
    return 0;
}

static bool is_float32(const struct json *tensor)
{
    const struct json *v = json_get(tensor, "dtype");
    return v && json_type(v) == JSON_STRING && strcmp(json_string(v), "F32") == 0;
}

int onnx_tensor_find(const struct onnx_writer *w, const struct onnx_layer *l, const char *name,
                     struct onnx_tensor *t)
{
    char whole[ONNX_LAYER_MAX + 32];
    int64_t begin, end;
    snprintf(whole, sizeof whole, "%s.%s", l->place, name);
    const struct json *tensor = json_get(w->m->header, whole);
    const struct json *first = json_first(json_get(tensor, "data_offsets"));
    const struct json *last = first ? json_next(first) : NULL;
    if (!last || !is_float32(tensor) || json_int64(first, &begin) != 0 ||
        json_int64(last, &end) != 0 || read_shape(json_get(tensor, "shape"), t) != 0)
        return damaged(w, whole);
    if (begin < 0 || end < begin || (uint64_t)end > w->m->data_len ||
        (uint64_t)(end - begin) != t->count * sizeof(float))
        return damaged(w, whole);
    t->bytes = w->m->data + begin;
    return 0;
}

int onnx_tensor_add(struct onnx_writer *w, const struct onnx_layer *l, const char *name,
                    struct onnx_tensor *t, struct graph_name *out)
{
    char whole[GRAPH_NAME_MAX];
    int rc = onnx_tensor_find(w, l, name, t);
    if (rc != 0)
        return rc;
    snprintf(whole, sizeof whole, "%s.%s", l->place, name);
    *out = graph_floats(&w->g, whole, t->bytes, t->dim, t->rank);
    return 0;
}
