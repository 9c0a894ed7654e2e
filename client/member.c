#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/human.h"
#include "client/render.h"
#include "sweep/json.h"

#define EXCERPT_MAX 400

const char *member_string(const struct json *object, const char *key, const char *fallback)
{
    const struct json *v = json_get(object, key);
    return v != NULL && json_type(v) == JSON_STRING ? json_string(v) : fallback;
}

int64_t member_int(const struct json *object, const char *key, int64_t fallback)
{
    const struct json *v = json_get(object, key);
    int64_t n;
    return v != NULL && json_int64(v, &n) == 0 ? n : fallback;
}

double member_real(const struct json *object, const char *key, double fallback)
{
    const struct json *v = json_get(object, key);
    double d;
    return v != NULL && json_real(v, &d) == 0 ? d : fallback;
}

static const char *count_or_number(double v, char *out)
{
    bool integer = v == floor(v) && fabs(v) <= JSON_MAX_SAFE_INTEGER;
    return integer ? human_count((int64_t)v, out) : human_number(v, out);
}

static const char *yes_or_no(double v, char *out)
{
    str_copy(out, HUMAN_MAX, v != 0 ? "yes" : "no");
    return out;
}

/* Never to be taken for an id. */
static const char *place_in_sweep(double v, char *out)
{
    char number[HUMAN_MAX];
    snprintf(out, HUMAN_MAX, "#%.40s", human_number(v, number));
    return out;
}

/* Times are text; anything else under such a key is shown as it is. */
static const char *(*const real_formats[])(double v, char *out) = {
    [CELL_TEXT] = NULL,          [CELL_NUMBER] = human_number,  [CELL_LOSS] = human_loss,
    [CELL_PERCENT] = human_percent, [CELL_COUNT] = count_or_number,
    [CELL_DURATION] = human_duration, [CELL_AGO] = human_number, [CELL_YES] = yes_or_no,
    [CELL_PLACE] = place_in_sweep,  [CELL_PARAMS] = NULL,
};

static char *render_string(const char *text, enum cell_format format)
{
    char ago[HUMAN_MAX];
    int64_t then = format == CELL_AGO ? human_parse_utc(text) : 0;
    return xstrdup(then != 0 ? human_ago(then, human_now_us(), ago) : text);
}

/* A value that the one behind it could be taken for a part of stands in quotes. */
static char *render_params(const struct json *params)
{
    struct buf out = {0};
    for (const struct json *v = json_first(params); v != NULL; v = json_next(v)) {
        char *value = render_member(params, json_key(v), CELL_TEXT);
        const char *quote = strchr(value, ' ') != NULL ? "\"" : "";
        buf_printf(&out, "%s%s=%s%s%s", out.len > 0 ? " " : "", json_key(v), quote, value, quote);
        free(value);
    }
    buf_puts(&out, out.len > 0 ? "" : "-");
    return buf_take(&out);
}

char *render_member(const struct json *object, const char *key, enum cell_format format)
{
    const struct json *v = json_get(object, key);
    char text[EXCERPT_MAX] = "-";
    double d;
    if (v == NULL || json_type(v) == JSON_NULL)
        return xstrdup(text);
    if (real_formats[format] != NULL && json_real(v, &d) == 0)
        real_formats[format](d, text);
    else if (json_type(v) == JSON_STRING)
        return render_string(json_string(v), format);
    else if (json_type(v) == JSON_NUMBER)
        human_number(json_number(v), text);
    else if (format == CELL_PARAMS && json_type(v) == JSON_OBJECT)
        return render_params(v);
    else
        json_excerpt(v, text, sizeof text);
    return xstrdup(text);
}
