/* TensorBoard's event files, as TensorFlow 1 and 2, Keras, PyTorch and others write them: records
 * of TensorFlow's framing (length u64, its check, bytes, their check; little endian, masked
 * CRC-32C), each an Event message. A scalar is a summary's simple_value, or a tensor of one
 * element whose plugin is "scalars" or unsaid; images, texts, histograms and hyperparameters are
 * passed over. A row an event, the tags as titles. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/crc32.h"
#include "common/curves/format.h"
#include "common/curves/protobuf.h"
#include "sweep/buf.h"
#include "sweep/err.h"

#define HEADER 12 /* length and its check */
#define SERIES_MAX 256 /* tags that are compared in how they count */
#define FOOTER 4

/* Fields of event.proto, summary.proto and tensor.proto. */
enum { EVENT_WALL_TIME = 1, EVENT_STEP = 2, EVENT_SUMMARY = 5 };
enum { SUMMARY_VALUE = 1 };
enum { VALUE_TAG = 1, VALUE_SIMPLE = 2, VALUE_TENSOR = 8, VALUE_METADATA = 9 };
enum { METADATA_PLUGIN = 1, PLUGIN_NAME = 1 };
enum {
    TENSOR_DTYPE = 1, TENSOR_SHAPE = 2, TENSOR_CONTENT = 4, TENSOR_FLOAT = 5, TENSOR_DOUBLE = 6,
    TENSOR_INT = 7, TENSOR_INT64 = 10, TENSOR_HALF = 13,
};
enum { SHAPE_DIM = 2, DIM_SIZE = 1 };
enum {
    DT_FLOAT = 1, DT_DOUBLE = 2, DT_INT32 = 3, DT_INT64 = 9, DT_BFLOAT16 = 14, DT_HALF = 19,
};

struct event {
    double wall_time;
    int64_t step;
    struct pb_bytes summary;
};

struct scalar {
    struct pb_bytes tag;
    double value;
};

static bool has_header(const unsigned char *at)
{
    uint32_t check = (uint32_t)little_endian(at + 8, 4);
    return crc32_masked(crc32_castagnoli(0, at, 8)) == check;
}

static bool is_tensorboard(const struct curve_bytes *in)
{
    return in->len >= HEADER && has_header((const unsigned char *)in->bytes);
}

static double half_of_bits(uint32_t bits)
{
    int exponent = bits >> 10 & 31;
    double part = bits & 1023, sign = bits & 0x8000 ? -1 : 1;
    if (exponent == 31)
        return part ? NAN : sign * INFINITY;
    return sign * (exponent ? ldexp(1024 + part, exponent - 25) : ldexp(part, -24));
}

static double number_of_bits(uint64_t type, uint64_t bits)
{
    switch (type) {
    case DT_FLOAT:
        return float_of_bits((uint32_t)bits);
    case DT_DOUBLE:
        return double_of_bits(bits);
    case DT_INT32:
        return (int32_t)bits;
    case DT_INT64:
        return (double)(int64_t)bits;
    case DT_BFLOAT16:
        return float_of_bits((uint32_t)bits << 16);
    default:
        return half_of_bits((uint32_t)bits);
    }
}

static size_t bytes_of(uint64_t type)
{
    switch (type) {
    case DT_FLOAT:
    case DT_INT32:
        return 4;
    case DT_DOUBLE:
    case DT_INT64:
        return 8;
    case DT_BFLOAT16:
    case DT_HALF:
        return 2;
    default:
        return 0;
    }
}

/* The size of a shape's dimensions, all but one being 1; 0 where a message is none. */
static bool is_of_one(struct pb_bytes shape)
{
    struct pb_field dim, size;
    int more;
    while ((more = pb_next(&shape, &dim)) == 1) {
        if (dim.number != SHAPE_DIM || dim.wire != PB_BYTES)
            continue;
        uint64_t elements = 0;
        while (pb_next(&dim.bytes, &size) == 1)
            if (size.number == DIM_SIZE && size.wire == PB_VARINT)
                elements = size.value;
        if (elements != 1)
            return false;
    }
    return more == 0;
}

/* The only element of a list of that type; bits as they lie in memory. */
static bool only_element(const struct pb_field *f, uint64_t type, uint64_t *bits)
{
    struct pb_bytes packed = f->bytes;
    if (f->wire != PB_BYTES) {
        *bits = f->value;
        return true;
    }
    if (f->number == TENSOR_INT || f->number == TENSOR_INT64 || f->number == TENSOR_HALF)
        return pb_varint(&packed, bits) && packed.len == 0;
    if (packed.len != bytes_of(type))
        return false;
    *bits = little_endian(packed.at, packed.len);
    return true;
}

static bool is_list_of(uint32_t number, uint64_t type)
{
    switch (type) {
    case DT_FLOAT:
        return number == TENSOR_FLOAT;
    case DT_DOUBLE:
        return number == TENSOR_DOUBLE;
    case DT_INT32:
        return number == TENSOR_INT;
    case DT_INT64:
        return number == TENSOR_INT64;
    default:
        return number == TENSOR_HALF;
    }
}

static bool scalar_of_tensor(struct pb_bytes tensor, double *out)
{
    struct pb_bytes copy = tensor;
    struct pb_field f;
    uint64_t type = 0, bits = 0;
    bool found = false;
    while (pb_next(&copy, &f) == 1) /* fields may stand in any order */
        if (f.number == TENSOR_DTYPE && f.wire == PB_VARINT)
            type = f.value;
    size_t bytes = bytes_of(type);
    int more = 1;
    while (bytes > 0 && (more = pb_next(&tensor, &f)) == 1) {
        if (f.number == TENSOR_SHAPE && f.wire == PB_BYTES && !is_of_one(f.bytes))
            return false;
        if (f.number == TENSOR_CONTENT && f.wire == PB_BYTES && f.bytes.len == bytes) {
            bits = little_endian(f.bytes.at, bytes);
            found = true;
        } else if (is_list_of(f.number, type)) {
            if (found || !only_element(&f, type, &bits))
                return false;
            found = true;
        }
    }
    if (found && more == 0)
        *out = number_of_bits(type, bits);
    return found && more == 0;
}

/* A tag's plugin; empty where none is said. */
static struct pb_bytes plugin_of(struct pb_bytes metadata)
{
    struct pb_bytes name = {0};
    struct pb_field f, g;
    while (pb_next(&metadata, &f) == 1)
        if (f.number == METADATA_PLUGIN && f.wire == PB_BYTES)
            while (pb_next(&f.bytes, &g) == 1)
                if (g.number == PLUGIN_NAME && g.wire == PB_BYTES)
                    name = g.bytes;
    return name;
}

/* 1: a scalar, 0: something else, -1: bytes that are no message. */
static int scalar_of_value(struct pb_bytes value, struct scalar *out)
{
    static const char scalars[] = "scalars";
    struct pb_field f;
    bool found = false, plotted = true;
    int more;
    *out = (struct scalar){0};
    while ((more = pb_next(&value, &f)) == 1) {
        if (f.number == VALUE_TAG && f.wire == PB_BYTES) {
            out->tag = f.bytes;
        } else if (f.number == VALUE_SIMPLE && f.wire == PB_FIXED32) {
            out->value = float_of_bits((uint32_t)f.value);
            found = true;
        } else if (f.number == VALUE_TENSOR && f.wire == PB_BYTES) {
            found = scalar_of_tensor(f.bytes, &out->value);
        } else if (f.number == VALUE_METADATA && f.wire == PB_BYTES) {
            struct pb_bytes plugin = plugin_of(f.bytes);
            plotted = plugin.len == 0 || (plugin.len == sizeof(scalars) - 1 &&
                                          memcmp(plugin.at, scalars, plugin.len) == 0);
        }
    }
    return more < 0 ? -1 : found && plotted && out->tag.len > 0;
}

static int event_of(struct pb_bytes bytes, struct event *out)
{
    struct pb_field f;
    int more;
    *out = (struct event){0};
    while ((more = pb_next(&bytes, &f)) == 1) {
        if (f.number == EVENT_WALL_TIME && f.wire == PB_FIXED64)
            out->wall_time = double_of_bits(f.value);
        else if (f.number == EVENT_STEP && f.wire == PB_VARINT)
            out->step = (int64_t)f.value;
        else if (f.number == EVENT_SUMMARY && f.wire == PB_BYTES)
            out->summary = f.bytes;
    }
    return more;
}

/* --- tags ----------------------------------------------------------------------------------- */

/* What is known of a tag before any row is written. */
struct series {
    struct pb_bytes tag;
    int64_t last_step;
    double last_time;
    bool apart; /* counts its steps in a unit of its own */
};

struct board {
    const struct curve_bytes *in;
    struct training_log *out;
    struct series series[SERIES_MAX];
    size_t count;
    double begin, end;    /* wall times */
    const struct series *longest;
    int64_t step;         /* that the longest has come to */
    bool writes, heldout; /* heldout: the file is the validation part of Keras's log */
    size_t record;        /* of the row begun last */
    struct errbuf *err;
};

static bool has_prefix(struct pb_bytes tag, const char *prefix)
{
    size_t n = strlen(prefix);
    return tag.len >= n && memcmp(tag.at, prefix, n) == 0;
}

static bool has_suffix(struct pb_bytes tag, const char *suffix)
{
    size_t n = strlen(suffix);
    return tag.len >= n && memcmp(tag.at + tag.len - n, suffix, n) == 0;
}

/* Keras's tags whose step is a batch, beside those whose step is an epoch. */
static bool counts_batches(struct pb_bytes tag)
{
    return has_prefix(tag, "batch_") || has_suffix(tag, "_vs_iterations");
}

static struct series *series_of(struct board *b, struct pb_bytes tag)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->series[i].tag.len == tag.len && memcmp(b->series[i].tag.at, tag.at, tag.len) == 0)
            return &b->series[i];
    if (b->count == SERIES_MAX)
        return NULL;
    b->series[b->count] = (struct series){.tag = tag, .last_step = INT64_MIN};
    return &b->series[b->count++];
}

static void note_scalar(struct board *b, const struct event *e, const struct scalar *s)
{
    struct series *t = counts_batches(s->tag) ? NULL : series_of(b, s->tag);
    b->heldout |= has_prefix(s->tag, "evaluation_") && counts_batches(s->tag);
    b->begin = e->wall_time < b->begin ? e->wall_time : b->begin;
    b->end = e->wall_time > b->end ? e->wall_time : b->end;
    if (t) {
        t->last_step = e->step > t->last_step ? e->step : t->last_step;
        t->last_time = e->wall_time;
    }
}

/* Programs log the training loss by batch and the validation loss by epoch, both as "step". One
 * that was written to the end and came to less than half the steps of another counts otherwise: it
 * stands where the file has it among the other's. */
static void find_apart(struct board *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (!b->longest || b->series[i].last_step > b->longest->last_step)
            b->longest = &b->series[i];
    for (struct series *t = b->series; t < b->series + b->count; t++) {
        bool to_the_end = t->last_time >= b->begin + 0.8 * (b->end - b->begin);
        t->apart = b->end > b->begin && to_the_end && t->last_step >= 0 &&
                   t->last_step < b->longest->last_step / 2;
        if (t->apart)
            training_log_note(b->out, "\"%.*s\" counts its steps to %lld where \"%.*s\" comes to "
                              "%lld: it stands where it was written among those",
                              (int)(t->tag.len < 60 ? t->tag.len : 60), (const char *)t->tag.at,
                              (long long)t->last_step,
                              (int)(b->longest->tag.len < 60 ? b->longest->tag.len : 60),
                              (const char *)b->longest->tag.at,
                              (long long)b->longest->last_step);
    }
}

/* --- rows ----------------------------------------------------------------------------------- */

static int number_cell(struct board *b, const char *title, double value)
{
    int column = training_log_column(b->out, title, strlen(title), b->err);
    return column < 0 ? column : training_log_number(b->out, (size_t)column, value, b->err);
}

/* Tags are shown on terminals. */
static int scalar_cell(struct board *b, const struct scalar *s)
{
    struct buf title = {0};
    if (b->heldout && has_prefix(s->tag, "epoch_"))
        buf_puts(&title, "val_");
    for (size_t i = 0; i < s->tag.len && title.len < 512; i++)
        buf_putc(&title, s->tag.at[i] < 0x20 || s->tag.at[i] == 0x7f ? ' ' : (char)s->tag.at[i]);
    int rc = number_cell(b, title.data, s->value);
    buf_finish(&title);
    return rc;
}

/* An event's scalars are one row, those of another unit of steps apart. */
static int write_scalar(struct board *b, const struct event *e, const struct scalar *s,
                        size_t record)
{
    struct series *t = counts_batches(s->tag) ? NULL : series_of(b, s->tag);
    bool apart = t && t->apart, batches = counts_batches(s->tag);
    int rc = 0;
    if (t && t == b->longest)
        b->step = e->step;
    if (b->record != record || apart || batches) {
        rc = training_log_row(b->out, record, b->err);
        const char *title = batches ? "iterations" : "step";
        rc = rc == 0 ? number_cell(b, title, (double)(apart ? b->step : e->step)) : rc;
        rc = rc == 0 ? number_cell(b, "wall_time", e->wall_time) : rc;
    }
    b->record = apart || batches ? 0 : record;
    return rc == 0 ? scalar_cell(b, s) : rc;
}

/* 0, an error of the log, or 1: no message. */
static int read_event(struct board *b, struct pb_bytes bytes, size_t record)
{
    struct event e;
    struct pb_field f;
    struct scalar s;
    int more = 1, rc = 0;
    if (event_of(bytes, &e) < 0)
        return 1;
    while (rc == 0 && (more = pb_next(&e.summary, &f)) == 1) {
        if (f.number != SUMMARY_VALUE || f.wire != PB_BYTES)
            continue;
        int kind = scalar_of_value(f.bytes, &s);
        rc = kind < 0 ? 1 : 0;
        if (kind > 0 && b->writes)
            rc = write_scalar(b, &e, &s, record);
        else if (kind > 0)
            note_scalar(b, &e, &s);
    }
    return rc == 0 && more < 0 ? 1 : rc;
}

/* --- records -------------------------------------------------------------------------------- */

static bool all_zero(const unsigned char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (at[i] != 0)
            return false;
    return true;
}

/* A file may end within a record, or in zeros: the program, or its machine, was ended then. */
static int read_records(struct board *b)
{
    const unsigned char *bytes = (const unsigned char *)b->in->bytes;
    size_t at = 0, record = 0, size = b->in->len;
    while (size - at >= HEADER) {
        uint64_t len = little_endian(bytes + at, 8);
        record++;
        if (len == 0 && all_zero(bytes + at, size - at))
            return 0;
        if (!has_header(bytes + at))
            return err_set(b->err, ERR_PARSE, "%s: record %zu, byte %zu: its length is not what "
                           "its check says: the file is damaged", b->in->name, record, at);
        if (len > size - at - HEADER || size - at - HEADER - len < FOOTER)
            return 0;
        const unsigned char *data = bytes + at + HEADER;
        if (crc32_masked(crc32_castagnoli(0, data, len)) != little_endian(data + len, FOOTER))
            return err_set(b->err, ERR_PARSE, "%s: record %zu, byte %zu: it is not what its check "
                           "says: the file is damaged", b->in->name, record, at);
        int rc = read_event(b, (struct pb_bytes){data, (size_t)len}, record);
        if (rc == 1)
            return err_set(b->err, ERR_PARSE, "%s: record %zu, byte %zu is no event of "
                           "TensorBoard's", b->in->name, record, at);
        if (rc != 0)
            return rc;
        at += HEADER + (size_t)len + FOOTER;
    }
    return 0;
}

static int read_tensorboard(const struct curve_bytes *in, struct training_log *out,
                            struct errbuf *err)
{
    struct board *b = xcalloc(1, sizeof(*b));
    *b = (struct board){.in = in, .out = out, .begin = INFINITY, .end = -INFINITY, .err = err};
    int rc = read_records(b);
    if (rc == 0) {
        find_apart(b);
        b->writes = true;
        rc = read_records(b);
    }
    free(b);
    return rc;
}

const struct curve_format curve_format_tensorboard = {is_tensorboard, read_tensorboard};
