/* The table of what can be asked for: a path, a method, and the handler that answers. A page is one
 * file and one row. */
#ifndef SWEEPCTL_SERVE_ROUTE_H
#define SWEEPCTL_SERVE_ROUTE_H

#include "client/serve/request.h"

struct desk;

/* Where it is done: HERE at once, by those who may not even be in; READ and CHANGE at a desk, where
 * the daemon can be asked (CHANGE wants the token); STREAM goes on for ever. */
enum route_kind { ROUTE_HERE, ROUTE_READ, ROUTE_CHANGE, ROUTE_STREAM };

typedef void route_handler(struct desk *d, const struct request *r, struct answer *a);

/* X(kind, POST?, path: "#" stands for an id, handler) */
#define ROUTE_MAP(X)                                                                               \
    X(READ, false, "/", page_sweeps)                                                               \
    X(READ, false, "/sweep/#", page_sweep)                                                         \
    X(READ, false, "/sweep/#/runs", page_runs)                                                     \
    X(READ, false, "/sweep/#/plot", page_plot)                                                     \
    X(READ, false, "/run/#", page_run)                                                             \
    X(READ, false, "/compare", page_compare)                                                       \
    X(READ, false, "/guide", page_guide)                                                           \
    X(READ, false, "/submit", page_submit)                                                         \
    X(CHANGE, true, "/submit", change_submit)                                                      \
    X(CHANGE, true, "/sweep/#/pause", change_pause)                                                \
    X(CHANGE, true, "/sweep/#/resume", change_resume)                                              \
    X(CHANGE, true, "/sweep/#/cancel", change_cancel)                                              \
    X(CHANGE, true, "/sweep/#/enqueue", change_enqueue)                                            \
    X(CHANGE, true, "/run/#/treat", change_treat)                                                  \
    X(CHANGE, true, "/run/#/cancel", change_cancel_run)                                            \
    X(STREAM, false, "/events", NULL)                                                              \
    X(HERE, false, "/login", page_login)                                                           \
    X(HERE, true, "/login", change_login)                                                          \
    X(HERE, false, "/style.css", asset_style)                                                      \
    X(HERE, false, "/live.js", asset_live)                                                         \
    X(HERE, false, "/explore.js", asset_explore)                                                   \
    X(HERE, false, "/chart.js", asset_library)

struct route {
    enum route_kind kind;
    bool post;
    const char *path;
    route_handler *handle; /* NULL: a stream */
};

/* The row for a path and a method, and the id that the path names. NULL: none; *other then tells
 * whether there is one of another method. */
const struct route *route_find(const char *path, bool post, int64_t *id, bool *other);

route_handler page_sweeps, page_sweep, page_runs, page_plot, page_run, page_compare, page_guide,
    page_submit, page_login;
route_handler change_submit, change_pause, change_resume, change_cancel, change_enqueue,
    change_treat, change_cancel_run, change_login;
route_handler asset_style, asset_live, asset_explore, asset_library;

#endif
