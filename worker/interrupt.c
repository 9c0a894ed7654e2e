#include "worker/interrupt.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t seen; /* a signal handler has no other place */

static void mark(int number)
{
    seen = 1;
}

void interrupt_catch(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = mark;
    action.sa_flags = SA_RESTART;
    sigaction(SIGTERM, &action, NULL);
}

bool interrupt_seen(void)
{
    return seen != 0;
}

void interrupt_clear(void)
{
    seen = 0;
}
