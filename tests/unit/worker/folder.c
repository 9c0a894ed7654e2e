#include "folder.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

void folder_init(struct folder *f)
{
    char cache[96];
    snprintf(f->root, sizeof f->root, "/tmp/sweep-test-XXXXXX");
    assert_non_null(mkdtemp(f->root));
    snprintf(f->data, sizeof f->data, "%s/data", f->root);
    assert_int_equal(mkdir(f->data, 0700), 0);
    snprintf(cache, sizeof cache, "%s/cache", f->root);
    assert_int_equal(setenv("XDG_CACHE_HOME", cache, 1), 0);
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    while (dir && (entry = readdir(dir)) != NULL) {
        char child[512];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        if (unlink(child) != 0)
            remove_tree(child);
    }
    if (dir)
        closedir(dir);
    rmdir(path);
}

void folder_finish(struct folder *f)
{
    remove_tree(f->root);
}

void folder_write(const struct folder *f, const char *name, const void *bytes, size_t len)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", f->data, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

size_t folder_gzip(const void *bytes, size_t len, unsigned char *out, size_t cap)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)bytes;
    z.avail_in = (uInt)len;
    z.next_out = out;
    z.avail_out = (uInt)cap;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t made = cap - z.avail_out;
    deflateEnd(&z);
    return made;
}

void folder_write_gzip(const struct folder *f, const char *name, const void *bytes, size_t len)
{
    unsigned char *packed = malloc(len + 1024);
    size_t made = folder_gzip(bytes, len, packed, len + 1024);
    folder_write(f, name, packed, made);
    free(packed);
}

size_t folder_idx(unsigned char *out, int type, const unsigned *dims, const void *body,
                  size_t body_len)
{
    unsigned char *p = out + 4;
    unsigned rank = 0;
    for (; dims[rank]; rank++, p += 4) {
        for (int i = 0; i < 4; i++)
            p[i] = (unsigned char)(dims[rank] >> (24 - 8 * i));
    }
    out[0] = out[1] = 0;
    out[2] = (unsigned char)type;
    out[3] = (unsigned char)rank;
    memcpy(p, body, body_len);
    return (size_t)(p - out) + body_len;
}
