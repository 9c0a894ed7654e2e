/* Eigenvalues and eigenvectors of a small symmetric matrix, by Jacobi's rotations (Golub and Van
 * Loan, Matrix Computations, 8.5). */
#ifndef SWEEPD_SEARCH_EIGEN_H
#define SWEEPD_SEARCH_EIGEN_H

#include <stddef.h>

/* a[n][n], of which the upper half is read: left with nothing but the eigenvalues on its diagonal.
 * vectors[n][n]: column i belongs to a[i][i]. */
void eigen_symmetric(double *a, size_t n, double *vectors);

#endif
