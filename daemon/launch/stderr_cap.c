#include "daemon/launch/stderr_cap.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/log.h"
#include "sweep/paths.h"

#define LOG_MODULE "stderr"

/* What is written meanwhile may be lost with the middle. */
static void keep_ends(int fd, int64_t run_id, int64_t size)
{
    struct buf kept = {0};
    buf_printf(&kept, "\n[%" PRId64 " bytes were left out here]\n",
               size - 2 * (int64_t)STDERR_KEPT_BYTES);
    buf_reserve(&kept, STDERR_KEPT_BYTES);
    ssize_t n = pread(fd, kept.data + kept.len, STDERR_KEPT_BYTES, size - STDERR_KEPT_BYTES);
    if (n > 0)
        kept.len += (size_t)n;
    bool cut = ftruncate(fd, STDERR_KEPT_BYTES) == 0;
    if (!cut || write(fd, kept.data, kept.len) != (ssize_t)kept.len)
        log_warn("run %" PRId64 ": stderr could not be cut: %s", run_id, strerror(errno));
    buf_finish(&kept);
}

void stderr_cap(const char *runs_dir, int64_t run_id)
{
    char path[PATHS_MAX];
    struct stat st;
    if (!paths_run_file(path, sizeof(path), runs_dir, run_id, RUN_FILE_STDERR) ||
        lstat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= STDERR_CAP_BYTES)
        return;
    int fd = open(path, O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > STDERR_CAP_BYTES)
        keep_ends(fd, run_id, st.st_size);
    close(fd);
}
