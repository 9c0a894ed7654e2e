/* Prints the tables of docs/spec.md; run it after a change of sweep/setting.h or sweep/model.h. */
#include <stdio.h>

#include "settings_table.h"
#include "sweep/buf.h"

int main(void)
{
    struct buf out = {0};

    settings_table(&out);
    buf_putc(&out, '\n');
    layers_table(&out);
    fputs(out.data, stdout);
    buf_finish(&out);
    return 0;
}
