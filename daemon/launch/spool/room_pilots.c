/* Pilots: who is there, what they say, and what they have claimed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/launch/spool/room_part.h"
#include "sweep/err.h"

#define PILOTS_MAX 100000 /* folders that are looked into: they may be anybody's */

/* --- names ------------------------------------------------------------------------------------ */

/* The first in the order of names that is not before it. */
static size_t place_of(const struct room *r, const char *name)
{
    size_t from = 0, to = r->name_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (strcmp(r->pilots[r->by_name[middle]].name, name) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

size_t room_find_pilot(const struct room *r, const char *name)
{
    size_t i = place_of(r, name);
    bool found = i < r->name_count && strcmp(r->pilots[r->by_name[i]].name, name) == 0;
    return found ? r->by_name[i] : ROOM_NOBODY;
}

static void insert_name(struct room *r, size_t pilot)
{
    size_t i = place_of(r, r->pilots[pilot].name);
    r->by_name = array_room(r->by_name, &r->name_cap, r->name_count, sizeof(*r->by_name));
    memmove(&r->by_name[i + 1], &r->by_name[i], (r->name_count++ - i) * sizeof(*r->by_name));
    r->by_name[i] = pilot;
}

static void drop_name(struct room *r, const char *name)
{
    size_t i = place_of(r, name);
    memmove(&r->by_name[i], &r->by_name[i + 1], (--r->name_count - i) * sizeof(*r->by_name));
}

static bool is_name(const char *name)
{
    return name[0] != '.' && strlen(name) < SPOOL_PILOT_MAX &&
           strspn(name, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-.") ==
               strlen(name);
}

static size_t place_for_one(struct room *r)
{
    size_t i = 0;
    if (r->name_count == r->pilot_count) {
        r->pilots = array_room(r->pilots, &r->pilot_cap, r->pilot_count, sizeof(*r->pilots));
        return r->pilot_count++;
    }
    while (r->pilots[i].name[0])
        i++;
    return i;
}

static void add_pilot(struct room *r, const char *name)
{
    if (!is_name(name) || r->name_count == PILOTS_MAX || room_find_pilot(r, name) != ROOM_NOBODY)
        return;
    size_t i = place_for_one(r);
    struct room_pilot *p = &r->pilots[i];
    *p = (struct room_pilot){0};
    str_copy(p->name, sizeof(p->name), name);
    p->log_path = xasprintf("%s/" SPOOL_PILOTS "/%s/" SPOOL_LOG, r->place.path, name);
    p->log.path = p->log_path;
    insert_name(r, i);
}

/* --- what they say ---------------------------------------------------------------------------- */

static void find_pilots(struct room *r)
{
    char *path = xasprintf("%s/" SPOOL_PILOTS, r->place.path);
    DIR *dir = opendir(path);
    if (!dir) {
        char *why = xasprintf("%s: %s", path, strerror(errno));
        room_note_trouble(r, why);
        free(why);
    }
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir))
        add_pilot(r, e->d_name);
    if (dir)
        closedir(dir);
    free(path);
}

static struct room_news *tell_of(struct room_pass *pass, enum room_news_type type,
                                 const struct room_pilot *p)
{
    struct room_news *n = room_tell(pass, type);
    str_copy(n->pilot, sizeof(n->pilot), p->name);
    return n;
}

static void take_note(struct room *r, size_t pilot, const struct spool_note *note,
                      struct room_pass *pass)
{
    struct room_pilot *p = &r->pilots[pilot];
    struct attempt *a = NULL;
    if (note->type == SPOOL_NOTE_TOOK || note->type == SPOOL_NOTE_ENDED)
        a = room_attempt_find(r, &note->at);
    if (!a && note->type == SPOOL_NOTE_TOOK && /* it was late */
        note->at.number <= room_last_number(r, note->at.run_id))
        room_drop_claim(r, &note->at);
    if (note->type == SPOOL_NOTE_HELLO && !p->said_hello) {
        p->said_hello = true;
        if (is_name(note->job))
            str_copy(p->job, sizeof(p->job), note->job);
        tell_of(pass, ROOM_PILOT_HELLO, p)->note = *note;
    } else if (note->type == SPOOL_NOTE_BYE && !p->is_gone) {
        p->is_gone = p->said_bye = true;
        str_copy(p->why_gone, sizeof(p->why_gone), note->text);
        str_copy(tell_of(pass, ROOM_PILOT_BYE, p)->text, SPOOL_TEXT_MAX, note->text);
    } else if (note->type == SPOOL_NOTE_TOOK && a) {
        a->state = ATTEMPT_TAKEN;
        a->pilot = pilot;
        tell_of(pass, ROOM_RUN_TAKEN, p)->run_id = a->at.run_id;
    } else if (note->type == SPOOL_NOTE_ENDED && a && a->pilot == pilot && !a->is_over) {
        a->note = *note;
        room_attempt_over(a, ROOM_END_SAID, note->text);
    }
}

static void read_log(struct room *r, size_t pilot, struct room_pass *pass)
{
    struct room_pilot *p = &r->pilots[pilot];
    struct spool_note note;
    struct errbuf err;
    const char *line;
    size_t len;
    bool any = false;
    int n;
    while ((n = spool_read(&p->log, &err)) > 0) {
        any = true;
        while (spool_line(&p->log, &line, &len))
            if (spool_note_read(line, len, &note))
                take_note(r, pilot, &note, pass);
    }
    if (n < 0 && n != ERR_NOT_FOUND) /* it has not got so far, or was removed */
        room_note_trouble(r, err.message);
    if (any)
        tell_of(pass, ROOM_PILOT_ALIVE, p);
}

void room_read_pilots(struct room *r, struct room_pass *pass)
{
    find_pilots(r);
    for (size_t i = 0; i < r->pilot_count; i++)
        if (r->pilots[i].name[0] && !r->pilots[i].is_gone)
            read_log(r, i, pass);
}

size_t room_claimant(const struct room *r, const struct spool_attempt *at, bool *claimed)
{
    char name[SPOOL_ATTEMPT_MAX], who[SPOOL_PILOT_MAX + 1];
    spool_attempt_name(at, name);
    char *path = xasprintf("%s/" SPOOL_CLAIMS "/%s", r->place.path, name);
    int fd = spool_open_plain(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, who, sizeof(who) - 1);
    if (fd >= 0)
        close(fd);
    free(path);
    *claimed = n >= 0;
    who[n > 0 ? n : 0] = '\0';
    who[strcspn(who, "\n")] = '\0';
    return room_find_pilot(r, who);
}

/* --- the end of one --------------------------------------------------------------------------- */

static char *path_in(const struct room *r, const struct room_pilot *p, const char *file)
{
    return xasprintf("%s/" SPOOL_PILOTS "/%s/%s", r->place.path, p->name, file);
}

/* Until then it may be thought to be gone, and claim something all the same. */
static void bar(const struct room *r, struct room_pilot *p)
{
    char *card = path_in(r, p, SPOOL_CARD);
    p->is_barred = unlink(card) == 0 || errno == ENOENT;
    free(card);
}

/* What a job printed stays where its pilot had no time to say why it ended. */
static bool remove_files(const struct room *r, const struct room_pilot *p)
{
    char *folder = path_in(r, p, ""), *log = path_in(r, p, SPOOL_LOG);
    char *printed = xasprintf("%s/" SPOOL_JOBS "/%s.log", r->place.path, p->job);
    bool removed = unlink(log) == 0 || errno == ENOENT;
    if (removed)
        room_remove_folder(folder, 0);
    if (removed && p->said_bye && p->job[0])
        (void)unlink(printed);
    free(folder);
    free(log);
    free(printed);
    return removed;
}

static bool is_at_work(const struct room *r, size_t pilot)
{
    for (size_t i = 0; i < r->attempt_count; i++)
        if (r->attempts[i].pilot == pilot && r->attempts[i].state != ATTEMPT_GONE)
            return true;
    return false;
}

void room_clear_pilots(struct room *r)
{
    for (size_t i = 0; i < r->pilot_count; i++) {
        struct room_pilot *p = &r->pilots[i];
        if (!p->name[0] || !p->is_gone)
            continue;
        if (!p->is_barred) {
            bar(r, p); /* and the next turn looks what it has claimed */
        } else if (!is_at_work(r, i) && remove_files(r, p)) {
            drop_name(r, p->name);
            spool_reader_finish(&p->log);
            free(p->log_path);
            *p = (struct room_pilot){0};
        }
    }
}
