/* The daemon: makes its parts, wires them, carries out what the engine decides, and ends them. */
#ifndef SWEEPD_DAEMON_H
#define SWEEPD_DAEMON_H

struct config;
struct errbuf;

/* Runs until it is told to end. 0, or why it could not start. */
int daemon_run(const struct config *config, struct errbuf *err);

#endif
