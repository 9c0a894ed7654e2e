/* How far the database had come, kept in a file beside it ("<database>.mark"): so that one which
 * has lost commits (its WAL was deleted, an older copy was put in its place, it was made anew
 * beside the old run folders) is noticed, and no id is used twice. */
#ifndef SWEEPD_STORE_MARK_H
#define SWEEPD_STORE_MARK_H

#include <stdint.h>

struct errbuf;
struct sqlite3;
struct sqlite3_stmt;

/* Highest ids ever given. */
struct mark_ids {
    int64_t sweeps, runs, events;
};

struct mark {
    int fd;                    /* -1: there is none, and nothing is noticed */
    struct mark_ids ids;       /* as they stand in the file */
    struct sqlite3_stmt *read; /* the same of the database */
};

/* Compares, before anybody works on the database. What it lacks becomes an event `database_lost`,
 * and ids go on behind those that were used. 0, ERR_IO, ERR_DATA. */
int mark_open(struct mark *m, const char *path, struct sqlite3 *db, struct errbuf *err);
/* After each commit: not synced, for what a power cut takes from it only makes it notice less. */
void mark_follow(struct mark *m);
/* Before the database is closed. */
void mark_close(struct mark *m);

#endif
