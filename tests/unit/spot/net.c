// SPDX-License-Identifier: Apache-2.0
// A network of every kind of layer as ONNX bytes, run and compared with the same worked out plainly, in double; cut in
// two; and damaged.
#include "base/error.h"
#include "base/rng.h"
#include "check.h"
#include "spot/net.h"
#include "spot/onnx.h"

// --- writing ---------------------------------------------------------------------------------------------------------
static void put_varint(struct buf *b, uint64_t v)
{
    for (; v > 127; v >>= 7)
        buf_char(b, (char)((v & 127) | 128));
    buf_char(b, (char)v);
}

static void put(struct buf *b, int number, const void *at, size_t n)
{
    put_varint(b, (uint64_t)number << 3 | 2);
    put_varint(b, n);
    buf_add(b, at, n);
}

static void put_text(struct buf *b, int number, const char *text) { put(b, number, text, strlen(text)); }

static void put_int(struct buf *b, int number, uint64_t v)
{
    put_varint(b, (uint64_t)number << 3);
    put_varint(b, v);
}

static void put_float(struct buf *b, int number, float v)
{
    put_varint(b, (uint64_t)number << 3 | 5);
    buf_add(b, &v, sizeof v);
}

static void constant(struct buf *graph, const char *name, int rank, const int *dims, const float *v)
{
    struct buf t = {0}, a = {0}, c = {0};
    size_t n = 1;
    for (int i = 0; i < rank; i++) {
        put_int(&t, 1, (uint64_t)dims[i]);
        n *= (size_t)dims[i];
    }
    put_int(&t, 2, 1);
    put(&t, 9, v, n * sizeof *v);
    put_text(&a, 1, "value");
    put(&a, 5, t.at, t.len);
    put_text(&c, 2, name);
    put_text(&c, 4, "Constant");
    put(&c, 5, a.at, a.len);
    put(graph, 1, c.at, c.len);
    buf_free(&t);
    buf_free(&a);
    buf_free(&c);
}

// "ints NAME a b c d", "int NAME a", "float NAME a", "word NAME w"
static void put_attribute(struct buf *node, const char *text)
{
    struct buf a = {0}, packed = {0};
    char kind[8], name[40], word[40];
    int used, v;
    CHECK(sscanf(text, "%7s %39s %39s%n", kind, name, word, &used) == 3);
    put_text(&a, 1, name);
    if (kind[0] == 'w')
        put_text(&a, 4, word);
    else if (kind[0] == 'f')
        put_float(&a, 2, strtof(word, NULL));
    else if (strcmp(kind, "int") == 0)
        put_int(&a, 3, (uint64_t)atoi(word));
    else {
        put_varint(&packed, (uint64_t)atoi(word));
        for (const char *p = text + used; sscanf(p, " %d%n", &v, &used) == 1; p += used)
            put_varint(&packed, (uint64_t)v);
        put(&a, 8, packed.at, packed.len);
    }
    put(node, 5, a.at, a.len);
    buf_free(&a);
    buf_free(&packed);
}

// ins: names apart by blanks; attributes: apart by ';'
static void node(struct buf *graph, const char *op, const char *ins, const char *out, const char *attributes)
{
    struct buf n = {0};
    char part[200];
    for (size_t k; *ins; ins += k + (ins[k] == ' ')) {
        k = strcspn(ins, " ");
        put(&n, 1, ins, k);
    }
    put_text(&n, 2, out);
    put_text(&n, 4, op);
    for (size_t k; *attributes; attributes += k + (attributes[k] == ';')) {
        k = strcspn(attributes, ";");
        snprintf(part, sizeof part, "%.*s", (int)k, attributes);
        put_attribute(&n, part);
    }
    put(graph, 1, n.at, n.len);
    buf_free(&n);
}

// --- plainly ---------------------------------------------------------------------------------------------------------
enum { MOST = 40 * 64 * 64 };
struct plain {
    int c, h, w;
    double v[MOST];
};
static struct plain *map[26];

static double at(const struct plain *p, int c, int y, int x)
{
    return y < 0 || x < 0 || y >= p->h || x >= p->w ? 0 : p->v[(c * p->h + y) * p->w + x];
}

// w [outputs][inputs or 1][side][side]
static void convolve(struct plain *to, const struct plain *in, const float *w, const float *bias, int outputs, int side,
                     int sy, int sx, int pad, bool each)
{
    *to = (struct plain){outputs, (in->h + 2 * pad - side) / sy + 1, (in->w + 2 * pad - side) / sx + 1, {0}};
    for (int o = 0; o < outputs; o++)
        for (int y = 0; y < to->h; y++)
            for (int x = 0; x < to->w; x++) {
                double sum = bias ? bias[o] : 0;
                for (int i = 0; i < (each ? 1 : in->c); i++)
                    for (int t = 0; t < side * side; t++)
                        sum += w[(o * (each ? 1 : in->c) + i) * side * side + t] *
                               at(in, each ? o : i, y * sy - pad + t / side, x * sx - pad + t % side);
                to->v[(o * to->h + y) * to->w + x] = sum;
            }
}

static void transposed(struct plain *to, const struct plain *in, const float *w, int outputs)
{
    *to = (struct plain){outputs, 2 * in->h, 2 * in->w, {0}};
    for (int o = 0; o < outputs; o++)
        for (int y = 0; y < to->h; y++)
            for (int x = 0; x < to->w; x++)
                for (int i = 0; i < in->c; i++)
                    to->v[(o * to->h + y) * to->w + x] += w[(i * outputs + o) * 4 + y % 2 * 2 + x % 2] * at(in, i, y / 2, x / 2);
}

static void means(struct plain *to, const struct plain *in)
{
    *to = (struct plain){in->c, 1, 1, {0}};
    for (int i = 0; i < in->c * in->h * in->w; i++)
        to->v[i / (in->h * in->w)] += in->v[i] / (in->h * in->w);
}

enum { SCALE, HARD_SWISH, RELU, HARD_SIGMOID, SIGMOID };
static void apply(struct plain *p, int what, double a, double b)
{
    for (int i = 0; i < p->c * p->h * p->w; i++) {
        double x = p->v[i];
        p->v[i] = what == SCALE ? a * x + b : what == RELU ? fmax(x, 0) : what == SIGMOID ? 1 / (1 + exp(-x)) :
                  what == HARD_SIGMOID ? fmin(fmax(a * x + b, 0), 1) : x * fmin(fmax(x + 3, 0), 6) / 6;
    }
}

static void gate(struct plain *p, const struct plain *by, double keep)
{
    for (int i = 0; i < p->c * p->h * p->w; i++)
        p->v[i] *= keep + by->v[i / (p->h * p->w)];
}

static void add_enlarged(struct plain *to, const struct plain *in, int times, int first)
{
    for (int c = 0; c < in->c; c++)
        for (int y = 0; y < in->h * times; y++)
            for (int x = 0; x < in->w * times; x++)
                to->v[((first + c) * to->h + y) * to->w + x] += at(in, c, y / times, x / times);
}

// --- the network -----------------------------------------------------------------------------------------------------
static float stem[20 * 27], dw[20 * 9], pw[40 * 20], dw5[40 * 25], se1[6 * 40], se2[40 * 6], line[40 * 18], line2[40 * 20],
    up[18 * 40 * 9], join[18 * 36 * 9], t1[18 * 18 * 4], t2[18 * 4], bias[40], norm[4][40], g1[5 * 40], g2[40 * 5],
    narrow[18 * 40];

static void draw(void)
{
    struct rng r = rng_make(3, 0);
    struct { float *at; size_t n; double most; } all[] = {
#define ALL(a, most) {a, sizeof a / sizeof *a, most}
        ALL(stem, .3), ALL(dw, .5), ALL(pw, .3), ALL(dw5, .3), ALL(se1, .3), ALL(se2, .3), ALL(line, .3), ALL(line2, .3),
        ALL(up, .1), ALL(join, .1), ALL(t1, .3), ALL(t2, .3), ALL(bias, .5), ALL(g1, .3), ALL(g2, .3), ALL(narrow, .2)};
#undef ALL
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (size_t k = 0; k < all[i].n; k++)
            all[i].at[k] = (float)rng_range(&r, -all[i].most, all[i].most);
    for (int i = 0; i < 40; i++) {
        norm[0][i] = (float)rng_range(&r, .5, 1.5);
        norm[1][i] = (float)rng_range(&r, -.5, .5);
        norm[2][i] = (float)rng_range(&r, -.5, .5);
        norm[3][i] = (float)rng_range(&r, .5, 1.5);
    }
}

static void numbers(struct buf *g)
{
    const float n[] = {1.5f, .25f, 3, 0, 6, .7f, -.1f}, two[] = {1, 1, 2, 2};
    const char *const name[] = {"scale", "shift", "three", "zero", "six", "after", "beside"};
    for (int i = 0; i < 7; i++)
        constant(g, name[i], i < 2 ? 1 : 0, (int[]){1}, &n[i]);
    constant(g, "two", 1, (int[]){4}, two);
    constant(g, "stem", 4, (int[]){20, 3, 3, 3}, stem);
    constant(g, "dw", 4, (int[]){20, 1, 3, 3}, dw);
    constant(g, "pw", 4, (int[]){40, 20, 1, 1}, pw);
    constant(g, "dw5", 4, (int[]){40, 1, 5, 5}, dw5);
    constant(g, "se1", 4, (int[]){6, 40, 1, 1}, se1);
    constant(g, "se2", 4, (int[]){40, 6, 1, 1}, se2);
    constant(g, "narrow", 4, (int[]){18, 40, 1, 1}, narrow);
    constant(g, "line", 4, (int[]){40, 18, 1, 1}, line);
    constant(g, "line2", 4, (int[]){40, 20, 1, 1}, line2);
    constant(g, "g1", 4, (int[]){5, 40, 1, 1}, g1);
    constant(g, "g2", 4, (int[]){40, 5, 1, 1}, g2);
    constant(g, "up", 4, (int[]){18, 40, 3, 3}, up);
    constant(g, "join", 4, (int[]){18, 36, 3, 3}, join);
    constant(g, "t1", 4, (int[]){18, 18, 2, 2}, t1);
    constant(g, "t2", 4, (int[]){18, 1, 2, 2}, t2);
    constant(g, "bias", 1, (int[]){40}, bias);
    constant(g, "bias20", 1, (int[]){20}, bias);
    constant(g, "bias18", 4, (int[]){1, 18, 1, 1}, bias);
    for (int k = 0; k < 4; k++) {
        constant(g, (const char *[]){"gamma", "beta", "mean", "variance"}[k], 1, (int[]){20}, norm[k]);
        constant(g, (const char *[]){"gamma18", "beta18", "mean18", "variance18"}[k], 1, (int[]){18}, norm[k]);
    }
}

#define SAME "ints pads 1 1 1 1;ints strides 1 1"
#define NEAREST "word mode nearest;word coordinate_transformation_mode asymmetric;word nearest_mode floor"

// x -> a (half) -> b (half, eighth of the columns' sizes) -> sums of enlarged -> back to x's size
static void network(struct buf *model, bool old_clip)
{
    struct buf g = {0}, input = {0};
    numbers(&g);
    put_text(&input, 1, "x");
    put(&g, 11, input.at, input.len);
    node(&g, "Conv", "x stem", "a0", "ints pads 1 1 1 1;ints strides 2 2");
    node(&g, "BatchNormalization", "a0 gamma beta mean variance", "a1", "float epsilon 0.001");
    node(&g, "Conv", "a1 dw bias20", "a2", SAME ";int group 20");
    node(&g, "Mul", "scale a2", "a3", "");
    node(&g, "Add", "a3 shift", "a4", "");
    node(&g, "Add", "a4 three", "a5", "");
    if (old_clip)
        node(&g, "Clip", "a5", "a6", "float min 0;float max 6");
    else
        node(&g, "Clip", "a5 zero six", "a6", "");
    node(&g, "Mul", "a4 a6", "a7", "");
    node(&g, "Div", "a7 six", "a8", "");
    node(&g, "Mul", "after a8", "a9", "");
    node(&g, "Add", "a9 beside", "a", "");
    node(&g, "Conv", "a pw bias", "b0", "ints strides 1 1");
    node(&g, "Conv", "b0 dw5", "b1", "ints pads 2 2 2 2;ints strides 2 2;int group 40");
    node(&g, "GlobalAveragePool", "b1", "b2", "");
    node(&g, "Conv", "b2 se1", "b3", "");
    node(&g, "Relu", "b3", "b4", "");
    node(&g, "Conv", "b4 se2 bias", "b5", "");
    node(&g, "HardSigmoid", "b5", "b6", "float alpha 0.25;float beta 0.4");
    node(&g, "Mul", "b1 b6", "b", "");
    node(&g, "Conv", "b narrow", "c", "");
    // linear maps of c and a, each gated by its own mean and added to itself
    for (int i = 0; i < 2; i++) {
        char ins[40], name[5][8];
        for (int k = 0; k < 5; k++)
            snprintf(name[k], sizeof name[k], "%c%d", i ? 'l' : 'm', k);
#define TWO(a, b) (snprintf(ins, sizeof ins, "%s %s", a, b), ins)
        node(&g, "Conv", i ? "a line2" : "c line", name[0], "");
        node(&g, "GlobalAveragePool", name[0], name[1], "");
        node(&g, "Conv", TWO(name[1], "g1"), name[2], "");
        node(&g, "Conv", TWO(name[2], "g2"), name[3], "");
        snprintf(ins, sizeof ins, "%ch", i ? 'l' : 'm');
        node(&g, "HardSigmoid", name[3], ins, "float alpha 0.2;float beta 0.5");
        snprintf(ins, sizeof ins, "%s %ch", name[0], i ? 'l' : 'm');
        node(&g, "Mul", ins, name[4], "");
        node(&g, "Add", TWO(name[0], name[4]), i ? "l" : "m", "");
    }
    node(&g, "Resize", "m zero two", "mm", NEAREST);
    node(&g, "Add", "l mm", "s", "");
    node(&g, "Conv", "s up", "u", SAME);
    node(&g, "Conv", "m up", "v", SAME);
    node(&g, "Resize", "v zero two", "vv", NEAREST);
    node(&g, "Concat", "vv u", "j", "int axis 1");
    node(&g, "Conv", "j join", "k0", SAME);
    node(&g, "BatchNormalization", "k0 gamma18 beta18 mean18 variance18", "k1", "float epsilon 0.001");
    node(&g, "Relu", "k1", "k", "");
    node(&g, "AveragePool", "k", "window", "ints kernel_shape 3 2;ints strides 3 2");
    node(&g, "ConvTranspose", "k t1", "y0", "ints strides 2 2");
    node(&g, "Add", "y0 bias18", "y1", "");
    node(&g, "Relu", "y1", "y2", "");
    node(&g, "ConvTranspose", "y2 t2", "y3", "ints strides 2 2");
    node(&g, "Sigmoid", "y3", "y", "");
    put_int(model, 1, 8);
    put(model, 7, g.at, g.len);
    buf_free(&g);
    buf_free(&input);
}

// map[0] is x; 20: k, 21: y, 22: window
static void plainly(void)
{
    struct plain **m = map;
    convolve(m[1], m[0], stem, NULL, 20, 3, 2, 2, 1, false);
    for (int i = 0; i < 20 * m[1]->h * m[1]->w; i++) {
        int c = i / (m[1]->h * m[1]->w);
        m[1]->v[i] = norm[0][c] * (m[1]->v[i] - norm[2][c]) / sqrt(norm[3][c] + .001) + norm[1][c];
    }
    convolve(m[2], m[1], dw, bias, 20, 3, 1, 1, 1, true);
    apply(m[2], SCALE, 1.5, .25);
    apply(m[2], HARD_SWISH, 0, 0);
    apply(m[2], SCALE, .7f, -.1f);
    convolve(m[3], m[2], pw, bias, 40, 1, 1, 1, 0, false);
    convolve(m[4], m[3], dw5, NULL, 40, 5, 2, 2, 2, true);
    means(m[5], m[4]);
    convolve(m[6], m[5], se1, NULL, 6, 1, 1, 1, 0, false);
    apply(m[6], RELU, 0, 0);
    convolve(m[7], m[6], se2, bias, 40, 1, 1, 1, 0, false);
    apply(m[7], HARD_SIGMOID, .25, .4);
    gate(m[4], m[7], 0);
    convolve(m[8], m[4], narrow, NULL, 18, 1, 1, 1, 0, false);
    for (int i = 0; i < 2; i++) {
        struct plain *to = m[9 + i];
        convolve(to, m[i ? 2 : 8], i ? line2 : line, NULL, 40, 1, 1, 1, 0, false);
        means(m[11], to);
        convolve(m[12], m[11], g1, NULL, 5, 1, 1, 1, 0, false);
        convolve(m[13], m[12], g2, NULL, 40, 1, 1, 1, 0, false);
        apply(m[13], HARD_SIGMOID, .2f, .5);
        gate(to, m[13], 1);
    }
    add_enlarged(m[10], m[9], 2, 0);
    convolve(m[14], m[10], up, NULL, 18, 3, 1, 1, 1, false);
    convolve(m[15], m[9], up, NULL, 18, 3, 1, 1, 1, false);
    *m[16] = (struct plain){36, m[14]->h, m[14]->w, {0}};
    add_enlarged(m[16], m[15], 2, 0);
    add_enlarged(m[16], m[14], 1, 18);
    convolve(m[20], m[16], join, NULL, 18, 3, 1, 1, 1, false);
    for (int i = 0; i < 18 * m[20]->h * m[20]->w; i++) {
        int c = i / (m[20]->h * m[20]->w);
        m[20]->v[i] = norm[0][c] * (m[20]->v[i] - norm[2][c]) / sqrt(norm[3][c] + .001) + norm[1][c];
    }
    apply(m[20], RELU, 0, 0);
    transposed(m[17], m[20], t1, 18);
    for (int i = 0; i < 18 * m[17]->h * m[17]->w; i++)
        m[17]->v[i] += bias[i / (m[17]->h * m[17]->w)];
    apply(m[17], RELU, 0, 0);
    transposed(m[21], m[17], t2, 1);
    apply(m[21], SIGMOID, 0, 0);
    *m[22] = (struct plain){18, (m[20]->h - 3) / 3 + 1, (m[20]->w - 2) / 2 + 1, {0}};
    for (int c = 0; c < 18; c++)
        for (int y = 0; y < m[22]->h; y++)
            for (int x = 0; x < m[22]->w; x++)
                for (int t = 0; t < 6; t++)
                    m[22]->v[(c * m[22]->h + y) * m[22]->w + x] += at(m[20], c, 3 * y + t / 2, 2 * x + t % 2) / 6;
}

// The largest difference from what `output` should be, on m[0].
static double differs(const struct net *n, struct net_desk *d, const struct plain *want)
{
    float *in;
    int64_t row;
    int h, w;
    double most = 0;
    if (net_begin(n, d, map[0]->h, map[0]->w, &in, &row))
        return INFINITY;
    for (int y = 0; y < map[0]->h; y++)
        for (int x = 0; x < map[0]->w; x++)
            for (int c = 0; c < 3; c++)
                in[y * row + x * NET_STEP + c] = (float)at(map[0], c, y, x);
    const float *out = net_run(n, d, &h, &w);
    if (h != want->h || w != want->w || net_channels(n) != want->c)
        return INFINITY;
    for (int i = 0; i < want->c * h * w; i++)
        most = fmax(most, fabs(out[i] - want->v[i]));
    return most;
}

static void equals_the_definition(void)
{
    static const char *const output[] = {"k", "y", "window"}, *const isa[] = {"ref", NULL};
    static const int size[][2] = {{8, 8}, {16, 24}, {12, 40}};
    for (int i = 0; i < 26; i++)
        map[i] = malloc(sizeof *map[i]);
    draw();
    for (int o = 0; o < 3; o++)
        for (int k = 0; k < 2; k++) {
            struct buf file = {0};
            struct net *n;
            struct net_desk *d = net_desk_new();
            network(&file, k);
            if (isa[k])
                CHECK(!setenv("DIHT_ISA", isa[k], 1));
            CHECK(!net_open(&n, &file, "net", "x", output[o]));
            CHECK(!unsetenv("DIHT_ISA"));
            for (int s = 0; s < 3 && n; s++) {   // one desk, whatever the size
                struct rng r = rng_make(5, (uint64_t)s);
                *map[0] = (struct plain){3, size[s][0], size[s][1], {0}};
                for (int i = 0; i < 3 * map[0]->h * map[0]->w; i++)
                    map[0]->v[i] = (float)rng_range(&r, -1, 1);
                plainly();
                CHECK_CLOSE(differs(n, d, map[20 + o]), 0, 2e-5);
            }
            net_desk_free(d);
            net_close(n);
            buf_free(&file);
        }
    for (int i = 0; i < 26; i++)
        free(map[i]);
}

static void what_is_not_known(void)
{
    struct buf file = {0};
    struct net *n;
    network(&file, false);
    CHECK(net_open(&n, &file, "net", "x", "nowhere") < 0 && !n);
    CHECK(strstr(error_last(), "net: a layer \"y\" (Sigmoid)"));   // known as the output alone
    CHECK(net_open(&n, &file, "net", "z", "k") < 0 && strstr(error_last(), "a layer \"a0\""));
    // columns that do not fit together: 10 -> 5 -> 3, enlarged 6
    struct net_desk *d = net_desk_new();
    float *in;
    int64_t row;
    CHECK(!net_open(&n, &file, "net", "x", "k"));
    CHECK(net_begin(n, d, 10, 10, &in, &row) < 0 && strstr(error_last(), "10 x 10"));
    CHECK(net_begin(n, d, 0, 8, &in, &row) < 0 && net_begin(n, d, 8, 1 << 20, &in, &row) < 0);
    CHECK(!net_begin(n, d, 8, 8, &in, &row));
    net_desk_free(d);
    net_desk_free(NULL);
    net_close(n);
    net_close(NULL);
    buf_free(&file);
}

static void behind(void)
{
    struct buf file = {0}, rest = {0};
    struct onnx g;
    network(&file, false);
    CHECK(!onnx_behind(&rest, &file, "k"));
    CHECK(!onnx_open(&g, &rest));
    int computes = 0;
    for (int i = 0; i < g.nodes; i++)
        computes += !onnx_is(g.node[i].op, "Constant");
    CHECK(computes == 6 && g.nodes > 20);   // the window and the way back up
    onnx_close(&g);
    buf_clear(&rest);
    CHECK(onnx_behind(&rest, &file, "u") < 0 && strstr(error_last(), "cannot be cut at \"u\""));
    CHECK(onnx_behind(&rest, &file, "nobody") < 0 && strstr(error_last(), "nobody"));
    buf_free(&rest);
    buf_free(&file);
}

static void damaged(void)
{
    struct buf file = {0};
    struct net *n;
    struct rng r = rng_make(11, 0);
    network(&file, false);
    for (size_t i = 0; i < 400; i++) {
        struct buf bad = {0};
        buf_add(&bad, file.at, i < 100 ? file.len * i / 100 : file.len);
        for (int k = 0; k < 8 && i >= 100; k++)
            bad.at[rng_below(&r, bad.len)] = (char)rng_next(&r);
        struct buf rest = {0};
        if (!net_open(&n, &bad, "net", "x", "y")) {
            struct net_desk *d = net_desk_new();
            float *in;
            int64_t row;
            int h, w;
            if (!net_begin(n, d, 8, 8, &in, &row))
                CHECK(net_run(n, d, &h, &w) != NULL);
            net_desk_free(d);
            net_close(n);
        } else {
            CHECK(!n && *error_last());
        }
        (void)onnx_behind(&rest, &bad, "k");
        buf_free(&rest);
        buf_free(&bad);
    }
    buf_free(&file);
}

int main(void)
{
    CASE(equals_the_definition);
    CASE(what_is_not_known);
    CASE(behind);
    CASE(damaged);
    return check_done();
}
