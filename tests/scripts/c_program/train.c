/* Gradient descent on a quadratic, in the manner of a small research program. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    double rate = 0.1, momentum = 0;
    int iterations = 40, verbose = 0, c;
    static const struct option options[] = {{"rate", required_argument, NULL, 'r'},
                                            {"momentum", required_argument, NULL, 'm'},
                                            {"iterations", required_argument, NULL, 'n'},
                                            {"verbose", no_argument, NULL, 'v'},
                                            {NULL, 0, NULL, 0}};
    while ((c = getopt_long(argc, argv, "r:m:n:v", options, NULL)) != -1) {
        if (c == 'r')
            rate = atof(optarg);
        else if (c == 'm')
            momentum = atof(optarg);
        else if (c == 'n')
            iterations = atoi(optarg);
        else if (c == 'v')
            verbose = 1;
        else
            return 2;
    }
    double x = 3, y = -2, vx = 0, vy = 0;
    for (int i = 1; i <= iterations; i++) {
        vx = momentum * vx - rate * 2 * x;
        vy = momentum * vy - rate * 20 * y;
        x += vx;
        y += vy;
        if (i % 10 == 0)
            printf("iter %d: loss %.6f, |x| %.6f\n", i, x * x + 10 * y * y, hypot(x, y));
    }
    if (verbose)
        fprintf(stderr, "x = %g, y = %g\n", x, y);
    return 0;
}
