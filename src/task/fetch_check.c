// SPDX-License-Identifier: Apache-2.0
// What came is looked into: is it a picture, whole, of a size that is wanted, the bytes that were promised?
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "image/image.h"
#include "image/probe.h"
#include "task/fetch.h"

static void refuse(struct row *r, const char *class, const char *detail)
{
    snprintf(r->class, sizeof r->class, "%s", class);
    snprintf(r->detail, sizeof r->detail, "%s", detail);
}

static void check(const struct diht_fetch_options *o, struct row *r)
{
    struct probe p;
    const struct buf *b = &r->t.body;
    image_probe(&p, b->at ? b->at : "", b->len);
    if (!p.format) {
        refuse(r, "not-an-image", r->t.bytes ? "the bytes are no picture's" : "nothing came");
        return;
    }
    if (p.width > 0 && p.height > 0 && p.width > o->max_pixels / p.height) {
        snprintf(r->detail, sizeof r->detail, "%lldx%lld pixels, more than --max-pixels", (long long)p.width,
                 (long long)p.height);
        refuse(r, "too-large", strdupa(r->detail));
        return;
    }
    if (!p.whole) {
        refuse(r, "truncated", "the picture ends too early");
        return;
    }
    if (p.width <= 0 || p.height <= 0) {
        refuse(r, "not-an-image", "the picture's header is damaged");
        return;
    }
    int64_t shorter = p.width < p.height ? p.width : p.height, longer = p.width + p.height - shorter;
    if (shorter < o->min_size || (o->max_aspect > 0 && (double)longer > o->max_aspect * (double)shorter)) {
        refuse(r, "unwanted-size", "smaller than --min-size or longer than --max-aspect allows");
        return;
    }
    r->format = p.format;
    r->width = r->original_width = (int)p.width;
    r->height = r->original_height = (int)p.height;
    sha256_hex(r->sha256, b->at, b->len);
    if (r->hash && strcasecmp(r->hash, r->sha256) != 0) {
        refuse(r, "hash-mismatch", "the bytes have another SHA-256 than the list says");
        return;
    }
    r->ok = true;
}

void *fetch_worker(void *arg)
{
    struct fetch *f = arg;
    for (struct row *r; (r = line_take(&f->checks)) != NULL;) {
        check(f->o, r);
        line_put(&f->stores, r);
    }
    return NULL;
}
