#include "daemon/launch/slurm_state.h"

#include <string.h>

#include "sweep/buf.h"
#include "sweep/require.h"

static const struct {
    const char *word;
    enum slurm_kind kind;
} states[] = {
#define X(word, kind) {#word, SLURM_##kind},
    SLURM_STATE_MAP(X)
#undef X
};

#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"

enum slurm_kind slurm_kind_of(const char *state)
{
    size_t len = strspn(state, CAPITALS);
    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        if (strlen(states[i].word) == len && memcmp(states[i].word, state, len) == 0)
            return states[i].kind;
    return SLURM_UNKNOWN;
}

/* The next part of the line up to '|', or its end; false: there is none, or it is too long. */
static bool take_part(const char **at, const char *end, bool last, char *out, size_t size)
{
    const char *bar = last ? end : memchr(*at, '|', (size_t)(end - *at));
    if (!bar)
        return false;
    size_t len = (size_t)(bar - *at);
    if (len >= size && !last)
        return false;
    len = len < size ? len : size - 1;
    memcpy(out, *at, len);
    out[len] = '\0';
    for (char *p = out; *p; p++)
        *p = *p < ' ' || *p > '~' ? '?' : *p;
    *at = last ? end : bar + 1;
    return true;
}

bool slurm_job_read(const char *line, size_t len, struct slurm_job *out)
{
    const char *at = line, *end = line + len;
    struct slurm_job j;
    if (!take_part(&at, end, false, j.id, sizeof(j.id)) ||
        !take_part(&at, end, false, j.state, sizeof(j.state)) ||
        !take_part(&at, end, false, j.name, sizeof(j.name)) ||
        !take_part(&at, end, true, j.reason, sizeof(j.reason)))
        return false;
    if (j.id[0] == '\0' || strspn(j.id, "0123456789_") != strlen(j.id) || j.state[0] == '\0')
        return false;
    *out = j;
    return true;
}

bool slurm_id_read(const char *text, char out[SLURM_JOB_MAX])
{
    /* A site's own words may stand before it: the last line counts. */
    size_t len = strlen(text);
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r' || text[len - 1] == ' '))
        len--;
    size_t from = len;
    while (from > 0 && text[from - 1] != '\n')
        from--;
    size_t digits = strspn(text + from, "0123456789");
    if (digits == 0 || digits >= SLURM_JOB_MAX ||
        (from + digits != len && text[from + digits] != ';'))
        return false;
    memcpy(out, text + from, digits);
    out[digits] = '\0';
    return true;
}

bool slurm_is_unreachable(const char *complaint)
{
    static const char *const words[] = {
        "Unable to contact slurm controller", "Socket timed out", "Connection refused",
        "Transport endpoint is not connected", "Zero Bytes were transmitted", "Unable to connect",
        "Slurm backup controller in standby", "Communication connection failure",
        "Connection timed out", "temporarily unable", "Slurm temporarily",
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strstr(complaint, words[i]))
            return true;
    return false;
}
