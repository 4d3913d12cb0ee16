// SPDX-License-Identifier: Apache-2.0
// What came is looked into: is it a picture, whole, of a size that is wanted, the bytes that were promised?
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/exif.h"
#include "image/image.h"
#include "image/probe.h"
#include "task/fetch.h"

enum { ROWS_AT_ONCE = 8 };

static void refuse(struct row *r, const char *class, const char *detail)
{
    snprintf(r->class, sizeof r->class, "%s", class);
    snprintf(r->detail, sizeof r->detail, "%s", detail);
}

static void check(struct fetch *f, struct row *r)
{
    const struct diht_fetch_options *o = f->o;
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
    if (r->hash && !hash_matches(r->hash, b->at, b->len)) {
        refuse(r, "hash-mismatch", "the bytes have another hash than the list says");
        return;
    }
    const char *why = NULL;
    if (f->remake.format && fetch_remake(f, r, &why) != 0) {
        refuse(r, why, error_last());
        return;
    }
    r->ok = true;
}

// A JSON object as a text, as img2dataset has it; null when there is no room for it.
static json_t *exif(const struct buf *b)
{
    struct image_meta m;
    struct buf text = {0};
    int rc = image_meta(&m, b->at, b->len);
    const char *format = image_format(b->at, b->len);
    if (!rc && format && strcmp(format, "tiff") == 0)
        rc = exif_json(&text, (const unsigned char *)b->at, b->len);
    else if (!rc)
        rc = exif_json(&text, m.exif, m.exif_len);
    json_t *v = rc ? json_null() : json_string(text.at);
    image_meta_free(&m);
    buf_free(&text);
    return v;
}

// The fields img2dataset writes, so that its users' readers find theirs, and ours behind them. No times: the same rows
// make the same bytes.
static char *sample_json(const struct row *r)
{
    json_t *o = json_object();
    json_object_set_new(o, "caption", json_string(r->caption ? r->caption : ""));
    json_object_set_new(o, "url", json_string(r->address));
    json_object_set_new(o, "key", json_string(r->key));
    json_object_set_new(o, "status", json_string("success"));
    json_object_set_new(o, "error_message", json_null());
    json_object_set_new(o, "width", json_integer(r->width));
    json_object_set_new(o, "height", json_integer(r->height));
    json_object_set_new(o, "original_width", json_integer(r->original_width));
    json_object_set_new(o, "original_height", json_integer(r->original_height));
    json_object_set_new(o, "exif", exif(&r->t.body));
    json_object_set_new(o, "sha256", json_string(r->sha256));
    json_object_set_new(o, "row", json_integer(r->row));
    if (r->captions)
        json_object_set_new(o, "captions", json_loads(r->captions, 0, NULL));
    if (r->tags && *r->tags)
        json_object_set_new(o, "tags", json_string(r->tags));
    if (r->split && *r->split)
        json_object_set_new(o, "split", json_string(r->split));
    json_t *extra = r->extra ? json_loads(r->extra, 0, NULL) : NULL;
    json_object_update_missing(o, extra);
    json_decref(extra);
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    json_decref(o);
    return text;
}

void *fetch_worker(void *arg)
{
    struct fetch *f = arg;
    for (struct row *chain; (chain = line_take(&f->checks, ROWS_AT_ONCE)) != NULL;) {
        for (struct row *r = chain; r; r = r->next) {
            check(f, r);
            if (r->ok)
                r->json = sample_json(r);
        }
        line_put(&f->stores, chain);
    }
    return NULL;
}
