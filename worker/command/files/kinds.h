/* Files in which libraries leave what was measured, told by their paths. */
#ifndef WORKER_COMMAND_FILES_KINDS_H
#define WORKER_COMMAND_FILES_KINDS_H

/* X(id): the one that says most plainly what was meant first. Of several kinds one is read. */
#define FILE_KIND_MAP(X)                                                                        \
    X(LOGGED)      /* wandb.log, of a process that has not got the descriptor of metrics */      \
    X(TRACKIO)                                                                                   \
    X(MLFLOW)      /* its database, or its folder mlruns */                                      \
    X(TENSORBOARD)                                                                               \
    X(CSV)         /* Lightning's, Keras's, one's own */                                         \
    X(WANDB)       /* run-ID.wandb: whole only at the end */

enum file_kind {
#define X(id) FILE_KIND_##id,
    FILE_KIND_MAP(X)
#undef X
    FILE_KIND_COUNT /* none of these */
};

enum file_kind file_kind_of(const char *path);
/* The process that an event file of TensorBoard's says it is of; 0: it says none. */
int file_board_process(const char *path);

#endif
