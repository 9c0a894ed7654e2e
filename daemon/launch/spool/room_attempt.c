/* Attempts: from the offer to the moment when all that came of them is at home. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/launch/spool/room_part.h"
#include "sweep/err.h"
#include "sweep/paths.h"

#define CHUNK_BYTES (1 << 20) /* of a run's lines in a turn */

struct attempt *room_attempt_add(struct room *r, const struct spool_attempt *at)
{
    r->attempts = array_room(r->attempts, &r->attempt_cap, r->attempt_count, sizeof(*r->attempts));
    r->live = array_room(r->live, &r->live_cap, r->live_count, sizeof(*r->live));
    r->live[r->live_count++] = r->attempt_count;
    struct attempt *a = &r->attempts[r->attempt_count++];
    *a = (struct attempt){.at = *at, .pilot = ROOM_NOBODY, .lines = -1, .words = -1};
    return a;
}

/* Most that are asked for are live. */
struct attempt *room_attempt_find(struct room *r, const struct spool_attempt *at)
{
    for (size_t i = 0; i < r->live_count; i++)
        if (spool_same(&r->attempts[r->live[i]].at, at))
            return &r->attempts[r->live[i]];
    for (size_t i = r->attempt_count; i-- > 0;)
        if (spool_same(&r->attempts[i].at, at))
            return &r->attempts[i];
    return NULL;
}

static void drop_gone(struct room *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->live_count; i++)
        if (r->attempts[r->live[i]].state != ATTEMPT_GONE)
            r->live[kept++] = r->live[i];
    r->live_count = kept;
}

struct attempt *room_attempt_of(struct room *r, int64_t run_id)
{
    drop_gone(r);
    for (size_t i = 0; i < r->live_count; i++)
        if (r->attempts[r->live[i]].at.run_id == run_id)
            return &r->attempts[r->live[i]];
    return NULL;
}

void room_attempt_over(struct attempt *a, enum room_end end, const char *text)
{
    if (a->is_over)
        return;
    a->is_over = true;
    a->end = end;
    str_copy(a->text, sizeof(a->text), text);
}

void room_attempt_release(struct attempt *a)
{
    if (a->lines >= 0)
        close(a->lines);
    if (a->words >= 0)
        close(a->words);
    free(a->folder);
    a->lines = a->words = -1;
    a->folder = NULL;
}

/* With its pilot, unless it has said before how the worker ended. */
static void lose_with_pilot(struct room *r, struct attempt *a, bool look_closely)
{
    size_t pilot = a->pilot;
    bool claimed = true;
    if (a->is_over || (pilot == ROOM_NOBODY && !look_closely))
        return;
    if (pilot == ROOM_NOBODY)
        pilot = room_claimant(r, &a->at, &claimed);
    if (pilot == ROOM_NOBODY || !r->pilots[pilot].is_gone)
        return;
    a->note.out_of_memory = r->pilots[pilot].out_of_memory;
    room_attempt_over(a, ROOM_END_GONE, r->pilots[pilot].why_gone);
}

static void tell_over(struct room_pass *pass, const struct attempt *a)
{
    struct room_news *n = room_tell(pass, ROOM_RUN_OVER);
    n->run_id = a->at.run_id;
    n->end = a->end;
    n->note = a->note;
    str_copy(n->text, sizeof(n->text), a->text);
}

/* Nothing of it is wanted here any more; its folder stays where the run may go on from it. */
static void let_go(struct room *r, struct attempt *a)
{
    char name[SPOOL_ATTEMPT_MAX];
    char *lines = room_run_path(r, &a->at, run_file_name(RUN_FILE_LINES));
    room_order(r, SPOOL_ORDER_GONE, &a->at);
    spool_attempt_name(&a->at, name);
    char *claim = xasprintf("%s/" SPOOL_CLAIMS "/%s", r->place.path, name);
    (void)unlink(claim);
    if (a->attached && room_has_final_result(lines))
        room_drop_folder(r, &a->at);
    free(claim);
    free(lines);
    room_attempt_release(a);
    a->state = ATTEMPT_GONE;
}

/* What it has written so far; false: not all of that could be brought here. */
static bool bring_lines(struct room *r, struct attempt *a)
{
    struct errbuf err = {0};
    char *lines = room_run_path(r, &a->at, run_file_name(RUN_FILE_LINES));
    char *words = room_run_path(r, &a->at, run_file_name(RUN_FILE_STDERR));
    int64_t n = room_copy_on(lines, a->lines, &a->lines_at, CHUNK_BYTES, &err);
    while (a->is_over && n > 0)
        n = room_copy_on(lines, a->lines, &a->lines_at, CHUNK_BYTES, &err);
    (void)room_copy_on(words, a->words, &a->words_at, CHUNK_BYTES, NULL);
    free(lines);
    free(words);
    if (n < 0)
        room_note_trouble(r, err.message);
    return n >= 0;
}

/* A file that is not there any more has been read to its end. */
static void finish(struct room *r, struct attempt *a, struct room_pass *pass)
{
    struct errbuf err;
    if (a->attached) {
        if (!bring_lines(r, a))
            return;
        if (room_bring_home(r, a, &err) != 0) {
            room_note_trouble(r, err.message);
            return;
        }
        tell_over(pass, a);
    }
    let_go(r, a);
}

void room_finish_attempts(struct room *r, struct room_pass *pass)
{
    bool look_closely = false;
    for (size_t i = 0; i < r->pilot_count; i++)
        look_closely |= r->pilots[i].is_gone;
    for (size_t i = 0; i < r->live_count; i++) {
        struct attempt *a = &r->attempts[r->live[i]];
        if (a->state == ATTEMPT_GONE)
            continue;
        lose_with_pilot(r, a, look_closely);
        if (a->is_over)
            finish(r, a, pass);
        else if (a->state == ATTEMPT_TAKEN && a->attached)
            (void)bring_lines(r, a);
    }
    drop_gone(r);
}
