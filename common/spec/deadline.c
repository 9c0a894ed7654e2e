/* The keys of a deadline: max_hours and until. */
#include "common/spec/part.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "sweep/err.h"
#include "sweep/json.h"

/* "07:30", "7:30". */
static bool read_minute(const char *text, int *out)
{
    size_t hours = strspn(text, "0123456789");
    const char *m = text + hours + 1;

    if (hours < 1 || hours > 2 || text[hours] != ':' || strlen(m) != 2 ||
        !isdigit((unsigned char)m[0]) || !isdigit((unsigned char)m[1]))
        return false;
    int hour = hours == 2 ? 10 * (text[0] - '0') + text[1] - '0' : text[0] - '0';
    int minute = 10 * (m[0] - '0') + m[1] - '0';
    if (hour > 23 || minute > 59)
        return false;
    *out = 60 * hour + minute;
    return true;
}

bool spec_ends_by_time(const struct json *root, const struct spec *s)
{
    bool ends = json_get(root, "max_hours") || json_get(root, "until");

    return ends && !(method_traits(s->method) & METHOD_INHERITS);
}

int spec_deadline_parse(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *hours = json_get(root, "max_hours"), *until = json_get(root, "until");

    if (hours && (json_real(hours, &s->max_hours) != 0 ||
                  !(s->max_hours > 0 && s->max_hours <= SPEC_HOURS_MAX)))
        return field_refuse(err, ERR_VALUE, "$.max_hours", hours,
                            "a number of hours above 0, at most %.0f; half an hour is 0.5",
                            SPEC_HOURS_MAX);
    if (until && (json_type(until) != JSON_STRING || !read_minute(json_string(until), &s->until)))
        return field_refuse(err, ERR_VALUE, "$.until", until,
                            "a time of the local day as text, from \"00:00\" to \"23:59\": "
                            "\"07:30\"");
    s->has_until = until != NULL;
    return 0;
}

void spec_deadline_write(const struct spec *s, struct json_writer *w)
{
    char text[16];

    if (s->max_hours > 0)
        jw_kv_real(w, "max_hours", s->max_hours);
    if (!s->has_until)
        return;
    snprintf(text, sizeof(text), "%02d:%02d", s->until / 60 % 24, s->until % 60);
    jw_kv_string(w, "until", text);
}
