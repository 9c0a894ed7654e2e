#include "daemon/launch/hook.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/log.h"

#define LOG_MODULE "hook"

struct hook {
    struct uv_loop_s *loop;
    char *program;
    char *queue[HOOK_QUEUE_MAX]; /* JSON texts; queue[first], … wait */
    size_t first, count;
    size_t missed; /* since the last one that found room */
    char *telling; /* what the process under way reads */
    uv_process_t process;
    uv_pipe_t pipe; /* its stdin */
    uv_timer_t limit;
    uv_write_t write;
    size_t open; /* handles not closed yet; 0: no process */
    bool ending;
};

static void next(struct hook *h);

static void hook_free(struct hook *h)
{
    for (; h->count > 0; h->count--)
        free(h->queue[h->first++ % HOOK_QUEUE_MAX]);
    free(h->program);
    free(h);
}

/* --- one process ----------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct hook *h = handle->data;
    if (--h->open > 0)
        return;
    free(h->telling);
    h->telling = NULL;
    if (h->ending)
        hook_free(h);
    else
        next(h);
}

static void close_pipe(struct hook *h)
{
    if (!uv_is_closing((uv_handle_t *)&h->pipe))
        uv_close((uv_handle_t *)&h->pipe, on_closed);
}

static void on_written(uv_write_t *request, int status)
{
    close_pipe(request->data); /* its stdin ends */
}

static void on_limit(uv_timer_t *timer)
{
    struct hook *h = timer->data;
    log_warn("%s has not ended in time: killed", h->program);
    kill(-h->process.pid, SIGKILL);
}

static void on_exit_of_program(uv_process_t *process, int64_t status, int signal)
{
    struct hook *h = process->data;
    if (status != 0 || signal != 0)
        log_warn("%s ended with status %" PRId64 ", signal %d", h->program, status, signal);
    uv_close((uv_handle_t *)process, on_closed);
    uv_close((uv_handle_t *)&h->limit, on_closed);
    close_pipe(h);
}

static int spawn(struct hook *h)
{
    char *args[] = {h->program, NULL};
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&h->pipe},
        {.flags = UV_IGNORE},
        {.flags = UV_IGNORE},
    };
    uv_process_options_t options = {.file = h->program,
                                    .args = args,
                                    .flags = UV_PROCESS_DETACHED,
                                    .stdio = stdio,
                                    .stdio_count = 3,
                                    .exit_cb = on_exit_of_program};
    return uv_spawn(h->loop, &h->process, &options);
}

/* The oldest event that waits, unless a process is under way. */
static void next(struct hook *h)
{
    if (h->open > 0 || h->count == 0)
        return;
    h->telling = h->queue[h->first];
    h->first = (h->first + 1) % HOOK_QUEUE_MAX;
    h->count--;
    uv_pipe_init(h->loop, &h->pipe, 0);
    uv_timer_init(h->loop, &h->limit);
    h->pipe.data = h->limit.data = h->process.data = h->write.data = h;
    h->open = 3;
    int rc = spawn(h);
    if (rc != 0) {
        log_warn("%s cannot be started: %s", h->program, uv_strerror(rc));
        uv_close((uv_handle_t *)&h->process, on_closed);
        uv_close((uv_handle_t *)&h->limit, on_closed);
        close_pipe(h);
        return;
    }
    uv_timer_start(&h->limit, on_limit, HOOK_LIMIT_MS, 0);
    uv_buf_t text = uv_buf_init(h->telling, (unsigned)strlen(h->telling));
    if (uv_write(&h->write, (uv_stream_t *)&h->pipe, &text, 1, on_written) != 0)
        close_pipe(h);
}

/* --- events ---------------------------------------------------------------------------------- */

static void put_id(struct json_writer *w, const char *key, int64_t id)
{
    jw_key(w, key);
    if (id)
        jw_int(w, id);
    else
        jw_null(w);
}

static char *event_text(const struct hook_event *e, size_t missed)
{
    struct buf text = {0};
    struct json_writer w;
    char at[32];
    time_t seconds = (time_t)(e->time_us / 1000000);
    struct tm utc = {0};
    gmtime_r(&seconds, &utc);
    strftime(at, sizeof(at), "%Y-%m-%d %H:%M:%S", &utc);
    jw_init(&w, &text);
    jw_begin_object(&w);
    jw_kv_string(&w, "event", e->kind);
    put_id(&w, "sweep", e->sweep_id);
    put_id(&w, "run", e->run_id);
    jw_kv_string(&w, "detail", e->detail);
    jw_kv_string(&w, "time", at);
    jw_kv_int(&w, "missed", (int64_t)missed);
    jw_end_object(&w);
    buf_putc(&text, '\n');
    return buf_take(&text);
}

void hook_tell(struct hook *h, const struct hook_event *e)
{
    if (h->ending || h->count == HOOK_QUEUE_MAX) {
        h->missed++;
        return;
    }
    h->queue[(h->first + h->count++) % HOOK_QUEUE_MAX] = event_text(e, h->missed);
    h->missed = 0;
    next(h);
}

struct hook *hook_create(struct uv_loop_s *loop, const char *program)
{
    struct hook *h = xcalloc(1, sizeof(*h));
    h->loop = loop;
    h->program = xstrdup(program);
    return h;
}

void hook_destroy(struct hook *h)
{
    if (!h)
        return;
    h->ending = true;
    if (h->open == 0)
        hook_free(h);
    else if (!uv_is_closing((uv_handle_t *)&h->limit))
        uv_timer_start(&h->limit, on_limit, HOOK_END_MS, 0);
}
