/* The spool: a folder on a file system that daemon and pilots share, through which a sweep's runs
 * go to other machines (docs/slurm.md has the layout). Every file has one writer, who appends whole
 * lines and syncs them; what must be there at once is published by rename, and what only one may
 * have is claimed by link. No locks, no databases, no times of files.
 *
 * Nobody trusts what the other has written: a line that is no line of ours is passed over. */
#ifndef SWEEP_SPOOL_H
#define SWEEP_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/buf.h"

struct errbuf;

#define SPOOL_LINE_MAX 4096
#define SPOOL_PILOT_MAX 96 /* bytes of a pilot's name */
#define SPOOL_TEXT_MAX 160

/* The room of a sweep. */
#define SPOOL_ROOM_FILE "room.json" /* whose it is, and how pilots are to behave */
#define SPOOL_ORDERS "orders"       /* of the daemon to all pilots */
#define SPOOL_CARD "card"           /* in the room: the daemon's; in a pilot's folder: its */
#define SPOOL_CLAIMS "claims"       /* RUN.N: another name of the card of who has it */
#define SPOOL_PILOTS "pilots"       /* a folder a pilot: card, log */
#define SPOOL_LOG "log"
#define SPOOL_RUNS "runs"           /* RUN.N: the folder of that attempt */
#define SPOOL_SCRIPT "pilot.sh"     /* what Slurm starts */
#define SPOOL_JOBS "jobs"           /* what the jobs print: JOB.log */

/* The Nth attempt of a run, as the spool counts them. */
struct spool_attempt {
    int64_t run_id, number;
};
#define SPOOL_ATTEMPT_MAX 48
void spool_attempt_name(const struct spool_attempt *a, char out[SPOOL_ATTEMPT_MAX]);
/* False: it is no such name. */
bool spool_attempt_read(const char *name, struct spool_attempt *out);
bool spool_same(const struct spool_attempt *a, const struct spool_attempt *b);

/* --- orders ---------------------------------------------------------------------------------- */

/* X(id, name, of an attempt) */
#define SPOOL_ORDER_MAP(X)                                                                         \
    X(OFFER, "offer", 1) /* its folder is whole: who wants it may claim it */                      \
    X(GONE, "gone", 1)   /* nobody's any more: who still carries it out ends it at once */         \
    X(TERM, "term", 1)   /* SIGTERM for its worker */                                              \
    X(KILL, "kill", 1)   /* SIGKILL for its worker */                                              \
    X(BEAT, "beat", 0)   /* the daemon lives */                                                    \
    X(END, "end", 0)     /* no more: go, when the run under way has ended */                       \
    X(OPEN, "open", 0)   /* and this takes an `end` back */

enum spool_order_type {
#define X(id, name, of_attempt) SPOOL_ORDER_##id,
    SPOOL_ORDER_MAP(X)
#undef X
        SPOOL_ORDER_COUNT
};

struct spool_order {
    enum spool_order_type type;
    struct spool_attempt at;
};
void spool_order_write(const struct spool_order *o, struct buf *line);
bool spool_order_read(const char *line, size_t len, struct spool_order *out);

/* --- notes ------------------------------------------------------------------------------------ */

#define SPOOL_NOTE_MAP(X)                                                                          \
    X(HELLO, "hello") /* job, host, orders */                                                      \
    X(BEAT, "beat")   /* it lives; what its run uses */                                            \
    X(TOOK, "took")   /* at: claimed, its worker is started next */                                \
    X(ENDED, "ended") /* at, status, signal, out_of_memory, text: of its worker */                 \
    X(BYE, "bye")     /* text: why it goes */

enum spool_note_type {
#define X(id, name) SPOOL_NOTE_##id,
    SPOOL_NOTE_MAP(X)
#undef X
        SPOOL_NOTE_COUNT
};

struct spool_note {
    enum spool_note_type type;
    struct spool_attempt at;
    int64_t status, signal; /* of its worker: exit status, or the signal that ended it */
    bool out_of_memory;     /* the kernel had none left */
    bool leaving;           /* ended because the pilot had to go */
    int64_t orders;         /* hello: bytes of orders that were there: of two pilots of one job the
                             * later one saw more */
    char job[64], host[64];
    char text[SPOOL_TEXT_MAX];
};
void spool_note_write(const struct spool_note *n, struct buf *line);
bool spool_note_read(const char *line, size_t len, struct spool_note *out);

/* --- files of lines --------------------------------------------------------------------------- */

/* Appends whole lines, opened anew for each: another machine then sees them. */
struct spool_writer {
    const char *path; /* borrowed */
    bool torn;        /* the last line may be a part of one */
};
/* Lines that end in '\n'. 0 or ERR_IO. */
int spool_append(struct spool_writer *w, const char *lines, size_t len, struct errbuf *err);

/* Reads on, opened anew each time: that is when a network file system looks at the server. */
struct spool_reader {
    const char *path; /* borrowed */
    int64_t offset;
    struct buf bytes;
    size_t taken;
};
/* Reads what came, at most so much that it stays small. The number of bytes, or ERR_NOT_FOUND,
 * ERR_IO. */
int spool_read(struct spool_reader *r, struct errbuf *err);
/* The next whole line, without its '\n', until the next spool_read; one that is too long is passed
 * over. */
bool spool_line(struct spool_reader *r, const char **line, size_t *len);
void spool_reader_finish(struct spool_reader *r);

/* A plain file for reading; never waits for a device or a pipe. -1 and errno. */
int spool_open_plain(const char *path, int flags);
/* A file of that content, published whole and durably under its name. 0 or ERR_IO. */
int spool_publish(const char *path, const char *text, unsigned mode, struct errbuf *err);
/* `claim` becomes another name of the card. 1: ours now, or before; 0: another's; or ERR_IO. */
int spool_claim(const char *card, const char *claim, struct errbuf *err);

#endif
