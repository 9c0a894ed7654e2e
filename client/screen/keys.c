#include "client/screen/keys.h"

#include <string.h>

#include "client/utf8.h"

#define SEQUENCE_MAX 16 /* bytes; what is longer is no key */

static const struct {
    const char *tail; /* behind ESC [ or ESC O */
    int key;
} sequences[] = {
    {"A", KEY_UP},      {"B", KEY_DOWN},     {"C", KEY_RIGHT},      {"D", KEY_LEFT},
    {"H", KEY_HOME},    {"F", KEY_END},      {"5~", KEY_PAGE_UP},   {"6~", KEY_PAGE_DOWN},
    {"1~", KEY_HOME},   {"4~", KEY_END},     {"7~", KEY_HOME},      {"8~", KEY_END},
    {"Z", KEY_BACK_TAB}, {"M", KEY_ENTER},
};

static int find(const char *tail, size_t len)
{
    for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++)
        if (strlen(sequences[i].tail) == len && memcmp(sequences[i].tail, tail, len) == 0)
            return sequences[i].key;
    return KEY_NONE;
}

/* ESC [ parameters final, or ESC O final. */
static size_t take_sequence(const char *bytes, size_t len, bool ended, int *key)
{
    size_t end = 2;
    while (end < len && end < SEQUENCE_MAX && (unsigned char)bytes[end] >= 0x20 &&
           (unsigned char)bytes[end] < 0x40)
        end++;
    *key = KEY_NONE;
    if (end == len && end < SEQUENCE_MAX && !ended)
        return 0;
    if (end == len || end == SEQUENCE_MAX)
        return end;
    *key = find(bytes + 2, end - 1);
    return end + 1;
}

static size_t take_character(const char *bytes, size_t len, bool ended, int *key)
{
    char text[5] = {0};
    uint32_t c;
    memcpy(text, bytes, len < 4 ? len : 4);
    size_t used = utf8_decode(text, &c);
    unsigned char first = (unsigned char)*bytes;
    size_t asked = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    *key = used > 0 ? (int)c : KEY_NONE;
    if (used == 0 && !ended && first >= 0xc2 && first <= 0xf4 && len < asked)
        return 0; /* the rest comes */
    return used > 0 ? used : 1;
}

size_t keys_take(const char *bytes, size_t len, bool ended, int *key)
{
    static const struct {
        char c;
        int key;
    } controls[] = {{'\r', KEY_ENTER}, {'\n', KEY_ENTER},      {'\t', KEY_TAB},
                    {0x7f, KEY_BACKSPACE}, {'\b', KEY_BACKSPACE}};
    *key = KEY_NONE;
    if (len == 0)
        return 0;
    for (size_t i = 0; i < sizeof controls / sizeof *controls; i++)
        if (*bytes == controls[i].c) {
            *key = controls[i].key;
            return 1;
        }
    if (*bytes != 0x1b)
        return (unsigned char)*bytes < 0x20 ? 1 : take_character(bytes, len, ended, key);
    if (len == 1 && !ended)
        return 0;
    if (len > 1 && (bytes[1] == '[' || bytes[1] == 'O'))
        return take_sequence(bytes, len, ended, key);
    *key = KEY_ESCAPE;
    return 1;
}
