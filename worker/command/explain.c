#include "worker/command/explain.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/command.h"
#define LOG_MODULE "command"
#include "sweep/log.h"

#define NAMES_BYTES 240

void explain_left_out(const struct intake *in)
{
    struct buf text = {0};

    intake_left_out(in, &text);
    if (text.len > 0)
        log_warn("left out of the metrics: %s", text.data);
    buf_finish(&text);
}

void explain_channel(const struct listener *l, const struct files *f)
{
    if (l->channel == COMMAND_CHANNEL_COUNT && f->trouble.code != 0)
        log_info("metrics were read from no file: %s", f->trouble.message);
    if (l->channel == COMMAND_CHANNEL_COUNT || l->channel < COMMAND_CHANNEL_FILES)
        return;
    log_info("metrics were read from what it wrote, by the rules for \"%s\"%s (task.metrics_from "
             "chooses)", command_channel_name((enum command_channel)l->channel),
             l->switched ? ", and before by others" : "");
}

void explain_no_metric(const struct intake *in, const char *metric, struct buf *text)
{
    const char *near = series_nearest(&in->series, metric);

    buf_printf(text, "exit status 0, but \"%s\", which its sweep ranks by, was never reported",
               metric);
    if (in->points == 0 && in->held_count > 0)
        buf_printf(text, ": no line has \"%s\", which counts its epochs", in->key);
    else if (in->series.count == 0)
        buf_printf(text,
                   ": no line of what it printed says a measurement, nor was there one of metrics "
                   "on descriptor SWEEPD_METRICS_FD (%" PRIu64 " that could not be read%s%s)",
                   in->bad_lines, in->bad_lines > 0 ? "; the first: " : "", in->first_bad);
    else
        buf_puts(text, near ? "; did you mean " : "; reported: ");
    if (near && in->series.count > 0)
        buf_printf(text, "%s? reported: ", near);
    series_list(&in->series, NAMES_BYTES, text);
}

enum run_error explain_signal(int number, struct buf *text)
{
    bool from_outside = number == SIGKILL || number == SIGTERM;

    buf_printf(text, "the program was ended by signal %d (%s)%s", number, strsignal(number),
               number == SIGKILL ? ", perhaps for lack of memory" : "");
    return from_outside ? RUN_ERROR_KILLED : RUN_ERROR_CRASHED;
}
