#include "tests/unit/store/failing_vfs.h"

#include <stdatomic.h>
#include <string.h>

#include <sqlite3.h>

#include "sweep/require.h"

/* The real file lies behind it. */
struct failing_file {
    sqlite3_file base;
    sqlite3_file *real;
};

static const int codes[FAILING_CALL_COUNT] = {
#define X(id, code) [FAIL_##id] = code,
    FAILING_CALL_MAP(X)
#undef X
};

static sqlite3_vfs failing, *real;
static atomic_int armed = -1, before, left, struck;

/* The code of its failure; SQLITE_OK: this call works. */
static int strike(enum failing_call call)
{
    if (atomic_load(&armed) != (int)call || atomic_fetch_sub(&before, 1) > 0 ||
        atomic_fetch_sub(&left, 1) <= 0)
        return SQLITE_OK;
    atomic_store(&struck, 1);
    return codes[call];
}

void failing_vfs_arm(enum failing_call call, int n, int times)
{
    atomic_store(&struck, 0);
    atomic_store(&before, n - 1);
    atomic_store(&left, times);
    atomic_store(&armed, (int)call);
}

bool failing_vfs_disarm(void)
{
    atomic_store(&armed, -1);
    return atomic_load(&struck) != 0;
}

/* --- files ----------------------------------------------------------------------------------- */

static sqlite3_file *real_of(sqlite3_file *f)
{
    return ((struct failing_file *)f)->real;
}

/* Forwards, unless it is the turn of that call. */
#define FORWARD(f, call, method, ...)                                                              \
    int rc = strike(call);                                                                         \
    return rc ? rc : real_of(f)->pMethods->method(real_of(f), ##__VA_ARGS__)

static int f_close(sqlite3_file *f)
{
    return real_of(f)->pMethods->xClose(real_of(f));
}

static int f_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
    FORWARD(f, FAIL_READ, xRead, to, n, at);
}

static int f_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
    if (strike(FAIL_FULL) != SQLITE_OK)
        return SQLITE_FULL;
    FORWARD(f, FAIL_WRITE, xWrite, from, n, at);
}

static int f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    FORWARD(f, FAIL_TRUNCATE, xTruncate, size);
}

static int f_sync(sqlite3_file *f, int flags)
{
    FORWARD(f, FAIL_SYNC, xSync, flags);
}

static int f_size(sqlite3_file *f, sqlite3_int64 *out)
{
    return real_of(f)->pMethods->xFileSize(real_of(f), out);
}

static int f_lock(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xLock(real_of(f), level);
}

static int f_unlock(sqlite3_file *f, int level)
{
    return real_of(f)->pMethods->xUnlock(real_of(f), level);
}

static int f_check_reserved(sqlite3_file *f, int *out)
{
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}

static int f_control(sqlite3_file *f, int op, void *arg)
{
    return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}

static int f_sector(sqlite3_file *f)
{
    return real_of(f)->pMethods->xSectorSize(real_of(f));
}

static int f_traits(sqlite3_file *f)
{
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static int f_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    FORWARD(f, FAIL_SHM, xShmMap, page, size, extend, out);
}

static int f_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
    return real_of(f)->pMethods->xShmLock(real_of(f), at, n, flags);
}

static void f_shm_barrier(sqlite3_file *f)
{
    real_of(f)->pMethods->xShmBarrier(real_of(f));
}

static int f_shm_unmap(sqlite3_file *f, int remove)
{
    return real_of(f)->pMethods->xShmUnmap(real_of(f), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = f_close,
    .xRead = f_read,
    .xWrite = f_write,
    .xTruncate = f_truncate,
    .xSync = f_sync,
    .xFileSize = f_size,
    .xLock = f_lock,
    .xUnlock = f_unlock,
    .xCheckReservedLock = f_check_reserved,
    .xFileControl = f_control,
    .xSectorSize = f_sector,
    .xDeviceCharacteristics = f_traits,
    .xShmMap = f_shm_map,
    .xShmLock = f_shm_lock,
    .xShmBarrier = f_shm_barrier,
    .xShmUnmap = f_shm_unmap,
};

static int f_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    struct failing_file *f = (struct failing_file *)file;
    int rc = strike(FAIL_OPEN);

    f->base.pMethods = NULL;
    f->real = (sqlite3_file *)(f + 1);
    if (rc == SQLITE_OK)
        rc = real->xOpen(real, name, f->real, flags, out);
    if (rc == SQLITE_OK)
        f->base.pMethods = &methods;
    return rc;
}

void failing_vfs_install(void)
{
    real = sqlite3_vfs_find(NULL);
    failing = *real;
    failing.zName = "failing";
    failing.szOsFile = (int)sizeof(struct failing_file) + real->szOsFile;
    failing.xOpen = f_open;
    REQUIRE(sqlite3_vfs_register(&failing, 1) == SQLITE_OK);
}
