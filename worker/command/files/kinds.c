#include "worker/command/files/kinds.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/command.h"
#include "sweep/require.h"

static const char BOARD[] = ".tfevents."; /* events.out.tfevents.TIME.HOST.PROCESS.NUMBER */

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static bool is_table(const char *name)
{
    return ends_in(name, ".csv") || ends_in(name, ".tsv") || ends_in(name, ".log");
}

static bool is_database(const char *name)
{
    return ends_in(name, ".db") || ends_in(name, ".sqlite") || ends_in(name, ".sqlite3");
}

enum file_kind file_kind_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *runs = strstr(path, "/mlruns/");

    if (strcmp(name, COMMAND_LOGGED_FILE) == 0)
        return FILE_KIND_LOGGED;
    if (strstr(path, "/trackio/") && (ends_in(name, ".jsonl") || is_database(name)))
        return FILE_KIND_TRACKIO;
    if (is_database(name) || (runs && strstr(runs, "/metrics/")))
        return FILE_KIND_MLFLOW;
    if (strstr(name, BOARD))
        return FILE_KIND_TENSORBOARD;
    if (ends_in(name, ".wandb"))
        return FILE_KIND_WANDB;
    return is_table(name) ? FILE_KIND_CSV : FILE_KIND_COUNT;
}

/* A host's name may have dots and digits of its own: the last whole number of those behind it but
 * for the one that counts the files of a process. */
int file_board_process(const char *path)
{
    const char *at = strstr(path, BOARD);
    long numbers[2] = {0, 0};

    for (at = at ? at + sizeof(BOARD) - 1 : NULL; at && *at;) {
        const char *dot = strchr(at, '.');
        char *end;
        long number = strtol(at, &end, 10);
        if (end != at && (*end == '.' || *end == '\0') && number >= 0 && number <= INT_MAX) {
            numbers[0] = numbers[1];
            numbers[1] = number;
        }
        at = dot ? dot + 1 : NULL;
    }
    return (int)numbers[0];
}
