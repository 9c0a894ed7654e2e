#include "client/curve_input.h"

#include <string.h>

#include "client/database.h"
#include "sweep/buf.h"
#include "sweep/err.h"

int curve_input_read(const char *path, const char *run, struct curve *out, struct errbuf *err)
{
    bool standard_input = strcmp(path, "-") == 0;
    struct buf text = {0};
    int rc = buf_read_file(&text, standard_input ? "/dev/stdin" : path, CURVE_FILE_MAX_BYTES, err);

    if (rc == 0 && database_is(text.data, text.len)) {
        buf_clear(&text);
        rc = standard_input ? err_set(err, ERR_DATA, "a database is read from a file, not from "
                                      "standard input")
                            : database_lines(path, CURVE_FILE_MAX_BYTES, &text, err);
    }
    if (rc == 0) {
        struct curve_source in = {
            .name = standard_input ? "standard input" : path,
            .bytes = text.data ? text.data : "",
            .len = text.len,
            .run = run,
        };
        rc = curve_file_parse(&in, out, err);
    }
    buf_finish(&text);
    return rc;
}
