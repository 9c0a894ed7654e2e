/* Parameters of any names, whose meaning somebody else knows: what the tasks share whose runs are
 * no training of ours. Members of struct task_kind (sweep/task.h). */
#ifndef COMMON_TASK_FREE_PARAMETERS_H
#define COMMON_TASK_FREE_PARAMETERS_H

struct dimension;
struct errbuf;
struct json;
struct spec;

/* What the trainer alone understands is an error beside that task. */
int free_refuse_trainers(const struct json *root, const char *task, struct errbuf *err);
int free_bind(const struct json *member, const char *name, const char *path, struct spec *s,
              struct dimension *out, struct errbuf *err);
int free_read_value(const struct dimension *d, const struct json *v, const char *path, double *out,
                    struct errbuf *err);
/* It is given all the same: a dimension of one value. */
int free_fix(const struct dimension *d, const struct json *v, const char *path, struct spec *s,
             struct errbuf *err);
/* Nothing is to be said of all together. */
int free_check(const struct json *root, struct spec *s, struct errbuf *err);

#endif
