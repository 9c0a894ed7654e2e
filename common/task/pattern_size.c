#include "common/task/pattern_size.h"

#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"

/* Past the set that begins at p, "[a-z]", "[]x]", "[[:digit:].]". */
static const char *skip_set(const char *p)
{
    p += p[1] == '^' ? 2 : 1;
    p += *p == ']';
    while (*p != '\0' && *p != ']') {
        bool named = *p == '[' && (p[1] == ':' || p[1] == '=' || p[1] == '.');
        char end[] = {named ? p[1] : '\0', ']', '\0'};
        const char *close = named ? strstr(p + 2, end) : NULL;
        p = close ? close + 2 : p + 1;
    }
    return *p == ']' ? p + 1 : p;
}

/* How often what stands before p is written out, past its repetition. */
static size_t take_repetition(const char **p)
{
    char *end;

    if (**p == '*' || **p == '+' || **p == '?')
        return *(*p)++ == '+' ? 2 : 1;
    if (**p != '{' || strchr("0123456789,", (*p)[1]) == NULL || (*p)[1] == '\0')
        return 0;
    unsigned long least = strtoul(*p + 1, &end, 10), times = least;
    if (*end == ',') {
        const char *from = end + 1;
        times = strtoul(from, &end, 10);
        times = end == from ? least + 1 : times; /* {3,} is xxxx* */
    }
    if (*end != '}')
        return 0;
    *p = end + 1;
    times = times > least ? times : least;
    return times > 0 ? times : 1;
}

static size_t capped(size_t n, size_t most)
{
    return n > most ? most + 1 : n;
}

/* The sizes of the groups that are open, each so far. */
struct nest {
    size_t *size;
    size_t depth, cap;
};

static void open_group(struct nest *n)
{
    n->size = array_room(n->size, &n->cap, n->depth, sizeof(*n->size));
    n->size[n->depth++] = 0;
}

/* Its size, itself counted; what closes nothing is a character. */
static size_t close_group(struct nest *n)
{
    return n->depth > 1 ? n->size[--n->depth] + 1 : 1;
}

size_t pattern_size(const char *p, size_t most)
{
    struct nest n = {0};
    open_group(&n);
    while (*p != '\0') {
        size_t atom = 1, times;
        if (*p == '(') {
            open_group(&n);
            p++;
            continue;
        }
        if (*p == ')')
            atom = close_group(&n), p++;
        else if (*p == '[')
            p = skip_set(p);
        else
            p += *p == '\\' && p[1] != '\0' ? 2 : 1;
        while ((times = take_repetition(&p)) > 0)
            atom = atom > most || times > most ? most + 1 : capped(atom * times, most);
        n.size[n.depth - 1] = capped(n.size[n.depth - 1] + atom, most);
    }
    while (n.depth > 1) { /* never closed: it is refused elsewhere */
        size_t inner = close_group(&n);
        n.size[n.depth - 1] = capped(n.size[n.depth - 1] + inner, most);
    }
    size_t size = n.size[0];
    free(n.size);
    return size;
}

bool pattern_refers_back(const char *p)
{
    while (*p != '\0') {
        if (*p == '\\' && p[1] >= '1' && p[1] <= '9')
            return true;
        if (*p == '[')
            p = skip_set(p);
        else
            p += *p == '\\' && p[1] != '\0' ? 2 : 1;
    }
    return false;
}
