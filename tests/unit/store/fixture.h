/* A store in a folder of its own, driven step by step; and a second connection that looks at it
 * as `sqlite3` would. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/store.h"

#define PATIENCE_SECONDS 240 /* of a wait for what must come, however slow the machine is */

struct fixture {
    char folder[64];
    char path[96];            /* of the database; its folder does not exist at first */
    struct uv_loop_s *loop;
    struct store *store;
    struct store_restored restored;
    struct errbuf err;
};

/* cmocka set-up and tear-down; *state is the fixture. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* The code of store_open. */
int fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);
/* Submits and waits until it is durable. */
void fixture_commit(struct fixture *f, struct store_batch *b);
/* Runs the loop until *flag, at most seconds. The flag's value. */
bool fixture_wait(struct fixture *f, const bool *flag, int seconds);

/* From another connection without a busy timeout. Text of the first column of the first row
 * (NULL → "NULL", no row → "none"); valid until the next call. */
const char *sql(struct fixture *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* false at the first error, which is printed. */
bool sql_works(const char *path, const char *query);
void sql_execute(const char *path, const char *statements);
/* All of a query's rows in one text, columns by '|', rows by '\n'; the caller frees. */
char *sql_all(const char *path, const char *query);

/* Rows with all that NOT NULL asks for. */
struct sweep_row *new_sweep(int64_t id, bool maximize);
struct run_row *new_run(int64_t id, int64_t sweep_id, int64_t number);
struct run_row *new_ranked_run(int64_t id, int64_t sweep_id, int64_t number, double metric);
struct label_row *new_label(int64_t run_id, enum pattern pattern);
struct point new_point(int64_t number, double train_loss, double val_loss);

#endif
