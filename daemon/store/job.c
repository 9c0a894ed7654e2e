#include "daemon/store/job.h"

#include <stdlib.h>

void job_destroy(struct job *j)
{
    store_batch_finish(&j->batch);
    relabel_window_destroy(j->window);
    if (j->sweep != NULL)
        store_restored_finish(j->sweep);
    free(j->sweep);
    free(j->text);
    free(j->table);
    free(j->error);
    free(j);
}

void job_list_append(struct job_list *l, struct job *j)
{
    j->next = NULL;
    if (l->tail)
        l->tail->next = j;
    else
        l->head = j;
    l->tail = j;
}

struct job *job_list_take_first(struct job_list *l)
{
    struct job *j = l->head;
    if (j) {
        l->head = j->next;
        if (!l->head)
            l->tail = NULL;
    }
    return j;
}
