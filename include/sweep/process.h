/* What the system knows about another process. */
#ifndef SWEEP_PROCESS_H
#define SWEEP_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Gone, a zombie, or killed: SIGKILL is pending, and it will not do a thing of its own any more.
 * What it holds may stay held for a moment. False where nothing can be known (pid <= 0: a process
 * of another namespace). */
bool process_is_ending(int64_t pid);
/* The name of its program as in ps(1), at most 15 bytes; "unknown" where there is none. */
void process_name(int64_t pid, char *out, size_t size);

#endif
