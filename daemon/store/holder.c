#include "daemon/store/holder.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/process.h"

/* Bytes of the -shm file that a reader holds a shared lock on while it reads: sqlite.org/walformat,
 * "WAL Locks", WAL_READ_LOCK(0) to (4). */
#define READ_LOCK_FIRST 123
#define READ_LOCK_LAST 127

/* "3: POSIX  ADVISORY  READ  4711 08:01:131077 124 124": its process, or 0 where it is no such
 * lock. The device is not compared: some file systems give stat(2) another one. */
static int64_t reader_of(const char *line, ino_t inode)
{
    long long pid, first, last;
    unsigned long long of;

    if (sscanf(line, "%*d: POSIX ADVISORY READ %lld %*x:%*x:%llu %lld %lld", &pid, &of, &first,
               &last) != 4)
        return 0;
    return of == inode && first <= READ_LOCK_LAST && last >= READ_LOCK_FIRST ? pid : 0;
}

/* Another process before this one; 0: none that can be seen. */
static int64_t find_reader(const char *path)
{
    char name[4096], line[256];
    struct stat st;
    int64_t found = 0;

    snprintf(name, sizeof(name), "%s-shm", path);
    FILE *locks = stat(name, &st) == 0 ? fopen("/proc/locks", "re") : NULL;
    while (locks && fgets(line, sizeof(line), locks)) {
        int64_t pid = reader_of(line, st.st_ino);
        if (pid > 0 && (found == 0 || found == getpid()))
            found = pid;
    }
    if (locks)
        fclose(locks);
    return found;
}

void wal_holder(const char *path, char *out, size_t size)
{
    char program[64];
    int64_t pid = find_reader(path);

    if (pid == 0) {
        str_copy(out, size, "a reader that cannot be named");
    } else if (pid == getpid()) {
        str_copy(out, size, "this daemon itself (a backup or a check is under way)");
    } else {
        process_name(pid, program, sizeof(program));
        snprintf(out, size, "process %" PRId64 " (%s)", pid, program);
    }
}
