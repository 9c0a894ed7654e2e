#include "client/import/source.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sweep/curve_title.h"
#include "sweep/err.h"

int64_t import_time(const char *text)
{
    struct tm tm = {0};
    char fraction[8] = "", mark;
    long us = 0;
    int n = sscanf(text, "%4d-%2d-%2d%c%2d:%2d:%2d.%6[0-9]", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                   &mark, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, fraction);
    if (n < 7 || tm.tm_year < 1970 || tm.tm_year > 2099 || (mark != ' ' && mark != 'T'))
        return 0;
    for (size_t i = 0; i < 6; i++)
        us = us * 10 + (i < strlen(fraction) ? fraction[i] - '0' : 0);
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    time_t at = timegm(&tm);
    return at > 0 ? (int64_t)at * 1000000 + us : 0;
}

int import_goal(const struct import_wish *wish, struct history *h, struct errbuf *err)
{
    enum curve_column column;
    int rank;
    if (wish->goal != NULL) {
        h->maximize = strcmp(wish->goal, "maximize") == 0;
        if (h->maximize || strcmp(wish->goal, "minimize") == 0)
            return 0;
        return err_bad(err, ERR_VALUE, "--goal", wish->goal, "minimize or maximize");
    }
    struct curve_title title = curve_title_read(h->metric, strlen(h->metric));
    bool known = curve_title_column(h->metric, &column, &rank);
    h->maximize = title.role == CURVE_ROLE_ACC ||
                  (known && (column == CURVE_VAL_ACC || column == CURVE_TRAIN_ACC ||
                             column == CURVE_VAL_F1 || column == CURVE_VAL_R2));
    history_note(h, "%s is to be %s, by its name (--goal says otherwise)", h->metric,
                 h->maximize ? "maximized" : "minimized");
    return 0;
}
