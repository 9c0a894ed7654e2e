/* W&B's own file run-ID.wandb: a header, then LevelDB's log format (blocks of 32 KiB; records of
 * check u32, length u16, type u8, in one piece or several), each record a protobuf Record. Those
 * with a history item are rows: names with '/' between, values as JSON. */
#include <string.h>

#include "sweep/crc32.h"
#include "common/curves/format.h"
#include "common/curves/json_row.h"
#include "common/curves/protobuf.h"
#include "sweep/buf.h"
#include "sweep/err.h"

#define FILE_HEADER 7 /* ":W&B", 0xBEE1, version: counted within the first block */
#define BLOCK 32768
#define HEADER 7
#define RECORD_MAX ((size_t)64 << 20)

enum { FULL = 1, FIRST, MIDDLE, LAST };
/* Fields of wandb_internal.proto. */
enum { RECORD_HISTORY = 2 };
enum { HISTORY_ITEM = 1, HISTORY_STEP = 2, STEP_NUM = 1 };
enum { ITEM_KEY = 1, ITEM_NESTED_KEY = 2, ITEM_VALUE = 16 };

struct log_reader {
    const struct curve_bytes *in;
    size_t at, record;
    struct buf whole; /* a record of several pieces */
    bool open;        /* FIRST came, LAST did not */
    struct errbuf *err;
};

static bool is_wandb(const struct curve_bytes *in)
{
    return in->len >= FILE_HEADER && memcmp(in->bytes, ":W&B\xe1\xbe", 6) == 0;
}

/* zlib's check of type and bytes, or LevelDB's own. */
static bool is_checked(uint32_t check, const unsigned char *type, size_t len)
{
    return crc32_ieee(0, type, len) == check ||
           crc32_masked(crc32_castagnoli(0, type, len)) == check;
}

static int damaged(const struct log_reader *r, const char *what)
{
    return err_set(r->err, ERR_PARSE, "%s: byte %zu: %s: the file is damaged", r->in->name, r->at,
                   what);
}

/* The next piece; 1, 0 at the end or where the file breaks off, or ERR_PARSE. */
static int next_piece(struct log_reader *r, int *type, struct pb_bytes *out)
{
    const unsigned char *bytes = (const unsigned char *)r->in->bytes;
    size_t left = BLOCK - r->at % BLOCK;
    if (left < HEADER)
        r->at += left; /* too little for a header: zeros */
    if (r->at > r->in->len || r->in->len - r->at < HEADER)
        return 0;
    const unsigned char *header = bytes + r->at;
    size_t len = (size_t)little_endian(header + 4, 2);
    left = BLOCK - r->at % BLOCK;
    *type = header[6];
    if (*type == 0 && len == 0 && little_endian(header, 4) == 0)
        return 0; /* room that was made and not used */
    if (len > left - HEADER)
        return damaged(r, "a record is longer than its block");
    if (len > r->in->len - r->at - HEADER)
        return 0;
    if (*type < FULL || *type > LAST ||
        !is_checked((uint32_t)little_endian(header, 4), header + 6, len + 1))
        return damaged(r, "a record is not what its check says");
    *out = (struct pb_bytes){header + HEADER, len};
    r->at += HEADER + len;
    return 1;
}

/* The next record. 1, 0 at the end, or an error. */
static int next_record(struct log_reader *r, struct pb_bytes *out)
{
    struct pb_bytes piece = {0};
    int type = 0, rc;
    while ((rc = next_piece(r, &type, &piece)) == 1) {
        if (r->open != (type == MIDDLE || type == LAST))
            return damaged(r, "pieces of records are out of order");
        r->open = type == FIRST || type == MIDDLE;
        if (type == FULL) {
            *out = piece;
            return 1;
        }
        if (type == FIRST)
            buf_clear(&r->whole);
        if (r->whole.len + piece.len > RECORD_MAX)
            return err_set(r->err, ERR_LIMIT, "%s: a record of more than 64 MiB", r->in->name);
        buf_append(&r->whole, piece.at, piece.len);
        if (type != LAST)
            continue;
        *out = (struct pb_bytes){(unsigned char *)r->whole.data, r->whole.len};
        return 1;
    }
    return rc;
}

static void append_name(struct buf *title, struct pb_bytes name)
{
    for (size_t i = 0; i < name.len && title->len < 512; i++)
        buf_putc(title, name.at[i] < 0x20 || name.at[i] == 0x7f ? ' ' : (char)name.at[i]);
}

static int value_cell(struct training_log *out, struct loose_json *j, const char *title,
                      struct pb_bytes json, struct errbuf *err)
{
    size_t used;
    int rc = loose_json_read(j, (const char *)json.at, json.len, 1, &used, NULL);
    if (rc != 0)
        return 0; /* a value that is no JSON is no number */
    const struct loose_value *v = loose_root(j);
    return v->kind == LOOSE_OBJECT ? json_row_cells(out, j, v, title, err)
                                   : json_row_cell(out, j, v, title, err);
}

/* "h/_type": of a histogram, an image. */
static bool names_a_kind(const struct buf *title)
{
    static const char kind[] = "/_type";
    size_t n = sizeof(kind) - 1;
    return title->len > n && memcmp(title->data + title->len - n, kind, n) == 0;
}

/* 0, an error of the log, or 1: no message. */
static int read_item(struct pb_bytes item, struct training_log *out, struct loose_json *j,
                     struct errbuf *err)
{
    struct buf title = {0};
    struct pb_bytes json = {0};
    struct pb_field f;
    int more, rc = 0;
    while ((more = pb_next(&item, &f)) == 1) {
        if (f.wire != PB_BYTES)
            continue;
        if (f.number == ITEM_VALUE)
            json = f.bytes;
        if (f.number == ITEM_NESTED_KEY && title.len > 0)
            buf_putc(&title, '/');
        if (f.number == ITEM_KEY || f.number == ITEM_NESTED_KEY)
            append_name(&title, f.bytes);
    }
    if (more < 0)
        rc = 1;
    else if (title.len > 0 && json.len > 0 && !names_a_kind(&title))
        rc = value_cell(out, j, title.data, json, err);
    buf_finish(&title);
    return rc;
}

/* The step beside the items, for those that do not have it among them. */
static int step_cell(struct pb_bytes message, struct training_log *out, struct errbuf *err)
{
    struct pb_field f;
    int rc = 0;
    while (pb_next(&message, &f) == 1)
        if (f.number == STEP_NUM && f.wire == PB_VARINT) {
            int column = training_log_column(out, "_step", 5, err);
            double step = (double)(int64_t)f.value;
            rc = column < 0 ? column : training_log_number(out, (size_t)column, step, err);
        }
    return rc;
}

static int read_history(struct pb_bytes history, size_t where, struct training_log *out,
                        struct loose_json *j, struct errbuf *err)
{
    struct pb_bytes copy = history;
    struct pb_field f;
    int more = 1, rc = training_log_row(out, where, err);
    while (rc == 0 && pb_next(&copy, &f) == 1)
        if (f.number == HISTORY_STEP && f.wire == PB_BYTES)
            rc = step_cell(f.bytes, out, err);
    while (rc == 0 && (more = pb_next(&history, &f)) == 1)
        if (f.number == HISTORY_ITEM && f.wire == PB_BYTES)
            rc = read_item(f.bytes, out, j, err);
    return rc == 0 && more < 0 ? 1 : rc;
}

static int read_record(struct pb_bytes record, size_t where, struct training_log *out,
                       struct loose_json *j, struct errbuf *err)
{
    struct pb_field f;
    int more, rc = 0;
    while (rc == 0 && (more = pb_next(&record, &f)) == 1)
        if (f.number == RECORD_HISTORY && f.wire == PB_BYTES)
            rc = read_history(f.bytes, where, out, j, err);
    return rc == 0 && more < 0 ? 1 : rc;
}

static int read_wandb(const struct curve_bytes *in, struct training_log *out, struct errbuf *err)
{
    struct log_reader r = {.in = in, .at = FILE_HEADER, .err = err};
    struct loose_json j = {0};
    struct pb_bytes record;
    int rc;
    while ((rc = next_record(&r, &record)) == 1) {
        rc = read_record(record, ++r.record, out, &j, err);
        if (rc == 1)
            rc = err_set(err, ERR_PARSE, "%s: record %zu is none of W&B's", in->name, r.record);
        if (rc != 0)
            break;
    }
    buf_finish(&r.whole);
    loose_json_finish(&j);
    return rc;
}

const struct curve_format curve_format_wandb = {is_wandb, read_wandb};
