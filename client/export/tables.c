#include "client/export/tables.h"

#include <stdbool.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "sweep/err.h"
#include "sweep/require.h"

/* Version 12 of the schema, which Optuna 3.2 and later read. */
static const char schema[] =
    "CREATE TABLE studies (study_id INTEGER NOT NULL, study_name VARCHAR(512) NOT NULL, "
    "PRIMARY KEY (study_id));"
    "CREATE UNIQUE INDEX ix_studies_study_name ON studies (study_name);"
    "CREATE TABLE version_info (version_info_id INTEGER NOT NULL, schema_version INTEGER, "
    "library_version VARCHAR(256), PRIMARY KEY (version_info_id), CHECK (version_info_id=1));"
    "CREATE TABLE study_directions (study_direction_id INTEGER NOT NULL, direction VARCHAR(8) NOT "
    "NULL, study_id INTEGER NOT NULL, objective INTEGER NOT NULL, PRIMARY KEY "
    "(study_direction_id), UNIQUE (study_id, objective), FOREIGN KEY(study_id) REFERENCES studies "
    "(study_id));"
    "CREATE TABLE study_user_attributes (study_user_attribute_id INTEGER NOT NULL, study_id "
    "INTEGER, \"key\" VARCHAR(512), value_json TEXT, PRIMARY KEY (study_user_attribute_id), UNIQUE "
    "(study_id, \"key\"), FOREIGN KEY(study_id) REFERENCES studies (study_id));"
    "CREATE TABLE study_system_attributes (study_system_attribute_id INTEGER NOT NULL, study_id "
    "INTEGER, \"key\" VARCHAR(512), value_json TEXT, PRIMARY KEY (study_system_attribute_id), "
    "UNIQUE (study_id, \"key\"), FOREIGN KEY(study_id) REFERENCES studies (study_id));"
    "CREATE TABLE trials (trial_id INTEGER NOT NULL, number INTEGER, study_id INTEGER, state "
    "VARCHAR(8) NOT NULL, datetime_start DATETIME, datetime_complete DATETIME, PRIMARY KEY "
    "(trial_id), FOREIGN KEY(study_id) REFERENCES studies (study_id));"
    "CREATE INDEX ix_trials_study_id ON trials (study_id);"
    "CREATE TABLE trial_user_attributes (trial_user_attribute_id INTEGER NOT NULL, trial_id "
    "INTEGER, \"key\" VARCHAR(512), value_json TEXT, PRIMARY KEY (trial_user_attribute_id), UNIQUE "
    "(trial_id, \"key\"), FOREIGN KEY(trial_id) REFERENCES trials (trial_id));"
    "CREATE TABLE trial_system_attributes (trial_system_attribute_id INTEGER NOT NULL, trial_id "
    "INTEGER, \"key\" VARCHAR(512), value_json TEXT, PRIMARY KEY (trial_system_attribute_id), "
    "UNIQUE (trial_id, \"key\"), FOREIGN KEY(trial_id) REFERENCES trials (trial_id));"
    "CREATE TABLE trial_params (param_id INTEGER NOT NULL, trial_id INTEGER, param_name "
    "VARCHAR(512), param_value FLOAT, distribution_json TEXT, PRIMARY KEY (param_id), UNIQUE "
    "(trial_id, param_name), FOREIGN KEY(trial_id) REFERENCES trials (trial_id));"
    "CREATE TABLE trial_values (trial_value_id INTEGER NOT NULL, trial_id INTEGER NOT NULL, "
    "objective INTEGER NOT NULL, value FLOAT, value_type VARCHAR(7) NOT NULL, PRIMARY KEY "
    "(trial_value_id), UNIQUE (trial_id, objective), FOREIGN KEY(trial_id) REFERENCES trials "
    "(trial_id));"
    "CREATE TABLE trial_intermediate_values (trial_intermediate_value_id INTEGER NOT NULL, "
    "trial_id INTEGER NOT NULL, step INTEGER NOT NULL, intermediate_value FLOAT, "
    "intermediate_value_type VARCHAR(7) NOT NULL, PRIMARY KEY (trial_intermediate_value_id), "
    "UNIQUE (trial_id, step), FOREIGN KEY(trial_id) REFERENCES trials (trial_id));"
    "CREATE TABLE trial_heartbeats (trial_heartbeat_id INTEGER NOT NULL, trial_id INTEGER NOT "
    "NULL, heartbeat DATETIME NOT NULL, PRIMARY KEY (trial_heartbeat_id), UNIQUE (trial_id), "
    "FOREIGN KEY(trial_id) REFERENCES trials (trial_id));"
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT "
    "alembic_version_pkc PRIMARY KEY (version_num));"
    "INSERT INTO alembic_version VALUES('v3.2.0.a');"
    "INSERT INTO version_info VALUES(1,12,'4.6.0');";

static const struct {
    int count;
    const char *sql;
} inserts[TABLES_INSERT_COUNT] = {
#define X(id, count, sql) {count, sql},
    TABLES_INSERT_MAP(X)
#undef X
};

struct tables {
    sqlite3 *db;
    sqlite3_stmt *statements[TABLES_INSERT_COUNT];
};

static int fail(struct tables *t, struct errbuf *err)
{
    return err_set(err, ERR_IO, "making the database: %s", sqlite3_errmsg(t->db));
}

struct tables *tables_create(struct errbuf *err)
{
    struct tables *t = xcalloc(1, sizeof *t);
    bool made = sqlite3_open(":memory:", &t->db) == SQLITE_OK &&
                sqlite3_exec(t->db, schema, NULL, NULL, NULL) == SQLITE_OK;
    for (int i = 0; i < TABLES_INSERT_COUNT && made; i++)
        made = sqlite3_prepare_v2(t->db, inserts[i].sql, -1, &t->statements[i], NULL) == SQLITE_OK;
    if (made && sqlite3_exec(t->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK)
        return t;
    fail(t, err);
    tables_destroy(t);
    return NULL;
}

void tables_destroy(struct tables *t)
{
    if (t == NULL)
        return;
    for (int i = 0; i < TABLES_INSERT_COUNT; i++)
        sqlite3_finalize(t->statements[i]);
    sqlite3_close(t->db);
    free(t);
}

static int bind(sqlite3_stmt *s, int place, const struct tables_value *v)
{
    switch (v->type) {
    case TABLES_INTEGER:
        return sqlite3_bind_int64(s, place, v->integer);
    case TABLES_REAL:
        return sqlite3_bind_double(s, place, v->real); /* NaN is NULL */
    case TABLES_TEXT:
        return sqlite3_bind_text(s, place, v->text, -1, SQLITE_TRANSIENT);
    case TABLES_NULL:
        break;
    }
    return sqlite3_bind_null(s, place);
}

int tables_insert(struct tables *t, enum tables_insert i, const struct tables_value *values,
                  struct errbuf *err)
{
    sqlite3_stmt *s = t->statements[i];
    int rc = SQLITE_OK;
    for (int k = 0; k < inserts[i].count && rc == SQLITE_OK; k++)
        rc = bind(s, k + 1, &values[k]);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    if (rc != SQLITE_DONE)
        fail(t, err);
    sqlite3_reset(s);
    return rc == SQLITE_DONE ? 0 : ERR_IO;
}

int tables_bytes(struct tables *t, struct buf *out, struct errbuf *err)
{
    sqlite3_int64 size = 0;
    if (sqlite3_exec(t->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        return fail(t, err);
    unsigned char *bytes = sqlite3_serialize(t->db, "main", &size, 0);
    if (bytes == NULL)
        return err_set(err, ERR_IO, "making the database: no memory");
    buf_append(out, bytes, (size_t)size);
    sqlite3_free(bytes);
    return 0;
}
