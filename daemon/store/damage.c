/* A database that is damaged: how one sees it, and what a person can do. */
#include <sqlite3.h>

#include "daemon/store/private.h"
#include "sweep/buf.h"

bool sql_is_damage(int sqlite_code)
{
    return (sqlite_code & 0xff) == SQLITE_CORRUPT || (sqlite_code & 0xff) == SQLITE_NOTADB;
}

char *damage_text(const char *path, const char *why)
{
    return xasprintf(
        "%s is damaged: %s. To recover: stop the daemon, move this file away together "
        "with its -wal and -shm, and put a backup (sweepctl backup) in its place, or "
        "what can still be read: sqlite3 MOVED .recover | sqlite3 %s, or with .dump as "
        "sweepd(1) says",
        path, why, path);
}
