/* A training log as a curve, from the bytes on: the format by its content, then columns and rows by
 * the rules of docs/curves.md, step by step (common/curves/reading.h). */
#include "sweep/curve_file.h"

#include <string.h>

#include "common/curves/format.h"
#include "common/curves/reading.h"
#include "sweep/err.h"
#include "sweep/foreign.h"
#include "sweep/require.h"

static const struct curve_format *const FORMATS[] = {
#define X(name) &curve_format_##name,
    CURVE_FORMAT_MAP(X)
#undef X
};

static int interpret(const struct training_log *log, struct reading *r)
{
    struct training_log *made = NULL;
    struct columns columns = {0};

    for (size_t i = 0; training_log_noted(log, i); i++)
        curve_note(r->curve, "%s", training_log_noted(log, i));
    int rc = log_reshape(log, r, &made);
    r->reshaped = made != NULL;
    log = made ? made : log;
    if (rc == 0)
        rc = no_curve_check(log, r);
    if (rc == 0)
        rc = columns_choose(log, r, &columns);
    if (rc == 0)
        rc = points_build(log, &columns, r);
    if (rc == 0 && r->run && !r->run_found)
        rc = err_bad(r->err, ERR_VALUE, "--run", r->run,
                     "nothing: no column of %.80s tells runs apart", r->name);
    if (rc == 0 && r->curve->count == 0)
        rc = err_set(r->err, ERR_MISSING, "%.80s: no row has a value of a loss", r->name);
    columns_finish(&columns);
    training_log_destroy(made);
    return rc;
}

int curve_file_interpret(const struct curve_source *in, const struct training_log *log,
                         struct curve *out, struct errbuf *err)
{
    struct curve c = {0};
    struct reading r = {.name = in->name, .run = in->run, .curve = &c, .err = err};
    int rc = interpret(log, &r);

    if (rc == 0)
        *out = c;
    else
        curve_finish(&c);
    return rc;
}

/* Zeros behind a text are what a file system leaves where its writer lost its power. */
static struct curve_bytes without_zeros(const struct curve_source *in)
{
    size_t len = in->len;

    while (len > 0 && in->bytes[len - 1] == '\0')
        len--;
    bool text = len > 0 && len < in->len && !memchr(in->bytes, '\0', len);
    return (struct curve_bytes){in->name, in->bytes, text ? len : in->len};
}

static const struct curve_format *find_format(const struct curve_bytes *bytes)
{
    for (size_t i = 0; i < ARRAY_LEN(FORMATS); i++)
        if (FORMATS[i]->is(bytes))
            return FORMATS[i];
    return NULL;
}

static int refuse(const struct curve_source *in, struct errbuf *err)
{
    const struct foreign *f = foreign_find(in->bytes, in->len);
    return f != NULL ? err_set(err, ERR_PARSE, "%.80s: %s, which is no training log; to go on: %s",
                               in->name, f->what, f->advice)
                     : err_set(err, ERR_PARSE, "%.80s: in no format that is known; a table with "
                               "the columns epoch, train_loss, val_loss is one", in->name);
}

int curve_file_check(const struct curve_source *in, struct errbuf *err)
{
    struct curve_bytes bytes = without_zeros(in);
    return find_format(&bytes) != NULL ? 0 : refuse(in, err);
}

int curve_file_read(const struct curve_source *in, struct training_log *log, struct errbuf *err)
{
    struct curve_bytes bytes = without_zeros(in);
    const struct curve_format *format = find_format(&bytes);

    if (bytes.len < in->len)
        training_log_note(log, "%zu zeros at the end of the file are left out",
                          in->len - bytes.len);
    return format != NULL ? format->read(&bytes, log, err) : refuse(in, err);
}

int curve_file_parse(const struct curve_source *in, struct curve *out, struct errbuf *err)
{
    struct training_log *log = training_log_create();
    int rc = curve_file_read(in, log, err);

    if (rc == 0)
        rc = curve_file_interpret(in, log, out, err);
    training_log_destroy(log);
    return rc;
}
