#include "daemon/serve/cmd/change.h"

#include "daemon/serve/request.h"
#include "daemon/state.h"

void change_refuse_ended(struct request *r)
{
    request_refuse(r, ERR_STATE, "sweep %lld has ended: nothing to %s", (long long)r->subject,
                   r->command->name);
}

void change_sweep(struct request *r, enum sweep_command command, void (*ended)(struct request *r))
{
    struct daemon *d = r->daemon;
    if (engine_sweep_open(d->engine, r->arg[0], NULL, NULL))
        engine_command(d->engine, command, r->arg[0], request_token(r), loop_now(),
                       loop_effects(&d->loop));
    else
        request_resolve_sweep(r, ended);
}
