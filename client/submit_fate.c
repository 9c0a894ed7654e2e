#include "client/submit_fate.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MS 3000
#define TRIES 20
#define TRY_MS 100

void submit_fate_id(char out[SUBMIT_ID_MAX])
{
    unsigned char bytes[16];
    int64_t now = human_now_us();
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        memset(bytes, 0, sizeof bytes);
        memcpy(bytes, &now, sizeof now);
        pid_t pid = getpid();
        memcpy(bytes + sizeof now, &pid, sizeof pid);
    }
    size_t n = (size_t)snprintf(out, SUBMIT_ID_MAX, "sweepctl-");
    for (size_t i = 0; i < sizeof bytes; i++)
        n += (size_t)snprintf(out + n, SUBMIT_ID_MAX - n, "%02x", bytes[i]);
}

static void signals_of_end(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
}

void submit_fate_begin(struct client *c)
{
    sigset_t set;
    signals_of_end(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    c->rpc.wake_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void submit_fate_end(struct client *c)
{
    struct signalfd_siginfo info;
    sigset_t set;
    if (c->rpc.wake_fd < 0)
        return;
    /* What has come is dealt with: it must not end us when the mask is taken away. */
    while (read(c->rpc.wake_fd, &info, sizeof info) == (ssize_t)sizeof info)
        continue;
    close(c->rpc.wake_fd);
    c->rpc.wake_fd = -1;
    signals_of_end(&set);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* The state, "" where the daemon does not say. */
static void ask(struct client *c, const char *id, char state[24], int64_t *sweep)
{
    struct rpc_client rpc;
    struct rpc_reply reply;
    struct errbuf err;
    char *params = xasprintf("{\"id\":\"%s\"}", id);
    state[0] = '\0';
    rpc_client_init(&rpc);
    rpc.timeout_ms = ANSWER_MS;
    if (rpc_client_open(&rpc, c->socket, &err) == 0 &&
        rpc_client_call(&rpc, "submitted", params, &reply, &err) == 0) {
        if (reply.error.code == 0) {
            str_copy(state, 24, member_string(reply.result, "state", ""));
            *sweep = member_int(reply.result, "sweep", 0);
        }
        rpc_reply_finish(&reply);
    }
    rpc_client_close(&rpc);
    free(params);
}

static bool simple(const char *id)
{
    return id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] ==
           '\0';
}

void submit_fate_say(struct client *c, const char *id)
{
    const struct timespec pause = {.tv_nsec = TRY_MS * 1000000L};
    char state[24] = "";
    int64_t sweep = 0;
    char *line;
    /* The daemon may not have noticed yet that we hung up. */
    for (int i = 0; simple(id) && i < TRIES; i++) {
        ask(c, id, state, &sweep);
        if (strcmp(state, "under_way") != 0)
            break;
        nanosleep(&pause, NULL);
    }
    if (strcmp(state, "submitted") == 0)
        line = xasprintf("it was submitted: sweep %lld", (long long)sweep);
    else if (strcmp(state, "committing") == 0)
        line = xasprintf("the daemon has it, as sweep %lld, and writes it down as soon as the "
                         "database lets it", (long long)sweep);
    else if (strcmp(state, "none") == 0)
        line = xstrdup("nothing was submitted");
    else
        line = xasprintf("whether it was submitted is not known: the same with --id %s is "
                         "submitted once, and says so", id);
    client_say(c, line);
    free(line);
}
