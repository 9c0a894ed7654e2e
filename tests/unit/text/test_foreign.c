/* What files are that are no text, by how they begin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/foreign.h"
#include "sweep/require.h"

#define BYTES(s) s, sizeof(s) - 1

static const struct {
    const char *bytes;
    size_t len;
    const char *what; /* NULL: nothing that is known */
    const char *advice;
} files[] = {
    {BYTES("PAR1\x15\x04\0\0"), "a Parquet file", "read_parquet"},
    {BYTES("ARROW1\0\0"), "a Feather (Arrow) file", "read_feather"},
    {BYTES("\x89HDF\r\n\x1a\n\0\0"), "an HDF5 file", "NPZ"},
    {BYTES("MATLAB 5.0 MAT-file, Platform: GLNXA64"), "a MATLAB file", "loadmat"},
    {BYTES("PK\x03\x04\x14\0\0\0 [Content_Types].xml xl/workbook.xml"), "an Excel workbook",
     "read_excel"},
    {BYTES("PK\x03\x04 mimetypeapplication/vnd.oasis.opendocument.spreadsheet"),
     "an OpenDocument spreadsheet", "read_excel"},
    {BYTES("PK\x03\x04\x14\0 x_train.npy"), "an NPZ archive", "data.format: npz"},
    {BYTES("PK\x03\x04\x14\0 archive/data.pkl"), "a file of torch.save", "torch.load"},
    {BYTES("PK\x03\x04\x14\0 data.csv"), "a ZIP archive", "unzip"},
    {BYTES("SQLite format 3\0\x10"), "an SQLite database", "sqlite3 -header -csv"},
    {BYTES("\x93NUMPY\x01\0"), "a NumPy array", "data.format: npy"},
    {BYTES("X\n\0\0\0\x03"), "a file of R", "write.csv"},
    {BYTES("\x89PNG\r\n\x1a\n\0"), "a picture", "IDX"},
    {BYTES("\x80\x04\x95 some objects ."), "a pickle", "read_pickle"},
    {BYTES("\0\0\x08\x03\0\0\xea\x60\0\0"), "an IDX file", "data.format: idx"},
    {BYTES("[{\"a\": 1}]"), "JSON", "read_json"},
    {BYTES("\n { \"a\": 1 }\n"), "JSON", "lines=True"},
    {BYTES("\r\n<!DOCTYPE html><p>403"), "an HTML page", "download"},
    {BYTES("<html>"), "an HTML page", "download"},
    {BYTES("version https://git-lfs.github.com/spec/v1\n"), "what Git LFS leaves in a file's place",
     "git lfs pull"},
    /* text that begins alike, and what is too short to be anything */
    {BYTES(""), NULL, NULL},
    {BYTES("PA"), NULL, NULL},
    {BYTES("PARTS,b\n1,2\n"), NULL, NULL},
    {BYTES("{a},b\n1,2\n"), NULL, NULL},
    {BYTES("[0],b\n1,2\n"), NULL, NULL},
    {BYTES("version,b\n1,2\n"), NULL, NULL},
    {BYTES("Raw,b\n1,2\n"), NULL, NULL},
    {BYTES("\0\0\x08"), NULL, NULL},
    {BYTES("\x80\x04"), NULL, NULL},
    {BYTES("   "), NULL, NULL},
    {BYTES("<"), NULL, NULL},
};

static void each_is_what_it_is(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        const struct foreign *f = foreign_find(files[i].bytes, files[i].len);
        if (files[i].what == NULL) {
            assert_null(f);
            continue;
        }
        assert_non_null(f);
        assert_string_equal(f->what, files[i].what);
        assert_non_null(strstr(f->advice, files[i].advice));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_is_what_it_is)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
