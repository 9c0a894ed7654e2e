#include "sweep/foreign.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "sweep/require.h"

#define LOOKED 4096 /* bytes in which what an archive holds is looked for */

#define BY_PANDAS(call) "save it as CSV: pandas." call ".to_csv(\"OUT.csv\", index=False)"
#define BY_R "save it as CSV: write.csv(…, row.names = FALSE)"
#define AS_ARRAYS "arrays of pictures are read as NPY, NPZ or IDX"
#define BY_NAME(format) "name it by data.format: " format

struct signature {
    const char *start;
    size_t len;
    const char *within; /* what stands further on, too; NULL: whatever does */
    struct foreign found;
};
#define START(s) s, sizeof(s) - 1

/* The first that fits. */
static const struct signature signatures[] = {
    {START("PAR1"), NULL, {"a Parquet file", BY_PANDAS("read_parquet(\"FILE\")")}},
    {START("ARROW1"), NULL, {"a Feather (Arrow) file", BY_PANDAS("read_feather(\"FILE\")")}},
    {START("Obj\x01"), NULL, {"an Avro file", "save it as CSV"}},
    {START("\x89HDF\r\n\x1a\n"), NULL,
     {"an HDF5 file", "save its arrays as NPZ (h5py, numpy.savez), or a table in it as CSV"}},
    {START("MATLAB 5.0 MAT-file"), NULL,
     {"a MATLAB file", "save its arrays as NPZ (scipy.io.loadmat, numpy.savez)"}},
    {START("PK\x03\x04"), "xl/", {"an Excel workbook", BY_PANDAS("read_excel(\"FILE\")")}},
    {START("PK\x03\x04"), "opendocument.spreadsheet",
     {"an OpenDocument spreadsheet", BY_PANDAS("read_excel(\"FILE\")")}},
    {START("PK\x03\x04"), ".npy", {"an NPZ archive", BY_NAME("npz")}},
    {START("PK\x03\x04"), "data.pkl",
     {"a file of torch.save", "save its tensors as NPZ (torch.load, numpy.savez)"}},
    {START("PK\x03\x04"), NULL, {"a ZIP archive", "unzip it"}},
    {START("7z\xBC\xAF\x27\x1C"), NULL, {"a 7-Zip archive", "unpack it"}},
    {START("Rar!"), NULL, {"a RAR archive", "unpack it"}},
    {START("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), NULL,
     {"an old Excel workbook", BY_PANDAS("read_excel(\"FILE\")")}},
    {START("SQLite format 3"), NULL,
     {"an SQLite database", "save a table of it as CSV: sqlite3 -header -csv FILE \"SELECT …\""}},
    {START("\x93NUMPY"), NULL, {"a NumPy array", BY_NAME("npy")}},
    {START("RDX2\n"), NULL, {"a file of R", BY_R}},
    {START("RDX3\n"), NULL, {"a file of R", BY_R}},
    {START("X\n\0\0\0"), NULL, {"a file of R", BY_R}},
    {START("\x89PNG\r\n\x1a\n"), NULL, {"a picture", AS_ARRAYS}},
    {START("\xFF\xD8\xFF"), NULL, {"a picture", AS_ARRAYS}},
    {START("GIF8"), NULL, {"a picture", AS_ARRAYS}},
    {START("%PDF-"), NULL, {"a PDF document", "save its table as CSV"}},
    {START("version https://git-lfs"), NULL,
     {"what Git LFS leaves in a file's place", "fetch it: git lfs pull"}},
};

/* memmem, in the archive's beginning alone. */
static bool holds(const char *bytes, size_t len, const char *text)
{
    return memmem(bytes, len < LOOKED ? len : LOOKED, text, strlen(text)) != NULL;
}

static const struct foreign *find_signature(const char *bytes, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(signatures); i++) {
        const struct signature *s = &signatures[i];
        if (len >= s->len && memcmp(bytes, s->start, s->len) == 0 &&
            (s->within == NULL || holds(bytes, len, s->within)))
            return &s->found;
    }
    return NULL;
}

/* Protocol 2 or later: it begins with its number, and ends with a full stop. */
static bool is_pickle(const char *bytes, size_t len)
{
    return len > 3 && (unsigned char)bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5 &&
           bytes[len - 1] == '.';
}

/* Two zeros, a type and how many dimensions (idx.h). */
static bool is_idx(const char *bytes, size_t len)
{
    return len > 8 && bytes[0] == 0 && bytes[1] == 0 && bytes[2] >= 0x08 && bytes[2] <= 0x0E &&
           bytes[3] >= 1 && bytes[3] <= 4;
}

/* What text begins with, behind blanks. */
static bool begins(const char *bytes, size_t len, const char *word)
{
    size_t n = strlen(word);
    return len >= n && strncasecmp(bytes, word, n) == 0;
}

static size_t skip_blanks(const char *bytes, size_t len, size_t at)
{
    while (at < len && strchr(" \t\r\n", bytes[at]) != NULL && bytes[at] != '\0')
        at++;
    return at;
}

/* An object or a list of them; braces alone also stand in titles. */
static bool is_json(const char *bytes, size_t len)
{
    size_t at = skip_blanks(bytes, len, 0);
    if (at < len && bytes[at] == '[')
        at = skip_blanks(bytes, len, at + 1);
    if (at == len || bytes[at] != '{')
        return false;
    at = skip_blanks(bytes, len, at + 1);
    return at < len && bytes[at] == '"';
}

static bool is_html(const char *bytes, size_t len)
{
    size_t at = skip_blanks(bytes, len, 0);
    return begins(bytes + at, len - at, "<!doctype html") || begins(bytes + at, len - at, "<html");
}

const struct foreign *foreign_find(const void *bytes, size_t len)
{
    static const struct foreign
        pickle = {"a pickle", BY_PANDAS("read_pickle(\"FILE\")")},
        idx = {"an IDX file", BY_NAME("idx")},
        json = {"JSON", BY_PANDAS("read_json(\"FILE\")") " (lines=True where each line is one)"},
        html = {"an HTML page", "download the file itself, or save the page's table as CSV"};
    const struct foreign *f = find_signature(bytes, len);
    return f != NULL                ? f
           : is_pickle(bytes, len)  ? &pickle
           : is_idx(bytes, len)     ? &idx
           : is_json(bytes, len)    ? &json
           : is_html(bytes, len)    ? &html
                                    : NULL;
}
