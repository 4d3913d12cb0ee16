// SPDX-License-Identifier: Apache-2.0
#include "spot/read.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"

enum { BATCH = 8, COLUMN = 8 };   // strips a run; pixels of a strip that become a column of features

int dictionary_open(struct dictionary *d, const char *path)
{
    *d = (struct dictionary){0};
    int rc = file_exists(path) ? file_read(path, &d->text) : FAIL(EMISSING_, "%s: not there", path);
    int room = 1;
    for (size_t i = 0; !rc && i < d->text.len; i++)
        room += d->text.at[i] == '\n';
    if (!rc && !(d->start = malloc(((size_t)room + 1) * sizeof *d->start)))
        rc = FAIL(EMEMORY_, "out of memory");
    for (size_t i = 0; !rc && i < d->text.len;) {
        const char *end = memchr(d->text.at + i, '\n', d->text.len - i);
        d->start[d->n++] = (int)i;
        i = end ? (size_t)(end - d->text.at) + 1 : d->text.len + 1;
        d->start[d->n] = (int)i;
    }
    if (!rc && (d->n == 0 || d->text.len > 1 << 24))
        rc = FAIL(EFORMAT_, "%s: expected are the recogniser's characters, one a line", path);
    if (rc)
        dictionary_close(d);
    return rc;
}

void dictionary_close(struct dictionary *d)
{
    buf_free(&d->text);
    free(d->start);
    *d = (struct dictionary){0};
}

double ctc_read(struct buf *out, const struct dictionary *d, const float *p, int64_t steps, int64_t classes)
{
    double sum = 0;
    int kept = 0;
    int64_t last = 0;
    for (int64_t t = 0; t < steps; t++, p += classes) {
        int64_t best = 0;
        for (int64_t c = 1; c < classes; c++)
            best = p[c] > p[best] ? c : best;
        if (best && best != last) {
            if (best <= d->n) {
                const char *from = d->text.at + d->start[best - 1];
                size_t n = (size_t)(d->start[best] - d->start[best - 1] - 1);
                buf_add(out, from, n && from[n - 1] == '\r' ? n - 1 : n);
            } else {
                buf_char(out, ' ');
            }
            sum += p[best];
            kept++;
        }
        last = best;
    }
    return kept ? sum / kept : 0;
}

struct strip {
    int box, width, turned;
    int start;         // of its text in `text`; -1: not read
    int length;
    double confidence;
};

struct reader {
    struct net_desk *desk;
    float *in;         // features of BATCH strips
    size_t in_room;
    struct strip strip[BOX_MOST];
    struct buf text;
};

struct reader *reader_new(void)
{
    struct reader *r = calloc(1, sizeof *r);
    if (!r)
        (void)FAIL(EMEMORY_, "out of memory");
    else if (!(r->desk = net_desk_new())) {
        free(r);
        r = NULL;
    }
    return r;
}

void reader_free(struct reader *r)
{
    if (!r)
        return;
    net_desk_free(r->desk);
    free(r->in);
    buf_free(&r->text);
    free(r);
}

static int wider_first(const void *a, const void *b)
{
    const struct strip *x = a, *y = b;
    return x->width != y->width ? y->width - x->width : x->box - y->box;
}

static int by_box(const void *a, const void *b) { return ((const struct strip *)a)->box - ((const struct strip *)b)->box; }

static int columns(const struct strip *s) { return (s->width + COLUMN - 1) / COLUMN; }

// Features of one strip, at place i of n.
static int look(struct reader *r, const struct net *eyes, const struct image *im, const struct box *box,
                const struct strip *s, int i, int n, int64_t shape[4])
{
    float *in;
    int64_t row;
    int height, width, rc = net_begin(eyes, r->desk, STRIP_HEIGHT, columns(s) * COLUMN, &in, &row);
    if (rc)
        return rc;
    strip_cut(&box[s->box], s->turned, im, s->width, in, row);
    const float *seen = net_run(eyes, r->desk, &height, &width);
    if (!seen)
        return EMEMORY_;
    size_t floats = (size_t)net_channels(eyes) * (size_t)height * (size_t)width;
    if (r->in_room < (size_t)n * floats) {   // all strips of a run are of one size: this is the first
        free(r->in);
        r->in_room = 0;
        if (!(r->in = memory_take((size_t)n * floats * sizeof *r->in)))
            return EMEMORY_;
        r->in_room = (size_t)n * floats;
    }
    memcpy(r->in + (size_t)i * floats, seen, floats * sizeof *seen);
    memcpy(shape, (int64_t[]){n, net_channels(eyes), height, width}, 4 * sizeof *shape);
    return 0;
}

// Read strips of one width at once.
static int run_batch(struct reader *r, const struct net *eyes, const struct ort_net *net, const struct dictionary *d,
                     const struct image *im, const struct box *box, struct strip *s, int n)
{
    struct ort_out out = {0};
    int64_t shape[4];
    int rc = 0;
    for (int i = 0; i < n && !rc; i++)
        rc = look(r, eyes, im, box, &s[i], i, n, shape);
    if (!rc)
        rc = ort_net_run(net, r->in, shape, 3, &out);
    if (!rc && (out.shape[0] != n || out.shape[2] != d->n + 2))
        rc = FAIL(EFORMAT_, "the recogniser knows %lld characters, its dictionary %d: they belong to different models",
                  (long long)out.shape[2] - 2, d->n);
    for (int i = 0; i < n && !rc; i++) {
        s[i].start = (int)r->text.len;
        s[i].confidence = ctc_read(&r->text, d, out.at + i * out.shape[1] * out.shape[2], out.shape[1], out.shape[2]);
        s[i].length = (int)r->text.len - s[i].start;
        for (; s[i].length && r->text.at[s[i].start] == ' '; s[i].length--)   // a box that reaches beyond its text
            s[i].start++;
        for (; s[i].length && r->text.at[s[i].start + s[i].length - 1] == ' '; s[i].length--)
            ;
    }
    ort_out_free(&out);
    return rc ? rc : r->text.failed;
}

int reader_run(struct reader *r, const struct net *eyes, const struct ort_net *net, const struct dictionary *d,
               const struct image *im, const struct box *box, int n, struct spot_lines *out)
{
    int rc = 0;
    buf_clear(&r->text);
    for (int i = 0; i < n; i++) {
        r->strip[i] = (struct strip){.box = i};
        r->strip[i].width = strip_width(&box[i], &r->strip[i].turned);
    }
    qsort(r->strip, (size_t)n, sizeof *r->strip, wider_first);
    for (int from = 0, to; from < n && !rc; from = to) {
        for (to = from + 1; to < n && to - from < BATCH; to++)
            if (columns(&r->strip[to]) != columns(&r->strip[from]))
                break;
        rc = run_batch(r, eyes, net, d, im, box, r->strip + from, to - from);
    }
    if (rc)
        return rc;
    qsort(r->strip, (size_t)n, sizeof *r->strip, by_box);
    for (int i = 0; i < n && !rc; i++) {
        const struct strip *s = &r->strip[i];
        float corner[4][2];
        for (int c = 0; c < 4; c++)   // a turned strip begins at the box's bottom left
            memcpy(corner[c], box[i].corner[s->turned ? (c + 3) % 4 : c], sizeof corner[c]);
        if (s->length)
            rc = spot_lines_add(out, r->text.at + s->start, (size_t)s->length, s->confidence, corner);
    }
    return rc;
}
