/* Parts of a command's manner (sweep/command.h): patterns, channels. */
#ifndef COMMON_TASK_COMMAND_HEARING_H
#define COMMON_TASK_COMMAND_HEARING_H

#include "sweep/command.h"

/* After an error the manner is finished by the caller all the same. */
int command_patterns_parse(const struct json *v, const char *path, struct command_manner *out,
                           struct errbuf *err);
void command_patterns_write(const struct command_manner *m, struct json_writer *w);
void command_patterns_copy(const struct command_manner *from, struct command_manner *to);
void command_patterns_finish(struct command_manner *m);

int command_channels_parse(const struct json *v, const char *path, unsigned *out,
                           struct errbuf *err);
void command_channels_write(unsigned set, struct json_writer *w);

#endif
