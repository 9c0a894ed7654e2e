#include "client/serve/frame.h"

#include "client/page/html.h"
#include "client/page/page.h"
#include "client/plot/svg.h"
#include "sweep/err.h"

#define NAME_CHARACTERS 200

const char *frame_word(const struct desk *d, enum word w)
{
    return word_in(d->site->language, w);
}

/* --- the frame ---------------------------------------------------------------------------------
 */

static void add_title(const struct site *site, struct buf *out, const struct frame *f)
{
    buf_puts(out, word_in(site->language, f->title));
    if (f->id != 0)
        buf_printf(out, " %lld", (long long)f->id);
    if (f->name != NULL && *f->name != '\0') {
        buf_puts(out, ": ");
        svg_escape_cut(out, f->name, NAME_CHARACTERS);
    }
}

static void add_ways(const struct site *site, struct buf *out, enum word here)
{
    static const struct {
        const char *path;
        enum word word;
    } ways[] = {{"/", WORD_SITE},
                {"/compare", WORD_COMPARE},
                {"/guide", WORD_TUNING_GUIDE},
                {"/submit", WORD_SUBMIT}};
    buf_printf(out, "<nav aria-label=\"sweepd\"><ul>\n");
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        buf_printf(out, "<li><a href=\"%s\"%s>%s</a></li>\n", ways[i].path,
                   ways[i].word == here ? " aria-current=\"page\"" : "",
                   word_in(site->language, ways[i].word));
    buf_puts(out, "</ul></nav>\n");
}

/* Where the script says whether it hears the daemon: its words are here. */
static void add_state(const struct site *site, struct buf *out, const struct frame *f)
{
    if (!f->live)
        return;
    buf_printf(out,
               "<p id=\"state\" role=\"status\" data-events=\"/events?sweep=%lld\" "
               "data-live=\"%s\" data-gone=\"%s\" data-lost=\"%s\"></p>\n",
               (long long)f->sweep, word_in(site->language, WORD_LIVE),
               word_in(site->language, WORD_LIVE_GONE), word_in(site->language, WORD_LIVE_LOST));
}

void frame_begin(const struct site *site, struct answer *a, const struct frame *f)
{
    struct buf *out = &a->body;
    buf_clear(out);
    buf_printf(out, "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n",
               site->language == LANGUAGE_ZH ? "zh-Hans" : "en");
    buf_puts(out, "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                  "<meta name=\"color-scheme\" content=\"light dark\">\n"
                  "<link rel=\"icon\" href=\"data:,\">\n"
                  "<link rel=\"stylesheet\" href=\"/style.css\">\n"
                  "<script src=\"/chart.js\" defer></script>\n"
                  "<script src=\"/explore.js\" defer></script>\n"
                  "<script src=\"/live.js\" defer></script>\n<title>");
    add_title(site, out, f);
    buf_printf(out, " – sweepd</title>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">%s</a>\n",
               word_in(site->language, WORD_SKIP));
    buf_puts(out, "<header class=\"site\">\n");
    add_ways(site, out, f->title);
    add_state(site, out, f);
    buf_puts(out, "</header>\n<main id=\"main\">\n<h1>");
    add_title(site, out, f);
    buf_puts(out, "</h1>\n");
}

void frame_end(struct answer *a, const struct page *data)
{
    buf_puts(&a->body, "</main>\n");
    if (data != NULL) {
        page_probe(&a->body);
        buf_puts(&a->body, "<script type=\"application/json\" id=\"data\">");
        page_data(data, &a->body);
        buf_puts(&a->body, "</script>\n");
    }
    buf_puts(&a->body, "</body>\n</html>\n");
}

/* --- refusals ----------------------------------------------------------------------------------
 */

static void say(const struct site *site, struct answer *a, unsigned status, const char *why)
{
    a->status = status;
    frame_begin(site, a, &(struct frame){.title = WORD_REFUSED});
    html_element(&a->body, "p", why);
    buf_printf(&a->body, "<p><a href=\"/\">%s</a></p>\n", word_in(site->language, WORD_BACK));
    frame_end(a, NULL);
}

void frame_refuse(const struct site *site, struct answer *a, unsigned status, enum word why)
{
    say(site, a, status, word_in(site->language, why));
}

/* As HTTP has it: not there, not now, not in this state, not so. */
static unsigned status_of(int code)
{
    switch (code) {
    case ERR_NOT_FOUND:
        return 404;
    case ERR_STATE:
        return 409;
    case ERR_IO:
    case ERR_BUSY:
    case ERR_SHUTDOWN:
        return 503;
    case ERR_TIMEOUT:
        return 504;
    default:
        return 422;
    }
}

void frame_failed(const struct desk *d, struct answer *a)
{
    const struct errbuf *err = &d->failed;
    if (err->code == ERR_NOT_FOUND)
        frame_refuse(d->site, a, 404, WORD_NO_SUCH);
    else
        say(d->site, a, status_of(err->code),
            err->message[0] != '\0' ? err->message : err_name(err->code));
}

void frame_login(const struct site *site, struct answer *a, unsigned status, enum word says)
{
    a->status = status;
    frame_begin(site, a, &(struct frame){.title = WORD_LOGIN});
    html_element(&a->body, "p", word_in(site->language, says));
    buf_printf(&a->body,
               "<form method=\"post\" action=\"/login\" class=\"fields\"><label>%s <input "
               "type=\"password\" name=\"password\" autocomplete=\"current-password\" required>"
               "</label> ",
               word_in(site->language, WORD_PASSWORD));
    frame_button(site, &a->body, WORD_ENTER);
    buf_puts(&a->body, "</form>\n");
    frame_end(a, NULL);
}

/* --- forms -------------------------------------------------------------------------------------
 */

void frame_form(const struct site *site, struct buf *out, const struct frame_form *f)
{
    buf_printf(out, "<form method=\"post\" action=\"%s", f->path);
    if (f->id != 0)
        buf_printf(out, "/%lld", (long long)f->id);
    if (f->verb != NULL)
        buf_printf(out, "/%s", f->verb);
    buf_puts(out, "\"");
    if (f->keep != NULL)
        buf_printf(out, " id=\"%s\" class=\"fields\" data-keep", f->keep);
    buf_printf(out, "><input type=\"hidden\" name=\"token\" value=\"%s\">", site->door->token);
}

void frame_form_end(struct buf *out)
{
    buf_puts(out, "</form>\n");
}

void frame_button(const struct site *site, struct buf *out, enum word says)
{
    buf_printf(out, "<button type=\"submit\">%s</button>", word_in(site->language, says));
}

void frame_action(const struct site *site, struct buf *out, const struct frame_form *f,
                  enum word says)
{
    frame_form(site, out, f);
    frame_button(site, out, says);
    frame_form_end(out);
}
