/* Any bytes as W&B's file; and, behind a byte that is odd, as pieces of records with their checks
 * right: type u8, length u8, bytes. */
#include <string.h>

#include "sweep/crc32.h"
#include "log_check.h"
#include "sweep/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_piece(struct buf *file, uint8_t type, const uint8_t *bytes, uint8_t len)
{
    uint32_t check = crc32_ieee(crc32_ieee(0, &type, 1), bytes, len);
    for (int i = 0; i < 4; i++)
        buf_putc(file, (char)(check >> 8 * i));
    buf_putc(file, (char)len);
    buf_putc(file, 0);
    buf_putc(file, (char)type);
    buf_append(file, bytes, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf file = {0};
    check_log(&curve_format_wandb, data, size);
    if (size == 0 || data[0] % 2 == 0)
        return 0;
    buf_append(&file, ":W&B\xe1\xbe\0", 7);
    for (size_t at = 1; at + 1 < size;) {
        size_t left = size - at - 2;
        uint8_t len = data[at + 1] < left ? data[at + 1] : (uint8_t)left;
        put_piece(&file, (uint8_t)(1 + data[at] % 4), data + at + 2, len);
        at += 2 + (size_t)len;
    }
    check_log(&curve_format_wandb, file.data, file.len);
    buf_finish(&file);
    return 0;
}
