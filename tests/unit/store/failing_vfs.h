/* An SQLite VFS that fails at will: the calls of every database of this process go through it. */
#ifndef FAILING_VFS_H
#define FAILING_VFS_H

#include <stdbool.h>

/* X(id, SQLite's code for its failure) */
#define FAILING_CALL_MAP(X)                                                                        \
    X(OPEN, SQLITE_CANTOPEN)                                                                       \
    X(READ, SQLITE_IOERR_READ)                                                                     \
    X(WRITE, SQLITE_IOERR_WRITE)                                                                   \
    X(FULL, SQLITE_FULL)                                                                           \
    X(SYNC, SQLITE_IOERR_FSYNC)                                                                    \
    X(TRUNCATE, SQLITE_IOERR_TRUNCATE)                                                             \
    X(SHM, SQLITE_IOERR_SHMMAP)

enum failing_call {
#define X(id, code) FAIL_##id,
    FAILING_CALL_MAP(X)
#undef X
        FAILING_CALL_COUNT
};

/* Once, before the first database is opened. */
void failing_vfs_install(void);
/* The n-th call of that kind from now on fails, and `times` - 1 after it. */
void failing_vfs_arm(enum failing_call call, int n, int times);
/* Nothing fails any more. Whether something did since it was armed. */
bool failing_vfs_disarm(void);

#endif
