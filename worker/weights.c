#include "worker/weights.h"

#include <stdint.h>
#include <stdio.h>

#include "sweep/buf.h"
#include "sweep/json.h"
#include "worker/data/atomic_file.h"

_Static_assert(sizeof(real) == 4, "the file says F32");

static void write_tensor(struct json_writer *w, size_t layer, const char *part,
                         const size_t *shape, size_t rank, size_t *offset)
{
    char name[40];
    snprintf(name, sizeof name, "%zu.%s", layer, part);
    size_t bytes = sizeof(real);
    jw_key(w, name);
    jw_begin_object(w);
    jw_kv_string(w, "dtype", "F32");
    jw_key(w, "shape");
    jw_begin_array(w);
    for (size_t i = 0; i < rank; i++) {
        jw_int(w, (int64_t)shape[i]);
        bytes *= shape[i];
    }
    jw_end_array(w);
    jw_key(w, "data_offsets");
    jw_begin_array(w);
    jw_int(w, (int64_t)*offset);
    *offset += bytes;
    jw_int(w, (int64_t)*offset);
    jw_end_array(w);
    jw_end_object(w);
}

void weights_header(const struct net *n, struct buf *out)
{
    struct buf json = {0};
    struct json_writer w;
    size_t offset = 0;
    jw_init(&w, &json);
    jw_begin_object(&w);
    jw_key(&w, "__metadata__");
    jw_begin_object(&w);
    jw_kv_string(&w, "format", "pt");
    jw_end_object(&w);
    for (size_t i = 0; i < n->layer_count; i++) {
        const struct layer *l = &n->layers[i];
        size_t weight[2] = {l->out, l->in}, bias[1] = {l->out};
        if (l->weight)
            write_tensor(&w, i, "weight", weight, 2, &offset);
        if (l->bias)
            write_tensor(&w, i, "bias", bias, 1, &offset);
    }
    jw_end_object(&w);
    while (json.len % 8 != 0)
        buf_putc(&json, ' ');
    for (int i = 0; i < 8; i++)
        buf_putc(out, (char)(unsigned char)((uint64_t)json.len >> (8 * i)));
    buf_append(out, json.data, json.len);
    buf_finish(&json);
}

int weights_write(const char *path, const struct net *n, const real *parameters,
                  struct errbuf *err)
{
    struct atomic_file f;
    struct buf header = {0};
    weights_header(n, &header);
    int rc = paths_make_parent(path, 0700, err);
    if (rc == 0)
        rc = atomic_file_open(&f, path, err);
    if (rc == 0)
        rc = atomic_file_write(&f, header.data, header.len, err);
    if (rc == 0)
        rc = atomic_file_write(&f, parameters, n->parameter_count * sizeof *parameters, err);
    if (rc == 0)
        rc = atomic_file_commit(&f, false, err);
    buf_finish(&header);
    return rc;
}
