#include "client/wandb_command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/program_spec.h"
#include "client/wandb_note.h"
#include "client/wandb_text.h"
#include "sweep/command.h"
#include "sweep/require.h"

struct words {
    const struct json *spec;
    struct json_writer *w;
    struct buf *notes;
    struct errbuf *err;
};

/* Not of a module, and nothing that is elsewhere when it is called. */
static void look_for_program(struct words *c, const char *before, const char *program)
{
    bool is_script = before == NULL || strcmp(before, "-m") != 0;
    if (is_script && access(program, F_OK) != 0)
        wandb_note(c->notes, "%s is not there, seen from this folder: %s (program)", program,
                   strerror(errno));
}

/* The shell's own, as W&B leaves it; what is nearly a macro of ours is a mistake. */
static bool is_plain(const char *name, size_t len, bool closed)
{
    return !closed || (!command_macro_known(name, len) && !command_macro_near(name, len));
}

/* "${X}" within a longer word, or behind blanks: a macro there only if it is one of ours. */
static void put_pieces(struct words *c, const char *word, const char *program)
{
    struct buf out = {0};
    const char *at = word;
    while (*at != '\0') {
        size_t len = strncmp(at, "${", 2) == 0 ? strcspn(at, "}") : 0;
        bool closed = len > 0 && at[len] == '}';
        if (closed && program != NULL && len == 9 && memcmp(at, "${program", 9) == 0) {
            buf_puts(&out, program);
            at += len + 1;
            continue;
        }
        if (len > 0 && is_plain(at + 2, len - 2, closed) && (at == word || at[-1] != '$')) {
            wandb_note(c->notes, "%.*s stays as it is: no macro (command)", (int)len + closed, at);
            buf_putc(&out, '$');
        }
        buf_putc(&out, *at++);
    }
    jw_string(c->w, out.data != NULL ? out.data : "");
    buf_finish(&out);
}

/* One with blanks around it is meant as one. */
static bool is_macro(const char *word, struct buf *alone)
{
    size_t from = strspn(word, " \t\n"), to = strlen(word);
    while (to > from && strchr(" \t\n", word[to - 1]) != NULL)
        to--;
    if (to < from + 3 || strncmp(word + from, "${", 2) != 0 || word[to - 1] != '}')
        return false;
    buf_append(alone, word + from, to - from);
    return true;
}

static void put_word(struct words *c, const char *word, const char *program)
{
    struct buf alone = {0};
    bool macro = is_macro(word, &alone);
    if (macro && strcmp(alone.data, "${program}") == 0) {
        jw_string(c->w, program);
    } else if (macro && strcmp(alone.data, "${interpreter}") == 0 && !program_in_path("python") &&
               program_in_path("python3")) {
        wandb_note(c->notes, "${interpreter} is python3: there is no python in PATH (command)");
        jw_string(c->w, "python3");
    } else if (macro) {
        jw_string(c->w, alone.data);
    } else {
        put_pieces(c, word, program);
    }
    buf_finish(&alone);
}

/* A command that is one text W&B's agent passes over. */
static const struct json *command_list(struct words *c)
{
    const struct json *command = json_get(c->spec, "command");
    if (command == NULL || json_type(command) != JSON_STRING ||
        json_get(c->spec, "program") == NULL)
        return command;
    wandb_note(c->notes,
               "command is no list of words: it counts for nothing, as with W&B, and ${env} "
               "${interpreter} ${program} ${args} is called (command)");
    return NULL;
}

/* NULL: none, or no text. */
static const char *word_before_program(const struct json *command)
{
    const struct json *before = NULL, *m = command != NULL ? json_first(command) : NULL;
    for (; m != NULL; before = m, m = json_next(m))
        if (json_type(m) == JSON_STRING && strcmp(json_string(m), "${program}") == 0)
            break;
    return m != NULL && before != NULL && json_type(before) == JSON_STRING ? json_string(before)
                                                                           : NULL;
}

/* A number is a word there, and so is a switch; ours says what is wrong with others. */
static void put_plain_word(struct words *c, const struct json *v)
{
    struct buf text = {0};
    bool plain = json_type(v) == JSON_NUMBER || json_type(v) == JSON_BOOL;
    if (plain)
        wandb_text(v, &text);
    if (plain)
        jw_string(c->w, text.data);
    else
        jw_value(c->w, v);
    buf_finish(&text);
}

int wandb_put_command(const struct json *spec, struct json_writer *w, struct buf *notes,
                      struct errbuf *err)
{
    struct words words = {spec, w, notes, err}, *c = &words;
    static const char *const usual[] = {"${env}", "${interpreter}", "${program}", "${args}"};
    const struct json *command = command_list(c), *p = json_get(c->spec, "program");
    const char *program = p != NULL && json_type(p) == JSON_STRING ? json_string(p) : NULL;
    if (p != NULL && program == NULL)
        return wandb_refuse(c->err, "$.program", p, "the path of a script");
    if (p == NULL && command == NULL)
        return wandb_refuse(
            c->err, "$.program", NULL,
            "the path of a script (job and image_uri name what only W&B's service has)");
    if (command != NULL && json_type(command) != JSON_ARRAY)
        return wandb_refuse(c->err, "$.command", command, "a list of words, the program first");
    if (program != NULL)
        look_for_program(c, word_before_program(command), program);
    jw_begin_array(c->w);
    for (size_t i = 0; command == NULL && i < ARRAY_LEN(usual); i++)
        put_word(c, usual[i], program);
    int rc = 0;
    const struct json *m = command != NULL ? json_first(command) : NULL;
    for (; m != NULL && rc == 0; m = json_next(m)) {
        bool text = json_type(m) == JSON_STRING;
        if (text && program == NULL && strstr(json_string(m), "${program}") != NULL)
            rc = wandb_refuse(c->err, "$.program", NULL,
                              "the path of a script: the command has ${program}");
        else if (text)
            put_word(c, json_string(m), program);
        else
            put_plain_word(c, m);
    }
    jw_end_array(c->w);
    return rc;
}
