/* What the build embeds for the pages, beside what reports have. */
#ifndef SWEEPCTL_SERVE_ASSET_H
#define SWEEPCTL_SERVE_ASSET_H

#include "client/page/page.h"

extern const struct page_asset page_site_style, page_live;

#endif
