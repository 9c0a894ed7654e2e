#include "client/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "client/client.h"

#define BAR_WIDTH 24
#define FIRST_SECONDS 1.0 /* what is done before that says nothing */
#define NEXT_SECONDS 0.2

static double seconds_since(const struct timespec *then)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - then->tv_sec) + (double)(now.tv_nsec - then->tv_nsec) / 1e9;
}

static void on_wait(void *arg)
{
    struct progress *p = arg;
    char time[HUMAN_MAX];
    fprintf(stderr, "\r%s: %s\x1b[K", p->what, human_duration(seconds_since(&p->since), time));
    p->shown = true;
}

void progress_begin(struct progress *p, struct client *c, const char *what)
{
    *p = (struct progress){.c = c, .what = what};
    clock_gettime(CLOCK_MONOTONIC, &p->since);
    p->last = p->since;
    if (c->json || !isatty(STDERR_FILENO))
        return;
    c->progress = p;
    c->rpc.on_wait = on_wait;
    c->rpc.wait_arg = p;
}

void progress_line(struct buf *out, const char *what, size_t done, size_t all, double seconds)
{
    char part[HUMAN_MAX], whole[HUMAN_MAX], left[HUMAN_MAX];
    size_t filled = all > 0 ? BAR_WIDTH * done / all : 0;
    buf_printf(out, "%s [", what);
    for (size_t i = 0; i < BAR_WIDTH; i++)
        buf_putc(out, i < filled ? '#' : '.');
    buf_printf(out, "] %s of %s", human_count((int64_t)done, part),
               human_count((int64_t)all, whole));
    if (done > 0 && done < all)
        buf_printf(out, ", %s left",
                   human_duration(seconds * (double)(all - done) / (double)done, left));
}

void progress_step(struct client *c, size_t done, size_t all)
{
    struct progress *p = c->progress;
    struct buf line = {0};
    if (p == NULL || seconds_since(&p->last) < (p->shown ? NEXT_SECONDS : FIRST_SECONDS))
        return;
    clock_gettime(CLOCK_MONOTONIC, &p->last);
    progress_line(&line, p->what, done, all, seconds_since(&p->since));
    fprintf(stderr, "\r%s\x1b[K", line.data);
    p->shown = true;
    buf_finish(&line);
}

void progress_end(struct progress *p)
{
    p->c->rpc.on_wait = NULL;
    p->c->progress = NULL;
    if (p->shown)
        fputs("\r\x1b[K", stderr);
}
