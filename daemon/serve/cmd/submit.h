/* From a checked spec to a sweep, for the verbs that make one. */
#ifndef SWEEPD_CMD_SUBMIT_H
#define SWEEPD_CMD_SUBMIT_H

struct request;
struct spec;

/* Prepares the data and submits; the request ends with the engine's answer or an error. Takes over
 * what spec holds. data_hash: what the data must still be, "" for a new sweep. */
void submit_spec(struct request *r, struct spec *spec, const char *data_hash);

#endif
