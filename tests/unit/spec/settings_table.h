/* The settings, layers and options as docs/spec.md shows them, from the tables in
 * sweep/setting.h and sweep/model.h. */
#ifndef TESTS_SETTINGS_TABLE_H
#define TESTS_SETTINGS_TABLE_H

struct buf;

/* A Markdown table with its head, a row per setting. */
void settings_table(struct buf *out);
/* A row per kind of layer, then a table with a row per option. */
void layers_table(struct buf *out);

#endif
