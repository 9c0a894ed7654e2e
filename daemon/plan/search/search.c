#include "daemon/plan/search/search.h"

#include "sweep/require.h"

const struct search_method *search_method(enum method m)
{
    static const struct search_method *const methods[] = {
#define X(id, name, traits, doc) [METHOD_##id] = &search_##name,
        METHOD_MAP(X)
#undef X
    };
    REQUIRE((unsigned)m < METHOD_COUNT);
    return methods[m];
}
