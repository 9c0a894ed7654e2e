#include "worker/data/notes.h"

#include <stdarg.h>
#include <stdio.h>

#include "sweep/buf.h"

void notes_add(struct notes *n, const char *key, const char *fmt, ...)
{
    char text[2 * sizeof n->note[0].text];
    va_list args;
    if (n->count == RECORD_NOTES_MAX)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    struct record_note *note = &n->note[n->count++];
    str_copy(note->key, sizeof note->key, key);
    str_copy(note->text, sizeof note->text, text);
}
