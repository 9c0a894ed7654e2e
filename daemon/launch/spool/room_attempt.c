/* The list of attempts: those under way, and of each run how many there were. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/launch/spool/room_part.h"

/* --- of each run the last --------------------------------------------------------------------- */

/* Where it stands, or would. Runs are mostly offered in the order of their ids. */
static size_t place_of(const struct room *r, int64_t run_id)
{
    size_t from = 0, to = r->last_count;
    if (to > 0 && r->last[to - 1].run_id < run_id)
        return to;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (r->last[middle].run_id < run_id)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

int64_t room_last_number(const struct room *r, int64_t run_id)
{
    size_t i = place_of(r, run_id);
    return i < r->last_count && r->last[i].run_id == run_id ? r->last[i].number : 0;
}

static void note_number(struct room *r, const struct spool_attempt *at)
{
    size_t i = place_of(r, at->run_id);
    if (i < r->last_count && r->last[i].run_id == at->run_id) {
        if (r->last[i].number < at->number)
            r->last[i].number = at->number;
        return;
    }
    r->last = array_room(r->last, &r->last_cap, r->last_count, sizeof(*r->last));
    memmove(&r->last[i + 1], &r->last[i], (r->last_count++ - i) * sizeof(*r->last));
    r->last[i] = *at;
}

/* --- those under way -------------------------------------------------------------------------- */

struct attempt *room_attempt_add(struct room *r, const struct spool_attempt *at)
{
    note_number(r, at);
    r->attempts = array_room(r->attempts, &r->attempt_cap, r->attempt_count, sizeof(*r->attempts));
    struct attempt *a = &r->attempts[r->attempt_count++];
    *a = (struct attempt){.at = *at, .pilot = ROOM_NOBODY, .lines = -1, .words = -1};
    return a;
}

struct attempt *room_attempt_of(struct room *r, int64_t run_id)
{
    for (size_t i = 0; i < r->attempt_count; i++)
        if (r->attempts[i].at.run_id == run_id && r->attempts[i].state != ATTEMPT_GONE)
            return &r->attempts[i];
    return NULL;
}

struct attempt *room_attempt_find(struct room *r, const struct spool_attempt *at)
{
    struct attempt *a = room_attempt_of(r, at->run_id);
    return a && a->at.number == at->number ? a : NULL;
}

void room_drop_gone(struct room *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->attempt_count; i++) {
        if (r->attempts[i].state == ATTEMPT_GONE)
            room_attempt_release(&r->attempts[i]);
        else
            r->attempts[kept++] = r->attempts[i];
    }
    r->attempt_count = kept;
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
