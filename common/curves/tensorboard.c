/* TensorBoard's event files, as TensorFlow 1 and 2, Keras, PyTorch and others write them: records
 * of TensorFlow's framing (length u64, its check, bytes, their check; little endian, masked
 * CRC-32C), each an Event message. A scalar is a summary's simple_value, or a tensor of one
 * element whose plugin is "scalars" or unsaid; images, texts, histograms and hyperparameters are
 * passed over. A row an event, the tags as titles. */
#include <math.h>
#include <string.h>

#include "common/curves/crc32.h"
#include "common/curves/format.h"
#include "common/curves/protobuf.h"
#include "sweep/buf.h"
#include "sweep/err.h"

#define HEADER 12 /* length and its check */
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

static int number_cell(struct training_log *out, const char *title, size_t len, double value,
                       struct errbuf *err)
{
    int column = training_log_column(out, title, len, err);
    return column < 0 ? column : training_log_number(out, (size_t)column, value, err);
}

/* Tags are shown on terminals. */
static int scalar_cell(struct training_log *out, const struct scalar *s, struct errbuf *err)
{
    struct buf title = {0};
    for (size_t i = 0; i < s->tag.len && i < 512; i++)
        buf_putc(&title, s->tag.at[i] < 0x20 || s->tag.at[i] == 0x7f ? ' ' : (char)s->tag.at[i]);
    int rc = number_cell(out, title.data, title.len, s->value, err);
    buf_finish(&title);
    return rc;
}

/* 0, an error of the log, or 1: no message. */
static int read_event(struct pb_bytes bytes, size_t where, struct training_log *out,
                      struct errbuf *err)
{
    struct event e;
    struct pb_field f;
    struct scalar s;
    bool begun = false;
    int more, rc = 0;
    if (event_of(bytes, &e) < 0)
        return 1;
    while ((more = pb_next(&e.summary, &f)) == 1 && rc == 0) {
        if (f.number != SUMMARY_VALUE || f.wire != PB_BYTES)
            continue;
        int kind = scalar_of_value(f.bytes, &s);
        if (kind <= 0) {
            rc = kind < 0 ? 1 : 0;
            continue;
        }
        if (!begun) {
            rc = training_log_row(out, where, err);
            rc = rc == 0 ? number_cell(out, "step", 4, (double)e.step, err) : rc;
            rc = rc == 0 ? number_cell(out, "wall_time", 9, e.wall_time, err) : rc;
        }
        begun = true;
        rc = rc == 0 ? scalar_cell(out, &s, err) : rc;
    }
    return rc == 0 && more < 0 ? 1 : rc;
}

static bool all_zero(const unsigned char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (at[i] != 0)
            return false;
    return true;
}

/* A file may end within a record, or in zeros: the program, or its machine, was ended then. */
static int read_tensorboard(const struct curve_bytes *in, struct training_log *out,
                            struct errbuf *err)
{
    const unsigned char *bytes = (const unsigned char *)in->bytes;
    size_t at = 0, record = 0;
    while (in->len - at >= HEADER) {
        uint64_t len = little_endian(bytes + at, 8);
        record++;
        if (all_zero(bytes + at, in->len - at))
            return 0;
        if (!has_header(bytes + at))
            return err_set(err, ERR_PARSE, "%s: record %zu, byte %zu: its length is not what its "
                           "check says: the file is damaged", in->name, record, at);
        if (len > in->len - at - HEADER || in->len - at - HEADER - len < FOOTER)
            return 0;
        const unsigned char *data = bytes + at + HEADER;
        if (crc32_masked(crc32_castagnoli(0, data, len)) != little_endian(data + len, FOOTER))
            return err_set(err, ERR_PARSE, "%s: record %zu, byte %zu: it is not what its check "
                           "says: the file is damaged", in->name, record, at);
        int rc = read_event((struct pb_bytes){data, (size_t)len}, record, out, err);
        if (rc == 1)
            return err_set(err, ERR_PARSE, "%s: record %zu, byte %zu is no event of TensorBoard's",
                           in->name, record, at);
        if (rc != 0)
            return rc;
        at += HEADER + (size_t)len + FOOTER;
    }
    return 0;
}

const struct curve_format curve_format_tensorboard = {is_tensorboard, read_tensorboard};
