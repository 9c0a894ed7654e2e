#include "daemon/launch/spool/spool.h"

#include <stdlib.h>
#include <uv.h>

#include "sweep/buf.h"
#include "sweep/require.h"

#define STACK_BYTES (1 << 20)

struct queue {
    struct spool_job *first, **end;
};

struct spool {
    uv_mutex_t mutex;
    uv_cond_t cond;
    uv_async_t async;
    struct queue todo, done;
    uint64_t since_ms; /* of the job under way; 0: none */
    bool closing, thread_ended, closed;
};

static void push(struct queue *q, struct spool_job *job)
{
    job->next = NULL;
    *q->end = job;
    q->end = &job->next;
}

static struct spool_job *pop(struct queue *q)
{
    struct spool_job *job = q->first;
    if (!job)
        return NULL;
    q->first = job->next;
    if (!q->first)
        q->end = &q->first;
    return job;
}

static void spool_free(struct spool *s)
{
    uv_mutex_destroy(&s->mutex);
    uv_cond_destroy(&s->cond);
    free(s);
}

/* Whoever of the two is last has it. */
static void leave(struct spool *s, bool *mine, const bool *other)
{
    uv_mutex_lock(&s->mutex);
    *mine = true;
    bool last = *other;
    uv_mutex_unlock(&s->mutex);
    if (last)
        spool_free(s);
}

static void carry_out(struct spool_job *job)
{
    if (job->scans)
        job->found = room_find_all(job->scans, job->database, &job->found_count);
    else if (job->removes)
        room_remove(job->room);
    else
        room_turn(job->room, &job->pass);
}

static void thread_main(void *arg)
{
    struct spool *s = arg;
    uv_mutex_lock(&s->mutex);
    while (!s->closing) {
        struct spool_job *job = pop(&s->todo);
        if (!job) {
            uv_cond_wait(&s->cond, &s->mutex);
            continue;
        }
        s->since_ms = room_now_ms();
        uv_mutex_unlock(&s->mutex);
        carry_out(job);
        uv_mutex_lock(&s->mutex);
        s->since_ms = 0;
        push(&s->done, job);
        if (!s->closing)
            uv_async_send(&s->async);
    }
    uv_mutex_unlock(&s->mutex);
    leave(s, &s->thread_ended, &s->closed);
}

static void on_done(uv_async_t *async)
{
    struct spool *s = async->data;
    struct spool_job *job;
    for (;;) {
        uv_mutex_lock(&s->mutex);
        job = pop(&s->done);
        uv_mutex_unlock(&s->mutex);
        if (!job)
            return;
        job->done(job);
    }
}

struct spool *spool_create(struct uv_loop_s *loop)
{
    struct spool *s = xcalloc(1, sizeof(*s));
    uv_thread_t thread;
    uv_thread_options_t options = {.flags = UV_THREAD_HAS_STACK_SIZE, .stack_size = STACK_BYTES};
    s->todo.end = &s->todo.first;
    s->done.end = &s->done.first;
    int rc = uv_mutex_init(&s->mutex) | uv_cond_init(&s->cond) |
             uv_async_init(loop, &s->async, on_done);
    REQUIRE(rc == 0);
    s->async.data = s;
    uv_unref((uv_handle_t *)&s->async);
    rc = uv_thread_create_ex(&thread, &options, thread_main, s);
    REQUIRE(rc == 0);
    return s;
}

void spool_hand_over(struct spool *s, struct spool_job *job)
{
    uv_mutex_lock(&s->mutex);
    push(&s->todo, job);
    uv_cond_signal(&s->cond);
    uv_mutex_unlock(&s->mutex);
}

uint64_t spool_busy_ms(struct spool *s)
{
    uv_mutex_lock(&s->mutex);
    uint64_t since = s->since_ms;
    uv_mutex_unlock(&s->mutex);
    return since ? room_now_ms() - since + 1 : 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct spool *s = handle->data;
    leave(s, &s->closed, &s->thread_ended);
}

void spool_close(struct spool *s)
{
    uv_mutex_lock(&s->mutex);
    s->closing = true;
    uv_cond_signal(&s->cond);
    uv_mutex_unlock(&s->mutex);
    uv_close((uv_handle_t *)&s->async, on_closed);
}
