#include "sweep/terminal_text.h"

#include <ctype.h>
#include <string.h>

#include "sweep/require.h"

size_t terminal_escape(const char *text, size_t len)
{
    size_t n = 1;
    if (n < len && text[n] == '[')
        for (n++; n < len && !isalpha((unsigned char)text[n]) && (unsigned char)text[n] >= ' '; n++)
            continue;
    return n < len ? n + 1 : len;
}

size_t terminal_state(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len && text[n] != '\r' && text[n] != '\b')
        n++;
    return n;
}

bool terminal_has_bar(const char *text)
{
    static const char *const marks[] = {"\xe2\x94\x81" /* ━ */, "\xe2\x96\x88" /* █ */, "it/s",
                                        "s/it", "/step", "[=", "[>", "[.", "ETA:", "%|"};
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (strstr(text, marks[i]))
            return true;
    return false;
}
