#include "client/serve/desk.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "client/serve/frame.h"

#define ANSWER_MS 60000 /* that the daemon may take for an answer to a page */

struct queue {
    struct job *first, **last;
    size_t count;
};

struct place {
    struct desks *desks;
    struct desk desk;
    pthread_t thread;
    bool changing, started;
};

struct desks {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct queue queues[2]; /* [changing] */
    bool closing;
    const struct site *site;
    int wake_fd; /* readable: calls under way are given up */
    struct place places[DESKS_READING + DESKS_CHANGING];
};

void desk_init(struct desk *d, const struct site *site)
{
    memset(d, 0, sizeof *d);
    d->site = site;
    d->client.out = stdout; /* nothing is written there while failures have another place */
    d->client.failed = &d->failed;
    str_copy(d->client.socket, sizeof d->client.socket, site->socket);
    rpc_client_init(&d->client.rpc);
}

void desk_finish(struct desk *d)
{
    rpc_client_close(&d->client.rpc);
}

static struct job *take(struct desks *d, bool changing)
{
    struct queue *q = &d->queues[changing];
    pthread_mutex_lock(&d->lock);
    while (q->first == NULL && !d->closing)
        pthread_cond_wait(&d->more, &d->lock);
    struct job *j = d->closing ? NULL : q->first;
    if (j != NULL) {
        q->first = j->next;
        q->count--;
        if (q->first == NULL)
            q->last = &q->first;
    }
    pthread_mutex_unlock(&d->lock);
    return j;
}

static void *sit(void *arg)
{
    struct place *p = arg;
    struct job *j;
    while ((j = take(p->desks, p->changing)) != NULL) {
        p->desk.client.rpc.timeout_ms = p->changing ? -1 : ANSWER_MS;
        p->desk.failed = (struct errbuf){0};
        j->route->handle(&p->desk, &j->request, &j->answer);
        rpc_client_close(&p->desk.client.rpc); /* an idle one would be closed by the daemon */
        j->done(j);
    }
    return NULL;
}

static void end_threads(struct desks *d)
{
    for (size_t i = 0; i < sizeof d->places / sizeof *d->places; i++) {
        if (d->places[i].started)
            pthread_join(d->places[i].thread, NULL);
        d->places[i].started = false;
        desk_finish(&d->places[i].desk);
    }
}

void desks_stop(struct desks *d)
{
    pthread_mutex_lock(&d->lock);
    d->closing = true;
    pthread_cond_broadcast(&d->more);
    pthread_mutex_unlock(&d->lock);
    eventfd_write(d->wake_fd, 1);
    end_threads(d);
    for (int k = 0; k < 2; k++) {
        for (struct job *j = d->queues[k].first, *next; j != NULL; j = next) {
            next = j->next;
            frame_refuse(d->site, &j->answer, 503, WORD_BUSY_SAYS);
            j->done(j);
        }
        d->queues[k].first = NULL;
    }
}

void desks_close(struct desks *d)
{
    close(d->wake_fd);
    pthread_cond_destroy(&d->more);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

struct desks *desks_open(const struct site *site, struct errbuf *err)
{
    struct desks *d = xcalloc(1, sizeof *d);
    size_t count = sizeof d->places / sizeof *d->places, made = 0;
    d->site = site;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->more, NULL);
    d->wake_fd = eventfd(0, EFD_CLOEXEC);
    for (int k = 0; k < 2; k++)
        d->queues[k].last = &d->queues[k].first;
    for (size_t i = 0; i < count; i++) {
        struct place *p = &d->places[i];
        p->desks = d;
        p->changing = i >= DESKS_READING;
        desk_init(&p->desk, site);
        p->desk.client.rpc.wake_fd = d->wake_fd;
    }
    for (; made < count; made++) {
        struct place *p = &d->places[made];
        p->started = pthread_create(&p->thread, NULL, sit, p) == 0;
        if (!p->started)
            break;
    }
    if (made == count && d->wake_fd >= 0)
        return d;
    desks_stop(d);
    desks_close(d);
    err_set(err, ERR_IO, "no thread can be made to answer requests");
    return NULL;
}

bool desks_put(struct desks *d, struct job *j)
{
    struct queue *q = &d->queues[j->route->kind == ROUTE_CHANGE];
    pthread_mutex_lock(&d->lock);
    bool room = !d->closing && q->count < DESKS_WAITING_MAX;
    if (room) {
        j->next = NULL;
        *q->last = j;
        q->last = &j->next;
        q->count++;
        pthread_cond_broadcast(&d->more);
    }
    pthread_mutex_unlock(&d->lock);
    return room;
}
