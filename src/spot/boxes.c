// SPDX-License-Identifier: Apache-2.0
#include "spot/boxes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { CORE_SIDE = 3, BOX_SIDE = 5 };   // shortest side of a core and of a grown box, pixels of the map

struct run {
    int y, from, to;   // places from .. to of row y lie above the threshold
    int root;          // union-find: the part's first run is its own root
};

struct point {
    double x, y;
};

struct box_finder {
    struct run *run;
    int runs, run_room;
    int *order;             // runs, part by part, each in reading order
    int *start;             // first of each part in `order`, by root
    int order_room;
    struct point *hull;     // 2 x the rows of a part
    int hull_room;
    struct box box[BOX_MOST];
};

struct box_finder *box_finder_new(void)
{
    struct box_finder *f = calloc(1, sizeof *f);
    if (!f)
        (void)FAIL(EMEMORY_, "out of memory");
    return f;
}

void box_finder_free(struct box_finder *f)
{
    if (!f)
        return;
    free(f->run);
    free(f->order);
    free(f->start);
    free(f->hull);
    free(f);
}

static int root_of(struct run *r, int i)
{
    while (r[i].root != i)
        i = r[i].root = r[r[i].root].root;
    return i;
}

static void join(struct run *r, int a, int b)
{
    a = root_of(r, a);
    b = root_of(r, b);
    if (a < b)
        r[b].root = a;
    else
        r[a].root = b;
}

static int add_run(struct box_finder *f, int y, int from, int to)
{
    if (f->runs == f->run_room) {
        int room = f->run_room ? 2 * f->run_room : 1024;
        struct run *p = realloc(f->run, (size_t)room * sizeof *p);
        if (!p)
            return FAIL(EMEMORY_, "out of memory: %d runs of a text map", room);
        f->run = p;
        f->run_room = room;
    }
    f->run[f->runs] = (struct run){y, from, to, f->runs};
    f->runs++;
    return 0;
}

// Runs of every row, joined with those of the row above that they touch, corners too.
static int find_parts(struct box_finder *f, const float *map, int width, int height)
{
    int above = 0, above_end = 0, rc;
    f->runs = 0;
    for (int y = 0; y < height; y++) {
        const float *row = map + (size_t)y * (size_t)width;
        int first = f->runs;
        for (int x = 0; x < width; x++) {
            if (!(row[x] > BOX_THRESHOLD))
                continue;
            int from = x;
            while (x + 1 < width && row[x + 1] > BOX_THRESHOLD)
                x++;
            if ((rc = add_run(f, y, from, x)))
                return rc;
            while (above < above_end && f->run[above].to < from - 1)
                above++;
            for (int a = above; a < above_end && f->run[a].from <= x + 1; a++)
                join(f->run, a, f->runs - 1);
        }
        above = first;
        above_end = f->runs;
    }
    return 0;
}

static int sort_parts(struct box_finder *f)
{
    if (f->order_room < f->runs + 1) {
        free(f->order);
        free(f->start);
        f->order_room = f->run_room + 1;
        f->order = malloc((size_t)f->order_room * sizeof *f->order);
        f->start = malloc((size_t)f->order_room * sizeof *f->start);
        if (!f->order || !f->start) {
            f->order_room = 0;
            return FAIL(EMEMORY_, "out of memory: %d runs of a text map", f->runs);
        }
    }
    memset(f->start, 0, (size_t)(f->runs + 1) * sizeof *f->start);
    for (int i = 0; i < f->runs; i++)
        f->start[(f->run[i].root = root_of(f->run, i)) + 1]++;
    for (int i = 0; i < f->runs; i++)
        f->start[i + 1] += f->start[i];
    for (int i = 0; i < f->runs; i++)   // start moves to the end of its part, that is, to the next one's start
        f->order[f->start[f->run[i].root]++] = i;
    return 0;
}

static double turn(struct point a, struct point b, struct point c)
{
    return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

// Convex hull of runs in reading order (Andrew's monotone chain along y); the number of corners.
static int hull_of(struct box_finder *f, const int *order, int n)
{
    struct point *h = f->hull;
    int count = 0;
    for (int side = 0; side < 2; side++) {
        int base = count;
        for (int i = 0; i < n; i++) {
            const struct run *r = &f->run[order[side ? n - 1 - i : i]];
            for (int end = 0; end < 2; end++) {
                struct point p = {(end != side) ? r->to : r->from, r->y};
                while (count - base >= 2 && turn(h[count - 2], h[count - 1], p) <= 0)
                    count--;
                h[count++] = p;
            }
        }
        count -= count > 1;   // each half ends where the other begins
    }
    return count;
}

// The rectangle of least area around the hull: one of its sides lies along a side of the hull.
static void around(struct box *b, const struct point *h, int n)
{
    double best = INFINITY;
    for (int i = 0; i < n; i++) {
        struct point p = h[i], q = h[(i + 1) % n];
        double ux = q.x - p.x, uy = q.y - p.y, length = sqrt(ux * ux + uy * uy);
        if (length < 1e-9) {
            ux = 1;
            uy = 0;
        } else {
            ux /= length;
            uy /= length;
        }
        double lo[2] = {INFINITY, INFINITY}, hi[2] = {-INFINITY, -INFINITY};
        for (int k = 0; k < n; k++) {
            double along = h[k].x * ux + h[k].y * uy, across = h[k].y * ux - h[k].x * uy;
            lo[0] = fmin(lo[0], along);
            hi[0] = fmax(hi[0], along);
            lo[1] = fmin(lo[1], across);
            hi[1] = fmax(hi[1], across);
        }
        double w = hi[0] - lo[0], t = hi[1] - lo[1];
        if (w * t >= best)
            continue;
        best = w * t;
        // the axis nearest to level is "along"
        double cx = (lo[0] + hi[0]) / 2, cy = (lo[1] + hi[1]) / 2;
        double mx = cx * ux - cy * uy, my = cx * uy + cy * ux;
        if (fabs(ux) < fabs(uy)) {
            double swap = ux;
            ux = uy;
            uy = -swap;
            swap = w;
            w = t;
            t = swap;
        }
        if (ux < 0) {
            ux = -ux;
            uy = -uy;
        }
        b->width = (float)w;
        b->height = (float)t;
        for (int c = 0; c < 4; c++) {
            double a = (c == 1 || c == 2 ? .5 : -.5) * w, d = (c >= 2 ? .5 : -.5) * t;
            b->corner[c][0] = (float)(mx + a * ux - d * uy);
            b->corner[c][1] = (float)(my + a * uy + d * ux);
        }
    }
}

// Mean of the map over the pixels whose centres lie inside the rectangle.
static float mean_inside(const struct box *b, const float *map, int width, int height)
{
    float low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (int c = 0; c < 4; c++)
        for (int d = 0; d < 2; d++) {
            low[d] = fminf(low[d], b->corner[c][d]);
            high[d] = fmaxf(high[d], b->corner[c][d]);
        }
    int y0 = (int)fmaxf(0, floorf(low[1])), y1 = (int)fminf((float)height - 1, ceilf(high[1]));
    double sum = 0;
    int n = 0;
    for (int y = y0; y <= y1; y++) {
        float from = 0, to = (float)width - 1;   // the row's part inside all four edges
        for (int c = 0; c < 4; c++) {
            const float *p = b->corner[c], *q = b->corner[(c + 1) % 4];
            float dx = q[0] - p[0], dy = q[1] - p[1];   // inside: dx (y - py) - dy (x - px) >= 0
            float level = dx * ((float)y - p[1]) + dy * p[0];
            if (dy > 1e-6f)
                to = fminf(to, level / dy + 1e-3f);
            else if (dy < -1e-6f)
                from = fmaxf(from, level / dy - 1e-3f);
            else if (dx * ((float)y - p[1]) < -1e-3f)
                to = -1;
        }
        for (int x = (int)ceilf(from); x <= (int)floorf(to); x++) {
            sum += map[(size_t)y * (size_t)width + (size_t)x];
            n++;
        }
    }
    return n ? (float)(sum / n) : 0;
}

// The long sides outward by area / perimeter, the ends a little further.
static void grow(struct box *b)
{
    float w = b->width, h = b->height, by = BOX_UNCLIP * w * h / (2 * (w + h));
    float ends = by + BOX_ENDS * (fminf(w, h) + 2 * by), along = w >= h ? ends : by, across = w >= h ? by : ends;
    float ux = (b->corner[1][0] - b->corner[0][0]) / w, uy = (b->corner[1][1] - b->corner[0][1]) / w;
    for (int c = 0; c < 4; c++) {
        float a = c == 1 || c == 2 ? along : -along, d = c >= 2 ? across : -across;
        b->corner[c][0] += a * ux - d * uy;
        b->corner[c][1] += a * uy + d * ux;
    }
    b->width = w + 2 * along;
    b->height = h + 2 * across;
}

int boxes_find(struct box_finder *f, const float *map, int width, int height, const struct box **out)
{
    int n = 0, rc = find_parts(f, map, width, height);
    if (!rc)
        rc = sort_parts(f);
    if (!rc && f->hull_room < 2 * f->runs + 4) {
        free(f->hull);
        f->hull_room = 4 * f->run_room + 4;
        if (!(f->hull = malloc((size_t)f->hull_room * sizeof *f->hull))) {
            f->hull_room = 0;
            rc = FAIL(EMEMORY_, "out of memory: %d runs of a text map", f->runs);
        }
    }
    if (rc)
        return rc;
    for (int i = 0; i < f->runs && n < BOX_MOST; i++) {
        if (f->run[i].root != i)
            continue;
        const int *part = f->order + (i ? f->start[i - 1] : 0);
        int count = f->start[i] - (i ? f->start[i - 1] : 0);
        struct box *b = &f->box[n];
        if (f->run[part[count - 1]].y - f->run[part[0]].y + 1 < CORE_SIDE)
            continue;
        around(b, f->hull, hull_of(f, part, count));
        if (fminf(b->width, b->height) < CORE_SIDE || (b->score = mean_inside(b, map, width, height)) < BOX_SCORE)
            continue;
        grow(b);
        n += fminf(b->width, b->height) >= BOX_SIDE;
    }
    *out = f->box;
    return n;
}
