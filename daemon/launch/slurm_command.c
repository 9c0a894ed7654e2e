#include "daemon/launch/slurm_command.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/launch/capture.h"
#include "daemon/launch/site.h"
#include "daemon/launch/slurm_state.h"
#include "daemon/loop.h"

#define COMMAND_SECONDS 60

struct command {
    struct capture capture;
    char **words;
    const bool *given_up;
    void (*done)(void *arg, const struct slurm_answer *a);
    void *arg;
};

static bool is_wanted(struct capture *capture)
{
    return !*((const struct command *)capture->arg)->given_up;
}

static void on_done(struct capture *capture)
{
    struct command *c = capture->arg;
    char why[1024] = "";
    struct slurm_answer a = {
        .ok = capture->spawned && capture->exited && capture->status == 0 &&
              capture->signal == 0 && !capture->too_long,
        .is_missing = !capture->spawned,
        .output = capture->output[0].len ? capture->output[0].data : "",
    };
    if (!a.ok) {
        char text[900];
        capture_explain(capture, text, sizeof(text));
        text[strcspn(text, "\n")] = '\0';
        snprintf(why, sizeof(why), "%s: %s", c->words[0], text);
        a.is_unreachable = slurm_is_unreachable(capture->output[1].len ? capture->output[1].data
                                                                       : "");
    }
    a.why = why;
    c->done(c->arg, &a);
    capture_finish(capture);
    for (size_t i = 0; c->words[i]; i++)
        free(c->words[i]);
    free(c->words);
    free(c);
}

void slurm_command(const struct launch_site *site, char *const *words, const bool *given_up,
                   void (*done)(void *arg, const struct slurm_answer *a), void *arg)
{
    struct command *c = xcalloc(1, sizeof(*c));
    size_t count = 0;
    while (words[count])
        count++;
    c->words = xcalloc(count + 1, sizeof(*c->words));
    for (size_t i = 0; i < count; i++)
        c->words[i] = xstrdup(words[i]);
    c->given_up = given_up;
    c->done = done;
    c->arg = arg;
    c->capture.watchdog.limits.seconds = COMMAND_SECONDS;
    c->capture.wanted = is_wanted;
    c->capture.done = on_done;
    c->capture.arg = c;
    (void)capture_start(&c->capture, site->loop->uv, c->words, site->program_environment, -1);
}
