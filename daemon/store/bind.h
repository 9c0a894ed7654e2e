/* Values of rows into the parameters of statements. Out of memory shows as NULL, which the schema
 * refuses. Private to store_*.c. */
#ifndef SWEEPD_STORE_BIND_H
#define SWEEPD_STORE_BIND_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/engine/rows.h"

struct buf;
struct sqlite3_stmt;

struct maybe {
    bool has;
    double value;
};

struct choice {
    char name[32];
};

struct maybe maybe(bool has, double value);
/* NAN, and no choice, of a run that has no settings. */
double setting_of(const struct run_row *r, enum setting_id id);
struct choice choice_of(const struct run_row *r, enum setting_id id);

void bind_int(struct sqlite3_stmt *st, int i, int64_t v);
/* A whole number; NaN is none. */
void bind_whole(struct sqlite3_stmt *st, int i, double v);
/* Counts from 1: 0 is none. */
void bind_count(struct sqlite3_stmt *st, int i, int64_t v);
/* -1 is none. */
void bind_flag(struct sqlite3_stmt *st, int i, int v);
/* The text must live until the step. */
void bind_text(struct sqlite3_stmt *st, int i, const char *text);
/* "" is none. */
void bind_word(struct sqlite3_stmt *st, int i, const char *text);
void bind_choice(struct sqlite3_stmt *st, int i, struct choice c);
/* REAL columns: NaN becomes NULL. */
void bind_real(struct sqlite3_stmt *st, int i, double v);
/* ANY columns: NaN is the text 'nan', "not measured" NULL. */
void bind_maybe(struct sqlite3_stmt *st, int i, struct maybe m);
void bind_seed(struct sqlite3_stmt *st, int i, uint64_t seed);
void bind_time(struct sqlite3_stmt *st, int i, utc_us t);
void bind_settings(struct sqlite3_stmt *st, int i, const struct run_row *r);
void bind_data_facts(struct sqlite3_stmt *st, int i, const struct data_facts *d);
/* The likeliest cause's name, and all of them; both NULL where there is none. */
void bind_causes(struct sqlite3_stmt *st, int name, int all, const struct causes *c);

#endif
