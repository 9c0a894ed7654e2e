/* What the data of a sweep says of itself, as its causes and remedies need it. Pure. */
#ifndef SWEEP_DATA_FACTS_H
#define SWEEP_DATA_FACTS_H

#include <stdbool.h>
#include <stdint.h>

struct errbuf;
struct json;
struct json_writer;
struct record_prepared;
struct settings;

/* X(member, what it is) */
#define DATA_COUNT_MAP(X)                                                                         \
    X(train_samples, "samples of the training part; of the data as a whole: of its file")         \
    X(validation_samples, "samples held out; of the data as a whole: of a file of their own")     \
    X(features, "numbers of a sample, of a step for a sequence")                                  \
    X(classes, "0: regression")                                                                   \
    X(steps, "of a sequence; 0: it is none")

/* X(member, kind of the findings that set it, by its first letters) */
#define DATA_FLAG_MAP(X)                                                                          \
    X(has_nan, "nan_")                                                                            \
    X(has_inf, "inf_")                                                                            \
    X(has_duplicates, "duplicate_rows")                                                           \
    X(has_imbalance, "class_imbalance")                                                           \
    X(has_missing_class, "class_only_in_validation")                                              \
    X(is_sorted, "sorted_targets")

struct data_facts {
#define X(member, doc) int64_t member;
    DATA_COUNT_MAP(X)
#undef X
#define X(member, kind) bool member;
    DATA_FLAG_MAP(X)
#undef X
};

/* Of the data as a whole. */
void data_facts_init(struct data_facts *out, const struct record_prepared *p);
/* Of a run: what limit and validation make of it. */
struct data_facts data_facts_of_run(const struct data_facts *whole, const struct settings *s);
void data_facts_write(const struct data_facts *d, struct json_writer *w); /* one object */
/* Members that are missing are 0. 0 or ERR_TYPE; out untouched on failure. */
int data_facts_parse(const struct json *v, struct data_facts *out, struct errbuf *err);

#endif
