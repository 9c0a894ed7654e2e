/* The key perturb: how long the members of a population train between two exchanges; and what a
 * population cannot have. */
#include "common/spec/part.h"
#include "sweep/err.h"
#include "sweep/json.h"

#define USUAL_EXCHANGES 10

static bool inherits(const struct spec *s)
{
    return method_traits(s->method) & METHOD_INHERITS;
}

/* What the weights and the optimizer's state of one member mean to another must be the same. */
static bool may_differ(const struct dimension *d)
{
    switch (dimension_setting(d)) {
    case SETTING_OPTIMIZER:
    case SETTING_LOSS:
    case SETTING_TARGET_SCALE:
    case SETTING_AVERAGE:
    case SETTING_PRESET:
    case SETTING_PATIENCE:
    case SETTING_FREEZE:
        return false;
    default:
        return setting_get(dimension_setting(d))->part == SETTING_OF_TRAIN;
    }
}

static int check_parameters(const struct json *root, const struct spec *s, struct errbuf *err)
{
    char path[FIELD_PATH_MAX];
    for (size_t i = 0; i < s->space.count; i++) {
        const struct dimension *d = &s->space.dimensions[i];
        if (may_differ(d))
            continue;
        field_path(path, "$.parameters", d->name);
        return field_refuse(err, ERR_VALUE, path, json_get(json_get(root, "parameters"), d->name),
                            "with method %s what may change while a network trains: weights are "
                            "copied from run to run, so data, network, loss and optimizer are the "
                            "same for all",
                            method_name(s->method));
    }
    return 0;
}

static int check_others(const struct json *root, const struct spec *s, struct errbuf *err)
{
    const char *method = method_name(s->method);
    if (!task_of(s)->has_settings)
        return field_refuse(err, ERR_VALUE, "$.task", json_get(root, "task"),
                            "the trainer with method %s: checkpoints of task %s are not copied "
                            "from run to run",
                            method, task_of(s)->name);
    if (s->stop.rule != STOP_NONE)
        return field_refuse(err, ERR_VALUE, "$.early_terminate", json_get(root, "early_terminate"),
                            "nothing with method %s: the worst go on from the best instead",
                            method);
    if (s->treat)
        return field_refuse(err, ERR_VALUE, "$.treat", json_get(root, "treat"),
                            "false with method %s: no run of a population has a whole training of "
                            "its own",
                            method);
    if (s->repeat_share > 0)
        return field_refuse(err, ERR_VALUE, "$.repeat_share", json_get(root, "repeat_share"),
                            "0 with method %s: what a run goes on from has no other seed", method);
    if (s->trainer.fixed.v[SETTING_PATIENCE] > 0)
        return field_refuse(err, ERR_VALUE, "$.train.patience",
                            json_get(json_get(root, "train"), "patience"),
                            "0 with method %s: all members train as long", method);
    return 0;
}

int spec_perturb_parse(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *v = json_get(root, "perturb");
    if (!inherits(s))
        return v ? field_refuse(err, ERR_VALUE, "$.perturb", v,
                                "nothing with method %s: it is of pbt", method_name(s->method))
                 : 0;
    s->perturb = (s->epochs + USUAL_EXCHANGES - 1) / USUAL_EXCHANGES;
    int rc = v ? field_integer(v, "$.perturb", 1, s->epochs, &s->perturb, err) : 0;
    if (!rc)
        rc = check_others(root, s, err);
    return rc ? rc : check_parameters(root, s, err);
}

void spec_perturb_write(const struct spec *s, struct json_writer *w)
{
    if (inherits(s))
        jw_kv_int(w, "perturb", s->perturb);
}
