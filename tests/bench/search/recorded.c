#include "tests/bench/search/recorded.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_MAX (64 * 1024 * 1024)

void die(const char *what, const struct errbuf *err)
{
    fprintf(stderr, "%s: %s %s\n", program_invocation_short_name, what, err ? err->message : "");
    exit(1);
}

struct json *recorded_read(const char *path, struct buf *bytes, char **parameters,
                           const char **numbers)
{
    struct errbuf err = {0};
    if (buf_read_file(bytes, path, TABLE_MAX, &err) != 0)
        die(path, &err);
    char *line = memchr(bytes->data, '\n', bytes->len);
    if (line == NULL)
        die("no line of JSON in", NULL);
    struct json *head = json_parse(bytes->data, (size_t)(line - bytes->data), &err);
    if (head == NULL)
        die(path, &err);
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_value(&w, json_get(head, "parameters"));
    *parameters = buf_take(&text);
    *numbers = line + 1;
    return head;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void recorded_scale(const double *values, size_t step, size_t count, double *best, double *median)
{
    double *sorted = xcalloc(count, sizeof(*sorted));
    for (size_t i = 0; i < count; i++)
        sorted[i] = values[i * step];
    qsort(sorted, count, sizeof(*sorted), ascending);
    *best = sorted[0];
    *median = sorted[count / 2];
    free(sorted);
}

size_t recorded_cell(const struct space *space, const struct assignment *at)
{
    size_t cell = 0;
    for (size_t i = 0; i < space->count; i++) {
        const struct dimension *d = &space->dimensions[i];
        size_t k = 0;
        while (k + 1 < d->value_count && d->values[k] != at->v[i])
            k++;
        cell = cell * d->value_count + k;
    }
    return cell;
}
