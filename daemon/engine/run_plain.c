/* Runs that are as their specification and their values say: what follows from these is not kept
 * beside them. */
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/private.h"
#include "sweep/buf.h"
#include "sweep/json.h"

struct trainer_config *run_config(const struct run *r)
{
    const struct spec *spec = sweep_spec(r->sweep);
    if (r->row->config != NULL || !task_of(spec)->has_settings)
        return trainer_config_share(r->row->config);
    struct trainer_config *c = xcalloc(1, sizeof(*c));
    trial_settings(spec, r->sweep->trials[r->index], &c->settings);
    return c;
}

static char *plain_params(const struct sweep *s, const struct trial *t)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    space_params_write(&sweep_spec(s)->space, &t->at, &w);
    return buf_take(&text);
}

char *run_params(const struct run *r)
{
    if (r->row->params_json != NULL)
        return xstrdup(r->row->params_json);
    return plain_params(r->sweep, r->sweep->trials[r->index]);
}

/* Of many runs most are as the specification and their values say: that is not kept twice. */
void trial_drop_plain(const struct sweep *s, struct trial *t, struct run_row *row)
{
    t->ground = trial_ground(sweep_spec(s), t);
    if (t->config == NULL || t->ground != 0)
        return;
    trainer_config_release(t->config);
    trainer_config_release(row->config);
    t->config = row->config = NULL;
    char *params = plain_params(s, t);
    if (row->params_json != NULL && strcmp(row->params_json, params) == 0) {
        free(row->params_json);
        row->params_json = NULL;
    }
    free(params);
}
