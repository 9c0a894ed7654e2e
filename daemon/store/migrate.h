/* What must be true of the database before the store works on it: it is ours, not newer than we
 * are, and migrated. Loop thread, before the store's threads exist. */
#ifndef SWEEPD_STORE_MIGRATE_H
#define SWEEPD_STORE_MIGRATE_H

struct errbuf;
struct sqlite3;

/* Opens the database (made with 0600 if it is not there, durably), recovers its WAL and migrates
 * it, after a copy of it as it was: "<path>.schema-N", N its version; it takes the place of an
 * earlier one of that name. 0, ERR_IO, ERR_DATA (not a database, not ours, newer, damaged). A
 * refused file is left as it was. */
int store_database_open(const char *path, struct sqlite3 **out, struct errbuf *err);

#endif
