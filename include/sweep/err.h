/* Error codes and the caller-owned error buffer.
 *
 * A function that can fail returns 0 or one of the negative codes below and leaves its outputs
 * untouched. What a person must be told goes into a struct errbuf: the key or place, the value,
 * and what is allowed. */
#ifndef SWEEP_ERR_H
#define SWEEP_ERR_H

#include <stddef.h>

/* X(code, number, wire name, JSON-RPC code) */
#define SWEEP_ERR_MAP(X)                                     \
    X(ERR_PARSE, -1, "parse_error", -32700)                  \
    X(ERR_REQUEST, -2, "invalid_request", -32600)            \
    X(ERR_METHOD, -3, "method_not_found", -32601)            \
    X(ERR_VALUE, -4, "invalid_value", -32602)                \
    X(ERR_TYPE, -5, "wrong_type", -32602)                    \
    X(ERR_KEY, -6, "unknown_key", -32602)                    \
    X(ERR_MISSING, -7, "missing_key", -32602)                \
    X(ERR_INTERNAL, -8, "internal_error", -32603)            \
    X(ERR_NOT_FOUND, -9, "not_found", -32001)                \
    X(ERR_STATE, -10, "wrong_state", -32002)                 \
    X(ERR_DATA, -11, "data_error", -32003)                   \
    X(ERR_IO, -12, "io_error", -32004)                       \
    X(ERR_LIMIT, -13, "limit_exceeded", -32005)              \
    X(ERR_BUSY, -14, "busy", -32006)                         \
    X(ERR_SHUTDOWN, -15, "shutting_down", -32007)            \
    X(ERR_PERMISSION, -16, "permission_denied", -32008)      \
    X(ERR_TIMEOUT, -17, "timeout", -32009)

enum sweep_err {
    ERR_OK = 0,
#define X(code, number, name, rpc) code = number,
    SWEEP_ERR_MAP(X)
#undef X
};

/* What went wrong, for a person. All strings NUL-terminated, "" where there is nothing to say;
 * longer text is cut at a UTF-8 boundary. */
struct errbuf {
    int code;           /* enum sweep_err */
    char key[160];      /* JSON path ("$.parameters.depth.min"), flag, file or line */
    char value[160];    /* what was given there */
    char allowed[1024]; /* what is allowed there; may carry a near-miss suggestion */
    char message[1280]; /* the whole sentence */
};

/* Sets code and message (printf style), clears key/value/allowed. err may be NULL. Returns code. */
int err_set(struct errbuf *err, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Sets all parts; the message becomes "KEY: got VALUE; allowed: ALLOWED" without what is empty
 * ("did you mean X?" stands before "allowed"; "unknown" for an ERR_KEY among names, "missing" for
 * an ERR_MISSING of "nothing"). allowed_fmt is printf style. err may be NULL. Returns code. */
int err_bad(struct errbuf *err, int code, const char *key, const char *value,
            const char *allowed_fmt, ...) __attribute__((format(printf, 5, 6)));

/* Wire name ("unknown_key") and JSON-RPC code of a code; "internal_error" for unknown ones. */
const char *err_name(int code);
int err_rpc_code(int code);
/* Code of a wire name, ERR_INTERNAL when unknown. */
int err_from_name(const char *name);

/* The nearest of names[0..count) to word by edit distance, or NULL when none is near enough
 * (distance <= 1 + length/4). For "did you mean" in messages. */
const char *err_nearest(const char *word, const char *const *names, size_t count);

#endif
