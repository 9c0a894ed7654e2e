#include "daemon/serve/known_remedies.h"

static const char *text_of(const struct table *t, size_t row, const char *column)
{
    const struct cell *c = table_cell(t, row, column);
    return c->type == CELL_TEXT ? c->text : "";
}

void known_remedies_read(const struct table *t, struct remedy_prior *out)
{
    for (size_t i = 0; i < t->rows; i++) {
        int pattern = pattern_find(text_of(t, i, "pattern"));
        int cause = cause_find(text_of(t, i, "cause"));
        int remedy = remedy_find(text_of(t, i, "remedy"));
        if (pattern < 0 || cause < 0 || remedy < 0)
            continue; /* of another version */
        remedy_prior_add(out, &(struct remedy_count){(enum pattern)pattern, (enum cause_id)cause,
                                                     (enum remedy)remedy,
                                                     table_cell(t, i, "tried")->integer,
                                                     table_cell(t, i, "cured")->integer});
    }
}
