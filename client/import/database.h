/* A database that another program left, which is only read: nothing of its schema runs, and what
 * is too long or takes too long is refused. One of the two files of the client that see SQLite. */
#ifndef SWEEPCTL_FOREIGN_DATABASE_H
#define SWEEPCTL_FOREIGN_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct errbuf;

struct foreign_cell {
    enum { FOREIGN_NULL, FOREIGN_INTEGER, FOREIGN_REAL, FOREIGN_TEXT } type;
    double number;
    int64_t integer;
    const char *text; /* "" where it is none; until the next row */
};
struct foreign_database;

struct foreign_database *foreign_database_open(const char *path, struct errbuf *err);
void foreign_database_close(struct foreign_database *d);
/* Has it a table of that name? */
bool foreign_database_has(struct foreign_database *d, const char *table);
/* each(arg, cells) for every row; the statement's ?1 is id or text (NULL: id). 0, ERR_DATA
 * (damaged, or not the tables that are expected), ERR_IO, ERR_LIMIT, or what each returned. */
struct foreign_query {
    const char *sql;
    int64_t id;
    const char *text;
};
typedef int foreign_each(void *arg, const struct foreign_cell *cells, struct errbuf *err);
int foreign_database_each(struct foreign_database *d, const struct foreign_query *q,
                          foreign_each *each, void *arg, struct errbuf *err);
/* Statement after statement, ?1 being id in each; the first that fails ends it. */
struct foreign_step {
    const char *sql;
    foreign_each *take;
};
int foreign_database_steps(struct foreign_database *d, const struct foreign_step *steps,
                           size_t count, int64_t id, void *arg, struct errbuf *err);

#endif
