#include "worker/data/verified.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sweep/buf.h"
#include "sweep/paths.h"
#include "worker/data/atomic_file.h"

#define MARK_BYTES 256
#define TICK_NS 20000000 /* more than the step of any kernel's file times */
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

/* What the mark of this file says; "" where there can be none. The time of change (ctime) is the
 * kernel's own: nobody sets it back. */
static void mark_text(const struct stat *st, char out[MARK_BYTES])
{
    char boot[64] = "";
    FILE *f = fopen(BOOT_ID, "re");
    out[0] = '\0';
    if (f && fgets(boot, sizeof boot, f) && boot[0] != '\n')
        snprintf(out, MARK_BYTES, "%llu %llu %lld %lld.%09ld %lld.%09ld %s",
                 (unsigned long long)st->st_dev, (unsigned long long)st->st_ino,
                 (long long)st->st_size, (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
                 (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec, boot);
    if (f)
        fclose(f);
}

static bool mark_path(const char *path, char out[PATHS_MAX])
{
    int len = snprintf(out, PATHS_MAX, "%s.verified", path);
    return len > 0 && len < PATHS_MAX;
}

bool verified_holds(const char *path, const struct stat *st)
{
    char mark[PATHS_MAX], want[MARK_BYTES], have[MARK_BYTES] = "";
    mark_text(st, want);
    FILE *f = want[0] && mark_path(path, mark) ? fopen(mark, "re") : NULL;
    if (!f)
        return false;
    bool same = fgets(have, sizeof have, f) && strcmp(have, want) == 0;
    fclose(f);
    return same;
}

bool verified_may(const struct stat *st)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t age_ns = (int64_t)(now.tv_sec - st->st_ctim.tv_sec) * 1000000000 + now.tv_nsec -
                     st->st_ctim.tv_nsec;
    return age_ns > TICK_NS;
}

void verified_mark(const char *path, const struct stat *st)
{
    struct atomic_file f;
    char mark[PATHS_MAX], text[MARK_BYTES];
    mark_text(st, text);
    if (!text[0] || !mark_path(path, mark) || atomic_file_open(&f, mark, NULL) != 0)
        return;
    if (atomic_file_write(&f, text, strlen(text), NULL) == 0)
        (void)atomic_file_commit(&f, false, NULL); /* a start of the machine ends it anyway */
}
