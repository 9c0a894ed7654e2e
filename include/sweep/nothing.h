/* Words that stand for no value, one list for curves and tables. */
#ifndef SWEEP_NOTHING_H
#define SWEEP_NOTHING_H

#include <stdbool.h>
#include <stddef.h>

/* As people and programs write them; letters count in either case. */
#define NOTHING_MAP(X)                                                                             \
    X("none") X("null") X("na") X("n/a") X("n.a.") X("#n/a") X("<na>") X("<null>") X("(null)")     \
    X("nan") X("nil") X("\\n") X("-") X("--") X("?") X(".") X("no log")                            \
    X("_") X("\u2013") X("\u2014") X("..") X("...") X("\u2026") X("nat") X("#na") X("[null]")      \
    X("#n/a n/a") X("#div/0!") X("#value!") X("#ref!") X("#num!") X("#null!") X("#name?")

/* Empty, or one of them; blanks around it are the caller's to take off. */
bool text_is_nothing(const char *text, size_t len);

#endif
