// SPDX-License-Identifier: Apache-2.0
// ONNX is protocol buffers: a message is a row of fields, each a varint (number * 8 + wire type) and its value.
#include "spot/fold.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { MODEL_GRAPH = 7, GRAPH_NODE = 1, GRAPH_TENSOR = 5, GRAPH_OUTPUT = 12, VALUE_NAME = 1, NODE_INPUT = 1,
       NODE_OUTPUT = 2, NODE_OP = 4, NODE_ATTRIBUTE = 5, ATTRIBUTE_NAME = 1, ATTRIBUTE_FLOAT = 2, ATTRIBUTE_INT = 3,
       ATTRIBUTE_TENSOR = 5, ATTRIBUTE_INTS = 8, ATTRIBUTE_TYPE = 20, TENSOR_DIMS = 1, TENSOR_TYPE = 2,
       TENSOR_FLOATS = 4, TENSOR_NAME = 8, TENSOR_RAW = 9 };
enum { VARINT = 0, EIGHT = 1, BYTES = 2, FOUR = 5, FLOAT32 = 1, TYPE_FLOAT = 1, TYPE_INT = 2, TYPE_INTS = 7 };
enum { INPUTS = 8, OUTPUTS = 8, NODES_MOST = 1 << 13 };   // larger graphs are left as they are: readers are searched

struct span {
    const unsigned char *at;
    size_t n;
};

struct field {
    int number, wire;
    uint64_t value;      // VARINT
    struct span body;    // the others
    struct span whole;   // with its tag
};

struct node {
    struct span raw, whole, op, in[INPUTS], out, tensor;   // tensor: a Constant's
    int ins;
    bool gone;
    float scale, shift;   // a convolution's: to apply to what it reads
    struct buf instead;   // nodes in its place
};

struct graph {
    struct node *node;
    int nodes, room;
    struct span output[OUTPUTS];
    int outputs;
    struct buf tensors;   // new ones
    int made, changed;
    int failed;           // an append that did not fit
};

struct weights {
    float *at;
    int64_t dims[4];   // out x in / group x height x width
    size_t n;
};

static bool varint(struct span *s, uint64_t *v)
{
    *v = 0;
    for (int shift = 0; s->n && shift < 64; shift += 7) {
        unsigned char c = *s->at;
        s->at++;
        s->n--;
        *v |= (uint64_t)(c & 127) << shift;
        if (c < 128)
            return true;
    }
    return false;
}

static bool next(struct span *s, struct field *f)
{
    uint64_t tag, n = 0;
    *f = (struct field){.whole.at = s->at};
    if (!s->n || !varint(s, &tag))
        return false;
    f->number = (int)(tag >> 3 & 0x1fffffff);
    f->wire = (int)(tag & 7);
    if (f->wire == VARINT ? !varint(s, &f->value) : f->wire == BYTES && !varint(s, &n))
        return false;
    n = f->wire == EIGHT ? 8 : f->wire == FOUR ? 4 : n;
    if (n > s->n || (f->wire != VARINT && f->wire != BYTES && f->wire != EIGHT && f->wire != FOUR))
        return false;
    f->body = (struct span){s->at, (size_t)n};
    s->at += n;
    s->n -= (size_t)n;
    f->whole.n = (size_t)(s->at - f->whole.at);
    return true;
}

static bool same(struct span a, struct span b) { return a.n == b.n && a.n && !memcmp(a.at, b.at, a.n); }
static bool is(struct span a, const char *text) { return a.n == strlen(text) && !memcmp(a.at, text, a.n); }

static struct span member(struct span message, int number)
{
    struct field f;
    while (next(&message, &f))
        if (f.number == number && f.wire == BYTES)
            return f.body;
    return (struct span){0};
}

static bool attribute(const struct node *n, const char *name, int number, struct field *f)
{
    struct field a;
    for (struct span rest = n->raw; next(&rest, &a);) {
        if (a.number != NODE_ATTRIBUTE || a.wire != BYTES || !is(member(a.body, ATTRIBUTE_NAME), name))
            continue;
        for (struct span in = a.body; next(&in, f);)
            if (f->number == number)
                return true;
    }
    return false;
}

static void put_varint(struct buf *b, uint64_t v)
{
    for (; v > 127; v >>= 7)
        buf_char(b, (char)((v & 127) | 128));
    buf_char(b, (char)v);
}

static void put_int(struct buf *b, int number, uint64_t v)
{
    put_varint(b, (uint64_t)number << 3 | VARINT);
    put_varint(b, v);
}

static void put_bytes(struct buf *b, int number, const void *at, size_t n)
{
    put_varint(b, (uint64_t)number << 3 | BYTES);
    put_varint(b, n);
    buf_add(b, at, n);
}

static void put_span(struct buf *b, int number, struct span s) { put_bytes(b, number, s.at, s.n); }
static void put_text(struct buf *b, int number, const char *text) { put_bytes(b, number, text, strlen(text)); }

static int read_graph(struct graph *g, struct span all)
{
    struct field f, p;
    while (next(&all, &f)) {
        if (f.wire != BYTES)
            continue;
        if (f.number == GRAPH_OUTPUT && g->outputs < OUTPUTS)
            g->output[g->outputs++] = member(f.body, VALUE_NAME);
        if (f.number != GRAPH_NODE)
            continue;
        if (g->nodes == g->room) {
            int room = g->room ? 2 * g->room : 256;
            struct node *more = realloc(g->node, (size_t)room * sizeof *more);
            if (!more)
                return FAIL(EMEMORY_, "out of memory");
            g->node = more;
            g->room = room;
        }
        struct node *n = &g->node[g->nodes++];
        *n = (struct node){.raw = f.body, .whole = f.whole, .scale = 1};
        for (struct span rest = f.body; next(&rest, &p);) {
            if (p.number == NODE_INPUT && n->ins < INPUTS)
                n->in[n->ins++] = p.body;
            else if (p.number == NODE_OUTPUT)
                n->out = p.body;
            else if (p.number == NODE_OP)
                n->op = p.body;
        }
        if (is(n->op, "Constant") && attribute(n, "value", ATTRIBUTE_TENSOR, &p))
            n->tensor = p.body;
    }
    return 0;
}

// The constant of this name as a tensor of float32; false: there is none.
static bool constant(const struct graph *g, struct span name, int64_t dims[4], int *rank, struct span *data)
{
    struct field f;
    int type = 0;
    *rank = 0;
    *data = (struct span){0};
    for (int i = 0; i < g->nodes; i++) {
        if (!g->node[i].tensor.n || !same(g->node[i].out, name))
            continue;
        for (struct span rest = g->node[i].tensor; next(&rest, &f);) {
            if (f.number == TENSOR_DIMS && f.wire == VARINT && *rank < 4)
                dims[(*rank)++] = (int64_t)f.value;
            else if (f.number == TENSOR_TYPE)
                type = (int)f.value;
            else if ((f.number == TENSOR_RAW || f.number == TENSOR_FLOATS) && f.wire == BYTES)
                *data = f.body;
        }
        return type == FLOAT32 && data->n && data->n % sizeof(float) == 0;
    }
    return false;
}

static bool scalar(const struct graph *g, struct span name, float *v)
{
    int64_t dims[4];
    int rank;
    struct span data;
    if (!constant(g, name, dims, &rank, &data) || data.n != sizeof *v || rank > 1)
        return false;
    memcpy(v, data.at, sizeof *v);
    return true;
}

// How many read this value; the first two of them.
static int readers(struct graph *g, struct span name, struct node *who[2])
{
    int n = 0;
    for (int i = 0; i < g->nodes; i++)
        for (int k = 0; k < g->node[i].ins; k++)
            if (same(g->node[i].in[k], name)) {
                if (n < 2)
                    who[n] = &g->node[i];
                n++;
            }
    for (int i = 0; i < g->outputs; i++)
        n += same(g->output[i], name) ? 3 : 0;   // what leaves the graph stays what it is
    return n;
}

static struct node *only_reader(struct graph *g, struct span name)
{
    struct node *who[2];
    return readers(g, name, who) == 1 ? who[0] : NULL;
}

// n = x op v for one number v.
static bool with_number(const struct graph *g, const struct node *n, const char *op, struct span x, float *v)
{
    if (!n || !is(n->op, op) || n->ins != 2)
        return false;
    return (same(n->in[0], x) && scalar(g, n->in[1], v)) ||
           (same(n->in[1], x) && !is(n->op, "Div") && scalar(g, n->in[0], v));
}

// Takes the row of multiplications and additions of numbers behind `name` away; the name of what they give.
static struct span take_affine(struct graph *g, struct span name, float *scale, float *shift)
{
    struct node *n;
    float v;
    *scale = 1;
    *shift = 0;
    while ((n = only_reader(g, name)) && !n->gone) {
        if (with_number(g, n, "Mul", name, &v)) {
            *scale *= v;
            *shift *= v;
        } else if (with_number(g, n, "Add", name, &v)) {
            *shift += v;
        } else {
            break;
        }
        n->gone = true;
        name = n->out;
    }
    return name;
}

static bool clips_to_six(const struct graph *g, const struct node *n)
{
    struct field f;
    float bound[2];
    if (!n || !is(n->op, "Clip"))
        return false;
    for (int i = 0; i < 2; i++)
        if (n->ins == 3) {
            if (!scalar(g, n->in[1 + i], &bound[i]))
                return false;
        } else if (attribute(n, i ? "max" : "min", ATTRIBUTE_FLOAT, &f) && f.wire == FOUR) {
            memcpy(&bound[i], f.body.at, sizeof bound[i]);
        } else {
            return false;
        }
    return bound[0] == 0 && bound[1] == 6;
}

// x * clip(x + 3, 0, 6) / 6 taken away; false: that is not what follows.
static bool take_hard_swish(struct graph *g, struct span x, struct span *out)
{
    struct node *who[2], *clip, *product, *end;
    float v;
    if (readers(g, x, who) != 2)
        return false;
    for (int i = 0; i < 2; i++) {
        product = who[1 - i];
        if (!with_number(g, who[i], "Add", x, &v) || v != 3 || !is(product->op, "Mul") || product->ins != 2)
            continue;
        clip = only_reader(g, who[i]->out);
        if (!clips_to_six(g, clip) || only_reader(g, clip->out) != product)
            continue;
        end = only_reader(g, product->out);
        if (!with_number(g, end, "Div", product->out, &v) || v != 6)
            continue;
        who[i]->gone = clip->gone = product->gone = end->gone = true;
        *out = end->out;
        return true;
    }
    return false;
}

static void free_weights(struct weights *w) { free(w->at); }

// The filter of a convolution, a copy; false: it is no constant.
static bool filter_of(const struct graph *g, const struct node *n, struct weights *w)
{
    int rank;
    struct span data;
    *w = (struct weights){0};
    if (!is(n->op, "Conv") || n->ins < 2 || !constant(g, n->in[1], w->dims, &rank, &data) || rank != 4)
        return false;
    uint64_t product = 1;
    for (int i = 0; i < 4; i++) {
        if (w->dims[i] < 1 || w->dims[i] > 1 << 16)
            return false;
        product *= (uint64_t)w->dims[i];
    }
    w->n = data.n / sizeof(float);
    if (product != w->n || !(w->at = malloc(data.n)))
        return false;
    memcpy(w->at, data.at, data.n);
    return true;
}

// One place in, one place out, all channels together: numbers in front of it can go into its weights.
static bool pointwise(const struct graph *g, const struct node *n)
{
    struct weights w;
    struct field f;
    int64_t dims[4];
    int rank;
    struct span data;
    bool fits = filter_of(g, n, &w) && w.dims[2] == 1 && w.dims[3] == 1;
    if (fits && n->ins > 2)
        fits = constant(g, n->in[2], dims, &rank, &data) && data.n == (size_t)w.dims[0] * sizeof(float);
    if (fits && attribute(n, "group", ATTRIBUTE_INT, &f))
        fits = f.value == 1;
    if (fits && attribute(n, "pads", ATTRIBUTE_INTS, &f)) {   // packed, or a field for each
        for (size_t i = 0; i < f.body.n; i++)
            fits = fits && f.body.at[i] == 0;
        fits = fits && f.wire == BYTES;
    }
    free_weights(&w);
    return fits && !attribute(n, "auto_pad", ATTRIBUTE_TYPE, &f);
}

// Whether everybody who reads this and is still to be folded can take numbers into its weights; they get them.
static bool push(struct graph *g, const struct node *from, struct span name, float scale, float shift)
{
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < g->nodes; i++)
            for (int k = 0; k < g->node[i].ins; k++) {
                struct node *n = &g->node[i];
                if (!same(n->in[k], name))
                    continue;
                if (k || n <= from || !pointwise(g, n))
                    return false;
                if (pass) {
                    n->scale = scale;
                    n->shift = shift;
                }
            }
    for (int i = 0; i < g->outputs; i++)
        if (same(g->output[i], name))
            return false;
    return true;
}

static void name_new(struct buf *name, struct graph *g)
{
    name->len = 0;
    buf_fmt(name, "diht/%d", g->made++);
}

// A new constant; `name` gets its name.
static void add_tensor(struct graph *g, struct buf *name, const int64_t *dims, int rank, const float *at, size_t n)
{
    struct buf t = {0};
    name_new(name, g);
    for (int i = 0; i < rank; i++)
        put_int(&t, TENSOR_DIMS, (uint64_t)dims[i]);
    put_int(&t, TENSOR_TYPE, FLOAT32);
    put_bytes(&t, TENSOR_NAME, name->at, name->len);
    put_bytes(&t, TENSOR_RAW, at, n * sizeof *at);
    put_bytes(&g->tensors, GRAPH_TENSOR, t.at, t.len);
    g->failed |= t.failed | name->failed;
    buf_free(&t);
}

static struct span span_of(const struct buf *b) { return (struct span){(const unsigned char *)b->at, b->len}; }

static void begin(struct buf *n, const char *op, const struct span *in, int ins, struct span out)
{
    n->len = 0;
    for (int i = 0; i < ins; i++)
        put_span(n, NODE_INPUT, in[i]);
    put_span(n, NODE_OUTPUT, out);
    put_text(n, NODE_OP, op);
}

// Depthwise convolution of one weight, the same for all channels: x * scale + shift.
static int add_scale(struct graph *g, struct buf *to, struct span x, struct span out, int64_t channels,
                     float scale, float shift)
{
    struct buf n = {0}, a = {0}, name[2] = {{0}};
    float *v = calloc((size_t)channels, sizeof *v);
    if (!v)
        return FAIL(EMEMORY_, "out of memory");
    for (int part = 0; part < 2; part++) {
        for (int64_t i = 0; i < channels; i++)
            v[i] = part ? shift : scale;
        add_tensor(g, &name[part], (int64_t[]){channels, 1, 1, 1}, part ? 1 : 4, v, (size_t)channels);
    }
    begin(&n, "Conv", (struct span[]){x, span_of(&name[0]), span_of(&name[1])}, 3, out);
    put_text(&a, ATTRIBUTE_NAME, "group");
    put_int(&a, ATTRIBUTE_INT, (uint64_t)channels);
    put_int(&a, ATTRIBUTE_TYPE, TYPE_INT);
    put_bytes(&n, NODE_ATTRIBUTE, a.at, a.len);
    put_bytes(to, GRAPH_NODE, n.at, n.len);
    g->failed |= n.failed | a.failed;
    buf_free(&n);
    buf_free(&a);
    buf_free(&name[0]);
    buf_free(&name[1]);
    free(v);
    return 0;
}

static int add_hard_swish(struct graph *g, struct buf *to, struct span x, struct span out, int64_t channels)
{
    struct buf n = {0}, a = {0}, copy = {0}, gate = {0};
    static const struct { const char *name; float value; } attributes[] = {{"alpha", 1 / 6.f}, {"beta", .5f}};
    name_new(&copy, g);
    name_new(&gate, g);
    int rc = add_scale(g, to, x, span_of(&copy), channels, 1, 0);
    begin(&n, "HardSigmoid", (struct span[]){span_of(&copy)}, 1, span_of(&gate));
    for (int i = 0; i < 2; i++) {
        a.len = 0;
        put_text(&a, ATTRIBUTE_NAME, attributes[i].name);
        put_varint(&a, ATTRIBUTE_FLOAT << 3 | FOUR);
        buf_add(&a, &attributes[i].value, sizeof(float));
        put_int(&a, ATTRIBUTE_TYPE, TYPE_FLOAT);
        put_bytes(&n, NODE_ATTRIBUTE, a.at, a.len);
    }
    put_bytes(to, GRAPH_NODE, n.at, n.len);
    begin(&n, "Mul", (struct span[]){x, span_of(&gate)}, 2, out);
    put_bytes(to, GRAPH_NODE, n.at, n.len);
    g->failed |= n.failed | a.failed | copy.failed | gate.failed;
    buf_free(&n);
    buf_free(&a);
    buf_free(&copy);
    buf_free(&gate);
    return rc;
}

// The convolution with other weights: scale * conv(in * its scale + its shift) + shift.
static void add_conv(struct graph *g, struct node *n, const struct weights *w, float *bias, float scale, float shift,
                     struct span out)
{
    struct buf name[2] = {{0}}, c = {0};
    struct field f;
    size_t each = w->n / (size_t)w->dims[0];
    for (int64_t o = 0; o < w->dims[0]; o++) {
        float *row = w->at + (size_t)o * each;
        double sum = 0;
        for (size_t i = 0; i < each; i++) {
            sum += row[i];
            row[i] *= scale * n->scale;
        }
        bias[o] = scale * (bias[o] + n->shift * (float)sum) + shift;
    }
    add_tensor(g, &name[0], w->dims, 4, w->at, w->n);
    add_tensor(g, &name[1], w->dims, 1, bias, (size_t)w->dims[0]);
    begin(&c, "Conv", (struct span[]){n->in[0], span_of(&name[0]), span_of(&name[1])}, 3, out);
    for (struct span rest = n->raw; next(&rest, &f);)
        if (f.number == NODE_ATTRIBUTE)
            buf_add(&c, f.whole.at, f.whole.n);
    put_bytes(&n->instead, GRAPH_NODE, c.at, c.len);
    g->failed |= c.failed;
    buf_free(&c);
    buf_free(&name[0]);
    buf_free(&name[1]);
}

static int fold_conv(struct graph *g, struct node *n)
{
    struct weights w = {0};
    struct span out, swish, end, data;
    float *bias = NULL, scale, shift;
    int64_t dims[4];
    int rank, rc = 0;
    if (!filter_of(g, n, &w)) {
        if (n->scale != 1 || n->shift != 0)   // it was fine when it got them
            rc = FAIL(EMEMORY_, "out of memory");
        goto done;
    }
    if (!(bias = calloc((size_t)w.dims[0], sizeof *bias))) {
        rc = FAIL(EMEMORY_, "out of memory");
        goto done;
    }
    if (n->ins > 2) {
        if (!constant(g, n->in[2], dims, &rank, &data) || data.n != (size_t)w.dims[0] * sizeof *bias)
            goto done;
        memcpy(bias, data.at, data.n);
    }
    out = take_affine(g, n->out, &scale, &shift);
    bool gated = take_hard_swish(g, out, &swish);
    if (!gated && same(out, n->out) && n->scale == 1 && n->shift == 0)
        goto done;
    g->changed++;
    add_conv(g, n, &w, bias, scale, shift, out);
    if (!gated)
        goto done;
    end = take_affine(g, swish, &scale, &shift);
    bool plain = same(end, swish) || push(g, n, end, scale, shift);
    rc = add_hard_swish(g, &n->instead, out, plain ? end : swish, w.dims[0]);
    if (!rc && !plain)
        rc = add_scale(g, &n->instead, swish, end, w.dims[0], scale, shift);
done:
    free(bias);
    free_weights(&w);
    return rc;
}

static void write_graph(struct buf *out, const struct graph *g, struct span all)
{
    struct field f;
    for (int i = 0; next(&all, &f);) {
        const struct node *n = f.number == GRAPH_NODE && f.wire == BYTES ? &g->node[i++] : NULL;
        if (n && n->instead.len)
            buf_add(out, n->instead.at, n->instead.len);
        else if (!n || !n->gone)
            buf_add(out, f.whole.at, f.whole.n);
    }
    buf_add(out, g->tensors.at, g->tensors.len);
}

int onnx_fold(struct buf *out, const struct buf *in)
{
    struct graph g = {0};
    struct buf body = {0};
    struct field f;
    struct span model = span_of(in), graph = member(model, MODEL_GRAPH);
    int rc = read_graph(&g, graph);
    for (int i = 0; i < g.nodes && g.nodes <= NODES_MOST && !rc; i++)
        rc = fold_conv(&g, &g.node[i]);
    if (!rc && g.changed) {
        write_graph(&body, &g, graph);
        while (next(&model, &f))
            if (f.number == MODEL_GRAPH)
                put_bytes(out, MODEL_GRAPH, body.at, body.len);
            else
                buf_add(out, f.whole.at, f.whole.n);
    }
    for (int i = 0; i < g.nodes; i++) {
        g.failed |= g.node[i].instead.failed;
        buf_free(&g.node[i].instead);
    }
    if (!rc && (g.failed | g.tensors.failed | body.failed | out->failed))
        rc = FAIL(EMEMORY_, "out of memory");
    buf_free(&g.tensors);
    buf_free(&body);
    free(g.node);
    return rc ? rc : g.changed;
}
