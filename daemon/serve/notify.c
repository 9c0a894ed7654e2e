#include "daemon/serve/notify.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "sweep/buf.h"
#include "sweep/log.h"
#include "sweep/require.h"

#define LOG_MODULE "notify"
#define BEATS 3 /* in the time after which we count as hung */

struct notify {
    int fd; /* -1: nobody wants to know */
    struct sockaddr_un address;
    socklen_t size;
    uint64_t beat_ms; /* 0: no watchdog */
    uv_timer_t timer;
};

static void say(const struct notify *n, const char *text)
{
    if (n->fd >= 0 && sendto(n->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
                             (const struct sockaddr *)&n->address, n->size) < 0)
        log_debug("the service manager was not told: %s", text);
}

static void open_socket(struct notify *n)
{
    const char *path = getenv("NOTIFY_SOCKET");
    size_t len = path ? strlen(path) : 0;
    if (len < 2 || len >= sizeof(n->address.sun_path) || (path[0] != '/' && path[0] != '@'))
        return;
    n->address.sun_family = AF_UNIX;
    memcpy(n->address.sun_path, path, len);
    if (path[0] == '@')
        n->address.sun_path[0] = '\0'; /* an abstract name */
    n->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static uint64_t beat_ms(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    if (!usec || (pid && strtol(pid, NULL, 10) != (long)getpid()))
        return 0;
    return strtoull(usec, NULL, 10) / 1000 / BEATS;
}

struct notify *notify_create(uv_loop_t *loop)
{
    struct notify *n = xcalloc(1, sizeof(*n));
    n->fd = -1;
    open_socket(n);
    n->beat_ms = n->fd >= 0 ? beat_ms() : 0;
    int rc = uv_timer_init(loop, &n->timer);
    REQUIRE(rc == 0);
    n->timer.data = n;
    return n;
}

static void on_beat(uv_timer_t *timer)
{
    say(timer->data, "WATCHDOG=1");
}

void notify_ready(struct notify *n)
{
    say(n, "READY=1");
    if (n->beat_ms > 0)
        uv_timer_start(&n->timer, on_beat, n->beat_ms, n->beat_ms);
}

static void on_timer_closed(uv_handle_t *timer)
{
    struct notify *n = timer->data;
    if (n->fd >= 0)
        close(n->fd);
    free(n);
}

void notify_stop(struct notify *n)
{
    say(n, "STOPPING=1");
    uv_close((uv_handle_t *)&n->timer, on_timer_closed);
}
