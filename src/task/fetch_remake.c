// SPDX-License-Identifier: Apache-2.0
// Pictures stored smaller or in another format than they came: --resize, --format. By the workers.
#include <string.h>

#include "base/error.h"
#include "image/image.h"
#include "task/fetch.h"

enum { BIG = 16 << 20 };   // pixels

static int quality(struct remake *r, int asked)
{
    bool png = strcmp(r->format, "png") == 0;
    int most = png ? 9 : 100;
    if (asked < 0 || asked > most)
        return FAIL(EUSAGE_, "--quality %d: from 1 to %d with --format %s (0: %d)", asked, most, png ? "png" : r->format,
                    format_quality(r->format));
    r->quality = asked ? asked : format_quality(r->format);
    return 0;
}

int fetch_remake_open(struct fetch *f)
{
    static const struct { const char *name, *format; } formats[] = {
        {"jpg", "jpeg"}, {"jpeg", "jpeg"}, {"webp", "webp"}, {"png", "png"}};
    const diht_fetch_options *o = f->o;
    struct remake *r = &f->remake;
    *r = (struct remake){.size = o->resize, .enlarge = o->enlarge, .max_pixels = o->max_pixels};
    if (o->resize < 0 || o->resize > 65500)
        return FAIL(EUSAGE_, "--resize %d: from 1 to 65500 pixels, or 0 for originals", o->resize);
    if (!fit_parse(&r->fit, o->resize_mode))
        return FAIL(EUSAGE_, "--resize-mode %s: shorter, longer, border or crop", o->resize_mode);
    for (size_t i = 0; o->format && i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, o->format) == 0)
            r->format = formats[i].format;
    if (o->format && !r->format)
        return FAIL(EUSAGE_, "--format %s: jpg, webp or png", o->format);
    if (!r->format && o->resize)
        r->format = "jpeg";
    if (!r->format && (o->quality || o->enlarge))
        return FAIL(EUSAGE_, "--%s changes nothing while originals are stored: give --resize or --format too",
                    o->quality ? "quality" : "enlarge");
    return r->format ? quality(r, o->quality) : 0;
}

int fetch_remake(struct fetch *f, struct row *r, const char **why)
{
    const struct buf *b = &r->t.body;
    bool big = (int64_t)r->width * r->height > BIG;
    if (big)
        pthread_mutex_lock(&f->big);
    int rc = image_remake(&f->remake, b->at, b->len, &r->made, &r->format, &r->width, &r->height);
    if (big)
        pthread_mutex_unlock(&f->big);
    if (rc) {
        buf_free(&r->made);
        *why = rc == EFORMAT_ ? "not-an-image" : rc == EUNSUPPORTED_ ? "too-large" : "no-memory";
    }
    return rc;
}
