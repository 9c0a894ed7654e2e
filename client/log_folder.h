/* Folders that are one training log: TensorBoard's, a run of MLflow's file store, W&B's of one
 * run. */
#ifndef SWEEPCTL_LOG_FOLDER_H
#define SWEEPCTL_LOG_FOLDER_H

#include <stdbool.h>

#include "sweep/curve_file.h"

enum log_folder { LOG_FOLDER_NONE, LOG_FOLDER_BOARD, LOG_FOLDER_MLFLOW, LOG_FOLDER_WANDB };

/* By what lies in it; NONE where it cannot be read. */
enum log_folder log_folder_kind(const char *path);
/* Is that entry of it read with the folder, so that it is no log of its own? */
bool log_folder_holds(enum log_folder kind, const char *path, const char *name);
/* As curve_file_parse; also ERR_IO, and ERR_DATA of a folder that is none of them. */
int log_folder_read(const char *path, const char *run, struct curve *out, struct errbuf *err);

#endif
