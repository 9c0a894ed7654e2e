/* The end of run.jsonl, without reading all before it: what an earlier attempt has left for a
 * resumed worker to append to, and whether there is a result. Damage before the last lines is found
 * when the file is read (tail.c), and cut off then. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/launch/rundir_part.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/record.h"

#define BLOCK_BYTES 65536
#define REST_BYTES_MAX (64 << 20) /* of a last line without an end: a longer one is all there is   \
                                   */

enum kept_line { LINE_KEPT, LINE_OF_RUNG, LINE_LAST };

static enum kept_line judge_line(const char *line, size_t len)
{
    struct record record;
    struct errbuf err;
    if (len > RECORD_LINE_MAX || record_parse(line, len, &record, &err) < 0)
        return LINE_LAST;
    bool kept =
        record.type == RECORD_START || record.type == RECORD_POINT || record.type == RECORD_LAYERS;
    bool rung = record.type == RECORD_RESULT && record.u.result.status == RUN_PAUSED;
    record_finish(&record);
    return kept ? LINE_KEPT : rung ? LINE_OF_RUNG : LINE_LAST;
}

static int read_block(int fd, char *block, size_t len, int64_t from)
{
    ssize_t n = pread(fd, block, len, from);
    if (n >= 0 && (size_t)n != len)
        errno = EIO; /* it became shorter meanwhile */
    return n < 0 || (size_t)n != len ? -1 : 0;
}

/* Where the last '\n' before end ends; 0: there is none. -1 and errno. */
static int64_t lines_end(int fd, int64_t end)
{
    char block[BLOCK_BYTES];
    for (int64_t at = end; at > 0 && end - at < REST_BYTES_MAX;) {
        size_t len = at < BLOCK_BYTES ? (size_t)at : BLOCK_BYTES;
        at -= (int64_t)len;
        if (read_block(fd, block, len, at) != 0)
            return -1;
        const char *newline = memrchr(block, '\n', len);
        if (newline)
            return at + (newline - block) + 1;
    }
    return 0;
}

/* Of lines[0..len), whole ones, those to keep: up to the first that is no start, point or layers.
 * The result of the last rung goes: a worker that dies before its start line has none of its own.
 */
static size_t keep_lines(const char *lines, size_t len)
{
    size_t kept = 0, read = 0;
    while (read < len) {
        const char *line = lines + read, *end = memchr(line, '\n', len - read);
        enum kept_line l = judge_line(line, (size_t)(end - line));
        if (l == LINE_LAST)
            break;
        read += (size_t)(end - line) + 1;
        kept = l == LINE_KEPT ? read : kept;
    }
    return kept;
}

static int64_t kept_of(int fd, int64_t size)
{
    char block[BLOCK_BYTES];
    int64_t end = lines_end(fd, size);
    if (end <= 0)
        return end;
    int64_t from = end > BLOCK_BYTES ? end - BLOCK_BYTES : 0;
    size_t len = (size_t)(end - from), skip = 0;
    if (read_block(fd, block, len, from) != 0)
        return -1;
    if (from > 0) /* the block may begin inside a line */
        skip = (size_t)((const char *)memchr(block, '\n', len) - block) + 1;
    if (skip == len) /* the last line is longer than a block: none of ours is */
        return lines_end(fd, end - 1);
    return from + (int64_t)(skip + keep_lines(block + skip, len - skip));
}

int64_t rundir_kept_bytes(int folder)
{
    struct stat st;
    int fd = rundir_file(folder, RUN_FILE_LINES, O_RDONLY);
    if (fd < 0)
        return -1;
    int64_t kept = fstat(fd, &st) == 0 ? kept_of(fd, st.st_size) : -1;
    int saved = errno;
    close(fd);
    errno = saved;
    return kept;
}

static bool is_result(int fd, int64_t from, int64_t end)
{
    char line[BLOCK_BYTES];
    struct record record;
    struct errbuf err;
    size_t len = (size_t)(end - from);
    if (read_block(fd, line, len, from) != 0)
        return true;
    if (record_parse(line, len - 1, &record, &err) < 0)
        return false;
    bool result = record.type == RECORD_RESULT;
    record_finish(&record);
    return result;
}

bool rundir_has_result(const struct rundir *r)
{
    struct stat st;
    int64_t end = fstat(r->fd, &st) == 0 ? lines_end(r->fd, st.st_size) : -1;
    int64_t from = end > 0 ? lines_end(r->fd, end - 1) : end;
    if (from < 0)
        return true;
    return end - from <= BLOCK_BYTES && end > 0 && is_result(r->fd, from, end);
}
