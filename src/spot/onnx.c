// SPDX-License-Identifier: Apache-2.0
#include "spot/onnx.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { MODEL_GRAPH = 7, GRAPH_NODE = 1, GRAPH_INPUT = 11, NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_OP = 4, NODE_ATTRIBUTE = 5,
       ATTRIBUTE_NAME = 1, ATTRIBUTE_FLOAT = 2, ATTRIBUTE_INT = 3, ATTRIBUTE_TEXT = 4, ATTRIBUTE_TENSOR = 5,
       ATTRIBUTE_INTS = 8, TENSOR_DIMS = 1, TENSOR_TYPE = 2, TENSOR_FLOATS = 4, TENSOR_RAW = 9, VALUE_NAME = 1,
       VALUE_TYPE = 2, TYPE_TENSOR = 1, TENSOR_ELEMENT = 1 };
enum { VARINT = 0, EIGHT = 1, BYTES = 2, FOUR = 5, FLOAT32 = 1 };
enum { NODES_MOST = 1 << 13, NUMBERS_MOST = 1 << 24 };   // readers are searched for; what these networks have is far below

struct field {
    int number, wire;
    uint64_t value;           // VARINT
    struct onnx_text body;    // the others
    struct onnx_text whole;   // with its tag
};

static bool varint(struct onnx_text *s, uint64_t *v)
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

static bool next(struct onnx_text *s, struct field *f)
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
    f->body = (struct onnx_text){s->at, (size_t)n};
    s->at += n;
    s->n -= (size_t)n;
    f->whole.n = (size_t)(s->at - f->whole.at);
    return true;
}

bool onnx_same(struct onnx_text a, struct onnx_text b) { return a.n == b.n && a.n && !memcmp(a.at, b.at, a.n); }
bool onnx_is(struct onnx_text a, const char *text) { return a.n == strlen(text) && !memcmp(a.at, text, a.n); }

static struct onnx_text member(struct onnx_text message, int number)
{
    struct field f;
    while (next(&message, &f))
        if (f.number == number && f.wire == BYTES)
            return f.body;
    return (struct onnx_text){0};
}

// The attribute's field of this number and wire type; `skip` others of it before.
static bool attribute(const struct onnx_node *n, const char *name, int number, int wire, int skip, struct field *f)
{
    struct field a;
    for (struct onnx_text rest = n->raw; next(&rest, &a);) {
        if (a.number != NODE_ATTRIBUTE || a.wire != BYTES || !onnx_is(member(a.body, ATTRIBUTE_NAME), name))
            continue;
        for (struct onnx_text in = a.body; next(&in, f);)
            if (f->number == number && f->wire == wire && !skip--)
                return true;
    }
    return false;
}

bool onnx_int(const struct onnx_node *n, const char *name, int64_t *v)
{
    struct field f;
    if (!attribute(n, name, ATTRIBUTE_INT, VARINT, 0, &f))
        return false;
    *v = (int64_t)f.value;
    return true;
}

bool onnx_ints(const struct onnx_node *n, const char *name, int64_t *v, int count)
{
    struct field f;
    uint64_t x;
    int got = 0;
    if (attribute(n, name, ATTRIBUTE_INTS, BYTES, 0, &f)) {   // packed
        for (; got < count && varint(&f.body, &x); got++)
            v[got] = (int64_t)x;
        return got == count && !f.body.n;
    }
    for (; got < count && attribute(n, name, ATTRIBUTE_INTS, VARINT, got, &f); got++)
        v[got] = (int64_t)f.value;
    return got == count && !attribute(n, name, ATTRIBUTE_INTS, VARINT, got, &f);
}

bool onnx_float(const struct onnx_node *n, const char *name, float *v)
{
    struct field f;
    if (!attribute(n, name, ATTRIBUTE_FLOAT, FOUR, 0, &f))
        return false;
    memcpy(v, f.body.at, sizeof *v);
    return true;
}

bool onnx_word(const struct onnx_node *n, const char *name, struct onnx_text *v)
{
    struct field f;
    if (!attribute(n, name, ATTRIBUTE_TEXT, BYTES, 0, &f))
        return false;
    *v = f.body;
    return true;
}

static struct onnx_text text_of(const struct buf *b) { return (struct onnx_text){(const unsigned char *)b->at, b->len}; }

int onnx_open(struct onnx *g, const struct buf *file)
{
    struct field f, p;
    *g = (struct onnx){0};
    for (struct onnx_text all = member(text_of(file), MODEL_GRAPH); next(&all, &f);) {
        if (f.number != GRAPH_NODE || f.wire != BYTES)
            continue;
        if (g->nodes == g->room) {
            int room = g->room ? 2 * g->room : 256;
            struct onnx_node *more = room > NODES_MOST ? NULL : realloc(g->node, (size_t)room * sizeof *more);
            if (!more) {
                onnx_close(g);
                return room > NODES_MOST ? FAIL(EFORMAT_, "a network of more than %d nodes", NODES_MOST)
                                         : FAIL(EMEMORY_, "out of memory");
            }
            g->node = more;
            g->room = room;
        }
        struct onnx_node *n = &g->node[g->nodes++];
        *n = (struct onnx_node){.raw = f.body};
        for (struct onnx_text rest = f.body; next(&rest, &p);) {
            if (p.wire != BYTES)
                continue;
            if (p.number == NODE_INPUT && n->ins < ONNX_INPUTS)
                n->in[n->ins++] = p.body;
            else if (p.number == NODE_OUTPUT)
                n->out = p.body;
            else if (p.number == NODE_OP)
                n->op = p.body;
        }
        if (onnx_is(n->op, "Constant") && attribute(n, "value", ATTRIBUTE_TENSOR, BYTES, 0, &p))
            n->tensor = p.body;
    }
    return g->nodes ? 0 : FAIL(EFORMAT_, "not a network of the ONNX format");
}

void onnx_close(struct onnx *g)
{
    free(g->node);
    *g = (struct onnx){0};
}

int onnx_readers(struct onnx *g, struct onnx_text value, struct onnx_node *who[2])
{
    int n = 0;
    for (int i = 0; i < g->nodes; i++)
        for (int k = 0; k < g->node[i].ins; k++)
            if (onnx_same(g->node[i].in[k], value)) {
                if (n < 2)
                    who[n] = &g->node[i];
                n++;
            }
    return n;
}

float *onnx_numbers(const struct onnx *g, struct onnx_text value, int64_t dims[4], int *rank, size_t *n)
{
    struct field f;
    struct onnx_text data = {0};
    int type = 0;
    *rank = 0;
    for (int i = 0; i < g->nodes; i++) {
        if (!g->node[i].tensor.n || !onnx_same(g->node[i].out, value))
            continue;
        for (struct onnx_text rest = g->node[i].tensor; next(&rest, &f);) {
            if (f.number == TENSOR_DIMS && f.wire == VARINT && *rank < 4)
                dims[(*rank)++] = (int64_t)f.value;
            else if (f.number == TENSOR_TYPE)
                type = (int)f.value;
            else if ((f.number == TENSOR_RAW || f.number == TENSOR_FLOATS) && f.wire == BYTES)
                data = f.body;
        }
        break;
    }
    uint64_t product = 1;
    for (int i = 0; i < *rank; i++)
        if (dims[i] < 1 || dims[i] > NUMBERS_MOST || (product *= (uint64_t)dims[i]) > NUMBERS_MOST)
            return NULL;
    *n = data.n / sizeof(float);
    float *v = type == FLOAT32 && *n == product && data.n % sizeof *v == 0 ? malloc(data.n) : NULL;
    if (v)
        memcpy(v, data.at, data.n);
    return v;
}

bool onnx_number(const struct onnx *g, struct onnx_text value, float *v)
{
    int64_t dims[4];
    int rank;
    size_t n;
    float *all = onnx_numbers(g, value, dims, &rank, &n);
    bool one = all && n == 1;
    if (one)
        *v = *all;
    free(all);
    return one;
}

static void put_varint(struct buf *b, uint64_t v)
{
    for (; v > 127; v >>= 7)
        buf_char(b, (char)((v & 127) | 128));
    buf_char(b, (char)v);
}

static void put_bytes(struct buf *b, int number, const void *at, size_t n)
{
    put_varint(b, (uint64_t)number << 3 | BYTES);
    put_varint(b, n);
    buf_add(b, at, n);
}

// An input of floats, of any shape.
static void put_input(struct buf *graph, const char *name)
{
    struct buf value = {0};
    const unsigned char type[] = {TYPE_TENSOR << 3 | BYTES, 2, TENSOR_ELEMENT << 3 | VARINT, FLOAT32};
    put_bytes(&value, VALUE_NAME, name, strlen(name));
    put_bytes(&value, VALUE_TYPE, type, sizeof type);
    put_bytes(graph, GRAPH_INPUT, value.at, value.len);
    graph->failed |= value.failed;
    buf_free(&value);
}

int onnx_behind(struct buf *out, const struct buf *file, const char *from)
{
    struct onnx g;
    struct buf graph = {0};
    struct field f;
    struct onnx_text model = text_of(file), rest = member(model, MODEL_GRAPH);
    int rc = onnx_open(&g, file), cut = 0;
    if (rc)
        return rc;
    while (cut < g.nodes && !onnx_is(g.node[cut].out, from))
        cut++;
    if (cut == g.nodes)
        rc = FAIL(EFORMAT_, "no node of the network gives \"%s\"", from);
    for (int i = 0; i < cut && !rc; i++)   // what comes before the cut and is no constant has its readers there
        for (int k = cut + 1; k < g.nodes && !onnx_is(g.node[i].op, "Constant"); k++)
            for (int j = 0; j < g.node[k].ins && !rc; j++)
                if (onnx_same(g.node[k].in[j], g.node[i].out))
                    rc = FAIL(EFORMAT_, "the network cannot be cut at \"%s\"", from);
    for (int i = 0; !rc && next(&rest, &f);) {
        bool node = f.number == GRAPH_NODE && f.wire == BYTES;
        bool before = node && i <= cut && !onnx_is(g.node[i].op, "Constant");
        i += node;
        if (!before && f.number != GRAPH_INPUT)
            buf_add(&graph, f.whole.at, f.whole.n);
    }
    put_input(&graph, from);
    while (!rc && next(&model, &f))
        if (f.number == MODEL_GRAPH)
            put_bytes(out, MODEL_GRAPH, graph.at, graph.len);
        else
            buf_add(out, f.whole.at, f.whole.n);
    if (!rc && (graph.failed | out->failed))
        rc = FAIL(EMEMORY_, "out of memory");
    buf_free(&graph);
    onnx_close(&g);
    return rc;
}
