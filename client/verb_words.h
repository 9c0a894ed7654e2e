/* Words that stand for a verb of ours. */
#ifndef SWEEPCTL_VERB_WORDS_H
#define SWEEPCTL_VERB_WORDS_H

/* The verb that the word is another name of; NULL: none. */
const char *verb_alias(const char *word);
/* What a word that is no verb is probably meant to do, for "did you mean …"; NULL: not known. */
const char *verb_hint(const char *word);

#endif
