/* Build tool: writes texts that a page holds as one C file to stdout: for each pair of arguments,
 * NAME FILE, a struct page_asset; FILE "-": an empty one. A text that would end its own element is
 * refused. */
#include <stdio.h>
#include <string.h>

#define END_MAX 8

/* Does what was read last end a script or style element? */
static int ends_element(const char *last)
{
    return strstr(last, "</script") != NULL || strstr(last, "</style") != NULL ||
           strstr(last, "<!--") != NULL;
}

static long embed_bytes(FILE *in)
{
    char last[END_MAX + 1] = {0};
    long count = 0;
    int c;
    while ((c = getc(in)) != EOF) {
        memmove(last, last + 1, END_MAX - 1);
        last[END_MAX - 1] = (char)(c == 0 ? ' ' : c);
        if (ends_element(last))
            return -1;
        printf("%d,%s", c, ++count % 24 == 0 ? "\n" : "");
    }
    return ferror(in) ? -1 : count;
}

static int embed(const char *name, const char *path)
{
    long count = 0;
    printf("static const unsigned char %s_bytes[] = {", name);
    if (strcmp(path, "-") != 0) {
        FILE *in = fopen(path, "rb");
        count = in != NULL ? embed_bytes(in) : -1;
        if (in != NULL)
            fclose(in);
    }
    if (count < 0) {
        fprintf(stderr, "%s: cannot be read, or has the end of a script or a style in it\n", path);
        return -1;
    }
    printf("0};\nconst struct page_asset page_%s = {(const char *)%s_bytes, %ld};\n", name, name,
           count);
    return 0;
}

int main(int argc, char **argv)
{
    puts("#include \"client/page/page.h\"\n");
    for (int i = 1; i + 1 < argc; i += 2)
        if (embed(argv[i], argv[i + 1]) < 0)
            return 1;
    return fflush(stdout) == 0 ? 0 : 1;
}
