/* Build tool: writes the given NNN_*.sql files as one C file (schema.h) to stdout. */
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

static int embed_file(const char *path, int expected_version, FILE *out)
{
    const char *name = base_name(path);
    if (strtol(name, NULL, 10) != expected_version) {
        fprintf(stderr, "%s: expected the file of version %d here\n", path, expected_version);
        return -1;
    }
    FILE *in = fopen(path, "r");
    if (!in) {
        perror(path);
        return -1;
    }
    fprintf(out, "    {%d, \"%s\",\n", expected_version, name);
    int rc = embed_text(in, out);
    fputs("},\n", out);
    fclose(in);
    return rc;
}

int main(int argc, char **argv)
{
    puts("#include \"schema/schema.h\"\n\nconst struct schema_migration schema_migrations[] = {");
    for (int i = 1; i < argc; i++) {
        if (embed_file(argv[i], i, stdout) < 0)
            return 1;
    }
    printf("};\nconst size_t schema_migration_count = %d;\n", argc - 1);
    return fflush(stdout) == 0 ? 0 : 1;
}
