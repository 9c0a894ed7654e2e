/* REQUIRE: a programmer's invariant, always on. It never depends on bytes from a peer, a file or
 * the database: those get an error message instead. */
#ifndef SWEEP_REQUIRE_H
#define SWEEP_REQUIRE_H

_Noreturn void require_failed(const char *expr, const char *file, int line);

#define REQUIRE(expr) ((expr) ? (void)0 : require_failed(#expr, __FILE__, __LINE__))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
