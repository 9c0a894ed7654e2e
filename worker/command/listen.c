#include "worker/command/listen.h"

#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/require.h"

static int hear_descriptor(void *hearer, struct intake *in, const struct metrics_line *m,
                           double seconds)
{
    (void)in;
    return listener_values(hearer, COMMAND_CHANNEL_DESCRIPTOR, m, seconds);
}

void listener_init(struct listener *l, const struct command_config *c, struct intake *in)
{
    l->intake = in;
    l->channels = c->manner.channels ? c->manner.channels : COMMAND_CHANNELS_ALL;
    l->channel = COMMAND_CHANNEL_COUNT;
    line_reader_init(&l->reader, c);
    in->heard = hear_descriptor;
    in->hearer = l;
}

static void drop_held(struct listener *l)
{
    for (size_t i = 0; i < l->held_count; i++)
        free(l->held[i].values);
    l->held_count = 0;
}

void listener_finish(struct listener *l)
{
    drop_held(l);
    line_reader_finish(&l->reader);
    buf_finish(&l->line);
}

/* --- what counts ------------------------------------------------------------------------------ */

static int give_held(struct listener *l)
{
    struct metrics_line *m = xcalloc(1, sizeof(*m));
    int rc = 0;

    for (size_t i = 0; i < l->held_count && rc == 0; i++) {
        m->count = l->held[i].count;
        memcpy(m->values, l->held[i].values, m->count * sizeof(m->values[0]));
        rc = intake_values(l->intake, m, l->held[i].seconds);
    }
    free(m);
    drop_held(l);
    l->committed = true;
    return rc;
}

static int hold(struct listener *l, const struct metrics_line *m, double seconds)
{
    struct held_line *h = &l->held[l->held_count++];

    *h = (struct held_line){seconds, m->count, xcalloc(m->count, sizeof(*h->values))};
    memcpy(h->values, m->values, m->count * sizeof(*h->values));
    return l->held_count == LISTEN_HELD_MAX ? give_held(l) : 0;
}

/* A better way was found. What is kept back of the other is dropped. */
static int change(struct listener *l, enum command_channel c)
{
    int rc = 0;

    if (l->committed && l->channel != COMMAND_CHANNEL_COUNT) {
        l->switched = true;
        rc = intake_switch(l->intake);
    }
    drop_held(l);
    l->channel = (int)c;
    l->committed = c <= COMMAND_CHANNEL_FILES; /* said on purpose: there is nothing to wait for */
    return rc;
}

int listener_values(struct listener *l, enum command_channel c, const struct metrics_line *m,
                    double seconds)
{
    int rc = 0;

    if (!(l->channels & (1u << c)) || (int)c > l->channel || m->count == 0)
        return 0;
    if ((int)c < l->channel)
        rc = change(l, c);
    if (rc != 0)
        return rc;
    if (!l->committed)
        rc = listener_tick(l, seconds);
    if (rc != 0)
        return rc;
    return l->committed ? intake_values(l->intake, m, seconds) : hold(l, m, seconds);
}

double listener_due(const struct listener *l, double seconds)
{
    if (l->held_count == 0)
        return -1;
    double left = l->held[0].seconds + LISTEN_HOLD_SECONDS - seconds;
    return left > 0 ? left : 0;
}

int listener_tick(struct listener *l, double seconds)
{
    return l->held_count > 0 && listener_due(l, seconds) <= 0 ? give_held(l) : 0;
}

/* --- lines of stdout -------------------------------------------------------------------------- */

static const struct {
    enum command_channel channel;
    line_read *read;
} formats[] = {
#define X(channel, name) {COMMAND_CHANNEL_##channel, line_format_##name},
    LINE_FORMAT_MAP(X)
#undef X
};

static bool is_tried(const struct listener *l, enum command_channel c)
{
    if (c >= COMMAND_CHANNEL_TABLE && l->idle_lines > LISTEN_IDLE_LINES_MAX)
        return false;
    return (int)c <= l->channel && (l->channels & (1u << c));
}

static int take_line(struct listener *l, const char *line, size_t len, double seconds)
{
    if (len == 0)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        if (!is_tried(l, formats[i].channel))
            continue;
        l->read.count = l->read.left_out = 0;
        if (!formats[i].read(&l->reader, line, len, &l->read))
            continue;
        l->idle_lines = 0;
        return listener_values(l, formats[i].channel, &l->read, seconds);
    }
    l->idle_lines++;
    return 0;
}

static void keep_rest(struct listener *l, const char *bytes, size_t len)
{
    if (l->too_long || l->line.len + len > METRICS_LINE_MAX) {
        l->too_long = true;
        buf_clear(&l->line);
        return;
    }
    buf_append(&l->line, bytes, len);
}

static int end_line(struct listener *l, const char *bytes, size_t len, double seconds)
{
    int rc = 0;

    if (l->line.len > 0 || l->too_long) {
        keep_rest(l, bytes, len);
        bytes = l->line.data;
        len = l->line.len;
    }
    if (!l->too_long)
        rc = take_line(l, bytes, len, seconds);
    l->too_long = false;
    buf_clear(&l->line);
    return rc;
}

/* A progress bar returns the carriage: each of its states is a line. */
static const char *find_end(const char *bytes, const char *end)
{
    for (; bytes < end; bytes++)
        if (*bytes == '\n' || *bytes == '\r')
            return bytes;
    return NULL;
}

int listener_stdout(struct listener *l, const char *bytes, size_t len, double seconds)
{
    const char *end = bytes + len, *newline;

    while ((newline = find_end(bytes, end)) != NULL) {
        int rc = end_line(l, bytes, (size_t)(newline - bytes), seconds);
        if (rc != 0)
            return rc;
        bytes = newline + 1;
    }
    if (bytes < end)
        keep_rest(l, bytes, (size_t)(end - bytes));
    return 0;
}

int listener_end(struct listener *l, double seconds)
{
    int rc = end_line(l, "", 0, seconds);
    if (rc == 0) /* and a box of values */
        rc = end_line(l, "", 0, seconds);
    return rc != 0 ? rc : give_held(l);
}
