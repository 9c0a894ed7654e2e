/* Attempts under way, to the moment when all that came of them is at home. */
#include <stdlib.h>
#include <unistd.h>

#include "daemon/launch/spool/room_part.h"
#include "sweep/err.h"
#include "sweep/paths.h"

#define CHUNK_BYTES (1 << 20) /* of a run's lines in a turn */

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
    char *lines = room_run_path(r, &a->at, run_file_name(RUN_FILE_LINES));
    room_order(r, SPOOL_ORDER_GONE, &a->at);
    if (a->attached && room_has_final_result(lines))
        room_drop_folder(r, &a->at);
    free(lines);
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
    room_attempt_release(a);
}

void room_finish_attempts(struct room *r, struct room_pass *pass)
{
    bool look_closely = false;
    for (size_t i = 0; i < r->pilot_count; i++)
        look_closely |= r->pilots[i].is_gone;
    for (size_t i = 0; i < r->attempt_count; i++) {
        struct attempt *a = &r->attempts[i];
        if (a->state == ATTEMPT_GONE)
            continue;
        lose_with_pilot(r, a, look_closely);
        if (a->is_over)
            finish(r, a, pass);
        else if (a->state == ATTEMPT_TAKEN && a->attached)
            (void)bring_lines(r, a);
    }
}
