/* A program that does nothing but to say one number: what a run of it takes beside that is ours. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
    static const char line[] = "{\"loss\":1}\n";
    const char *fd = getenv("SWEEPD_METRICS_FD");
    return fd && write(atoi(fd), line, strlen(line)) < 0;
}
