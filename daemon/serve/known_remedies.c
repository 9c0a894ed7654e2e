#include "daemon/serve/known_remedies.h"

void known_remedies_read(const struct table *t, struct remedy_prior *out)
{
    for (size_t i = 0; i < t->rows; i++) {
        int pattern = pattern_find(table_text(t, i, "pattern", ""));
        int cause = cause_find(table_text(t, i, "cause", ""));
        int remedy = remedy_find(table_text(t, i, "remedy", ""));
        if (pattern < 0 || cause < 0 || remedy < 0)
            continue; /* of another version */
        remedy_prior_add(out, &(struct remedy_count){(enum pattern)pattern, (enum cause_id)cause,
                                                     (enum remedy)remedy,
                                                     table_cell(t, i, "tried")->integer,
                                                     table_cell(t, i, "cured")->integer});
    }
}
