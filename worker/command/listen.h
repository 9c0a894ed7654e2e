/* The ways in which a program may say what it measured (COMMAND_CHANNEL_MAP): lines on its
 * descriptor, lines of its stdout in several forms, files. The most structured that was heard
 * counts, and those below it do not.
 *
 * What comes by a lower one is kept back for a moment, until the first line that is
 * LISTEN_HOLD_SECONDS older, or LISTEN_HELD_MAX lines: a library's own logger often speaks right
 * after the line that it prints for people. Where a higher one is heard later and tells of epochs
 * that were given, its points take their place; else they go on behind those. */
#ifndef WORKER_COMMAND_LISTEN_H
#define WORKER_COMMAND_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/command/intake.h"
#include "worker/command/lines/line_format.h"

#define LISTEN_HOLD_SECONDS 1.0
#define LISTEN_HELD_MAX 256
/* Successive lines of stdout without a measurement, after which free text is not looked at. */
#define LISTEN_IDLE_LINES_MAX 50000

struct held_line {
    double seconds;
    size_t count;
    struct metric_value *values; /* owned */
};

struct listener {
    struct intake *intake; /* borrowed */
    unsigned channels;     /* that are listened to */
    int channel;           /* the best that was heard; COMMAND_CHANNEL_COUNT: none */
    bool committed;        /* its lines are not kept back */
    bool switched;         /* points were given by a lower one before */
    struct line_reader reader;
    struct metrics_line read; /* scratch */
    struct buf line;       /* of stdout, that goes on */
    bool too_long;
    uint64_t idle_lines;
    size_t held_count;
    struct held_line held[LISTEN_HELD_MAX];
};

/* l: zeroed, as the intake. */
void listener_init(struct listener *l, const struct command_config *c, struct intake *in);
void listener_finish(struct listener *l);
/* Each: 0, or what the intake's give returned. */
int listener_stdout(struct listener *l, const char *bytes, size_t len, double seconds);
/* Values that came by a channel. */
int listener_values(struct listener *l, enum command_channel c, const struct metrics_line *m,
                    double seconds);
/* Has what is kept back waited long enough? Then it is given. */
int listener_tick(struct listener *l, double seconds);
/* Seconds from now until listener_tick has something to do; below 0: never. */
double listener_due(const struct listener *l, double seconds);
/* No more of stdout: a last line without '\n' counts, and what is kept back. */
int listener_end(struct listener *l, double seconds);

#endif
