/* What logging out does to a process: a user's services end with the last session unless the user
 * lingers (loginctl(1)), and so do processes of a session where logind kills them. */
#ifndef SWEEP_LINGERING_H
#define SWEEP_LINGERING_H

#include <stdint.h>

enum lingering {
    LINGERING_FINE,    /* nothing, or there is no systemd */
    LINGERING_OFF,     /* a user service, of a user who does not linger */
    LINGERING_SESSION, /* in a session that logind kills at its end */
};

/* Of that process. root: "", or a folder that stands for / (in tests). */
enum lingering lingering_of(const char *root, int64_t pid);
/* One line each: how it is, and what helps. */
const char *lingering_says(enum lingering l);
const char *lingering_mend(enum lingering l);

#endif
