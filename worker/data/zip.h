/* Zip archives in memory (PKWARE APPNOTE 6.3), as far as arrays are kept in them: one disk,
 * members stored or deflated, zip64, data descriptors. What the central directory says is checked
 * against the archive's length before anything is allocated or read. */
#ifndef WORKER_DATA_ZIP_H
#define WORKER_DATA_ZIP_H

#include <stddef.h>
#include <stdint.h>

struct errbuf;

#define ZIP_NAME_TEXT_MAX 80

struct zip_entry {
    const unsigned char *name; /* within the archive, not terminated */
    size_t name_len;
    unsigned flags, method;
    uint32_t crc;
    size_t packed, size;       /* bytes in the archive, and unpacked as claimed */
    const unsigned char *data; /* packed bytes, all within the archive */
};

struct zip {
    size_t count;
    struct zip_entry *entries; /* owned; they point into the archive */
};

/* bytes[0..len) must be one archive to its last byte and outlive z. ERR_DATA. */
int zip_open(const unsigned char *bytes, size_t len, struct zip *z, struct errbuf *err);
void zip_close(struct zip *z);
/* NULL when there is no such member. Names are unique. */
const struct zip_entry *zip_find(const struct zip *z, const char *name);
/* The name for messages: cut where long, '?' for what cannot be printed. Returns out. */
const char *zip_name(const struct zip_entry *e, char out[ZIP_NAME_TEXT_MAX]);
/* The member's bytes, its CRC-32 verified: *out points to them; *owned is what the caller frees,
 * NULL where they lie in the archive itself. ERR_DATA; ERR_LIMIT when memory could not hold it. */
int zip_extract(const struct zip_entry *e, const unsigned char **out, unsigned char **owned,
                struct errbuf *err);

#endif
