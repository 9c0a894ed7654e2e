/* The daemon's side of a sweep's room in the spool (sweep/spool.h): offers runs, hears what pilots
 * say, and brings what their workers wrote into the runs' own folders, where it is read as of any
 * worker. All of it is done on the spool's thread (spool.h): a file system may take its time.
 *
 * Commands go in, news come out; a room knows neither Slurm nor the engine. */
#ifndef SWEEPD_ROOM_H
#define SWEEPD_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/paths.h"
#include "sweep/spool.h"

struct room;

/* Where it lies and whose it is; what its pilots are told. */
struct room_place {
    char path[PATHS_MAX];
    char runs_dir[PATHS_MAX]; /* of the daemon: what its configurations name */
    char database[64];        /* identity */
    int64_t sweep_id;
    double beat_seconds, lease_seconds, idle_seconds, grace_seconds;
    char *script; /* SPOOL_SCRIPT; owned by the room */
};

enum room_command_type {
    ROOM_OFFER,      /* a run: config, lines, words, folder */
    ROOM_ADOPT,      /* the attempt of an earlier daemon: lines, words, folder */
    ROOM_TERM,       /* SIGTERM for the run's worker; takes the offer back where nobody has it */
    ROOM_KILL,
    ROOM_PILOT_GONE, /* pilot, text, out_of_memory: so is what it had */
    ROOM_END,        /* pilots are to go when they have ended what they have */
};

struct room_command {
    struct room_command *next;
    enum room_command_type type;
    int64_t run_id;
    char *config;     /* OFFER; owned */
    char *folder;     /* of the run, on this machine; owned */
    int lines, words; /* its run.jsonl and stderr, to append to; -1: none; owned */
    char pilot[SPOOL_PILOT_MAX];
    char text[SPOOL_TEXT_MAX];
    bool out_of_memory;
};
struct room_command *room_command_create(enum room_command_type type, int64_t run_id);
void room_command_destroy(struct room_command *c);

enum room_news_type {
    ROOM_IS_OPEN,     /* once */
    ROOM_TROUBLE,     /* text: what cannot be done at the moment; "": all can */
    ROOM_RUN_TAKEN,   /* run_id, pilot */
    ROOM_RUN_OVER,    /* run_id: all that its worker wrote is in its folder */
    ROOM_PILOT_HELLO, /* pilot, note.job, note.host */
    ROOM_PILOT_ALIVE, /* pilot: it has said something */
    ROOM_PILOT_BYE,   /* pilot, text */
};

/* How a run's attempt ended. */
enum room_end {
    ROOM_END_SAID,      /* note has status and signal */
    ROOM_END_GONE,      /* with its pilot: text */
    ROOM_END_WITHDRAWN, /* nobody had begun it, or nothing is known of it */
    ROOM_END_REFUSED,   /* it could not be offered: text */
};

struct room_news {
    enum room_news_type type;
    int64_t run_id;
    char pilot[SPOOL_PILOT_MAX];
    enum room_end end;
    struct spool_note note;
    char text[512];
};

struct room_pass {
    struct room_command *commands; /* in order; taken over */
    struct room_news *news;        /* owned by the caller */
    size_t count, cap;
};

uint64_t room_now_ms(void); /* monotonic */

struct room *room_create(const struct room_place *place);
/* Carries out the commands, and looks around. */
void room_turn(struct room *r, struct room_pass *pass);
void room_destroy(struct room *r);
/* Removes what no program has left there. Nobody is in it any more. */
void room_remove(struct room *r);
/* The sweeps of that database that have a room in the spool. Owned by the caller. */
int64_t *room_find_all(const char *spool, const char *database, size_t *count);

#endif
