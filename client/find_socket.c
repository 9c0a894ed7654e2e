#include "client/find_socket.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sweep/buf.h"
#include "sweep/err.h"

static bool is_socket(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* One line, the path of a socket that is there. */
static bool read_note(char out[PATHS_MAX])
{
    char database[PATHS_MAX], note[PATHS_MAX];
    struct buf text = {0};
    struct errbuf err;
    bool found = paths_database(database, &err) == 0 &&
                 paths_socket_note(note, database, &err) == 0 &&
                 buf_read_file(&text, note, PATHS_MAX - 1, &err) == 0 && text.len > 0;
    if (found) {
        text.data[strcspn(text.data, "\n")] = '\0';
        found = text.data[0] == '/' && is_socket(text.data);
    }
    if (found)
        str_copy(out, PATHS_MAX, text.data);
    buf_finish(&text);
    return found;
}

int find_socket(char out[PATHS_MAX], struct errbuf *err)
{
    const char *named = getenv("SWEEPD_SOCKET");
    int rc = paths_socket(out, err);
    if (rc == 0 && (named == NULL || *named == '\0') && !is_socket(out))
        read_note(out);
    return rc;
}
