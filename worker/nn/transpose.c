#include "worker/nn/transpose.h"

/* Squares of four numbers are turned in registers: a quarter of the time of one by one. */
#define SIDE 4
typedef real four __attribute__((vector_size(SIDE * sizeof(real)), aligned(sizeof(real)),
                                 may_alias));
#ifdef SWEEP_REAL_DOUBLE
typedef int64_t four_places __attribute__((vector_size(SIDE * sizeof(int64_t))));
#else
typedef int32_t four_places __attribute__((vector_size(SIDE * sizeof(int32_t))));
#endif

/* Numbers w, x of a and y, z of b (those of b count on from 4). GCC and Clang name it apart. */
#ifdef __clang__
#define PICK(a, b, w, x, y, z) __builtin_shufflevector(a, b, w, x, y, z)
#else
#define PICK(a, b, w, x, y, z) __builtin_shuffle(a, b, (four_places){w, x, y, z})
#endif

static inline void turn_square(size_t rows, size_t columns, const real *from, real *to)
{
    four a = *(const four *)from, b = *(const four *)(from + columns);
    four c = *(const four *)(from + 2 * columns), d = *(const four *)(from + 3 * columns);
    four ab = PICK(a, b, 0, 4, 1, 5), ab2 = PICK(a, b, 2, 6, 3, 7);
    four cd = PICK(c, d, 0, 4, 1, 5), cd2 = PICK(c, d, 2, 6, 3, 7);
    *(four *)to = PICK(ab, cd, 0, 1, 4, 5);
    *(four *)(to + rows) = PICK(ab, cd, 2, 3, 6, 7);
    *(four *)(to + 2 * rows) = PICK(ab2, cd2, 0, 1, 4, 5);
    *(four *)(to + 3 * rows) = PICK(ab2, cd2, 2, 3, 6, 7);
}

void transpose(size_t rows, size_t columns, const real *restrict from, real *restrict to)
{
    size_t whole_rows = rows - rows % SIDE, whole_columns = columns - columns % SIDE;
    for (size_t j = 0; j < whole_columns; j += SIDE) {
        for (size_t i = 0; i < whole_rows; i += SIDE)
            turn_square(rows, columns, from + i * columns + j, to + j * rows + i);
    }
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = i < whole_rows ? whole_columns : 0; j < columns; j++)
            to[j * rows + i] = from[i * columns + j];
    }
}
