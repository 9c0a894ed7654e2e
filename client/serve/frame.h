/* What every page has around what it shows: head, ways to the others, and the state of the daemon;
 * and the pages that only say no. */
#ifndef SWEEPCTL_SERVE_FRAME_H
#define SWEEPCTL_SERVE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "client/plot/words.h"
#include "client/serve/desk.h"

struct page;

struct frame {
    enum word title;
    int64_t id;       /* behind the title; 0: none */
    const char *name; /* behind that, as it comes; NULL: none */
    bool live;        /* is looked at again when something happens … */
    int64_t sweep;    /* … to this sweep; 0: to any */
};

void frame_begin(const struct site *site, struct answer *a, const struct frame *f);
/* data: what the script draws and filters; NULL: nothing. */
void frame_end(struct answer *a, const struct page *data);

/* A page of one sentence. */
void frame_refuse(const struct site *site, struct answer *a, unsigned status, enum word why);
/* The same of a failure that a call has left at the desk. */
void frame_failed(const struct desk *d, struct answer *a);
/* Who are you? */
void frame_login(const struct site *site, struct answer *a, unsigned status, enum word says);

/* A form that changes something: its start with the token, to PATH, or PATH/ID/VERB. keep: its
 * fields stay as they are filled in while the page around them is renewed; NULL: it has none. */
struct frame_form {
    const char *path;
    int64_t id;
    const char *verb, *keep;
};
void frame_form(const struct site *site, struct buf *out, const struct frame_form *f);
void frame_form_end(struct buf *out);
void frame_button(const struct site *site, struct buf *out, enum word says);
/* A form that is one button. */
void frame_action(const struct site *site, struct buf *out, const struct frame_form *f,
                  enum word says);

const char *frame_word(const struct desk *d, enum word w);

#endif
