/* What a method of the protocol is: the type of dispatch.c's rows. */
#ifndef SWEEPD_COMMAND_H
#define SWEEPD_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

struct request;

#define COMMAND_PARAMS_MAX 6

enum param_type { PARAM_INTEGER, PARAM_SWITCH, PARAM_OBJECT, PARAM_ARRAY, PARAM_WORD, PARAM_TEXT };

struct param {
    const char *name; /* NULL ends the list */
    enum param_type type;
    bool required;
    int64_t min, max, fallback; /* of integers; the fallback of switches */
};

/* One verb: a file in daemon/serve/cmd/ that defines `command_<verb>`. */
struct command {
    const char *name;
    struct param params[COMMAND_PARAMS_MAX + 1];
    /* For paged methods: the member that holds the rows, and the column the next page starts
     * after. */
    const char *rows, *cursor;
    bool lasting; /* it waits for something to happen; its reply is small */
    /* Ends the request now or later, with exactly one request_result* or request_error. */
    void (*run)(struct request *r);
};

#define PARAM_ID_MAX ((int64_t)1 << 53)
#define PARAM_SWEEP(is_required) {"sweep", PARAM_INTEGER, is_required, 1, PARAM_ID_MAX, 0}
#define PARAM_RUN(is_required) {"run", PARAM_INTEGER, is_required, 1, PARAM_ID_MAX, 0}
/* Rows after this one; before the first. */
#define PARAM_CURSOR(first) {"cursor", PARAM_INTEGER, false, first, PARAM_ID_MAX, first}
#define PARAM_LIMIT(rows) {"limit", PARAM_INTEGER, false, 1, RPC_PAGE_MAX, rows}

#endif
