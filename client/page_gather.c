#include "client/page_gather.h"

#include <stdlib.h>
#include <string.h>

#define DECISIONS_MAX 200 /* that are listed of a sweep */

static void add_decision(void *arg, const struct json *row)
{
    struct page_sweep *s = arg;
    s->decisions_all++;
    decision_groups_take(&s->groups, row);
    if (s->decision_count == DECISIONS_MAX)
        return;
    s->decisions =
        array_room(s->decisions, &s->decision_cap, s->decision_count, sizeof *s->decisions);
    s->decisions[s->decision_count++] = (struct page_decision){
        member_int(row, "run_id", 0), xstrdup(member_string(row, "kind", "")),
        xstrdup(member_string(row, "reason", ""))};
}

static int read_decisions(struct client *c, struct page_sweep *s)
{
    char *params = xasprintf("\"sweep\":%lld", (long long)s->study.id);
    int status =
        client_pages(c, &(struct client_paged){"decisions", params, "decisions"}, add_decision, s);
    free(params);
    return status;
}

int page_sweep_gather(struct client *c, int64_t sweep, const struct gather_wish *wish,
                      struct rpc_reply *show, struct page_sweep *out)
{
    memset(out, 0, sizeof *out);
    int status = study_gather(c, sweep, wish, show, &out->study);
    if (status != CLIENT_DONE)
        return status;
    out->show = show->result;
    status = read_decisions(c, out);
    if (status != CLIENT_DONE) {
        page_sweep_finish(out);
        rpc_reply_finish(show);
    }
    return status;
}

void page_sweep_finish(struct page_sweep *s)
{
    for (size_t k = 0; k < s->decision_count; k++) {
        free(s->decisions[k].kind);
        free(s->decisions[k].reason);
    }
    free(s->decisions);
    decision_groups_finish(&s->groups);
    study_finish(&s->study);
    memset(s, 0, sizeof *s);
}
