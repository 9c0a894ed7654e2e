/* What the readers of table.h keep from the training file for those that are read after it, and
 * what they share. Private to them. */
#ifndef WORKER_DATA_COLUMNS_H
#define WORKER_DATA_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/number_form.h"
#include "worker/data/names.h"
#include "worker/data/table.h"
#include "worker/data/text.h"

struct column {
    bool ignored;            /* no feature */
    bool plain;              /* its numbers are as number_parse takes them */
    struct number_form form; /* of its numbers, if not plain */
    struct names *names;     /* its categories or classes, sorted; NULL: it is numeric; owned */
    size_t feature;          /* place of its first feature; unused for the target */
};

struct table_columns {
    size_t features; /* of a sample */
    bool from_zero;  /* LIBSVM: indices begin at 0, not at 1 */
    /* CSV and TSV only: */
    size_t count;          /* columns of the file, the target among them */
    size_t target;         /* from 0 */
    char **header;         /* [count] names; NULL: the file has no header; owned */
    struct column *column; /* [count]; owned */
    bool hollow;           /* of the rows looked at first, none has anything in one of them */
    size_t titles_at;      /* line of the first row that is the titles again; 0: there is none */
    size_t dropped;        /* rows without a target, by the pass that was last */
    size_t dropped_at;     /* line of the first */
    size_t ends_at;        /* line of a footer in the file that was read last; 0: it has none */
    bool footer_told;      /* none is looked for */
    const char *end;       /* of the file that is read: where its rows end; NULL: nobody said so */
};

/* Memory for count samples of `features` zeros and one target each, once their number is within
 * the limits and what t->values_max_bytes allows. ERR_LIMIT. */
int table_init(struct table *out, const struct text *t, size_t count, size_t features,
               struct errbuf *err);
/* Keeps the first count samples and gives the memory of the others back. */
void table_cut(struct table *t, size_t count);

/* csv_read and libsvm_read on text that is in memory. */
int csv_decode(const struct text *t, const struct spec_data *d, struct table_columns **columns,
               struct table *out, struct errbuf *err);
int libsvm_decode(const struct text *t, struct table_columns **columns, struct table *out,
                  struct errbuf *err);

#endif
