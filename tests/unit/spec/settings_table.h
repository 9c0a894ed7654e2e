/* The settings as docs/spec.md shows them, from the table in sweep/setting.h. */
#ifndef TESTS_SETTINGS_TABLE_H
#define TESTS_SETTINGS_TABLE_H

struct buf;

/* A Markdown table with its head, a row per setting. */
void settings_table(struct buf *out);

#endif
