/* JSON lines: an object a line, or one object behind the other. Trackio's lines, and those whose
 * measurements are in an object "metrics", give that object's members without its name; lines that
 * are no objects (a library's own words) are passed over. */
#include <string.h>

#include "common/curves/format.h"
#include "common/curves/json_row.h"
#include "sweep/err.h"

static bool is_json_lines(const struct curve_bytes *in)
{
    size_t at = loose_blanks(in->bytes, in->len);
    if (at == in->len || in->bytes[at] != '{')
        return false;
    size_t inside = at + 1 + loose_blanks(in->bytes + at + 1, in->len - at - 1);
    size_t extent = loose_json_extent(in->bytes + at, in->len - at);
    if (extent == 0 || (in->bytes[inside] != '"' && in->bytes[inside] != '\''))
        return false;
    at += extent;
    at += loose_blanks(in->bytes + at, in->len - at);
    return at == in->len || in->bytes[at] == '{';
}

static int metrics_row(struct training_log *out, const struct loose_json *j,
                       const struct loose_value *metrics, size_t line, struct errbuf *err)
{
    static const char *const beside[] = {"run", "epoch", "step", "iteration", "timestamp"};
    int rc = training_log_row(out, line, err);
    for (size_t i = 0; i < sizeof(beside) / sizeof(*beside) && rc == 0; i++) {
        const struct loose_value *v = loose_member(j, loose_root(j), beside[i]);
        if (v)
            rc = json_row_cell(out, j, v, beside[i], err);
    }
    return rc == 0 ? json_row_cells(out, j, metrics, "", err) : rc;
}

static int object_row(struct training_log *out, const struct loose_json *j, size_t line,
                      struct errbuf *err)
{
    const struct loose_value *root = loose_root(j), *metrics = loose_member(j, root, "metrics");
    const struct loose_value *kind = loose_member(j, root, "kind");
    if (!metrics || metrics->kind != LOOSE_OBJECT)
        return json_row(out, j, root, line, err);
    if (kind && kind->kind == LOOSE_TEXT && strcmp(loose_text(j, kind), "metric") != 0)
        return 0; /* of the machine: how busy it was */
    return metrics_row(out, j, metrics, line, err);
}

static size_t lines_in(const char *text, size_t len)
{
    size_t lines = 0;
    for (const char *at = text; (at = memchr(at, '\n', len - (size_t)(at - text))) != NULL; at++)
        lines++;
    return lines;
}

static int read_json_lines(const struct curve_bytes *in, struct training_log *out,
                           struct errbuf *err)
{
    struct loose_json j = {0};
    size_t at = loose_blanks(in->bytes, in->len), line = 1 + lines_in(in->bytes, at);
    int rc = 0;
    while (at < in->len && rc == 0) {
        const char *text = in->bytes + at, *end = memchr(text, '\n', in->len - at);
        size_t used = end ? (size_t)(end - text) : in->len - at;
        if (*text == '{') {
            rc = loose_json_read(&j, text, in->len - at, line, &used, err);
            if (rc == 0)
                rc = object_row(out, &j, line, err);
            else if (rc == ERR_PARSE && !end) /* was being written when the program was ended */
                rc = 0;
        }
        line += lines_in(text, used);
        at += used;
        size_t blanks = loose_blanks(in->bytes + at, in->len - at);
        line += lines_in(in->bytes + at, blanks);
        at += blanks;
    }
    loose_json_finish(&j);
    return rc;
}

const struct curve_format curve_format_json_lines = {is_json_lines, read_json_lines};
