#include "daemon/launch/inhibitor.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <uv.h>

#include "sweep/buf.h"
#include "sweep/log.h"

#define LOG_MODULE "inhibitor"

struct inhibitor {
    struct uv_loop_s *loop;
    uv_process_t process;
    uv_pipe_t hold; /* its stdin */
    size_t open;    /* handles not closed yet */
    bool wanted, running, failed, ending;
};

static void on_closed(uv_handle_t *handle)
{
    struct inhibitor *i = handle->data;
    if (--i->open == 0 && i->ending)
        free(i);
    else if (i->open == 0 && i->wanted)
        inhibitor_want(i, true); /* it was wanted again while it ended */
}

/* Without its stdin it ends; one that still asks for the lock needs the signal. */
static void let_go(struct inhibitor *i)
{
    if (i->open == 0 || uv_is_closing((uv_handle_t *)&i->hold))
        return;
    uv_close((uv_handle_t *)&i->hold, on_closed);
    if (i->running)
        kill(-i->process.pid, SIGTERM);
}

static void on_exit_of_child(uv_process_t *process, int64_t status, int signal)
{
    struct inhibitor *i = process->data;
    bool refused = i->wanted && !i->ending && !uv_is_closing((uv_handle_t *)&i->hold);
    i->running = false;
    if (refused)
        log_info("the machine may fall asleep: systemd-inhibit ended with status %" PRId64, status);
    i->failed |= refused;
    uv_close((uv_handle_t *)process, on_closed);
    let_go(i);
}

static void start(struct inhibitor *i)
{
    char *args[] = {"systemd-inhibit",
                    "--what=sleep",
                    "--who=sweepd",
                    "--why=runs are running",
                    "--mode=block",
                    "cat",
                    NULL};
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&i->hold},
        {.flags = UV_IGNORE},
        {.flags = UV_IGNORE},
    };
    uv_process_options_t options = {.file = args[0],
                                    .args = args,
                                    .flags = UV_PROCESS_DETACHED,
                                    .stdio = stdio,
                                    .stdio_count = 3,
                                    .exit_cb = on_exit_of_child};
    uv_pipe_init(i->loop, &i->hold, 0);
    i->hold.data = i->process.data = i;
    i->open = 2;
    i->running = uv_spawn(i->loop, &i->process, &options) == 0;
    if (i->running)
        return;
    i->failed = true; /* not there */
    uv_close((uv_handle_t *)&i->process, on_closed);
    let_go(i);
}

struct inhibitor *inhibitor_create(struct uv_loop_s *loop)
{
    struct inhibitor *i = xcalloc(1, sizeof(*i));
    i->loop = loop;
    return i;
}

void inhibitor_want(struct inhibitor *i, bool wanted)
{
    i->wanted = wanted;
    i->failed &= wanted;
    if (!wanted)
        let_go(i);
    else if (i->open == 0 && !i->failed)
        start(i);
}

void inhibitor_destroy(struct inhibitor *i)
{
    i->ending = true;
    i->wanted = false;
    if (i->open == 0)
        free(i);
    else
        let_go(i);
}
