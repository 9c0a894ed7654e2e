/* A metric of MLflow's file store, mlruns/…/metrics/NAME: lines "timestamp value step". The name is
 * the file's, from behind "metrics/" on where its path has that. */
#include <string.h>

#include "common/curves/format.h"
#include "common/curves/number_word.h"
#include "sweep/err.h"

#define MS_MIN 1e12 /* 2001: a timestamp in milliseconds */

struct measurement {
    double timestamp, value, step;
};

/* The three numbers of a line, one blank between. */
static bool read_line(const char *text, size_t len, struct measurement *out)
{
    double *const parts[] = {&out->timestamp, &out->value, &out->step};
    size_t at = 0;
    len -= len > 0 && text[len - 1] == '\r';
    for (int i = 0; i < 3; i++) {
        size_t n = number_word(text + at, len - at, parts[i]);
        if (n == 0)
            return false;
        at += n;
        if (i < 2 && (at == len || text[at++] != ' '))
            return false;
    }
    return at == len && out->timestamp >= MS_MIN;
}

static size_t line_length(const char *text, size_t len)
{
    const char *end = memchr(text, '\n', len);
    return end ? (size_t)(end - text) : len;
}

static bool is_mlflow_metric(const struct curve_bytes *in)
{
    struct measurement m;
    return in->len > 0 && read_line(in->bytes, line_length(in->bytes, in->len), &m);
}

static const char *metric_name(const char *path)
{
    static const char folder[] = "metrics/";
    const char *name = NULL;
    for (const char *p = strstr(path, folder); p; p = strstr(p + 1, folder))
        if (p == path || p[-1] == '/')
            name = p + sizeof(folder) - 1;
    if (name && *name)
        return name;
    name = strrchr(path, '/');
    return name ? name + 1 : path;
}

static int put(struct training_log *out, const char *title, double value, struct errbuf *err)
{
    int column = training_log_column(out, title, strlen(title), err);
    return column < 0 ? column : training_log_number(out, (size_t)column, value, err);
}

static int read_mlflow_metric(const struct curve_bytes *in, struct training_log *out,
                              struct errbuf *err)
{
    const char *name = metric_name(in->name);
    size_t number = 0;
    int rc = 0;
    for (size_t at = 0; at < in->len && rc == 0;) {
        struct measurement m;
        size_t len = line_length(in->bytes + at, in->len - at);
        number++;
        if (read_line(in->bytes + at, len, &m)) {
            rc = training_log_row(out, number, err);
            rc = rc == 0 ? put(out, "step", m.step, err) : rc;
            rc = rc == 0 ? put(out, name, m.value, err) : rc;
        } else if (at + len < in->len && len > 0) { /* a last line may break off */
            rc = err_set(err, ERR_PARSE, "%s: line %zu: allowed: timestamp, value and step, as "
                         "MLflow writes them", in->name, number);
        }
        at += len + 1;
    }
    return rc;
}

const struct curve_format curve_format_mlflow_metric = {is_mlflow_metric, read_mlflow_metric};
