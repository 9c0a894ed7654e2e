/* Any bytes on a program's stdout, in pieces: points in order, with valid names, that can be
 * written and read back; where a better way to report takes their place, they begin at 1 again; and however
 * the bytes are cut, the same points. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/record.h"
#include "sweep/require.h"
#include "worker/command/listen.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

struct seen {
    int64_t point;
    double epoch;
    struct buf lines;
};

static int take(void *context, struct point_metrics *m)
{
    struct seen *s = context;
    struct record r = {.type = RECORD_POINT, .metrics = m, .u.point = m->at}, back;
    struct errbuf err = {0};
    size_t from = s->lines.len;

    REQUIRE(m->at.point == s->point + 1 && m->at.epoch > s->epoch && isfinite(m->at.epoch));
    REQUIRE(m->count > 0 && m->count <= METRICS_MAX);
    s->point = m->at.point;
    s->epoch = m->at.epoch;
    record_write(&r, &s->lines);
    REQUIRE(record_parse(s->lines.data + from, s->lines.len - from - 1, &back, &err) == 0);
    REQUIRE(back.metrics->count == m->count);
    record_finish(&back);
    return 0;
}

static int forget(void *context)
{
    struct seen *s = context;

    REQUIRE(s->point > 0);
    s->point = 0;
    s->epoch = 0;
    buf_puts(&s->lines, "anew\n");
    return 0;
}

static void run(const uint8_t *bytes, size_t len, size_t piece, struct seen *s)
{
    struct command_pattern patterns[] = {{"acc", "acc[a-z]* ([0-9.]+)"}, {"x", "(x)=(.*)$"}};
    struct command_config c = {.metric = "loss",
                               .manner = {.pattern_count = ARRAY_LEN(patterns),
                                          .patterns = patterns}};
    struct intake *in = xcalloc(1, sizeof(*in));
    struct listener *l = xcalloc(1, sizeof(*l));

    intake_init(in, &c, take, s);
    in->anew = forget;
    listener_init(l, &c, in);
    for (size_t i = 0; i < len; i += piece) {
        size_t n = len - i < piece ? len - i : piece;
        REQUIRE(listener_stdout(l, (const char *)bytes + i, n, 1) == 0);
    }
    REQUIRE(listener_end(l, 1) == 0);
    REQUIRE(intake_end(in, 1) == 0);
    REQUIRE(in->points == s->point);
    listener_finish(l);
    intake_finish(in);
    free(l);
    free(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct seen whole = {0}, cut = {0};

    run(bytes, len, len + 1, &whole);
    run(bytes, len, len > 0 ? bytes[0] % 61 + 1 : 1, &cut);
    REQUIRE(whole.lines.len == cut.lines.len);
    REQUIRE(whole.lines.len == 0 || memcmp(whole.lines.data, cut.lines.data, cut.lines.len) == 0);
    buf_finish(&whole.lines);
    buf_finish(&cut.lines);
    return 0;
}
