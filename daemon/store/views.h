/* The views of the database, which are no part of any migration: schema/views.sql is their one
 * text, and what stands in the file follows it. Each returns an SQLite code; what went wrong is
 * sqlite3_errmsg(db), and a transaction around the call undoes all of it. */
#ifndef SWEEPD_STORE_VIEWS_H
#define SWEEPD_STORE_VIEWS_H

struct sqlite3;

/* Drops every view, a person's own too, and keeps their texts in the temporary table `set_aside`
 * (name, sql) until they are put back: so that a migration between the two may alter, rename and
 * drop what views read. SQLite refuses that while they stand. */
int views_set_aside(struct sqlite3 *db);
int views_put_back(struct sqlite3 *db);

/* Makes those of schema/views.sql anew whose text is another one or which are missing; a person's
 * own stay. Writes nothing where all are right. */
int views_renew(struct sqlite3 *db);

#endif
