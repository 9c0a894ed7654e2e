/* Workers that train for nobody: what they train in was deleted, replaced or set aside while no
 * daemon was there, or their database was. They would take a processor each, and write checkpoints
 * into the folders of other runs. */
#ifndef SWEEPD_STRAYS_H
#define SWEEPD_STRAYS_H

struct launch_site;

/* Once, at the start, before anything is adopted or started: ends those that the processes of this
 * machine show. A worker is known by its argument, the config.json of a run beside this database,
 * and by its stdout; one that a person has started by hand has another stdout. */
void strays_end(const struct launch_site *site);

#endif
