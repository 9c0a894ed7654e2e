#include "daemon/launch/spool/room.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/launch/spool/room_part.h"
#include "sweep/err.h"
#include "sweep/require.h"

#define BEAT_MS 30000

/* --- orders ---------------------------------------------------------------------------------- */

/* Once the pilots can know: who still has the offer before his eyes must find the name taken. */
static void forget_gone(struct room *r)
{
    for (size_t i = 0; i < r->attempt_count; i++)
        if (r->attempts[i].state == ATTEMPT_GONE)
            room_drop_claim(r, &r->attempts[i].at);
    room_drop_gone(r);
}

/* What could not be written is written again: an order that comes twice is one. */
static void send_orders(struct room *r)
{
    struct errbuf err;
    if (room_now_ms() - r->beat_ms >= BEAT_MS)
        room_order(r, SPOOL_ORDER_BEAT, NULL);
    if (r->unsent.len == 0)
        return;
    if (spool_append(&r->orders, r->unsent.data, r->unsent.len, &err) != 0) {
        room_note_trouble(r, err.message);
        return;
    }
    r->beat_ms = room_now_ms();
    buf_clear(&r->unsent);
    forget_gone(r);
}

/* --- commands -------------------------------------------------------------------------------- */

static void refuse(struct room_pass *pass, int64_t run_id, enum room_end end, const char *why)
{
    struct room_news *n = room_tell(pass, ROOM_RUN_OVER);
    n->run_id = run_id;
    n->end = end;
    str_copy(n->text, sizeof(n->text), why);
}

static void attach(struct attempt *a, struct room_command *c)
{
    room_attempt_release(a);
    a->attached = true;
    a->lines = c->lines;
    a->words = c->words;
    a->folder = c->folder;
    c->lines = c->words = -1;
    c->folder = NULL;
    off_t lines = lseek(a->lines, 0, SEEK_END), words = lseek(a->words, 0, SEEK_END);
    a->lines_at = lines > 0 ? lines : 0;
    a->words_at = words > 0 ? words : 0;
}

static void offer(struct room *r, struct room_command *c, struct room_pass *pass)
{
    struct errbuf err;
    struct attempt *old = room_attempt_of(r, c->run_id);
    if (old) { /* of an earlier daemon, that nobody waits for */
        room_order(r, SPOOL_ORDER_GONE, &old->at);
        old->state = ATTEMPT_GONE;
    }
    struct spool_attempt at = {c->run_id, room_last_number(r, c->run_id) + 1};
    if (room_prepare_folder(r, &at, c->config, &err) != 0) {
        room_note_trouble(r, err.message);
        refuse(pass, c->run_id, ROOM_END_REFUSED, err.message);
        return;
    }
    struct attempt *a = room_attempt_add(r, &at);
    attach(a, c);
    if (ftruncate(a->lines, 0) == 0) /* it is all brought again, from its beginning */
        a->lines_at = 0;
    if (ftruncate(a->words, 0) == 0)
        a->words_at = 0;
    room_order(r, SPOOL_ORDER_OFFER, &at);
}

static void adopt(struct room *r, struct room_command *c, struct room_pass *pass)
{
    struct attempt *a = room_attempt_of(r, c->run_id);
    if (a && !a->attached)
        attach(a, c);
    else
        refuse(pass, c->run_id, ROOM_END_WITHDRAWN, "");
}

/* An offer is taken back by claiming it: then nobody else can. */
static void end_worker(struct room *r, const struct room_command *c)
{
    struct errbuf err;
    struct attempt *a = room_attempt_of(r, c->run_id);
    if (!a)
        return;
    if (a->state == ATTEMPT_OFFERED) {
        char name[SPOOL_ATTEMPT_MAX];
        spool_attempt_name(&a->at, name);
        char *claim = xasprintf("%s/" SPOOL_CLAIMS "/%s", r->place.path, name);
        int got = spool_claim(r->card_path, claim, &err);
        free(claim);
        if (got == 1) {
            room_attempt_over(a, ROOM_END_WITHDRAWN, "");
            return;
        }
    }
    room_order(r, c->type == ROOM_TERM ? SPOOL_ORDER_TERM : SPOOL_ORDER_KILL, &a->at);
}

static void lose_pilot(struct room *r, const struct room_command *c)
{
    size_t i = room_find_pilot(r, c->pilot);
    if (i == ROOM_NOBODY)
        return;
    r->pilots[i].is_gone = true;
    r->pilots[i].out_of_memory = c->out_of_memory;
    str_copy(r->pilots[i].why_gone, sizeof(r->pilots[i].why_gone), c->text);
}

static void carry_out(struct room *r, struct room_command *c, struct room_pass *pass)
{
    switch (c->type) {
    case ROOM_OFFER:
        offer(r, c, pass);
        break;
    case ROOM_ADOPT:
        adopt(r, c, pass);
        break;
    case ROOM_TERM:
    case ROOM_KILL:
        end_worker(r, c);
        break;
    case ROOM_PILOT_GONE:
        lose_pilot(r, c);
        break;
    case ROOM_END:
        room_order(r, SPOOL_ORDER_END, NULL);
        r->has_ended = true;
        break;
    }
}

/* Nothing can be done: who waits for an answer gets one. */
static void refuse_all(struct room_pass *pass, const char *why)
{
    struct room_command *c;
    while ((c = pass->commands)) {
        pass->commands = c->next;
        if (c->type == ROOM_OFFER)
            refuse(pass, c->run_id, ROOM_END_REFUSED, why);
        else if (c->type == ROOM_ADOPT)
            refuse(pass, c->run_id, ROOM_END_WITHDRAWN, why);
        room_command_destroy(c);
    }
}

/* --- a turn ----------------------------------------------------------------------------------- */

/* Of an earlier daemon, whose run has ended, or is begun anew. */
static void settle(struct room *r)
{
    for (size_t i = 0; i < r->attempt_count && !r->is_settled; i++)
        if (!r->attempts[i].attached)
            room_attempt_over(&r->attempts[i], ROOM_END_WITHDRAWN, "");
    r->is_settled = true;
}

static bool is_opened(struct room *r, struct room_pass *pass)
{
    struct errbuf err;
    if (r->is_open)
        return true;
    if (room_open(r, &err) != 0) {
        room_note_trouble(r, err.message);
        return false;
    }
    r->is_open = true;
    room_tell(pass, ROOM_IS_OPEN);
    return true;
}

void room_turn(struct room *r, struct room_pass *pass)
{
    struct room_command *c;
    r->trouble[0] = '\0';
    if (is_opened(r, pass)) {
        room_read_pilots(r, pass);
        while ((c = pass->commands)) {
            pass->commands = c->next;
            carry_out(r, c, pass);
            room_command_destroy(c);
        }
        settle(r);
        room_finish_attempts(r, pass);
        send_orders(r);
        room_clear_pilots(r);
    } else {
        refuse_all(pass, r->trouble);
    }
    if (strcmp(r->trouble, r->said) != 0) {
        str_copy(room_tell(pass, ROOM_TROUBLE)->text, sizeof(r->trouble), r->trouble);
        str_copy(r->said, sizeof(r->said), r->trouble);
    }
}

/* --- life ------------------------------------------------------------------------------------- */

struct room *room_create(const struct room_place *place)
{
    struct room *r = xcalloc(1, sizeof(*r));
    r->place = *place;
    r->orders_path = xasprintf("%s/" SPOOL_ORDERS, place->path);
    r->card_path = xasprintf("%s/" SPOOL_CARD, place->path);
    r->orders.path = r->orders_path;
    r->beat_ms = room_now_ms();
    return r;
}

void room_destroy(struct room *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->attempt_count; i++)
        room_attempt_release(&r->attempts[i]);
    for (size_t i = 0; i < r->pilot_count; i++) {
        spool_reader_finish(&r->pilots[i].log);
        free(r->pilots[i].log_path);
    }
    free(r->attempts);
    free(r->last);
    free(r->by_name);
    free(r->pilots);
    free(r->orders_path);
    free(r->card_path);
    free(r->place.script);
    buf_finish(&r->unsent);
    free(r);
}
