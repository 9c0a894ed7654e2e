/* What a run needs beside a slot: "resources" of a specification, {"cpus": 2, "gpus": 0.5,
 * "license": 1}. Amounts are in millionths, so that runs can share a GPU. Pure data. */
#ifndef SWEEP_RESOURCES_H
#define SWEEP_RESOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct errbuf;
struct json;
struct json_writer;

#define RESOURCE_ONE INT64_C(1000000)  /* one of it */
#define RESOURCE_MAX INT64_C(1000000000) /* of one kind */
#define RESOURCES_MAX 16               /* kinds */
#define RESOURCE_NAME_MAX 64           /* with the NUL */
#define RESOURCE_DEVICES_MAX 64        /* GPUs of a machine: a bit each */

/* Those that a daemon knows of by itself; any other name is one's own. */
#define RESOURCE_CPUS "cpus"
#define RESOURCE_MEMORY "memory_mib"
#define RESOURCE_GPUS "gpus"

struct resource {
    char name[RESOURCE_NAME_MAX];
    int64_t amount; /* in millionths */
};

/* In the order in which they were said; a zeroed one says nothing. */
struct resources {
    size_t count;
    struct resource items[RESOURCES_MAX];
};

/* NULL: it is not said. */
const struct resource *resources_find(const struct resources *r, const char *name);
/* Adds it. False: its name is none, or it is said already, or there is no room. */
bool resources_add(struct resources *r, const char *name, size_t len, int64_t amount);
/* A whole number, or its part: "12", "0.5". */
#define RESOURCE_TEXT_MAX 32
void resource_format(int64_t amount, char out[RESOURCE_TEXT_MAX]);

#endif
