/* A sweep of the world that is decided again from its rows. */
#ifndef TESTS_ENGINE_REPLAYED_H
#define TESTS_ENGINE_REPLAYED_H

#include "daemon/engine/replay.h"
#include "tests/unit/engine/world.h"

/* 0 or what engine_replay says. */
int world_replay(const struct world *w, int64_t sweep_id, struct replay_report *out,
                 struct errbuf *err);
/* Fails the test where a decision differs, or is not made again. Their number. */
size_t assert_replays(const struct world *w, int64_t sweep_id);

#endif
