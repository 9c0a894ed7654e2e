/* The folders and files of a room, made where they are not there; and what an earlier daemon's
 * orders say. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/launch/spool/room_part.h"
#include "sweep/err.h"
#include "sweep/json.h"

#define VERSION 1
#define ROOM_FILE_MAX 65536

static int make_folder(const struct room *r, const char *name, struct errbuf *err)
{
    char *path = xasprintf("%s/%s", r->place.path, name);
    int rc = paths_make_dirs(path, 0700, err);
    free(path);
    return rc;
}

static char *room_text(const struct room *r)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_begin_object(&w);
    jw_kv_int(&w, "version", VERSION);
    jw_kv_string(&w, "database", r->place.database);
    jw_kv_int(&w, "sweep", r->place.sweep_id);
    jw_kv_real(&w, "beat_seconds", r->place.beat_seconds);
    jw_kv_real(&w, "lease_seconds", r->place.lease_seconds);
    jw_kv_real(&w, "idle_seconds", r->place.idle_seconds);
    jw_kv_real(&w, "grace_seconds", r->place.grace_seconds);
    jw_end_object(&w);
    buf_putc(&text, '\n');
    return buf_take(&text);
}

/* Of that database's: the sweep that the room file names; 0: it names none, or another's. */
static int64_t sweep_of_room(const char *path, const char *database)
{
    struct stat st;
    struct json *root = NULL;
    const char *whose = "";
    int64_t sweep = 0;
    if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode) ||
        json_read_file(path, ROOM_FILE_MAX, &root, NULL) != 0)
        return 0;
    if (json_get_string(root, "database", &whose, NULL) != 0 || strcmp(whose, database) != 0 ||
        json_get_int64(root, "sweep", &sweep, NULL) != 0 || sweep < 1)
        sweep = 0;
    json_destroy(root);
    return sweep;
}

/* That of another database would get our runs' orders. */
static int check_owner(const struct room *r, const char *path, struct errbuf *err)
{
    if (sweep_of_room(path, r->place.database) == r->place.sweep_id)
        return 0;
    return err_set(err, ERR_STATE, "%s: it is the room of another sweep", path);
}

int64_t *room_find_all(const char *spool, const char *database, size_t *count)
{
    int64_t *out = NULL;
    size_t cap = 0;
    DIR *dir = opendir(spool);
    *count = 0;
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        char *path = xasprintf("%s/%s/" SPOOL_ROOM_FILE, spool, e->d_name);
        int64_t sweep = e->d_name[0] == '.' ? 0 : sweep_of_room(path, database);
        free(path);
        if (sweep == 0)
            continue;
        out = array_room(out, &cap, *count, sizeof(*out));
        out[(*count)++] = sweep;
    }
    if (dir)
        closedir(dir);
    return out;
}

static int put_room_file(struct room *r, struct errbuf *err)
{
    char *path = xasprintf("%s/" SPOOL_ROOM_FILE, r->place.path), *text = room_text(r);
    int rc = access(path, F_OK) == 0 ? check_owner(r, path, err) : 0;
    if (rc == 0)
        rc = spool_publish(path, text, 0600, err);
    free(text);
    free(path);
    return rc;
}

static int put_script(struct room *r, struct errbuf *err)
{
    char *path = xasprintf("%s/" SPOOL_SCRIPT, r->place.path);
    int rc = spool_publish(path, r->place.script, 0700, err);
    free(path);
    return rc;
}

static int put_if_missing(const char *path, const char *text, struct errbuf *err)
{
    return access(path, F_OK) == 0 ? 0 : spool_publish(path, text, 0600, err);
}

static void take_order(struct room *r, const struct spool_order *o)
{
    struct attempt *a = NULL;
    if (o->type == SPOOL_ORDER_OFFER && room_last_number(r, o->at.run_id) < o->at.number)
        room_attempt_add(r, &o->at);
    else if (o->type == SPOOL_ORDER_GONE && (a = room_attempt_find(r, &o->at)))
        a->state = ATTEMPT_GONE, room_drop_gone(r);
    else if (o->type == SPOOL_ORDER_END || o->type == SPOOL_ORDER_OPEN)
        r->has_ended = o->type == SPOOL_ORDER_END;
}

static int replay(struct room *r, struct errbuf *err)
{
    struct spool_reader reader = {.path = r->orders_path};
    struct spool_order order;
    const char *line;
    size_t len;
    int n;
    while ((n = spool_read(&reader, err)) > 0)
        while (spool_line(&reader, &line, &len))
            if (spool_order_read(line, len, &order))
                take_order(r, &order);
    spool_reader_finish(&reader);
    if (r->has_ended)
        room_order(r, SPOOL_ORDER_OPEN, NULL);
    r->has_ended = false;
    return n;
}

/* Of attempts that are gone: a daemon was killed before it removed them, or a pilot was late. */
static void drop_spent_claims(struct room *r)
{
    struct spool_attempt at;
    char *path = xasprintf("%s/" SPOOL_CLAIMS, r->place.path);
    DIR *dir = opendir(path);
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir))
        if (spool_attempt_read(e->d_name, &at) && !room_attempt_find(r, &at))
            room_drop_claim(r, &at);
    if (dir)
        closedir(dir);
    free(path);
}

int room_open(struct room *r, struct errbuf *err)
{
    static const char *const folders[] = {SPOOL_CLAIMS, SPOOL_PILOTS, SPOOL_RUNS, SPOOL_JOBS};
    int rc = 0;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && rc == 0; i++)
        rc = make_folder(r, folders[i], err);
    if (rc == 0)
        rc = put_room_file(r, err);
    if (rc == 0)
        rc = put_script(r, err);
    if (rc == 0)
        rc = put_if_missing(r->card_path, "daemon\n", err);
    if (rc == 0)
        rc = put_if_missing(r->orders_path, "", err);
    if (rc == 0)
        rc = replay(r, err);
    if (rc == 0)
        drop_spent_claims(r);
    return rc;
}
