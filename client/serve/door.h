/* Who may come in, and who may change something. Reading is for this user alone, as the daemon's
 * socket is: known by the kernel on the loopback, else by the token or a password, for which there
 * is a session. What changes something wants the token, which the pages of those who are in
 * hold. */
#ifndef SWEEPCTL_SERVE_DOOR_H
#define SWEEPCTL_SERVE_DOOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/serve/address.h"

struct errbuf;
struct request;

#define DOOR_SECRET_MAX 65

struct door {
    const struct address *address;
    char token[DOOR_SECRET_MAX], session[DOOR_SECRET_MAX];
    char *password; /* NULL: none, the token opens */
    pthread_mutex_t lock;
    unsigned wrong; /* passwords, since … */
    int64_t wrong_since;
};

/* What a request says of who sends it; NULL: it says nothing. */
struct visitor {
    const char *host, *origin, *cookie, *authorization;
    const char *fetch_site, *fetch_mode; /* of whose page, and for what: Fetch Metadata (W3C) */
    unsigned hosts; /* how often it names one */
    bool own;       /* the other end is this user, or root, on this machine */
};

/* password_file: NULL for none. 0, ERR_VALUE, ERR_IO or ERR_PERMISSION. */
int door_init(struct door *d, const struct address *a, const char *password_file,
              struct errbuf *err);
void door_finish(struct door *d);

enum entry { ENTRY_OPEN, ENTRY_LOGIN /* say who you are */, ENTRY_FOREIGN /* never */ };
/* For reading. */
enum entry door_entry(const struct door *d, const struct visitor *v);
/* A form of another site's page that is sent here. */
bool door_is_foreign(const struct visitor *v);
/* Another site's page has this one loaded, as a picture or a stream say: it cannot read it, but
 * each time the daemon is asked. Whoever follows a link comes in. */
bool door_is_embedded(const struct visitor *v);
/* Is the token there, in the fields or as "Authorization: Bearer"? */
bool door_may_change(const struct door *d, const struct visitor *v, const struct request *r);
/* The right password, or token. DOOR_WAIT: too many wrong ones, none is looked at. */
enum door_login { DOOR_RIGHT, DOOR_WRONG, DOOR_WAIT };
enum door_login door_login(struct door *d, const char *password);
/* "NAME=VALUE; …" of the session; the caller frees. */
char *door_cookie(const struct door *d);

#endif
