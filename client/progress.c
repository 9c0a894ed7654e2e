#include "client/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "client/client.h"

static void on_wait(void *arg)
{
    struct progress *p = arg;
    struct timespec now;
    char time[HUMAN_MAX];
    clock_gettime(CLOCK_MONOTONIC, &now);
    fprintf(stderr, "\r%s: %s\x1b[K", p->what,
            human_duration((double)(now.tv_sec - p->since.tv_sec), time));
    p->shown = true;
}

void progress_begin(struct progress *p, struct client *c, const char *what)
{
    *p = (struct progress){.c = c, .what = what};
    clock_gettime(CLOCK_MONOTONIC, &p->since);
    if (c->json || !isatty(STDERR_FILENO))
        return;
    c->rpc.on_wait = on_wait;
    c->rpc.wait_arg = p;
}

void progress_end(struct progress *p)
{
    p->c->rpc.on_wait = NULL;
    if (p->shown)
        fputs("\r\x1b[K", stderr);
}
