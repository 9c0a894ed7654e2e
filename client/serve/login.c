/* Who it is, where the kernel cannot say it: a password, or the token. */
#include "client/serve/frame.h"

void page_login(struct desk *d, const struct request *r, struct answer *a)
{
    frame_login(d->site, a, 200, WORD_LOGIN_SAYS);
}

void change_login(struct desk *d, const struct request *r, struct answer *a)
{
    enum door_login found = door_login(d->site->door, form_get(&r->fields, "password"));
    if (found == DOOR_RIGHT) {
        a->cookie = door_cookie(d->site->door);
        answer_see(a, "/");
        return;
    }
    frame_login(d->site, a, found == DOOR_WAIT ? 429 : 403,
                found == DOOR_WAIT ? WORD_LOGIN_WAIT : WORD_LOGIN_WRONG);
}
