#include "client/client.h"

#include "client/outlook.h"
#include "client/report.h"
#include "sweep/require.h"

static const struct field fields[] = {
    {"sweep", "id", CELL_NUMBER, FIELD_PLAIN},
    {"name", "name", CELL_TEXT, FIELD_PLAIN},
    {"status", "status", CELL_TEXT, FIELD_WORD},
    {"method", "method", CELL_TEXT, FIELD_PLAIN, 7},
    {"done", "done", CELL_COUNT, FIELD_PLAIN},
    {"running", "running", CELL_COUNT, FIELD_PLAIN, 3},
    {"failed", "failed", CELL_COUNT, FIELD_PLAIN, 4},
    {"of", "run_cap", CELL_COUNT, FIELD_PLAIN, 2},
    {"metric", "metric", CELL_TEXT, FIELD_PLAIN, 6},
    {"best", "best", CELL_LOSS, FIELD_PLAIN},
    {"best run", "best_run", CELL_NUMBER, FIELD_PLAIN, 5},
    {"submitted", "created_at", CELL_AGO, FIELD_PLAIN, 8},
    {"reason", "reason", CELL_TEXT, FIELD_PLAIN},
};

struct listing {
    struct report report;
    bool goes_on; /* one of them has runs to start */
};

static void add(void *arg, const struct json *sweep)
{
    struct listing *l = arg;
    l->goes_on |= outlook_concerns(sweep);
    report_row(&l->report, sweep);
}

int cmd_list(struct client *c)
{
    struct listing l = {0};
    if (c->json)
        return client_pages_json(c, &(struct client_paged){"list", "", "sweeps"});
    report_init(&l.report, fields, ARRAY_LEN(fields));
    int status = client_pages(c, &(struct client_paged){"list", "", "sweeps"}, add, &l);
    if (report_print(&l.report, c) == 0 && status == CLIENT_DONE)
        fputs("no sweeps yet: `sweepctl submit SPEC.json`\n", c->out);
    if (l.goes_on)
        outlook_say_waiting(c);
    return status;
}
