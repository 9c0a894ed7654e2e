/* Sweeps that other programs have carried out, on their way in. */
#ifndef SWEEPD_CMD_IMPORT_H
#define SWEEPD_CMD_IMPORT_H

struct daemon;

/* The first of those under way is durable: the next one's turn. */
void import_committed(struct daemon *d);

#endif
