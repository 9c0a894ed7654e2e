/* pause, resume, cancel and delete: a change of an open sweep is the engine's. */
#ifndef SWEEPD_CMD_CHANGE_H
#define SWEEPD_CMD_CHANGE_H

#include "daemon/engine/engine.h"

struct request;

/* An open sweep: to the engine, which answers. Another one: `ended` decides, with r->subject set;
 * one that does not exist ends the request. */
void change_sweep(struct request *r, enum sweep_command command, void (*ended)(struct request *r));
/* For `ended`: a sweep that is over cannot be changed. */
void change_refuse_ended(struct request *r);

#endif
