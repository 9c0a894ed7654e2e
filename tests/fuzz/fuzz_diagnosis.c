/* Any numbers as curves: a defined label, finite evidence, valid JSON, twice the same. Input: one
 * byte of dropout, then records of one byte "which columns" and a double for each of them. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/diagnosis.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define POINTS_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The columns that the rules read. */
static const enum curve_column COLUMNS[] = {CURVE_TRAIN_LOSS,     CURVE_VAL_LOSS,
                                            CURVE_TRAIN_LOSS_MIN, CURVE_TRAIN_LOSS_MAX,
                                            CURVE_TRAIN_LOSS_SD,  CURVE_LEARNING_RATE};

static size_t read_points(const uint8_t *data, size_t size, struct point *out)
{
    size_t count = 0, at = 0;

    while (at < size && count < POINTS_MAX) {
        struct point p = {.point = (int64_t)count + 1, .epoch = (double)count + 1};
        unsigned which = data[at++];
        for (size_t i = 0; i < ARRAY_LEN(COLUMNS); i++) {
            double v;
            if (!(which >> i & 1u) || size - at < sizeof(v))
                continue;
            memcpy(&v, data + at, sizeof(v));
            at += sizeof(v);
            point_set(&p, COLUMNS[i], v);
        }
        out[count++] = p;
    }
    return count;
}

static void check(const struct diagnosis *d)
{
    struct buf text = {0};
    struct json_writer w;

    REQUIRE((int)d->pattern >= 0 && d->pattern < PATTERN_COUNT && d->runner_up != d->pattern);
    REQUIRE(d->confidence >= 0 && d->confidence <= 1 && strlen(d->sentence) > 0);
    REQUIRE(isfinite(d->train.change) && isfinite(d->val.change) && !isinf(d->gap));
    jw_init(&w, &text);
    diagnosis_evidence_write(d, &w);
    struct json *v = json_parse(text.data, text.len, NULL);
    REQUIRE(v != NULL);
    json_destroy(v);
    buf_finish(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct point points[POINTS_MAX];
    struct diagnosis first, second;
    struct diagnosis_input in = {.points = points};

    if (size > 0)
        in.dropout = data[0] / 256.0;
    in.count = size > 1 ? read_points(data + 1, size - 1, points) : 0;
    void *workspace = malloc(diagnosis_workspace_bytes(in.count));
    diagnose(&in, workspace, &first);
    memset(workspace, 0xa5, diagnosis_workspace_bytes(in.count));
    diagnose(&in, workspace, &second);
    free(workspace);
    check(&first);
    REQUIRE(first.pattern == second.pattern && strcmp(first.sentence, second.sentence) == 0);
    return 0;
}
