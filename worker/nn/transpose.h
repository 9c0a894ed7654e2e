#ifndef WORKER_NN_TRANSPOSE_H
#define WORKER_NN_TRANSPOSE_H

#include <stddef.h>

#include "worker/nn/real.h"

/* to[columns,rows] = from[rows,columns]ᵀ */
void transpose(size_t rows, size_t columns, const real *restrict from, real *restrict to);

#endif
