#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/preprocessing.h"
#include "sweep/require.h"
#include "sweep/weights_hash.h"
#include "worker/data/atomic_file.h"
#include "worker/weights.h"
#include "worker/weights_part.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file is little-endian, as we are");

void weights_tensor_name(const struct layer *l, const struct tensor *t, char out[WEIGHTS_NAME_MAX])
{
    snprintf(out, WEIGHTS_NAME_MAX, "%s.%s", l->name, t->name);
}

static void write_tensor(struct json_writer *w, const struct layer *l, const struct tensor *t,
                         size_t *offset)
{
    char name[WEIGHTS_NAME_MAX];
    weights_tensor_name(l, t, name);
    jw_key(w, name);
    jw_begin_object(w);
    jw_kv_string(w, "dtype", sizeof(real) == 4 ? "F32" : "F64");
    jw_key(w, "shape");
    jw_begin_array(w);
    for (size_t i = 0; i < t->rank; i++)
        jw_int(w, (int64_t)t->dim[i]);
    jw_end_array(w);
    jw_key(w, "data_offsets");
    jw_begin_array(w);
    jw_int(w, (int64_t)*offset);
    *offset += tensor_count(t) * sizeof(real);
    jw_int(w, (int64_t)*offset);
    jw_end_array(w);
    jw_end_object(w);
}

/* What the tensors do not tell. The format has texts only here. */
static void write_metadata(struct json_writer *w, const struct net *n, const char *preprocessing)
{
    char shape[SHAPE_TEXT_MAX], outputs[24];
    snprintf(outputs, sizeof outputs, "%zu", n->plan.outputs);
    jw_key(w, "__metadata__");
    jw_begin_object(w);
    jw_kv_string(w, WEIGHTS_HASH_KEY, WEIGHTS_HASH_ZEROS);
    jw_kv_string(w, "format", "pt");
    jw_kv_string(w, "input_shape", shape_format(&n->plan.input, shape));
    jw_kv_string(w, "outputs", outputs);
    if (preprocessing)
        jw_kv_string(w, PREPROCESSING_KEY, preprocessing);
    jw_end_object(w);
}

/* The tensors in the header's order; buffers lie behind all that is trained in values. */
static int give_numbers(const struct net *n, const real *values,
                        int (*take)(void *to, const void *bytes, size_t len), void *to)
{
    int rc = 0;
    for (size_t i = 0; i < n->layer_count; i++) {
        const struct layer *l = &n->layers[i];
        for (size_t k = 0; k < l->tensor_count && rc == 0; k++) {
            const struct tensor *t = &l->tensors[k];
            rc = take(to, values + (t->value - n->values), tensor_count(t) * sizeof(real));
        }
    }
    return rc;
}

static int hash_numbers(void *sum, const void *bytes, size_t len)
{
    sha256_add(sum, bytes, len);
    return 0;
}

/* Puts the hash of the whole file into its header, which holds zeros in its place. */
static void seal_header(const struct net *n, const real *values, struct buf *header)
{
    struct sha256 sum;
    char hash[sizeof WEIGHTS_HASH_ZEROS];
    size_t place = weights_hash_place(header->data, header->len);
    REQUIRE(place > 0);
    sha256_init(&sum);
    sha256_add(&sum, header->data, header->len);
    (void)give_numbers(n, values, hash_numbers, &sum);
    sha256_hex(&sum, hash);
    memcpy(header->data + place, hash, sizeof hash - 1);
}

void weights_header(const struct net *n, const real *values, const char *preprocessing,
                    struct buf *out)
{
    struct buf json = {0};
    struct json_writer w;
    size_t offset = 0;
    jw_init(&w, &json);
    jw_begin_object(&w);
    write_metadata(&w, n, preprocessing);
    for (size_t i = 0; i < n->layer_count; i++) {
        for (size_t k = 0; k < n->layers[i].tensor_count; k++)
            write_tensor(&w, &n->layers[i], &n->layers[i].tensors[k], &offset);
    }
    jw_end_object(&w);
    while (json.len % 8 != 0)
        buf_putc(&json, ' ');
    for (int i = 0; i < WEIGHTS_LENGTH_BYTES; i++)
        buf_putc(out, (char)(unsigned char)((uint64_t)json.len >> (8 * i)));
    buf_append(out, json.data, json.len);
    buf_finish(&json);
    seal_header(n, values, out);
}

struct writing {
    struct atomic_file file;
    struct errbuf *err;
};

static int write_numbers(void *to, const void *bytes, size_t len)
{
    struct writing *w = to;
    return atomic_file_write(&w->file, bytes, len, w->err);
}

int weights_write(const char *path, const struct net *n, const real *values,
                  const char *preprocessing, struct errbuf *err)
{
    struct writing w = {.err = err};
    struct buf header = {0};
    weights_header(n, values, preprocessing, &header);
    int rc = paths_make_parent(path, 0700, err);
    if (rc == 0)
        rc = atomic_file_open(&w.file, path, err);
    if (rc == 0)
        rc = atomic_file_write(&w.file, header.data, header.len, err);
    if (rc == 0)
        rc = give_numbers(n, values, write_numbers, &w);
    if (rc == 0)
        rc = atomic_file_publish(&w.file, err);
    buf_finish(&header);
    return rc;
}
