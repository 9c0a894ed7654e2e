#include "daemon/engine/queue.h"

bool queue_before(const struct queue_entry *a, const struct queue_entry *b)
{
    if (a->priority != b->priority)
        return a->priority > b->priority;
    if (a->running != b->running)
        return a->running < b->running;
    if (a->served != b->served)
        return a->served < b->served;
    return a->sweep_id < b->sweep_id;
}

size_t queue_pick(const struct queue_entry *entries, size_t count)
{
    size_t best = QUEUE_NONE;
    for (size_t i = 0; i < count; i++)
        if (entries[i].waiting > 0 &&
            (best == QUEUE_NONE || queue_before(&entries[i], &entries[best])))
            best = i;
    return best;
}
