#include "client/curve_input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/database.h"
#include "client/folder_list.h"
#include "client/log_folder.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"

#define SNIFFED 4096

static const struct packing {
    const char *magic;
    size_t len;
    const char *name, *unpack;
} PACKINGS[] = {
    {"\x1f\x8b", 2, "gzip", "gzip -dc FILE | sweepctl label -"},
    {"BZh", 3, "bzip2", "bzip2 -dc FILE | sweepctl label -"},
    {"\xfd" "7zXZ", 5, "xz", "xz -dc FILE | sweepctl label -"},
    {"\x28\xb5\x2f\xfd", 4, "Zstandard", "zstd -dc FILE | sweepctl label -"},
};

/* A packed log may become as long as it likes, so it is another program's to unpack. */
static int check_packed(const char *path, const char *bytes, size_t len, struct errbuf *err)
{
    for (size_t i = 0; i < ARRAY_LEN(PACKINGS); i++) {
        const struct packing *p = &PACKINGS[i];
        if (len >= p->len && memcmp(bytes, p->magic, p->len) == 0)
            return err_set(err, ERR_DATA, "%s: packed (%s); allowed: what is in it: %s", path,
                           p->name, p->unpack);
    }
    return 0;
}

/* 0 or errno */
static int read_start(const char *path, char out[SNIFFED], size_t *len, off_t *size)
{
    struct stat s = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), reason = 0;
    if (fd < 0)
        return errno;
    ssize_t n = fstat(fd, &s) == 0 && S_ISREG(s.st_mode) ? read(fd, out, SNIFFED) : 0;
    reason = n < 0 ? errno : 0;
    *len = n > 0 ? (size_t)n : 0;
    *size = s.st_size;
    close(fd);
    return reason;
}

int curve_input_check(const char *path, struct errbuf *err)
{
    char start[SNIFFED];
    size_t len;
    off_t size;
    int reason = read_start(path, start, &len, &size);
    if (reason != 0)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(reason));
    int rc = check_packed(path, start, len, err);
    if (rc != 0 || len == 0)
        return rc;
    struct curve_source in = {.name = path, .bytes = start, .len = len};
    if (!database_is(start, len) && (rc = curve_file_check(&in, err)) != 0)
        return rc;
    if ((size_t)size > CURVE_FILE_MAX_BYTES)
        return err_set(err, ERR_LIMIT, "%s: %lld MiB; allowed: at most %zu MiB", path,
                       (long long)(size >> 20), CURVE_FILE_MAX_BYTES >> 20);
    return 0;
}

static int read_file(const char *path, const char *run, struct curve *out, struct errbuf *err)
{
    bool standard_input = strcmp(path, "-") == 0;
    const char *file = standard_input ? "/dev/stdin" : path;
    struct buf text = {0};
    int rc = standard_input ? 0 : curve_input_check(path, err);
    if (rc == 0)
        rc = buf_read_file(&text, file, CURVE_FILE_MAX_BYTES, err);
    if (rc == 0 && text.len > 0)
        rc = check_packed(file, text.data, text.len, err);
    if (rc == 0 && database_is(text.data, text.len)) {
        buf_clear(&text);
        rc = standard_input ? err_set(err, ERR_DATA, "a database is read from a file, not from "
                                      "standard input")
                            : database_lines(path, CURVE_FILE_MAX_BYTES, &text, err);
    }
    if (rc == 0) {
        struct curve_source in = {
            .name = standard_input ? "standard input" : path,
            .bytes = text.data ? text.data : "",
            .len = text.len,
            .run = run,
        };
        rc = curve_file_parse(&in, out, err);
    }
    buf_finish(&text);
    return rc;
}

int curve_input_read(const char *path, const char *run, struct curve *out, struct errbuf *err)
{
    bool folder = strcmp(path, "-") != 0 && folder_is(path);
    return folder ? log_folder_read(path, run, out, err) : read_file(path, run, out, err);
}
