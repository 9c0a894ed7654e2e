/* `sweep-worker --predict CONFIG`: answers of a trained network for rows of a file. */
#ifndef WORKER_PREDICT_H
#define WORKER_PREDICT_H

#include "worker/link.h"

/* The configuration is a run's, with "start_weights" (whose answers) and "predict" (the file). On
 * stdout a CSV table, a line a row of the file:
 *
 *   row,prediction,probability NAME,…     classes, by name
 *   row,prediction                        a value in the target's own units
 *   row,prediction 1,prediction 2,…       several targets, or one of each step
 *
 * or, with status 1, one error line (sweep/record.h). A row that data.on_nan drop leaves out has an
 * empty prediction. */
int job_predict(const char *config_path, struct link *link);

#endif
