/* Runs of earlier sweeps, for one that is submitted: read one sweep after the other. */
#ifndef SWEEPD_WARM_START_H
#define SWEEPD_WARM_START_H

struct daemon;
struct errbuf;
struct request;
struct space;
struct spec;

/* text: what is to be frozen; NULL: the error. */
typedef void warm_start_done(void *arg, const char *text, const struct errbuf *err);

/* The spec stays until done is called; data_hash is copied. */
void warm_start_read(struct daemon *d, const struct spec *spec, const char *data_hash,
                     warm_start_done *done, void *arg);
/* What was taken of each, and what could not be, as notes. */
void warm_start_say(struct request *r, const char *text, const struct space *space);

#endif
