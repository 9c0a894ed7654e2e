/* The list of attempts. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/launch/spool/room_part.h"

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

void room_drop_gone(struct room *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->live_count; i++)
        if (r->attempts[r->live[i]].state != ATTEMPT_GONE)
            r->live[kept++] = r->live[i];
    r->live_count = kept;
}

struct attempt *room_attempt_of(struct room *r, int64_t run_id)
{
    room_drop_gone(r);
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
