#include "client/client.h"

#include "client/report.h"
#include "sweep/require.h"

static const struct field fields[] = {
    {"sweep", "id", LOOK_NUMBER, FIELD_PLAIN},
    {"name", "name", LOOK_TEXT, FIELD_PLAIN},
    {"status", "status", LOOK_TEXT, FIELD_WORD},
    {"method", "method", LOOK_TEXT, FIELD_PLAIN, 7},
    {"done", "done", LOOK_COUNT, FIELD_PLAIN},
    {"running", "running", LOOK_COUNT, FIELD_PLAIN, 3},
    {"failed", "failed", LOOK_COUNT, FIELD_PLAIN, 4},
    {"of", "run_cap", LOOK_COUNT, FIELD_PLAIN, 2},
    {"metric", "metric", LOOK_TEXT, FIELD_PLAIN, 6},
    {"best", "best", LOOK_LOSS, FIELD_PLAIN},
    {"best run", "best_run", LOOK_NUMBER, FIELD_PLAIN, 5},
    {"submitted", "created_at", LOOK_AGO, FIELD_PLAIN, 8},
    {"reason", "reason", LOOK_TEXT, FIELD_PLAIN},
};

int cmd_list(struct client *c)
{
    struct report r;
    if (c->json)
        return client_pages_json(c, &(struct client_paged){"list", "", "sweeps"});
    report_init(&r, fields, ARRAY_LEN(fields));
    int status = client_pages(c, &(struct client_paged){"list", "", "sweeps"}, report_row, &r);
    if (report_print(&r, c) == 0 && status == CLIENT_DONE)
        fputs("no sweeps yet: `sweepctl submit SPEC.json`\n", c->out);
    return status;
}
