#include "worker/command/resume.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/paths.h"
#include "sweep/record.h"
#include "sweep/require.h"

#define MARK_MAX 4096

static char *file_of(const char *run_dir, enum run_file f)
{
    return xasprintf("%s/%s", run_dir, run_file_name(f));
}

/* The daemon has cut off what is no whole line. */
static bool take_lines(const char *run_dir, struct intake *in, bool from_zero)
{
    char *path = file_of(run_dir, RUN_FILE_LINES), *line = NULL;
    FILE *f = fopen(path, "re");
    size_t room = 0;
    ssize_t len;
    struct record r;
    struct errbuf err;

    while (f && (len = getline(&line, &room, f)) > 0) {
        if (record_parse(line, (size_t)len - (line[len - 1] == '\n'), &r, &err) != 0)
            break;
        if (r.type == RECORD_START && r.u.start.anew)
            intake_forget(in);
        if (r.type == RECORD_POINT) {
            struct point_metrics *m = r.metrics ? r.metrics : metrics_create(&r.u.point, 0);
            m->at = r.u.point;
            intake_resume(in, m, from_zero);
            if (!r.metrics)
                free(m);
        }
        record_finish(&r);
    }
    free(line);
    free(path);
    if (f)
        fclose(f);
    return f != NULL;
}

bool resume_take(const char *run_dir, struct intake *in)
{
    char *path = file_of(run_dir, RUN_FILE_CHECKPOINT);
    struct json *mark = NULL;
    bool there = access(path, F_OK) == 0;

    if (there)
        (void)json_read_file(path, MARK_MAX, &mark, NULL); /* else: as it is most often */
    const struct json *from_zero = mark ? json_get(mark, "from_zero") : NULL;
    if (there)
        there = take_lines(run_dir, in,
                           from_zero && json_type(from_zero) == JSON_BOOL && json_bool(from_zero));
    json_destroy(mark);
    free(path);
    return there;
}

int resume_replay(struct descriptor *d, struct intake *in)
{
    char bytes[16384];
    ssize_t n;
    int rc = 0;

    intake_replay(in, true, d->forgotten > 0);
    while (rc == 0 && (n = descriptor_read(d, bytes, sizeof(bytes))) > 0)
        rc = intake_bytes(in, bytes, (size_t)n, in->seconds);
    intake_replay(in, false, false);
    return rc;
}

bool resume_mark(const char *run_dir, bool from_zero)
{
    char *path = file_of(run_dir, RUN_FILE_CHECKPOINT), *beside = xasprintf("%s.tmp", path);
    const char *text = from_zero ? "{\"from_zero\":true}\n" : "{\"from_zero\":false}\n";
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        close(fd);
    ok = ok && rename(beside, path) == 0;
    free(beside);
    free(path);
    return ok;
}
