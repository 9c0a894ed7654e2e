#include <stdio.h>
#include <string.h>

#include "daemon/check.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "sweep/err.h"
#include "sweep/log.h"

#define LOG_MODULE "main"

/* Exit status: 0 ended on request, 1 could not start or go on, 2 wrong usage. */
int main(int argc, char **argv)
{
    struct errbuf err;
    struct config config;
    enum config_verdict verdict;
    memset(&err, 0, sizeof(err));
    if (config_read(argc, argv, &config, &verdict, &err) < 0) {
        fprintf(stderr, "sweepd: %s\n", err.message);
        return 2;
    }
    if (verdict == CONFIG_HELP) {
        config_usage();
        return 0;
    }
    if (verdict == CONFIG_VERSION) {
        printf("sweepd %s\n", SWEEPD_VERSION);
        return 0;
    }
    log_set_level(config.log_level);
    if (verdict == CONFIG_CHECK)
        return check_machine(&config);
    log_never_wait();
    if (config.log[0] && log_to_file(config.log, &err) < 0) {
        fprintf(stderr, "sweepd: %s\n", err.message);
        return 1;
    }
    if (daemon_run(&config, &err) < 0) {
        log_error("%s", err.message);
        return 1;
    }
    return 0;
}
