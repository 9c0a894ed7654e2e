/* Looks for what a person must see before training starts (G3.1). */
#ifndef WORKER_DATA_SCAN_H
#define WORKER_DATA_SCAN_H

#include "sweep/record.h"
#include "sweep/setting.h"
#include "worker/data/samples.h"
#include "worker/data/split.h"

/* Positions listed of each kind; the count that goes with them is of all. */
#define SCAN_POSITIONS_MAX 100
#define SCAN_COLUMNS_MAX 20 /* columns or classes likewise */
#define SCAN_KINDS_MAX 8    /* columns that are no features likewise, of all such kinds */

/* Appends nan_in_input and inf_in_input findings, of the files as they are; bytes have none.
 * Rows count from 1 in their own file; columns are the file's own where the data is a table, else
 * the numbers of a sample from 1. */
void scan_samples(const struct samples *s, struct record_prepared *out);
/* Appends what columns of a table are no features, by their values in the training file:
 * index_column (counts the rows, or orders them and with them the classes), identifier_column (a
 * whole number of its own in each row), date_column (20210131), target_column (the target once
 * more, by whatever names); and names of categories or classes that differ only in case, blanks or
 * joints (similar_names). */
void scan_columns(const struct samples *s, struct record_prepared *out);
/* Appends sentinel_value: columns of a table, the target too, in which a number of nines (-999, 99)
 * or one of 1e20 and more stands in several rows, farther from all others than these are from each
 * other. */
void scan_sentinels(const struct samples *s, struct record_prepared *out);

/* Appends what depends on the configuration: nan_after_scaling (a finite number that is none after
 * the split's scaling; after what scan_samples found, as many as have room), constant_column,
 * class_only_in_validation, single_class, duplicate_rows (features in both the training and the
 * validation part), class_imbalance (largest class over 10 times the smallest of the training
 * part),
 * sorted_targets (of the training part, in the file's order; one target a sample). */
void scan_split(const struct samples *s, const struct split *p, const struct settings *settings,
                struct record_prepared *out);

#endif
