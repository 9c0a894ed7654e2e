#include "daemon/launch/machine.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/engine/resources.h"
#include "daemon/launch/capture.h"
#include "sweep/buf.h"
#define LOG_MODULE "machine"
#include "sweep/log.h"
#include "sweep/require.h"

#define NVIDIA_SECONDS 20 /* its driver may have to be loaded */

static int64_t cpus(size_t workers)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set)
                                                         : (int)sysconf(_SC_NPROCESSORS_ONLN);
    return n > (int)workers ? n : (int64_t)workers;
}

static int64_t memory_mib(void)
{
    double bytes = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    return bytes > 0 ? (int64_t)(bytes / (1 << 20)) : 0;
}

/* --- GPUs ------------------------------------------------------------------------------------ */

/* Names with one of those bytes between; what is too much, or twice, is said and left out. */
static void add_devices(struct resource_pool *p, const char *names, const char *between)
{
    while (*names) {
        char name[RESOURCE_NAME_MAX];
        size_t len = strcspn(names, between);
        snprintf(name, sizeof(name), "%.*s", (int)(len < sizeof(name) ? len : sizeof(name) - 1),
                 names);
        if (len > 0 && (len >= sizeof(name) || !resource_pool_add_device(p, name)))
            log_warn("GPU %s is left out: it is there twice, or there are too many", name);
        names += len + (names[len] != '\0');
    }
}

static void on_found(struct capture *c)
{
    (void)c;
}

/* By their UUIDs, which do not change with the order. */
static void find_devices(struct resource_pool *p)
{
    char *args[] = {(char *)"nvidia-smi", (char *)"--query-gpu=uuid",
                    (char *)"--format=csv,noheader", NULL};
    struct capture *c = xcalloc(1, sizeof(*c));
    uv_loop_t loop;
    char why[512];
    int rc = uv_loop_init(&loop);
    REQUIRE(rc == 0);
    c->done = on_found;
    c->watchdog.limits.seconds = NVIDIA_SECONDS;
    capture_start(c, &loop, args, NULL, -1);
    uv_run(&loop, UV_RUN_DEFAULT);
    rc = uv_loop_close(&loop);
    REQUIRE(rc == 0);
    bool good = c->spawned && c->status == 0 && c->signal == 0 && !c->too_long;
    if (good && c->output[0].len > 0) {
        buf_putc(&c->output[0], '\0');
        add_devices(p, c->output[0].data, " \t\r\n");
    } else if (c->spawned) {
        capture_explain(c, why, sizeof(why));
        log_warn("nvidia-smi found no GPU: %s", why);
    }
    capture_finish(c);
    free(c);
}

/* --- all ------------------------------------------------------------------------------------- */

void machine_resources(const struct machine_wish *wish, struct resource_pool *out)
{
    const char *visible = getenv("CUDA_VISIBLE_DEVICES");
    *out = (struct resource_pool){0};
    resource_pool_set(out, RESOURCE_CPUS, cpus(wish->workers));
    resource_pool_set(out, RESOURCE_MEMORY, memory_mib());
    resource_pool_set(out, RESOURCE_GPUS, 0);
    if (!wish->finds_gpus)
        add_devices(out, wish->gpus, ",");
    else if (visible != NULL)
        add_devices(out, visible, ","); /* the daemon itself may see no others */
    else
        find_devices(out);
    for (size_t i = 0; i < wish->said->count; i++)
        resource_pool_set(out, wish->said->items[i].name,
                          wish->said->items[i].amount / RESOURCE_ONE);
}
