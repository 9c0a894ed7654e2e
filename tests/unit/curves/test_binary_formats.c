/* TensorBoard's event files and W&B's own, made here byte by byte. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/crc32.h"
#include "log_text.h"
#include "sweep/buf.h"

/* --- protocol buffers ----------------------------------------------------------------------- */

static void put_le(struct buf *b, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        buf_putc(b, (char)(value >> 8 * i));
}

static void put_varint(struct buf *b, uint64_t value)
{
    for (; value >= 128; value >>= 7)
        buf_putc(b, (char)(value | 128));
    buf_putc(b, (char)value);
}

static void put_number(struct buf *b, int field, uint64_t value)
{
    put_varint(b, (uint64_t)field << 3);
    put_varint(b, value);
}

static void put_bytes(struct buf *b, int field, const void *bytes, size_t len)
{
    put_varint(b, (uint64_t)field << 3 | 2);
    put_varint(b, len);
    buf_append(b, bytes, len);
}

static void put_float(struct buf *b, int field, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, 4);
    put_varint(b, (uint64_t)field << 3 | 5);
    put_le(b, bits, 4);
}

static void put_double(struct buf *b, int field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, 8);
    put_varint(b, (uint64_t)field << 3 | 1);
    put_le(b, bits, 8);
}

/* Puts a message into another and empties it. */
static void put_message(struct buf *b, int field, struct buf *message)
{
    put_bytes(b, field, message->len ? message->data : "", message->len);
    buf_finish(message);
}

/* --- event files ---------------------------------------------------------------------------- */

static void put_record(struct buf *file, struct buf *event)
{
    struct buf length = {0};
    put_le(&length, event->len, 8);
    buf_append(file, length.data, 8);
    put_le(file, crc32_masked(crc32_castagnoli(0, length.data, 8)), 4);
    buf_append(file, event->data, event->len);
    put_le(file, crc32_masked(crc32_castagnoli(0, event->data, event->len)), 4);
    buf_finish(&length);
    buf_finish(event);
}

/* An event with one value; plugin NULL: none is said. Empties value. */
static void put_event(struct buf *file, int64_t step, const char *tag, const char *plugin,
                      struct buf *value)
{
    struct buf event = {0}, summary = {0}, metadata = {0}, data = {0};
    put_double(&event, 1, 1700000000.5 + (double)file->len);
    put_number(&event, 2, (uint64_t)step);
    put_bytes(value, 1, tag, strlen(tag));
    if (plugin) {
        put_bytes(&data, 1, plugin, strlen(plugin));
        put_message(&metadata, 1, &data);
        put_message(value, 9, &metadata);
    }
    put_message(&summary, 1, value);
    put_message(&event, 5, &summary);
    put_record(file, &event);
}

static void put_version(struct buf *file)
{
    struct buf event = {0};
    put_double(&event, 1, 1700000000);
    put_bytes(&event, 3, "brain.Event:2", 13);
    put_record(file, &event);
}

/* A tensor of that type in that field, of one element unless a dimension says else. */
static void put_tensor(struct buf *value, int type, int field, const void *bytes, size_t len,
                       uint64_t dimension)
{
    struct buf tensor = {0}, shape = {0}, dim = {0};
    put_number(&tensor, 1, (uint64_t)type);
    if (dimension) {
        put_number(&dim, 1, dimension);
        put_message(&shape, 2, &dim);
    }
    put_message(&tensor, 2, &shape);
    put_bytes(&tensor, field, bytes, len);
    put_message(value, 8, &tensor);
}

static struct buf events(void)
{
    static const float f[2] = {0.5f, 0.25f};
    static const double d = 0.125;
    struct buf file = {0}, value = {0};
    put_version(&file);
    put_float(&value, 2, 0.75f);
    put_event(&file, 1, "loss", NULL, &value);
    put_tensor(&value, 1, 4, f, 4, 0); /* float, as tensor_content */
    put_event(&file, 1, "epoch_loss", "scalars", &value);
    put_tensor(&value, 2, 6, &d, 8, 1); /* double, packed */
    put_event(&file, 2, "val", "scalars", &value);
    put_tensor(&value, 19, 13, "\x80\x71", 2, 0); /* half 0x3880 = 0.5625, packed varint */
    put_event(&file, 3, "half", NULL, &value);
    put_tensor(&value, 1, 5, f, 8, 2); /* two elements: no scalar */
    put_event(&file, 4, "pair", "scalars", &value);
    put_tensor(&value, 7, 8, "x", 1, 0); /* text */
    put_event(&file, 4, "note", "text", &value);
    put_float(&value, 2, NAN);
    put_event(&file, 4, "hp", "hparams", &value);
    return file;
}

static const char events_text[] = "step|wall_time|loss|epoch_loss|val|half\n"
                                  "1|1.7e+09|0.75|-|-|-\n1|1.7e+09|-|0.5|-|-\n"
                                  "2|1.7e+09|-|-|0.125|-\n3|1.7e+09|-|-|-|0.5625\n";

static void test_scalars(void **state)
{
    struct buf file = events();
    expect_log("tensorboard", file.data, file.len, events_text);
    buf_finish(&file);
}

/* Batches for the one, epochs for the other, both to the end. */
static void test_tags_that_count_otherwise(void **state)
{
    struct buf file = {0}, value = {0};
    for (int step = 0; step < 9; step++) {
        put_float(&value, 2, 1);
        put_event(&file, step * 10, "loss/train", NULL, &value);
        if (step % 3 != 2)
            continue;
        put_float(&value, 2, 2);
        put_event(&file, step / 3, "loss/val", NULL, &value);
    }
    char *text = log_text(file.data, file.len, NULL);
    assert_non_null(strstr(text, "\n20|1.7e+09|1|-\n20|1.7e+09|-|2\n"));
    assert_non_null(strstr(text, "\n80|1.7e+09|1|-\n80|1.7e+09|-|2\n"));
    free(text);
    buf_finish(&file);
}

/* Cut anywhere, it is the records before; zeros behind are the same. */
static void test_a_file_that_breaks_off(void **state)
{
    struct buf file = events();
    struct errbuf err;
    for (size_t len = 12; len < file.len; len++) {
        char *text = log_text(file.data, len, &err);
        assert_non_null(text);
        free(text);
    }
    for (int i = 0; i < 40; i++)
        buf_putc(&file, '\0');
    expect_log("tensorboard", file.data, file.len, events_text);
    buf_finish(&file);
}

static void test_damaged_events(void **state)
{
    struct buf file = events();
    file.data[60] ^= 1;
    expect_refusal(file.data, file.len, ERR_PARSE, "the file is damaged");
    file.data[0] ^= 1;
    assert_string_equal(format_name(format_of(file.data, file.len)), "none");
    buf_finish(&file);

    struct buf record = {0}, bad = {0};
    put_version(&file);
    buf_puts(&record, "\x0f");
    put_record(&file, &record);
    expect_refusal(file.data, file.len, ERR_PARSE, "record 2, byte 40 is no event");
    buf_finish(&file);
    buf_finish(&bad);
}

/* --- W&B ------------------------------------------------------------------------------------ */

static void put_piece(struct buf *file, int type, const char *bytes, size_t len)
{
    struct buf checked = {0};
    buf_putc(&checked, (char)type);
    buf_append(&checked, bytes, len);
    put_le(file, crc32_ieee(0, checked.data, checked.len), 4);
    put_le(file, len, 2);
    buf_append(file, checked.data, checked.len);
    buf_finish(&checked);
}

/* In blocks of 32 KiB, as LevelDB writes its log. Empties record. */
static void put_log_record(struct buf *file, struct buf *record)
{
    size_t done = 0;
    bool first = true;
    while (first || done < record->len) {
        size_t left = 32768 - file->len % 32768;
        for (; left < 7; left--, left = left ? left : 32768)
            buf_putc(file, '\0');
        size_t n = record->len - done < left - 7 ? record->len - done : left - 7;
        bool last = done + n == record->len;
        put_piece(file, first ? (last ? 1 : 2) : last ? 4 : 3, record->data + done, n);
        done += n;
        first = false;
    }
    buf_finish(record);
}

static void put_item(struct buf *history, const char *key, const char *inner, const char *json)
{
    struct buf item = {0};
    put_bytes(&item, inner ? 2 : 1, key, strlen(key));
    if (inner)
        put_bytes(&item, 2, inner, strlen(inner));
    put_bytes(&item, 16, json, strlen(json));
    put_message(history, 1, &item);
}

static void put_history(struct buf *file, struct buf *history, uint64_t step)
{
    struct buf record = {0}, number = {0};
    put_number(&number, 1, step);
    put_message(history, 2, &number);
    put_message(&record, 2, history);
    put_log_record(file, &record);
}

static struct buf wandb_file(size_t filling)
{
    struct buf file = {0}, history = {0}, record = {0};
    buf_append(&file, ":W&B\xe1\xbe\0", 7);
    put_bytes(&record, 17, "a run", 5);
    put_log_record(&file, &record);
    put_item(&history, "loss", NULL, "0.5");
    put_item(&history, "val", "loss", "\"NaN\"");
    put_history(&file, &history, 0);
    char *text = xmalloc(filling + 1);
    memset(text, 'x', filling);
    text[filling] = '\0';
    put_bytes(&record, 4, text, filling); /* output */
    put_log_record(&file, &record);
    free(text);
    put_item(&history, "loss", NULL, "0.25");
    put_item(&history, "_step", NULL, "7");
    put_item(&history, "h", NULL, "{\"_type\": \"histogram\", \"bins\": [1]}");
    put_item(&history, "d", NULL, "{\"a\": 3}");
    put_history(&file, &history, 1);
    return file;
}

static void test_history_records(void **state)
{
    for (size_t filling = 0; filling < 70000; filling += filling < 32600 || filling > 32720 ? 1000 : 1) {
        struct buf file = wandb_file(filling);
        expect_log("wandb", file.data, file.len,
                   "_step|loss|val/loss|d/a\n0|0.5|nan|-\n7|0.25|-|3\n");
        buf_finish(&file);
        if (filling == 32000)
            filling = 32620;
    }
}

static void test_wandb_files_broken_off_and_damaged(void **state)
{
    struct buf file = wandb_file(100);
    struct errbuf err;
    for (size_t len = 7; len < file.len; len++) {
        char *text = log_text(file.data, len, &err);
        assert_non_null(text);
        free(text);
    }
    file.data[40] ^= 1;
    expect_refusal(file.data, file.len, ERR_PARSE, "the file is damaged");
    buf_finish(&file);
}

static void test_checks(void **state)
{
    /* the check value of either polynomial, by its definition */
    assert_true(crc32_ieee(0, "123456789", 9) == 0xcbf43926);
    assert_true(crc32_castagnoli(0, "123456789", 9) == 0xe3069283);
    assert_true(crc32_ieee(crc32_ieee(0, "1234", 4), "56789", 5) == 0xcbf43926);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checks),
        cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_tags_that_count_otherwise),
        cmocka_unit_test(test_a_file_that_breaks_off),
        cmocka_unit_test(test_damaged_events),
        cmocka_unit_test(test_history_records),
        cmocka_unit_test(test_wandb_files_broken_off_and_damaged),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
