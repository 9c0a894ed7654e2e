#include "sweep/run.h"

#include <string.h>

#include "sweep/require.h"

struct status {
    const char *name;
    bool terminal;
};

static const struct status sweep_statuses[] = {
#define X(id, name, terminal) [SWEEP_##id] = {name, terminal},
    SWEEP_STATUS_MAP(X)
#undef X
};

static const struct status run_statuses[] = {
#define X(id, name, terminal) [RUN_##id] = {name, terminal},
    RUN_STATUS_MAP(X)
#undef X
};

static const char *const kinds[] = {
#define X(id, name) [RUN_KIND_##id] = name,
    RUN_KIND_MAP(X)
#undef X
};

static const char *const pausers[] = {
#define X(id, name) [RUN_PAUSER_##id] = name,
    RUN_PAUSER_MAP(X)
#undef X
};

static const struct {
    const char *name;
    int64_t attempts;
    enum run_wait wait;
    bool alike;
} errors[] = {
#define X(id, name, attempts, wait, alike, meaning)                                                \
    [RUN_ERROR_##id] = {name, attempts, RUN_WAIT_##wait, alike},
    RUN_ERROR_MAP(X)
#undef X
};

static const struct {
    const char *name;
    enum run_error error;
} old_errors[] = {
#define X(name, id) {name, RUN_ERROR_##id},
    RUN_ERROR_OLD_MAP(X)
#undef X
};

#define SWEEP(id) (1u << SWEEP_##id)
#define RUN(id) (1u << RUN_##id)

/* Row: from; bits: the states that may follow. A sweep that has ended may be extended. */
static const unsigned sweep_moves[SWEEP_STATUS_COUNT] = {
    /* completed from queued: every run was answered from what was there already */
    [SWEEP_QUEUED] =
        SWEEP(RUNNING) | SWEEP(PAUSED) | SWEEP(HELD) | SWEEP(CANCELLED) | SWEEP(COMPLETED),
    [SWEEP_RUNNING] =
        SWEEP(PAUSED) | SWEEP(HELD) | SWEEP(COMPLETED) | SWEEP(CANCELLED) | SWEEP(QUEUED),
    /* completed from paused: its last run was still training when it was paused */
    [SWEEP_PAUSED] =
        SWEEP(RUNNING) | SWEEP(QUEUED) | SWEEP(CANCELLED) | SWEEP(HELD) | SWEEP(COMPLETED),
    [SWEEP_HELD] = SWEEP(RUNNING) | SWEEP(QUEUED) | SWEEP(PAUSED) | SWEEP(CANCELLED),
    [SWEEP_COMPLETED] = SWEEP(QUEUED),
    [SWEEP_CANCELLED] = SWEEP(QUEUED),
};

static const unsigned run_moves[RUN_STATUS_COUNT] = {
    /* stopped: by its sweep's deadline, when it was to go on from a rung */
    [RUN_QUEUED] = RUN(RUNNING) | RUN(CANCELLED) | RUN(PAUSED) | RUN(STOPPED),
    /* queued again: a retry, or its worker is gone without a result */
    [RUN_RUNNING] =
        RUN(COMPLETED) | RUN(STOPPED) | RUN(FAILED) | RUN(CANCELLED) | RUN(QUEUED) | RUN(PAUSED),
    /* stopped: at a rung, by a rule that has seen how far it came */
    [RUN_PAUSED] = RUN(QUEUED) | RUN(CANCELLED) | RUN(STOPPED),
};

const char *sweep_status_name(enum sweep_status s)
{
    REQUIRE((unsigned)s < SWEEP_STATUS_COUNT);
    return sweep_statuses[s].name;
}

bool sweep_status_terminal(enum sweep_status s)
{
    REQUIRE((unsigned)s < SWEEP_STATUS_COUNT);
    return sweep_statuses[s].terminal;
}

bool sweep_status_may(enum sweep_status from, enum sweep_status to)
{
    REQUIRE((unsigned)from < SWEEP_STATUS_COUNT && (unsigned)to < SWEEP_STATUS_COUNT);
    return sweep_moves[from] >> to & 1u;
}

const char *run_status_name(enum run_status s)
{
    REQUIRE((unsigned)s < RUN_STATUS_COUNT);
    return run_statuses[s].name;
}

bool run_status_terminal(enum run_status s)
{
    REQUIRE((unsigned)s < RUN_STATUS_COUNT);
    return run_statuses[s].terminal;
}

bool run_status_ranks(enum run_status s)
{
    return s != RUN_FAILED && s != RUN_CANCELLED;
}

bool run_status_may(enum run_status from, enum run_status to)
{
    REQUIRE((unsigned)from < RUN_STATUS_COUNT && (unsigned)to < RUN_STATUS_COUNT);
    return run_moves[from] >> to & 1u;
}

const char *run_kind_name(enum run_kind k)
{
    REQUIRE((unsigned)k < RUN_KIND_COUNT);
    return kinds[k];
}

const char *run_pauser_name(enum run_pauser p)
{
    REQUIRE((unsigned)p < RUN_PAUSER_COUNT);
    return pausers[p];
}

const char *run_error_name(enum run_error e)
{
    REQUIRE((unsigned)e < RUN_ERROR_COUNT);
    return errors[e].name;
}

int64_t run_error_attempts(enum run_error e)
{
    REQUIRE((unsigned)e < RUN_ERROR_COUNT);
    return errors[e].attempts;
}

enum run_wait run_error_wait(enum run_error e)
{
    REQUIRE((unsigned)e < RUN_ERROR_COUNT);
    return errors[e].wait;
}

bool run_error_alike(enum run_error e)
{
    REQUIRE((unsigned)e < RUN_ERROR_COUNT);
    return errors[e].alike;
}

static int find_status(const struct status *rows, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(rows[i].name, name) == 0)
            return i;
    return -1;
}

int sweep_status_find(const char *name)
{
    return find_status(sweep_statuses, SWEEP_STATUS_COUNT, name);
}

int run_status_find(const char *name)
{
    return find_status(run_statuses, RUN_STATUS_COUNT, name);
}

static int find_name(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

int run_kind_find(const char *name)
{
    return find_name(kinds, RUN_KIND_COUNT, name);
}

int run_pauser_find(const char *name)
{
    return find_name(pausers, RUN_PAUSER_COUNT, name);
}

bool run_error_is_own(enum run_error e)
{
    return e != RUN_ERROR_DATA && e != RUN_ERROR_DATA_MISSING && e != RUN_ERROR_SPAWN &&
           e != RUN_ERROR_DISK_FULL && e != RUN_ERROR_FILE_UNREADABLE && e != RUN_ERROR_KILLED;
}

int run_error_find(const char *name)
{
    for (int i = 0; i < RUN_ERROR_COUNT; i++)
        if (strcmp(errors[i].name, name) == 0)
            return i;
    for (size_t i = 0; i < ARRAY_LEN(old_errors); i++)
        if (strcmp(old_errors[i].name, name) == 0)
            return (int)old_errors[i].error;
    return -1;
}
