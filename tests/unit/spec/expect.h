/* What the tests of the specification share: parsing a literal, and judging a refusal. */
#ifndef TESTS_SPEC_EXPECT_H
#define TESTS_SPEC_EXPECT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"

/* One refused text: its code, JSON path, and a part of what it says is allowed. */
struct refusal {
    const char *text;
    int code;
    const char *key, *allowed;
};

static inline struct json *parse_json(const char *text)
{
    struct errbuf err = {0};
    struct json *v = json_parse(text, strlen(text), &err);

    if (!v)
        fail_msg("%s: %s", text, err.message);
    return v;
}

static inline void expect_refusal(const struct refusal *want, int code, const struct errbuf *err)
{
    if (code != want->code || err->code != want->code || strcmp(err->key, want->key) != 0 ||
        !strstr(err->allowed, want->allowed) || !strstr(err->message, want->key))
        fail_msg("%s\n gave %d at '%s', allowed '%s' (%s)\n not %d at '%s', allowed '%s'",
                 want->text, code, err->key, err->allowed, err->message, want->code, want->key,
                 want->allowed);
}

#endif
