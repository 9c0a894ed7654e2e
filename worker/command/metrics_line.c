#include "worker/command/metrics_line.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"

static const struct {
    const char *text;
    double value;
} WORDS[] = {
    {"nan", NAN},           {"inf", INFINITY},       {"+inf", INFINITY},       {"-inf", -INFINITY},
    {"infinity", INFINITY}, {"+infinity", INFINITY}, {"-infinity", -INFINITY},
};

/* Literals that JSON does not have; the longer of two that begin alike first. */
static const char *const LITERALS[] = {"-Infinity", "Infinity", "NaN"};

static size_t literal_at(const char *s, size_t left)
{
    for (size_t i = 0; i < ARRAY_LEN(LITERALS); i++) {
        size_t n = strlen(LITERALS[i]);
        if (n <= left && memcmp(s, LITERALS[i], n) == 0)
            return n;
    }
    return 0;
}

/* The line with those literals as text; strings stay as they are. True if there was one. */
static bool quote_literals(const char *line, size_t len, struct buf *out)
{
    bool in_string = false, found = false;

    for (size_t i = 0; i < len; i++) {
        size_t n = in_string ? 0 : literal_at(line + i, len - i);
        if (n > 0) {
            buf_putc(out, '"');
            buf_append(out, line + i, n);
            buf_putc(out, '"');
            i += n - 1;
            found = true;
            continue;
        }
        buf_putc(out, line[i]);
        if (in_string && line[i] == '\\' && i + 1 < len)
            buf_putc(out, line[++i]);
        else if (line[i] == '"')
            in_string = !in_string;
    }
    return found;
}

static struct json *parse(const char *line, size_t len, struct errbuf *why)
{
    struct json *root = json_parse(line, len, why);
    struct buf quoted = {0};

    if (!root && quote_literals(line, len, &quoted))
        root = json_parse(quoted.data, quoted.len, why);
    buf_finish(&quoted);
    return root;
}

static bool read_number(const struct json *v, double *out)
{
    if (json_type(v) == JSON_NUMBER) {
        *out = json_number(v);
        return true;
    }
    for (size_t i = 0; json_type(v) == JSON_STRING && i < ARRAY_LEN(WORDS); i++) {
        if (strcasecmp(json_string(v), WORDS[i].text) == 0) {
            *out = WORDS[i].value;
            return true;
        }
    }
    return false;
}

bool metrics_line_read(const char *line, size_t len, struct metrics_line *out, struct errbuf *why)
{
    struct json *root = len <= METRICS_LINE_MAX ? parse(line, len, why) : NULL;
    bool is_object = root && json_type(root) == JSON_OBJECT;
    double value;

    if (len > METRICS_LINE_MAX)
        err_set(why, ERR_LIMIT, "longer than %d bytes", METRICS_LINE_MAX);
    else if (root && !is_object)
        err_set(why, ERR_TYPE, "got %s; allowed: an object, such as {\"epoch\": 3, \"loss\": 0.4}",
                json_type_name(json_type(root)));

    out->count = out->left_out = 0;
    for (const struct json *v = is_object ? json_first(root) : NULL; v; v = json_next(v)) {
        if (!read_number(v, &value))
            continue;
        if (out->count == METRICS_LINE_VALUES || !metric_name_valid(json_key(v))) {
            out->left_out++;
            continue;
        }
        struct metric_value *m = &out->values[out->count++];
        str_copy(m->name, sizeof(m->name), json_key(v));
        m->value = value;
    }
    json_destroy(root);
    return is_object;
}

const struct metric_value *metrics_line_find(const struct metrics_line *l, const char *name)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->values[i].name, name) == 0)
            return &l->values[i];
    return NULL;
}
