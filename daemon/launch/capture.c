#include "daemon/launch/capture.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "daemon/launch/launcher.h"
#include "daemon/launch/usage.h"

#define OUTPUT_MAX (1024 * 1024) /* of a worker's stdout */
#define COMPLAINT_MAX 4096       /* of its stderr */
#define LOOK_MS 100

static void on_capture_closed(uv_handle_t *handle)
{
    struct capture *c = handle->data;
    if (--c->open == 0)
        c->done(c);
}

/* With its whole group (it leads a session of its own): a child that a wrapper left behind would
 * hold the pipes open. A process that was never started or is reaped has no pid to signal. */
void capture_kill(struct capture *c)
{
    if (!c->spawned || c->exited)
        return;
    usage_signal_tree(c->process.pid, SIGKILL);
    kill(-c->process.pid, SIGKILL);
}

static void on_capture_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct capture *c = handle->data;
    *buf = uv_buf_init(c->chunk, sizeof(c->chunk));
}

static void on_capture_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct capture *c = stream->data;
    bool is_error = stream == (uv_stream_t *)&c->pipes[1];
    struct buf *out = &c->output[is_error];
    if (n < 0) {
        uv_close((uv_handle_t *)stream, on_capture_closed);
        return;
    }
    buf_append(out, buf->base, (size_t)n);
    if (is_error && out->len > COMPLAINT_MAX) {
        buf_consume(out, out->len - COMPLAINT_MAX); /* the last words count */
    } else if (!is_error && out->len > OUTPUT_MAX) {
        c->too_long = true;
        buf_clear(out);
        capture_kill(c);
    }
}

static void on_capture_exit(uv_process_t *process, int64_t status, int signal)
{
    struct capture *c = process->data;
    c->exited = true;
    c->status = status;
    c->signal = signal;
    uv_close((uv_handle_t *)process, on_capture_closed);
    uv_close((uv_handle_t *)&c->look, on_capture_closed);
}

/* --- limits ---------------------------------------------------------------------------------- */

static void on_look(uv_timer_t *timer)
{
    struct capture *c = timer->data;
    struct usage usage;
    if (c->wanted && !c->wanted(c)) {
        c->unwanted = true;
        capture_kill(c);
        return;
    }
    bool known = usage_of_tree(c->process.pid, &usage);
    enum watchdog_act act = watchdog_look(&c->watchdog, (int64_t)c->output[0].len,
                                          known ? &usage : NULL, uv_now(timer->loop));
    if (act == WATCHDOG_CONTINUE)
        usage_signal_tree(c->process.pid, SIGCONT);
    else if (act != WATCHDOG_NOTHING)
        capture_kill(c);
}

/* --- the start ------------------------------------------------------------------------------- */

int capture_start(struct capture *c, uv_loop_t *loop, char **args, char **environment, int stdin_fd)
{
    uv_stdio_container_t stdio[3] = {
        {.flags = stdin_fd < 0 ? UV_IGNORE : UV_INHERIT_FD, .data.fd = stdin_fd},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->pipes[0]},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->pipes[1]},
    };
    uv_process_options_t options = {
        .file = args[0],
        .args = args,
        .env = environment,
        .flags = UV_PROCESS_DETACHED,
        .stdio = stdio,
        .stdio_count = 3,
        .exit_cb = on_capture_exit,
    };
    for (int i = 0; i < 2; i++) {
        uv_pipe_init(loop, &c->pipes[i], 0);
        c->pipes[i].data = c;
    }
    uv_timer_init(loop, &c->look);
    c->process.data = c->look.data = c;
    c->open = 4;
    int rc = uv_spawn(loop, &c->process, &options);
    c->spawned = rc == 0;
    if (rc == 0) {
        uv_timer_start(&c->look, on_look, LOOK_MS, LOOK_MS);
    } else {
        uv_close((uv_handle_t *)&c->process, on_capture_closed);
        uv_close((uv_handle_t *)&c->look, on_capture_closed);
    }
    for (int i = 0; i < 2; i++) {
        if (rc != 0 ||
            uv_read_start((uv_stream_t *)&c->pipes[i], on_capture_alloc, on_capture_read) != 0)
            uv_close((uv_handle_t *)&c->pipes[i], on_capture_closed);
    }
    return rc;
}

void capture_finish(struct capture *c)
{
    buf_finish(&c->output[0]);
    buf_finish(&c->output[1]);
}

void capture_explain(const struct capture *c, char *out, size_t size)
{
    const char *words = c->output[1].len ? c->output[1].data : "";
    if (!c->spawned)
        snprintf(out, size, "could not be started");
    else if (c->too_long)
        snprintf(out, size, "printed more than %d bytes", OUTPUT_MAX);
    else if (c->watchdog.exceeded != RUN_ERROR_NONE)
        str_copy(out, size, c->watchdog.text);
    else if (c->signal)
        snprintf(out, size, "ended by signal %d (%s): %s", c->signal, strsignal(c->signal), words);
    else
        snprintf(out, size, "exit status %lld: %s", (long long)c->status, words);
}
