/* Style and scripts, as the build has embedded them. */
#include "client/page/page.h"
#include "client/plot/svg.h"
#include "client/serve/asset.h"
#include "client/serve/route.h"

/* Asked for again after this: another version of the program may be served then. */
#define KEEP "max-age=60"

static void give(struct answer *a, const char *type, const struct page_asset *asset)
{
    a->type = type;
    a->cache = KEEP;
    buf_append(&a->body, asset->text, asset->len);
}

void asset_style(struct desk *d, const struct request *r, struct answer *a)
{
    give(a, "text/css; charset=utf-8", &page_style);
    svg_style(&a->body);
    buf_append(&a->body, page_site_style.text, page_site_style.len);
}

void asset_live(struct desk *d, const struct request *r, struct answer *a)
{
    give(a, "text/javascript; charset=utf-8", &page_live);
}

void asset_explore(struct desk *d, const struct request *r, struct answer *a)
{
    give(a, "text/javascript; charset=utf-8", &page_script);
}

void asset_library(struct desk *d, const struct request *r, struct answer *a)
{
    give(a, "text/javascript; charset=utf-8", &page_library);
}
