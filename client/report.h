/* Tables that more than one verb prints. */
#ifndef SWEEPCTL_REPORT_H
#define SWEEPCTL_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "client/client.h"

enum field_tone { FIELD_PLAIN, FIELD_WORD /* a status or a label */ };

/* One column of a table of JSON objects. */
struct field {
    const char *title, *key;
    enum cell_format format;
    enum field_tone tone;
    int drop; /* table_column.drop */
};

struct report {
    const struct field *fields;
    size_t count;
    struct table_column *columns;
    struct render_table table;
};
void report_init(struct report *r, const struct field *fields, size_t count);
/* A client_each: one object, one row. arg: the report. */
void report_row(void *arg, const struct json *item);
/* Prints the table (columns with nothing in them are left out) and releases it. Returns the
 * number of rows. */
size_t report_print(struct report *r, struct client *c);
/* All of the above for a list at hand. */
size_t report_list(struct client *c, const struct field *fields, size_t count,
                   const struct json *list);

/* The best runs: {"sweep", "runs"}; sweep 0: the newest. */
int report_call_best(struct client *c, int64_t sweep, int64_t limit, struct rpc_reply *reply);
void report_best(struct client *c, const struct json *reply);
/* Rows of view pareto_front; nothing where there are none. */
void report_front(struct client *c, const struct json *front);
/* The run that wins: whose weights are kept. 0: there is none yet. */
int64_t report_winner_id(const struct json *reply);
/* Who wins, and from how many seeds: the first of the configurations trained from several, else the
 * best run (0: none). */
void report_winner(struct client *c, const struct json *configurations, int64_t best_run);
/* Is this row of method "run" one of the task command? Such a run has no settings. */
bool report_is_program(const struct json *run);
/* How often each label was given: a list of {"pattern", "guide_ref", "runs", "says"}. */
void report_labels(struct client *c, const struct json *labels);
/* After a sweep: best runs, label counts, and the sqlite3 command that prints the same. */
int report_end(struct client *c, int64_t sweep);
/* Treatments: rows of view treatments. */
void report_treatments(struct client *c, const struct json *treatments);
/* The stages of a sweep, the edits of its search range, what stopping did: as `show` gives them. */
void report_stages(struct client *c, const struct json *stages);
void report_edits(struct client *c, const struct json *edits);
void report_stopping(struct client *c, const struct json *stopping);
/* "key  value" lines for the scalar members of an object: first those named in fields, then
 * what the daemon says beyond them. */
void report_members(struct client *c, const struct field *fields, size_t count,
                    const struct json *object);
/* One such line. */
void report_line(struct client *c, const char *title, const char *value, enum tone tone);
/* Only those named. */
void report_pick(struct client *c, const struct field *fields, size_t count,
                 const struct json *object);

#endif
