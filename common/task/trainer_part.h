/* What the files of the trainer's task share with each other and with a worker's configuration.
 * Private to common/. */
#ifndef SWEEP_COMMON_TRAINER_PART_H
#define SWEEP_COMMON_TRAINER_PART_H

#include <stdbool.h>

#include "sweep/trainer.h"

/* --- setting.c: what a setting and an option of a layer have in common ---------------------- */

/* As setting_from_json, setting_to_json and setting_format, for any row of a table. */
int setting_read(const struct setting *t, const struct json *v, const char *key, double *out,
                 struct errbuf *err);
void setting_write(const struct setting *t, double value, struct json_writer *w);
void setting_text(const struct setting *t, double value, char out[32]);
/* v is an object that holds only keys of that section: 0, ERR_TYPE or ERR_KEY. */
int settings_check_keys(const char *section, const struct json *v, struct errbuf *err);
/* The members of one section without the settings whose flag is set in skip (NULL: all). */
void settings_write_except(const struct settings *s, const char *section, const bool *skip,
                           struct json_writer *w);

/* --- trainer_data.c ------------------------------------------------------------------------- */

void spec_data_write_except(const struct spec_data *d, const struct settings *s, const bool *skip,
                            struct json_writer *w);

/* --- trainer_table.c: how a table is written ------------------------------------------------- */

int spec_table_parse(const struct json *v, struct spec_data *d, struct errbuf *err);
/* Only what was told. */
void spec_table_write(const struct spec_data *d, struct json_writer *w);

/* --- usual.c -------------------------------------------------------------------------------- */

/* What is swept where nothing is named: a JSON object, the caller's to free. */
char *trainer_usual(const struct spec *s);

/* --- trainer_check.c: what settings say together -------------------------------------------- */

/* root: the whole object, for messages; s->trainer.given: what was given as fixed. */
int trainer_check(const struct json *root, const struct spec *s, struct errbuf *err);
/* model.layers, unless it is absent. */
int spec_layers_parse(const struct json *root, struct layer_list *out, struct errbuf *err);

#endif
