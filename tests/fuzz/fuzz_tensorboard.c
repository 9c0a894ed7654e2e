/* Any bytes as an event file; and, behind a byte that is odd, as records with their checks right:
 * length u8, bytes. */
#include <string.h>

#include "sweep/crc32.h"
#include "log_check.h"
#include "sweep/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_check(struct buf *file, const void *bytes, size_t len)
{
    uint32_t check = crc32_masked(crc32_castagnoli(0, bytes, len));
    for (int i = 0; i < 4; i++)
        buf_putc(file, (char)(check >> 8 * i));
}

static void put_record(struct buf *file, const uint8_t *bytes, uint8_t len)
{
    unsigned char length[8] = {len};
    buf_append(file, length, 8);
    put_check(file, length, 8);
    buf_append(file, bytes, len);
    put_check(file, bytes, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf file = {0};
    check_log(&curve_format_tensorboard, data, size);
    if (size == 0 || data[0] % 2 == 0)
        return 0;
    for (size_t at = 1; at < size;) {
        size_t left = size - at - 1;
        uint8_t len = data[at] < left ? data[at] : (uint8_t)left;
        put_record(&file, data + at + 1, len);
        at += 1 + (size_t)len;
    }
    check_log(&curve_format_tensorboard, file.data, file.len);
    buf_finish(&file);
    return 0;
}
