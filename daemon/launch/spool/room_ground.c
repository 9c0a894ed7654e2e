/* What all files of a room stand on: news, troubles, orders, commands. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "daemon/launch/spool/room_part.h"

uint64_t room_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

struct room_command *room_command_create(enum room_command_type type, int64_t run_id)
{
    struct room_command *c = xcalloc(1, sizeof(*c));
    c->type = type;
    c->run_id = run_id;
    c->lines = c->words = -1;
    return c;
}

void room_command_destroy(struct room_command *c)
{
    if (c->lines >= 0)
        close(c->lines);
    if (c->words >= 0)
        close(c->words);
    free(c->config);
    free(c->folder);
    free(c);
}

struct room_news *room_tell(struct room_pass *pass, enum room_news_type type)
{
    pass->news = array_room(pass->news, &pass->cap, pass->count, sizeof(*pass->news));
    struct room_news *n = &pass->news[pass->count++];
    *n = (struct room_news){.type = type};
    return n;
}

/* The first of a turn counts. */
void room_note_trouble(struct room *r, const char *text)
{
    if (r->trouble[0] == '\0')
        str_copy(r->trouble, sizeof(r->trouble), text);
}

void room_order(struct room *r, enum spool_order_type type, const struct spool_attempt *at)
{
    struct spool_order o = {.type = type};
    if (at)
        o.at = *at;
    spool_order_write(&o, &r->unsent);
}
