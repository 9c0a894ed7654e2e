/* The files NNN_*.sql and views.sql of this folder, embedded at build. */
#ifndef SWEEPD_SCHEMA_H
#define SWEEPD_SCHEMA_H

#include <stddef.h>

struct schema_migration {
    int version;      /* NNN: PRAGMA user_version once it is applied */
    const char *name; /* "001_initial.sql" */
    const char *sql;
};

/* By version, 1, 2, 3 … without a gap. */
extern const struct schema_migration schema_migrations[];
extern const size_t schema_migration_count;

/* The last migration that speaks of views: those after it find none in their way. */
#define SCHEMA_LAST_WITH_VIEWS 5

/* views.sql: the CREATE VIEW of every view. */
extern const char schema_views[];

/* "swdp" in the header of every database of ours (PRAGMA application_id). */
#define SCHEMA_APPLICATION_ID 0x73776470

#endif
