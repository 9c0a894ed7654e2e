/* Private to the files room*.c. */
#ifndef SWEEPD_ROOM_PART_H
#define SWEEPD_ROOM_PART_H

#include "daemon/launch/spool/room.h"

#define ROOM_NOBODY SIZE_MAX
#define ROOM_START_WEIGHTS "start.safetensors" /* in an attempt's folder: another run's weights */

enum attempt_state {
    ATTEMPT_OFFERED, /* somebody may have claimed it, and has not said so yet */
    ATTEMPT_TAKEN,
    ATTEMPT_GONE
};

struct attempt {
    struct spool_attempt at;
    enum attempt_state state;
    size_t pilot;     /* ROOM_NOBODY: not known */
    bool attached;    /* a run of this daemon waits for it */
    char *folder;     /* of the run, on this machine */
    int lines, words; /* there; -1 */
    int64_t lines_at, words_at; /* bytes that were brought there */
    bool is_over;
    enum room_end end;
    struct spool_note note;
    char text[SPOOL_TEXT_MAX];
};

struct room_pilot {
    char name[SPOOL_PILOT_MAX]; /* "": nobody, a place for the next */
    char job[SPOOL_PILOT_MAX];  /* as it said */
    char *log_path;
    struct spool_reader log;
    bool said_hello, said_bye, is_gone;
    bool is_barred; /* it cannot claim any more: its card is no more */
    bool out_of_memory;
    char why_gone[SPOOL_TEXT_MAX];
};

struct room {
    struct room_place place;
    char *orders_path, *card_path;
    struct spool_writer orders;
    struct buf unsent; /* orders that could not be written yet */
    bool is_open, has_ended;
    bool is_settled; /* attempts that nobody waits for were taken back */
    struct attempt *attempts; /* those that are not gone, or were not before this turn's end */
    size_t attempt_count, attempt_cap;
    struct spool_attempt *last; /* of each run that was offered, by run */
    size_t last_count, last_cap;
    struct room_pilot *pilots; /* attempts name them by their place */
    size_t pilot_count, pilot_cap;
    size_t *by_name; /* of those that are somebody, in the order of their names */
    size_t name_count, name_cap;
    uint64_t beat_ms; /* when the last beat was written */
    char trouble[512];
    char said[512]; /* the trouble that was told last */
};


/* room_ground.c */
struct room_news *room_tell(struct room_pass *pass, enum room_news_type type);
void room_note_trouble(struct room *r, const char *text);
/* Into what is sent at the end of the turn. */
void room_order(struct room *r, enum spool_order_type type, const struct spool_attempt *at);

/* room_open.c: folders and files, and what the orders of an earlier daemon say. 0 or err. */
int room_open(struct room *r, struct errbuf *err);

/* room_pilots.c */
void room_read_pilots(struct room *r, struct room_pass *pass);
size_t room_find_pilot(const struct room *r, const char *name);
/* Those that are gone, once nothing of them is under way: their files, and all that is known. */
void room_clear_pilots(struct room *r);
/* Who has claimed it; ROOM_NOBODY: nobody that is known. claimed: somebody has. */
size_t room_claimant(const struct room *r, const struct spool_attempt *at, bool *claimed);

/* room_attempt.c: pointers hold until the next one is added, or dropped. */
struct attempt *room_attempt_add(struct room *r, const struct spool_attempt *at);
/* The one of that run that is not gone; NULL: none. */
struct attempt *room_attempt_of(struct room *r, int64_t run_id);
/* The same of an attempt. */
struct attempt *room_attempt_find(struct room *r, const struct spool_attempt *at);
/* The number of the run's last attempt; 0: there was none. */
int64_t room_last_number(const struct room *r, int64_t run_id);
void room_attempt_over(struct attempt *a, enum room_end end, const char *text);
void room_drop_gone(struct room *r);
void room_attempt_release(struct attempt *a);

/* room_finish.c: what workers write is brought home; attempts that have ended are gone then. */
void room_finish_attempts(struct room *r, struct room_pass *pass);

/* room_offer.c: the folder of a new attempt. 0 or err. */
int room_prepare_folder(struct room *r, const struct spool_attempt *at, const char *config,
                        struct errbuf *err);

/* room_copy.c */
char *room_run_path(const struct room *r, const struct spool_attempt *at, const char *file);
/* Bytes behind *from, at most max, appended to fd. The number, or err. *from moves on. */
int64_t room_copy_on(const char *path, int fd, int64_t *from, int64_t max, struct errbuf *err);
int room_copy_file(const char *from, const char *to, struct errbuf *err);
/* What a worker has left, into the run's own folder. 0 or err. */
int room_bring_home(struct room *r, struct attempt *a, struct errbuf *err);
bool room_has_final_result(const char *lines);
/* The folder, and in it plain files, or folders of such; not deeper than levels. */
void room_remove_folder(const char *path, int levels);
/* The attempt's folder without what the daemon or a worker made there. */
void room_drop_folder(const struct room *r, const struct spool_attempt *at);
void room_drop_claim(const struct room *r, const struct spool_attempt *at);

#endif
