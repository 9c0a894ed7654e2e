#include "worker/data/npy_header.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "sweep/err.h"
#include "sweep/require.h"

#define MAGIC "\x93NUMPY"
#define MAGIC_BYTES 6
#define HEADER_MAX 65536 /* bytes of the dict, whatever its length field could say */
#define WORD_MAX 40

/* The dict literal, from its '{' to the end of the header. */
struct cursor {
    const unsigned char *next, *end;
};

const char *npy_shape_text(const struct npy *a, char out[NPY_SHAPE_TEXT_MAX])
{
    int len = snprintf(out, NPY_SHAPE_TEXT_MAX, "(");
    for (unsigned i = 0; i < a->rank; i++)
        len += snprintf(out + len, NPY_SHAPE_TEXT_MAX - (size_t)len, "%s%zu", i ? ", " : "",
                        a->dims[i]);
    snprintf(out + len, NPY_SHAPE_TEXT_MAX - (size_t)len, a->rank == 1 ? ",)" : ")");
    return out;
}

/* --- the literal --------------------------------------------------------------------------- */

static void skip_blanks(struct cursor *c)
{
    while (c->next < c->end && (*c->next == ' ' || *c->next == '\t'))
        c->next++;
}

static bool take(struct cursor *c, char wanted)
{
    skip_blanks(c);
    if (c->next == c->end || *c->next != (unsigned char)wanted)
        return false;
    c->next++;
    return true;
}

static bool take_word(struct cursor *c, const char *word)
{
    size_t len = strlen(word);
    skip_blanks(c);
    if ((size_t)(c->end - c->next) < len || memcmp(c->next, word, len) != 0)
        return false;
    c->next += len;
    return true;
}

/* 'text' or "text": printable, no escapes, at most WORD_MAX-1 bytes. */
static bool take_string(struct cursor *c, char out[WORD_MAX])
{
    size_t len = 0;
    skip_blanks(c);
    if (c->next == c->end || (*c->next != '\'' && *c->next != '"'))
        return false;
    unsigned char quote = *c->next++;
    for (; c->next < c->end && *c->next != quote; c->next++) {
        if (*c->next < 0x20 || *c->next > 0x7e || *c->next == '\\' || len == WORD_MAX - 1)
            return false;
        out[len++] = (char)*c->next;
    }
    out[len] = '\0';
    return take(c, (char)quote);
}

static bool take_size(struct cursor *c, size_t *out)
{
    uint64_t v = 0;
    skip_blanks(c);
    const unsigned char *first = c->next;
    for (; c->next < c->end && *c->next >= '0' && *c->next <= '9'; c->next++) {
        if (v > (SIZE_MAX - 9) / 10)
            return false;
        v = v * 10 + (uint64_t)(*c->next - '0');
    }
    *out = (size_t)v;
    bool found = c->next > first;
    if (found && c->next < c->end && *c->next == 'L')
        c->next++; /* a long integer of Python 2 */
    return found;
}

/* --- its values ---------------------------------------------------------------------------- */

static int malformed(const char *what, struct errbuf *err)
{
    return err_set(err, ERR_DATA,
                   "damaged NPY header: %s; allowed: {'descr': '<f4', 'fortran_order': False, "
                   "'shape': (60000, 784), }", what);
}

static int unknown_type(const char *descr, struct errbuf *err)
{
    return err_set(err, ERR_DATA,
                   "numbers of type '%s'; allowed: |u1 |i1 |b1, and i2 i4 i8 u2 u4 u8 f2 f4 f8 "
                   "with < (little-endian), > (big-endian) or = before them", descr);
}

static int read_descr(struct cursor *c, struct npy *a, struct errbuf *err)
{
    char descr[WORD_MAX];
    skip_blanks(c);
    if (c->next < c->end && *c->next == '[')
        return err_set(err, ERR_DATA, "a structured array (records with fields); allowed: an "
                       "array of numbers");
    if (!take_string(c, descr))
        return malformed("no type after 'descr'", err);
    for (size_t i = 0; i < NPY_TYPE_COUNT && descr[0] != '\0'; i++) {
        if (strcmp(descr + 1, npy_types[i].name) == 0)
            a->type = &npy_types[i];
    }
    if (!a->type || !strchr(a->type->bytes == 1 ? "|<>=" : "<>=", descr[0]))
        return unknown_type(descr, err);
    a->big_endian = descr[0] == '>' || (descr[0] == '=' && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
    return 0;
}

static int read_fortran(struct cursor *c, struct npy *a, struct errbuf *err)
{
    a->fortran = take_word(c, "True");
    if (!a->fortran && !take_word(c, "False"))
        return malformed("'fortran_order' is neither True nor False", err);
    return 0;
}

/* (), (3,), (3, 4), (3, 4,): without its comma (3) would be a number. */
static int read_shape(struct cursor *c, struct npy *a, struct errbuf *err)
{
    bool comma = true;
    if (!take(c, '('))
        return malformed("'shape' is no tuple", err);
    while (!take(c, ')')) {
        size_t dim;
        if (!comma || !take_size(c, &dim))
            return malformed("'shape' is no tuple of whole numbers", err);
        if (a->rank == NPY_RANK_MAX)
            return err_set(err, ERR_DATA, "an array of more than %d dimensions; allowed: 1 to %d",
                           NPY_RANK_MAX, NPY_RANK_MAX);
        if (dim == 0)
            return err_set(err, ERR_DATA, "an empty array: dimension %u is 0", a->rank + 1);
        a->dims[a->rank++] = dim;
        comma = take(c, ',');
    }
    if (a->rank == 1 && !comma)
        return malformed("'shape' is no tuple", err);
    return 0;
}

static const struct {
    const char *name;
    int (*read)(struct cursor *c, struct npy *a, struct errbuf *err);
} keys[] = {{"descr", read_descr}, {"fortran_order", read_fortran}, {"shape", read_shape}};

/* One "'key': value"; seen: a bit for each row of keys. */
static int read_member(struct cursor *c, struct npy *a, unsigned *seen, struct errbuf *err)
{
    char name[WORD_MAX];
    if (!take_string(c, name) || !take(c, ':'))
        return malformed("no 'key': where one should be", err);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        if (strcmp(name, keys[i].name) != 0)
            continue;
        if (*seen >> i & 1)
            return malformed("a key twice", err);
        *seen |= 1u << i;
        return keys[i].read(c, a, err);
    }
    return malformed("an unknown key", err);
}

static int read_dict(struct cursor *c, struct npy *a, struct errbuf *err)
{
    unsigned seen = 0;
    bool comma = true;
    if (!take(c, '{'))
        return malformed("no dict", err);
    while (!take(c, '}')) {
        if (!comma)
            return malformed("no comma between two keys", err);
        int rc = read_member(c, a, &seen, err);
        if (rc != 0)
            return rc;
        comma = take(c, ',');
    }
    if (seen != (1u << ARRAY_LEN(keys)) - 1)
        return malformed("a key is missing", err);
    skip_blanks(c);
    if (c->next < c->end && *c->next == '\n')
        c->next++;
    return c->next == c->end ? 0 : malformed("more after the dict", err);
}

/* Version and length: the dict's place within bytes[0..len). */
static int find_dict(const unsigned char *bytes, size_t len, struct cursor *c, struct errbuf *err)
{
    if (len < MAGIC_BYTES || memcmp(bytes, MAGIC, MAGIC_BYTES) != 0)
        return err_set(err, ERR_DATA, "not an NPY array: it does not begin with \\x93NUMPY");
    size_t width = len > MAGIC_BYTES && bytes[MAGIC_BYTES] == 1 ? 2 : 4;
    size_t start = MAGIC_BYTES + 2 + width, dict_len = 0;
    if (len < start)
        return err_set(err, ERR_DATA, "the NPY header is cut short");
    if (bytes[MAGIC_BYTES] < 1 || bytes[MAGIC_BYTES] > 3 || bytes[MAGIC_BYTES + 1] != 0)
        return err_set(err, ERR_DATA, "NPY format version %d.%d; allowed: 1.0, 2.0, 3.0",
                       bytes[MAGIC_BYTES], bytes[MAGIC_BYTES + 1]);
    for (size_t i = width; i-- > 0;)
        dict_len = dict_len << 8 | bytes[MAGIC_BYTES + 2 + i];
    if (dict_len > HEADER_MAX)
        return err_set(err, ERR_DATA, "an NPY header of %zu bytes; allowed: at most %d", dict_len,
                       HEADER_MAX);
    if (dict_len > len - start)
        return err_set(err, ERR_DATA, "the NPY header is cut short: %zu of %zu bytes",
                       len - start, dict_len);
    *c = (struct cursor){bytes + start, bytes + start + dict_len};
    return 0;
}

/* The dims were not multiplied before: their product may be beyond any number. */
static int check_length(struct npy *a, size_t len, struct errbuf *err)
{
    char text[NPY_SHAPE_TEXT_MAX];
    size_t room = len / a->type->bytes;
    a->count = 1;
    for (unsigned i = 0; i < a->rank; i++) {
        if (a->dims[i] > room / a->count)
            return err_set(err, ERR_DATA, "shape %s of type %s claims more than the %zu bytes "
                           "that are there (is it cut short?)", npy_shape_text(a, text),
                           a->type->name, len);
        a->count *= a->dims[i];
    }
    if (a->count * a->type->bytes != len)
        return err_set(err, ERR_DATA, "%zu bytes of data; shape %s of type %s has %zu", len,
                       npy_shape_text(a, text), a->type->name, a->count * a->type->bytes);
    return 0;
}

int npy_parse(const unsigned char *bytes, size_t len, struct npy *out, struct errbuf *err)
{
    struct npy a = {0};
    struct cursor c = {0};
    int rc = find_dict(bytes, len, &c, err);
    if (rc == 0)
        rc = read_dict(&c, &a, err);
    if (rc != 0)
        return rc;
    a.data = c.end;
    rc = check_length(&a, len - (size_t)(c.end - bytes), err);
    if (rc == 0)
        *out = a;
    return rc;
}
