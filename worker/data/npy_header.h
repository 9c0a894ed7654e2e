/* Inside the NPY reader: types of numbers, and the header. */
#ifndef WORKER_DATA_NPY_HEADER_H
#define WORKER_DATA_NPY_HEADER_H

#include "worker/data/npy.h"

#define NPY_SHAPE_TEXT_MAX 100

/* X(id as NumPy writes it behind the byte order, bytes, bits → double) */
#define NPY_TYPE_MAP(X)      \
    X(u1, 1, unsigned_value) \
    X(i1, 1, i1_value)       \
    X(b1, 1, b1_value)       \
    X(i2, 2, i2_value)       \
    X(i4, 4, i4_value)       \
    X(i8, 8, i8_value)       \
    X(u2, 2, unsigned_value) \
    X(u4, 4, unsigned_value) \
    X(u8, 8, unsigned_value) \
    X(f2, 2, f2_value)       \
    X(f4, 4, f4_value)       \
    X(f8, 8, f8_value)

enum npy_type_id {
#define X(id, size, value) NPY_##id,
    NPY_TYPE_MAP(X)
#undef X
    NPY_TYPE_COUNT
};

struct npy_type {
    const char *name;
    size_t bytes;
    void (*convert)(const unsigned char *p, size_t n, bool big_endian, double *out);
};
extern const struct npy_type npy_types[NPY_TYPE_COUNT];

/* "(60000, 28, 28)", "(5,)", "()"; returns out */
const char *npy_shape_text(const struct npy *a, char out[NPY_SHAPE_TEXT_MAX]);

#endif
