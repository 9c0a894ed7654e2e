#include "client/serve/seats.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "sweep/buf.h"

#define OTHER_DESCRIPTORS 64 /* of the daemon's connections, and for what else there is */
#define DESCRIPTORS_WANTED 4096
#define SEATS_LEAST 16

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static size_t descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 256;
    rlim_t wanted = limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max : DESCRIPTORS_WANTED;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur < DESCRIPTORS_WANTED ? (size_t)limit.rlim_cur : DESCRIPTORS_WANTED;
}

void seats_init(struct seats *s, size_t most)
{
    size_t room = descriptors();
    room = room > OTHER_DESCRIPTORS ? (room - OTHER_DESCRIPTORS) / 2 : 0;
    memset(s, 0, sizeof *s);
    s->max = room < SEATS_LEAST ? SEATS_LEAST : room < most ? room : most;
    s->count = 2 * s->max;
    s->seats = xcalloc(s->count, sizeof *s->seats);
    pthread_mutex_init(&s->lock, NULL);
}

void seats_finish(struct seats *s)
{
    free(s->seats);
    pthread_mutex_destroy(&s->lock);
}

/* Its reader sees the end, and closes it. */
static void show_out(struct seats *s, struct seat *seat)
{
    seat->shown_out = true;
    s->taken--;
    shutdown(seat->fd, SHUT_RDWR);
}

/* The one that is given up first; NULL: all do something. */
static struct seat *least(struct seats *s)
{
    struct seat *found = NULL;
    for (size_t i = 0; i < s->count; i++) {
        struct seat *v = &s->seats[i];
        if (v->state == SEAT_FREE || v->state >= SEAT_STREAM || v->shown_out)
            continue;
        if (found == NULL || v->state < found->state ||
            (v->state == found->state && v->since_ms < found->since_ms))
            found = v;
    }
    return found;
}

struct seat *seats_take(struct seats *s, int fd, bool own)
{
    struct seat *seat = NULL;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->count && seat == NULL; i++)
        if (s->seats[i].state == SEAT_FREE)
            seat = &s->seats[i];
    if (seat != NULL && s->taken >= s->max) {
        struct seat *out = least(s);
        if (out != NULL)
            show_out(s, out);
    }
    if (seat != NULL) {
        *seat = (struct seat){.state = SEAT_WAITING, .own = own, .fd = fd, .since_ms = now_ms()};
        s->taken++;
    }
    pthread_mutex_unlock(&s->lock);
    return seat;
}

void seats_leave(struct seats *s, struct seat *seat)
{
    pthread_mutex_lock(&s->lock);
    s->taken -= !seat->shown_out;
    seat->state = SEAT_FREE;
    pthread_mutex_unlock(&s->lock);
}

void seats_set(struct seats *s, struct seat *seat, enum seat_state state)
{
    pthread_mutex_lock(&s->lock);
    seat->state = state;
    seat->since_ms = now_ms();
    pthread_mutex_unlock(&s->lock);
}

void seats_expire(struct seats *s)
{
    int64_t now = now_ms();
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->count; i++) {
        struct seat *v = &s->seats[i];
        if (v->state == SEAT_WAITING && !v->shown_out && now - v->since_ms > SEATS_REQUEST_MS)
            show_out(s, v);
    }
    pthread_mutex_unlock(&s->lock);
}
