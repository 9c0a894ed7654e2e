#include "client/serve/door.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "client/serve/request.h"
#include "sweep/buf.h"
#include "sweep/err.h"

#define PASSWORD_LEAST 8
#define PASSWORD_FILE_MAX 4096
#define WRONG_MOST 10 /* passwords in … */
#define WRONG_SECONDS 60
#define COOKIE_NAME "sweepctl_serve_"

/* --- secrets -----------------------------------------------------------------------------------
 */

static int make_secret(char out[DOOR_SECRET_MAX], struct errbuf *err)
{
    unsigned char bytes[(DOOR_SECRET_MAX - 1) / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return err_set(err, ERR_IO, "no random bytes: %s", strerror(errno));
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

/* Takes as long for a near miss as for a far one. */
static bool same_secret(const char *given, size_t len, const char *secret)
{
    size_t size = strlen(secret);
    unsigned differ = len != size;
    for (size_t i = 0; i < len; i++)
        differ |= (unsigned char)given[i] ^ (unsigned char)secret[i % (size + 1)];
    return differ == 0;
}

static int check_file(int fd, const char *path, struct errbuf *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    if ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & 077) != 0)
        return err_bad(err, ERR_PERMISSION, "--password-file", path,
                       "a file of your own that nobody else may read: chmod 600");
    return 0;
}

static int read_password(struct door *d, const char *path, struct errbuf *err)
{
    struct buf text = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return err_set(err, ERR_IO, "--password-file %s: %s", path, strerror(errno));
    int rc = check_file(fd, path, err);
    close(fd);
    if (rc == 0)
        rc = buf_read_file(&text, path, PASSWORD_FILE_MAX, err);
    size_t len = rc == 0 && text.data != NULL ? strcspn(text.data, "\r\n") : 0;
    if (rc == 0 && len < PASSWORD_LEAST)
        rc = err_bad(err, ERR_VALUE, "--password-file", path,
                     "a file whose first line is a password of at least %d characters",
                     PASSWORD_LEAST);
    if (rc == 0)
        d->password = xasprintf("%.*s", (int)len, text.data);
    buf_finish(&text);
    return rc;
}

int door_init(struct door *d, const struct address *a, const char *password_file,
              struct errbuf *err)
{
    memset(d, 0, sizeof *d);
    d->address = a;
    if (!a->loopback && password_file == NULL)
        return err_bad(err, ERR_MISSING, "--listen", a->text,
                       "an address of the loopback, or --password-file FILE beside it: others "
                       "than you reach this one");
    int rc = make_secret(d->token, err);
    if (rc == 0)
        rc = make_secret(d->session, err);
    if (rc == 0 && password_file != NULL)
        rc = read_password(d, password_file, err);
    if (rc == 0)
        pthread_mutex_init(&d->lock, NULL);
    return rc;
}

void door_finish(struct door *d)
{
    free(d->password);
    pthread_mutex_destroy(&d->lock);
}

/* --- who it is ---------------------------------------------------------------------------------
 */

/* Cookies know no ports: the name does, so that two pages of one machine do not mix theirs up. */
char *door_cookie(const struct door *d)
{
    return xasprintf(COOKIE_NAME "%u=%s; HttpOnly; SameSite=Strict; Path=/",
                     address_port(d->address), d->session);
}

static bool has_session(const struct door *d, const char *cookie)
{
    char name[sizeof COOKIE_NAME + 8];
    size_t len = (size_t)snprintf(name, sizeof name, COOKIE_NAME "%u=", address_port(d->address));
    for (const char *p = cookie; p != NULL && *p != '\0';) {
        p += strspn(p, "; ");
        size_t part = strcspn(p, ";");
        if (part >= len && strncmp(p, name, len) == 0 &&
            same_secret(p + len, part - len, d->session))
            return true;
        p += part;
    }
    return false;
}

static bool bears_token(const struct door *d, const char *authorization)
{
    static const char scheme[] = "Bearer ";
    size_t len = sizeof scheme - 1;
    return authorization != NULL && strncmp(authorization, scheme, len) == 0 &&
           same_secret(authorization + len, strlen(authorization + len), d->token);
}

enum entry door_entry(const struct door *d, const struct visitor *v)
{
    if (v->hosts != 1 || !address_is_ours(d->address, v->host))
        return ENTRY_FOREIGN;
    if (has_session(d, v->cookie) || bears_token(d, v->authorization))
        return ENTRY_OPEN;
    return v->own && d->address->loopback && d->password == NULL ? ENTRY_OPEN : ENTRY_LOGIN;
}

bool door_is_foreign(const struct visitor *v)
{
    const char *at = v->origin != NULL ? strstr(v->origin, "://") : NULL;
    if (v->origin == NULL) /* no browser, or one of long ago: the token decides */
        return false;
    return at == NULL || v->host == NULL || strcmp(at + 3, v->host) != 0;
}

bool door_is_embedded(const struct visitor *v)
{
    const char *site = v->fetch_site, *mode = v->fetch_mode;
    if (site == NULL || strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0)
        return false;
    return mode == NULL || strcmp(mode, "navigate") != 0;
}

bool door_may_change(const struct door *d, const struct visitor *v, const struct request *r)
{
    const char *given = form_get(&r->fields, "token");
    if (door_is_foreign(v))
        return false;
    return bears_token(d, v->authorization) ||
           (given != NULL && same_secret(given, strlen(given), d->token));
}

static int64_t now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

enum door_login door_login(struct door *d, const char *password)
{
    int64_t now = now_seconds();
    const char *secret = d->password != NULL ? d->password : d->token;
    pthread_mutex_lock(&d->lock);
    if (now - d->wrong_since >= WRONG_SECONDS) {
        d->wrong = 0;
        d->wrong_since = now;
    }
    bool wait = d->wrong >= WRONG_MOST;
    bool right = !wait && password != NULL && same_secret(password, strlen(password), secret);
    d->wrong += !right && !wait;
    pthread_mutex_unlock(&d->lock);
    return wait ? DOOR_WAIT : right ? DOOR_RIGHT : DOOR_WRONG;
}
