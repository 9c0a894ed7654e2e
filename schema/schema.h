/* The files NNN_*.sql of this folder, embedded at build. */
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

/* "swdp" in the header of every database of ours (PRAGMA application_id). */
#define SCHEMA_APPLICATION_ID 0x73776470

#endif
