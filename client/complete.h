/* What may stand at the cursor of a command line, for the completions of shells (dist/completions):
 * read off the tables of verbs and options, and asked of the daemon where it is an id, a parameter
 * or a remedy. A word's kind is the name that the tables have for it: SWEEP, RUN, FILE, a|b. */
#ifndef SWEEPCTL_COMPLETE_H
#define SWEEPCTL_COMPLETE_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/buf.h"

struct client;
struct verb;

/* The first argument of sweepctl that asks for it; the words up to the cursor follow, the last of
 * them the one that is being typed. */
#define COMPLETE_WORD "__complete"
/* Prints "WORD\tWHAT IT IS" for each, the likeliest first; ":files" where a file's name may stand.
 * Nothing where nothing is known: no daemon is no error. Returns enum client_exit. */
int complete_main(struct client *c, size_t count, char *const *words);

#define COMPLETE_ARGUMENTS_MAX 64
/* A command line as far as the cursor. */
struct completion {
    struct client *client;
    const char *prefix;  /* what a word must begin with */
    const char *before;  /* of "--name=v" what stands before v, and stays; NULL: nothing */
    size_t before_len;
    const char *arguments[COMPLETE_ARGUMENTS_MAX]; /* behind the verb, without options */
    size_t argument_count;
    struct buf out;
};

/* Adds the word, if it begins so. */
void complete_put(struct completion *k, const char *word, const char *says);
/* The i-th word of a verb's arguments ("KIND SWEEP"); what comes behind the last is like it. Words
 * in brackets say more of one: its first form. The caller frees; NULL: none. */
char *complete_argument_kind(const struct verb *v, size_t i);
/* What the verb's argument of that kind is ("SWEEP"), NULL where it is not given. */
const char *complete_argument(const struct completion *k, const char *kind);

/* Of the daemon's. */
void complete_sweeps(struct completion *k);
void complete_runs(struct completion *k);
void complete_parameters(struct completion *k); /* their names */
void complete_values(struct completion *k);     /* NAME=, then the values of NAME */
void complete_remedies(struct completion *k);

#endif
