#include "client/import/history.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/err.h"
#include "sweep/metrics.h"
#include "sweep/number.h"

static void values_finish(struct history_value *v, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(v[i].text);
    free(v);
}

void history_finish(struct history *h)
{
    for (size_t i = 0; i < h->run_count; i++) {
        values_finish(h->runs[i].values, h->runs[i].value_count);
        free(h->runs[i].reason);
        free(h->runs[i].text);
        free(h->runs[i].points);
    }
    for (size_t i = 0; i < h->parameter_count; i++)
        free(h->parameters[i].name);
    for (size_t i = 0; i < h->series_count; i++)
        free(h->series[i]);
    free(h->runs);
    free(h->parameters);
    free(h->series);
    free(h->name);
    free(h->source);
    free(h->metric);
    buf_finish(&h->notes);
    *h = (struct history){0};
}

size_t history_parameter(struct history *h, const char *name)
{
    for (size_t i = 0; i < h->parameter_count; i++)
        if (strcmp(h->parameters[i].name, name) == 0)
            return i;
    h->parameters =
        array_room(h->parameters, &h->parameter_cap, h->parameter_count, sizeof *h->parameters);
    h->parameters[h->parameter_count] = (struct history_parameter){.name = xstrdup(name)};
    return h->parameter_count++;
}

struct history_run *history_add_run(struct history *h)
{
    h->runs = array_room(h->runs, &h->run_cap, h->run_count, sizeof *h->runs);
    h->runs[h->run_count] = (struct history_run){.status = RUN_COMPLETED};
    return &h->runs[h->run_count++];
}

int history_check(const struct history *h, const char *path, struct errbuf *err)
{
    if (h->run_count > HISTORY_RUNS_MAX)
        return err_set(err, ERR_LIMIT, "%s: more than %d runs; at most so many are imported", path,
                       HISTORY_RUNS_MAX);
    if (h->parameter_count > HISTORY_PARAMETERS_MAX)
        return err_set(err, ERR_LIMIT, "%s: its runs have more than %d parameters", path,
                       HISTORY_PARAMETERS_MAX);
    return 0;
}

void history_set(struct history_run *r, size_t parameter, struct history_value v)
{
    if (parameter >= r->value_count) {
        r->values = xrealloc(r->values, (parameter + 1) * sizeof *r->values);
        memset(r->values + r->value_count, 0,
               (parameter + 1 - r->value_count) * sizeof *r->values);
        r->value_count = parameter + 1;
    }
    free(r->values[parameter].text);
    r->values[parameter] = v;
}

static size_t series_of(struct history *h, const char *name)
{
    for (size_t i = 0; i < h->series_count; i++)
        if (strcmp(h->series[i], name) == 0)
            return i;
    h->series = array_room(h->series, &h->series_cap, h->series_count, sizeof *h->series);
    h->series[h->series_count] = xstrdup(name);
    return h->series_count++;
}

void history_add_point(struct history *h, struct history_run *r, double epoch, const char *series,
                       double value)
{
    if (!metric_name_valid(series) || strcmp(series, "epoch") == 0 || !(epoch > 0)) {
        h->ignored++;
        return;
    }
    r->points = array_room(r->points, &r->point_cap, r->point_count, sizeof *r->points);
    r->points[r->point_count++] =
        (struct history_point){.epoch = epoch, .value = value, .series = series_of(h, series)};
    h->point_count++;
}

void history_note(struct history *h, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&h->notes, fmt, ap);
    va_end(ap);
    buf_putc(&h->notes, '\n');
}

struct history_value history_read(const char *text)
{
    double number;
    if (*text == '\0')
        return (struct history_value){.type = HISTORY_ABSENT};
    if (strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0)
        return (struct history_value){.type = HISTORY_SWITCH,
                                      .number = tolower((unsigned char)*text) == 't'};
    if (number_parse(text, strlen(text), &number) && isfinite(number))
        return (struct history_value){.type = HISTORY_NUMBER, .number = number};
    return (struct history_value){.type = HISTORY_TEXT, .text = xstrdup(text)};
}
