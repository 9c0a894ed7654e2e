/* Build tool: writes the given NNN_*.sql files, and views.sql behind them, as one C file (schema.h)
 * to stdout. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The file as string literals, one a line. */
static int embed_text(FILE *in, FILE *out)
{
    int c;
    fputs("        \"", out);
    while ((c = getc(in)) != EOF) {
        if (c == '\n')
            fputs("\\n\"\n        \"", out);
        else if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < ' ' || c > '~')
            fprintf(out, "\\%03o", (unsigned)c);
        else
            putc(c, out);
    }
    fputs("\"", out);
    return ferror(in) ? -1 : 0;
}

static int embed_file(const char *path, FILE *out)
{
    FILE *in = fopen(path, "r");
    if (!in) {
        perror(path);
        return -1;
    }
    int rc = embed_text(in, out);
    fclose(in);
    return rc;
}

static int embed_migration(const char *path, int expected_version, FILE *out)
{
    const char *name = base_name(path);
    if (strtol(name, NULL, 10) != expected_version) {
        fprintf(stderr, "%s: expected the file of version %d here\n", path, expected_version);
        return -1;
    }
    fprintf(out, "    {%d, \"%s\",\n", expected_version, name);
    int rc = embed_file(path, out);
    fputs("},\n", out);
    return rc;
}

static int embed_views(const char *path, FILE *out)
{
    if (strcmp(base_name(path), "views.sql") != 0) {
        fprintf(stderr, "%s: expected views.sql here\n", path);
        return -1;
    }
    fputs("const char schema_views[] =\n", out);
    int rc = embed_file(path, out);
    fputs(";\n", out);
    return rc;
}

int main(int argc, char **argv)
{
    int last = argc - 1;

    puts("#include \"schema/schema.h\"\n\nconst struct schema_migration schema_migrations[] = {");
    for (int i = 1; i < last; i++) {
        if (embed_migration(argv[i], i, stdout) < 0)
            return 1;
    }
    printf("};\nconst size_t schema_migration_count = %d;\n", last - 1);
    if (embed_views(argv[last], stdout) < 0)
        return 1;
    return fflush(stdout) == 0 ? 0 : 1;
}
