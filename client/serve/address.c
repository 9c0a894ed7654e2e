#include "client/serve/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/err.h"

#define HOST_MAX 256
#define BACKLOG 1024

/* --- where it listens --------------------------------------------------------------------------
 */

/* Splits "NAME:PORT"; port -1: there is none. false: it is not of that form. */
static bool split(const char *text, char name[HOST_MAX], long *port)
{
    const char *colon = strrchr(text, ':'), *close = strrchr(text, ']');
    bool bracket = text[0] == '[';
    if (bracket && close == NULL)
        return false;
    if (bracket && close[1] == '\0')
        colon = NULL;
    else if (bracket && close[1] != ':')
        return false;
    size_t len = bracket ? (size_t)(close - text) - 1
                         : (colon != NULL ? (size_t)(colon - text) : strlen(text));
    if (len == 0 || len >= HOST_MAX)
        return false;
    memcpy(name, text + bracket, len);
    name[len] = '\0';
    *port = -1;
    if (colon == NULL)
        return bracket || strchr(name, ':') == NULL;
    const char *digits = colon + 1;
    if (*digits == '\0' || strlen(digits) > 5 || digits[strspn(digits, "0123456789")] != '\0')
        return false;
    *port = strtol(digits, NULL, 10);
    return *port <= 65535 && (bracket || strchr(name, ':') == NULL);
}

static bool is_loopback_v4(struct in_addr a)
{
    return ntohl(a.s_addr) >> 24 == 127;
}

/* An address as a number. */
static bool read_number(const char *name, struct sockaddr_storage *out, bool *loopback)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, name, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        *loopback = is_loopback_v4(v4->sin_addr);
        return true;
    }
    if (inet_pton(AF_INET6, name, &v6->sin6_addr) != 1)
        return false;
    v6->sin6_family = AF_INET6;
    *loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    return true;
}

static void set_port(struct address *a, long port)
{
    if (a->at.ss_family == AF_INET)
        ((struct sockaddr_in *)&a->at)->sin_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in6 *)&a->at)->sin6_port = htons((uint16_t)port);
}

unsigned address_port(const struct address *a)
{
    return ntohs(a->at.ss_family == AF_INET ? ((const struct sockaddr_in *)&a->at)->sin_port
                                            : ((const struct sockaddr_in6 *)&a->at)->sin6_port);
}

static void write_text(struct address *a)
{
    char name[INET6_ADDRSTRLEN] = "";
    bool v4 = a->at.ss_family == AF_INET;
    const void *from = v4 ? (const void *)&((const struct sockaddr_in *)&a->at)->sin_addr
                          : (const void *)&((const struct sockaddr_in6 *)&a->at)->sin6_addr;
    inet_ntop(a->at.ss_family, from, name, sizeof name);
    snprintf(a->text, sizeof a->text, v4 ? "%s:%u" : "[%s]:%u", name, address_port(a));
}

int address_parse(const char *text, struct address *out, struct errbuf *err)
{
    char name[HOST_MAX];
    struct address made = {0};
    long port = -1;
    bool read = split(text != NULL ? text : "127.0.0.1", name, &port);
    if (read && strcasecmp(name, "localhost") == 0)
        str_copy(name, sizeof name, "127.0.0.1");
    if (!read || !read_number(name, &made.at, &made.loopback))
        return err_bad(err, ERR_VALUE, "--listen", text != NULL ? text : "",
                       "ADDRESS:PORT with an address in numbers, 127.0.0.1:%d or [::1]:%d",
                       ADDRESS_PORT, ADDRESS_PORT);
    made.size = made.at.ss_family == AF_INET ? sizeof(struct sockaddr_in)
                                             : sizeof(struct sockaddr_in6);
    set_port(&made, port >= 0 ? port : ADDRESS_PORT);
    write_text(&made);
    *out = made;
    return 0;
}

int address_listen(struct address *a, int *fd, struct errbuf *err)
{
    int one = 1, made = socket(a->at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made < 0)
        return err_set(err, ERR_IO, "%s: %s", a->text, strerror(errno));
    setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (a->at.ss_family == AF_INET6)
        setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (bind(made, (const struct sockaddr *)&a->at, a->size) != 0 || listen(made, BACKLOG) != 0) {
        int why = errno;
        close(made);
        return err_set(err, ERR_IO, "%s: %s%s", a->text, strerror(why),
                       why == EADDRINUSE ? "; --listen 127.0.0.1:0 takes a port that is free" : "");
    }
    getsockname(made, (struct sockaddr *)&a->at, &a->size);
    write_text(a);
    *fd = made;
    return 0;
}

/* --- what it is called -------------------------------------------------------------------------
 */

static bool is_this_machine(const char *name)
{
    char own[HOST_MAX];
    if (gethostname(own, sizeof own) != 0)
        return false;
    own[sizeof own - 1] = '\0';
    size_t len = strlen(own);
    /* its name, or its name within a domain */
    return strncasecmp(name, own, len) == 0 && (name[len] == '\0' || name[len] == '.');
}

bool address_is_ours(const struct address *a, const char *host)
{
    char name[HOST_MAX];
    struct sockaddr_storage number;
    bool loopback = false;
    long port;
    if (host == NULL || !split(host, name, &port))
        return false;
    if (read_number(name, &number, &loopback))
        return loopback || !a->loopback;
    return strcasecmp(name, "localhost") == 0 || (!a->loopback && is_this_machine(name));
}
