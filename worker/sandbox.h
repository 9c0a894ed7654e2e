/* What a worker may still do once it reads what others have made: Landlock (files) and seccomp
 * (system calls), one table of each. Both are one-way, and stack: a second time only takes away.
 *
 * A file may be read where it was allowed, and nothing else but the system's own (/usr, /proc,
 * /sys, …); it may be written where that was allowed. Sockets, programs, signals to others, and
 * changes of what Landlock does not know (modes, owners, times) are refused by seccomp. What the
 * kernel or this build lacks is left out: `sweep-worker --check` tries it and says what holds. */
#ifndef WORKER_SANDBOX_H
#define WORKER_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#define SANDBOX_PATHS_MAX 48
/* Environment: believe that the kernel's Landlock has at most this ABI (0: none). For tests. */
#define SANDBOX_ABI_VARIABLE "SWEEPD_SANDBOX_ABI"

enum sandbox_right {
    SANDBOX_LIST,  /* names in a folder, and in those below */
    SANDBOX_READ,  /* a file, or all in a folder */
    SANDBOX_WRITE, /* all in a folder: make, change, rename, remove */
};

struct sandbox {
    size_t count;
    struct {
        char *path;
        enum sandbox_right right;
    } allowed[SANDBOX_PATHS_MAX];
    bool may_signal; /* other processes: who supervises one */
};

/* Limits, and no new privileges: also for what is started. own: this process alone, which opens
 * few files and writes none larger than memory. */
void sandbox_limit(bool own);

/* Copies path; "" and what cannot be opened when it is entered count for nothing. */
void sandbox_allow(struct sandbox *s, const char *path, enum sandbox_right right);
/* The folder of a file. */
void sandbox_allow_parent(struct sandbox *s, const char *path, enum sandbox_right right);
void sandbox_enter(const struct sandbox *s);
/* Again, with fewer files: what only reading the data needed. */
void sandbox_narrow(const struct sandbox *s);
void sandbox_finish(struct sandbox *s);

/* Landlock's ABI in this kernel, 0: none. */
int sandbox_landlock_abi(void);
/* This build and kernel can filter system calls. */
bool sandbox_has_seccomp(void);

#endif
