#include "daemon/serve/activation.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_DESCRIPTOR 3 /* SD_LISTEN_FDS_START */

static long number_of(const char *variable)
{
    const char *text = getenv(variable);
    return text ? strtol(text, NULL, 10) : 0;
}

static bool has_option(int fd, int option, int want)
{
    int value = 0;
    socklen_t size = sizeof(value);
    return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && value == want;
}

int activation_take(void)
{
    /* The variables are inherited by everybody: they are for this process alone, and once. */
    bool given = number_of("LISTEN_PID") == (long)getpid() && number_of("LISTEN_FDS") >= 1;
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    if (!given || !has_option(FIRST_DESCRIPTOR, SO_DOMAIN, AF_UNIX) ||
        !has_option(FIRST_DESCRIPTOR, SO_TYPE, SOCK_STREAM) ||
        !has_option(FIRST_DESCRIPTOR, SO_ACCEPTCONN, 1))
        return -1;
    fcntl(FIRST_DESCRIPTOR, F_SETFD, FD_CLOEXEC);
    fcntl(FIRST_DESCRIPTOR, F_SETFL, O_NONBLOCK);
    return FIRST_DESCRIPTOR;
}
