/* Recorded tables, as search_bench and stages_bench read them: a line of JSON (name, parameters,
 * seeds, …), and behind it the numbers of each cell of the grid, in the order of its parameters. */
#ifndef TESTS_BENCH_RECORDED_H
#define TESTS_BENCH_RECORDED_H

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/space.h"

_Noreturn void die(const char *what, const struct errbuf *err);
/* The file's bytes, its parameters as JSON, where the numbers begin, and what its first line says;
 * all the caller's. Ends the program where it cannot be read. */
struct json *recorded_read(const char *path, struct buf *bytes, char **parameters,
                           const char **numbers);
/* Of count values, each so many behind the one before: the lowest and the median. */
void recorded_scale(const double *values, size_t step, size_t count, double *best, double *median);
/* The cell of a configuration, all of whose values are listed. */
size_t recorded_cell(const struct space *space, const struct assignment *at);

#endif
