#include "sweep/nothing.h"

#include <strings.h>

#include "sweep/require.h"

#define LONGEST 9 /* bytes */

static const struct {
    const char *text;
    size_t len;
} words[] = {
#define X(word) {word, sizeof(word) - 1},
    NOTHING_MAP(X)
#undef X
};
#define X(word) _Static_assert(sizeof(word) - 1 <= LONGEST, "LONGEST is short");
NOTHING_MAP(X)
#undef X

bool text_is_nothing(const char *text, size_t len)
{
    if (len == 0)
        return true;
    if (text[0] >= '0' && text[0] <= '9') /* as most do */
        return false;
    for (size_t i = 0; len <= LONGEST && i < ARRAY_LEN(words); i++)
        if (len == words[i].len && strncasecmp(text, words[i].text, len) == 0)
            return true;
    return false;
}
