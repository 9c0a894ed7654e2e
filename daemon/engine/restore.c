/* A daemon's start: what lies in the database becomes sweeps and runs again, and runs whose worker
 * lives are adopted. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/private.h"
#include "daemon/engine/restored.h"
#include "sweep/buf.h"
#include "sweep/require.h"

/* A sweep as it lies in the database: its row, and its runs by number. */
struct stored_sweep {
    const struct sweep_row *row;
    struct run_row *runs;
    size_t run_count;
};

/* A run of the trainer has settings, another task's has none. */
static int check_settings(const struct stored_sweep *in, const struct spec *spec,
                          struct errbuf *err)
{
    bool wanted = task_of(spec)->has_settings;
    for (size_t i = 0; i < in->run_count; i++)
        if ((in->runs[i].config != NULL) != wanted)
            return err_set(err, ERR_DATA, "run %" PRId64 " %s, and its task is %s", in->runs[i].id,
                           wanted ? "has no settings" : "has settings", task_of(spec)->name);
    return 0;
}

/* Bytes from the database are not trusted: 0 and the spec, or what is wrong with them. */
static int restore_check(const struct engine *e, const struct stored_sweep *in, struct spec *spec,
                         struct errbuf *err)
{
    if (engine_sweep(e, in->row->id) != NULL || in->row->spec_json == NULL)
        return err_set(err, ERR_DATA, "its row is damaged");
    for (size_t i = 0; i < in->run_count; i++) {
        const struct run_row *r = &in->runs[i];
        if (r->number != (int64_t)i || (unsigned)r->status >= RUN_STATUS_COUNT ||
            (unsigned)r->error >= RUN_ERROR_COUNT || r->until_epoch < 0 ||
            r->until_epoch > r->epochs)
            return err_set(err, ERR_DATA, "run %" PRId64 " (#%" PRId64 ") does not fit",
                           r->id, r->number);
    }
    int rc = spec_parse_text(in->row->spec_json, strlen(in->row->spec_json), spec, err);
    if (rc != 0)
        return rc;
    rc = check_settings(in, spec, err);
    if (rc != 0)
        spec_finish(spec);
    return rc;
}

/* What is known of an ended run beside its row. */
static void restore_label(struct sweep *s, size_t number, const struct store_restored *r)
{
    int64_t run_id = s->run_ids[number];
    size_t i = restored_first(r->labels, r->label_count, sizeof(*r->labels), run_id);
    if (i == r->label_count || r->labels[i].run_id != run_id)
        return;
    s->trials[number]->labelled = true;
    *trial_facts(s->trials[number]) = r->labels[i].facts;
    s->trials[number]->cause = r->labels[i].cause;
}

static void restore_rungs(const struct engine *e, const struct store_restored *r)
{
    for (size_t i = 0; i < r->rung_count; i++) {
        const struct stored_rung *rung = &r->rungs[i];
        struct sweep *s = engine_sweep(e, rung->sweep_id);
        size_t number = s != NULL ? sweep_run_number(s, rung->run_id) : TRIAL_NONE;
        if (number != TRIAL_NONE)
            rungs_restore(s, number, rung);
    }
}

static void restore_prior(struct sweep *s)
{
    struct errbuf why;
    const char *text = s->row->remedy_prior;
    if (text != NULL) /* one that cannot be read taught nothing */
        (void)remedy_prior_parse(text, &s->prior, &why);
}

static bool is_unmarked(const struct store_restored *r, int64_t run_id)
{
    size_t i = restored_first(r->unmarked, r->unmarked_count, sizeof(*r->unmarked), run_id);
    return i < r->unmarked_count && r->unmarked[i] == run_id;
}

static void restore_run(struct engine *e, struct sweep *s, struct run_row *stored,
                        const struct store_restored *restored, utc_us now)
{
    struct run_row *row = run_row_take(stored);
    if (row->status == RUN_PAUSED && row->paused_by == RUN_PAUSER_RUNG) {
        if (!s->leased)
            row->status = RUN_RUNNING; /* until its folder is read: its points must be known */
    } else if (row->status == RUN_PAUSED && s->row->status != SWEEP_PAUSED) {
        row->status = RUN_QUEUED; /* it waits for nothing but a slot */
        row->paused_by = RUN_PAUSER_NONE;
    }
    struct run *r = sweep_add_run(s, row);
    if (r != NULL)
        r->unmarked = is_unmarked(restored, stored->id);
    if (r != NULL && s->leased) {
        lease_restore(e, r, restored, now);
    } else if (r != NULL && r->row->status == RUN_RUNNING) {
        run_forget_attempt(r); /* its points come again, or it is lost */
        engine_take_slot(e, r);
    }
}

/* The others go on; this one waits for a person. Its runs are left as they are. */
static void hold_unreadable(const struct sweep_row *row, const struct errbuf *why, utc_us now,
                            struct effects *fx)
{
    struct sweep_row *held = sweep_row_copy(row);
    held->status = SWEEP_HELD;
    free(held->reason);
    held->reason = xasprintf("cannot be read from the database: %s", why->message);
    store_batch_add_event(&fx->batch, row->id, 0, "sweep_held", now, "%s", held->reason);
    store_batch_put_sweep(&fx->batch, held);
}

/* It was made when so many runs were there as now. */
static void restore_extension(struct sweep *s, const struct stored_extension *x)
{
    sweep_note_extended(s, (size_t)x->from);
    if (x->ended) { /* only the weights of its winners were left */
        struct study st = sweep_study(s);
        sweep_keep_winners(s, &st, NULL);
    }
    sweep_keep_fewer(s, NULL);
}

static void restore_extensions(struct sweep *s, const struct store_restored *r, size_t *next)
{
    for (; *next < r->extension_count; ++*next) {
        const struct stored_extension *x = &r->extensions[*next];
        if (x->sweep_id == s->row->id && x->from > (int64_t)s->run_count)
            return;
        if (x->sweep_id == s->row->id)
            restore_extension(s, x);
    }
}

/* Its specification is taken over. */
static struct sweep *restore_sweep(struct engine *e, const struct stored_sweep *in,
                                   const struct spec *spec, const struct store_restored *restored,
                                   utc_us now)
{
    struct sweep *s = sweep_create(sweep_row_copy(in->row), spec);
    size_t extension = 0;
    engine_add_sweep(e, s);
    restore_prior(s);
    deadline_restore(s);
    sweep_read_earlier(s);
    for (size_t i = 0; i < in->run_count; i++) {
        restore_extensions(s, restored, &extension);
        restore_run(e, s, &in->runs[i], restored, now);
        if (run_status_terminal(s->trials[i]->status))
            restore_label(s, i, restored);
    }
    restore_extensions(s, restored, &extension);
    failure_restore(e, s);
    return s;
}

static void restore_open(struct engine *e, const struct stored_sweep *in,
                         const struct store_restored *restored, utc_us now, struct effects *fx)
{
    struct spec spec;
    struct errbuf why = {0};
    if (restore_check(e, in, &spec, &why) != 0)
        hold_unreadable(in->row, &why, now, fx);
    else
        sweep_put_to_sleep(e, restore_sweep(e, in, &spec, restored, now));
}

int engine_reopen(struct engine *e, struct store_restored *ended, int64_t sweep_id, utc_us now,
                  struct errbuf *err)
{
    struct stored_sweep in = {.row = ended->sweeps, .runs = ended->runs,
                              .run_count = ended->run_count};
    struct spec spec;
    if (ended->sweep_count != 1 || in.row->id != sweep_id)
        return err_set(err, ERR_NOT_FOUND, "sweep %" PRId64 " was deleted", sweep_id);
    if (!sweep_status_terminal(in.row->status))
        return err_set(err, ERR_BUSY, "sweep %" PRId64 " is just ending: ask again", sweep_id);
    int rc = restore_check(e, &in, &spec, err);
    if (rc != 0)
        return rc;
    struct sweep *s = restore_sweep(e, &in, &spec, ended, now);
    struct study st = sweep_study(s);
    sweep_keep_winners(s, &st, NULL);
    restore_rungs(e, ended);
    return 0;
}

void engine_restore(struct engine *e, struct store_restored *restored, utc_us now,
                    struct effects *fx)
{
    REQUIRE(e->sweep_count == 0);
    str_copy(e->database, sizeof(e->database), restored->database);
    e->last_sweep_id = restored->last_sweep_id;
    e->last_run_id = restored->last_run_id;
    for (size_t i = 0; i < restored->run_count; i++)
        if (restored->runs[i].id > e->last_run_id)
            e->last_run_id = restored->runs[i].id;
    for (size_t i = 0, run = 0; i < restored->sweep_count; i++) {
        struct stored_sweep in = {.row = &restored->sweeps[i]};
        while (run < restored->run_count && restored->runs[run].sweep_id < in.row->id)
            run++;
        in.runs = restored->runs + run;
        while (run + in.run_count < restored->run_count &&
               in.runs[in.run_count].sweep_id == in.row->id)
            in.run_count++;
        if (in.row->id > e->last_sweep_id)
            e->last_sweep_id = in.row->id;
        restore_open(e, &in, restored, now, fx);
    }
    restore_rungs(e, restored);
}

void engine_run_adopted(struct engine *e, int64_t run_id, size_t launcher, utc_us now,
                        struct effects *fx)
{
    struct run *r = engine_running_run(e, run_id);
    if (r == NULL)
        return;
    engine_move_slot(e, r, launcher);
    run_forget_attempt(r); /* its file is read from the beginning */
    r->adopted = true;
    if (r->row->paused_by == RUN_PAUSER_RUNG) /* read for what it showed up to there */
        return;
    store_batch_add_event(&fx->batch, r->row->sweep_id, run_id, "run_adopted", now, "%s", "");
    /* the daemon that asked for its end did not see it */
    if (run_is_overdue(r))
        effects_add(fx, ACTION_TERM_RUN, r->row->sweep_id, run_id);
    else if (r->sweep->row->status == SWEEP_PAUSED)
        run_yield(r, fx);
}
