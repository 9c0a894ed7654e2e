#include "client/serve/peer.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_BYTES 4096
#define WAIT_US 200000

struct question {
    struct nlmsghdr head;
    struct inet_diag_req_v2 what;
};

/* The two ends of our connection, the other way round: the socket that is at its other end. */
static bool ask_about(int fd, struct question *q)
{
    struct sockaddr_storage own, other;
    socklen_t own_size = sizeof own, other_size = sizeof other;
    if (getsockname(fd, (struct sockaddr *)&own, &own_size) != 0 ||
        getpeername(fd, (struct sockaddr *)&other, &other_size) != 0)
        return false;
    memset(q, 0, sizeof *q);
    q->head = (struct nlmsghdr){.nlmsg_len = sizeof *q,
                                .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                                .nlmsg_flags = NLM_F_REQUEST};
    q->what.sdiag_family = (__u8)other.ss_family;
    q->what.sdiag_protocol = IPPROTO_TCP;
    q->what.idiag_states = ~0u;
    q->what.id.idiag_cookie[0] = q->what.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    if (other.ss_family == AF_INET) {
        const struct sockaddr_in *from = (const struct sockaddr_in *)&other;
        const struct sockaddr_in *to = (const struct sockaddr_in *)&own;
        q->what.id.idiag_sport = from->sin_port;
        q->what.id.idiag_dport = to->sin_port;
        memcpy(q->what.id.idiag_src, &from->sin_addr, sizeof from->sin_addr);
        memcpy(q->what.id.idiag_dst, &to->sin_addr, sizeof to->sin_addr);
        return true;
    }
    const struct sockaddr_in6 *from = (const struct sockaddr_in6 *)&other;
    const struct sockaddr_in6 *to = (const struct sockaddr_in6 *)&own;
    q->what.id.idiag_sport = from->sin6_port;
    q->what.id.idiag_dport = to->sin6_port;
    memcpy(q->what.id.idiag_src, &from->sin6_addr, sizeof from->sin6_addr);
    memcpy(q->what.id.idiag_dst, &to->sin6_addr, sizeof to->sin6_addr);
    return other.ss_family == AF_INET6;
}

static bool answer_is_own(const char *bytes, size_t len)
{
    struct nlmsghdr head;
    struct inet_diag_msg found;
    if (len < NLMSG_HDRLEN + sizeof found)
        return false;
    memcpy(&head, bytes, sizeof head);
    memcpy(&found, bytes + NLMSG_HDRLEN, sizeof found);
    return head.nlmsg_type == SOCK_DIAG_BY_FAMILY &&
           (found.idiag_uid == geteuid() || found.idiag_uid == 0);
}

bool peer_is_own(int fd)
{
    struct question q;
    char answer[ANSWER_BYTES];
    const struct timeval wait = {.tv_usec = WAIT_US};
    if (!ask_about(fd, &q))
        return false;
    int kernel = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (kernel < 0)
        return false;
    setsockopt(kernel, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    ssize_t n = send(kernel, &q, sizeof q, 0) == (ssize_t)sizeof q
                    ? recv(kernel, answer, sizeof answer, 0)
                    : -1;
    close(kernel);
    return n > 0 && answer_is_own(answer, (size_t)n);
}
