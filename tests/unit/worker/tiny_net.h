/* A network's layout without its code: what reading and writing weights looks at. */
#ifndef TESTS_UNIT_WORKER_TINY_NET_H
#define TESTS_UNIT_WORKER_TINY_NET_H

#include "worker/nn/net.h"

#define TINY_LAYERS 4
#define TINY_TENSORS 10
#define TINY_VALUES 27
#define TINY_BUFFERS 23 /* where the buffers begin: behind all that is trained */

/* "0": dense 3 → 2; "1": batch norm; "2.body.0": dense 2 → 2 without a bias; "3": the output
 * layer, 2 → 2. Value i is i + 1. */
struct tiny_net {
    struct net net;
    struct layer layers[TINY_LAYERS];
    struct plan_layer plan[TINY_LAYERS];
    real values[TINY_VALUES];
};

void tiny_net_init(struct tiny_net *t);

#endif
