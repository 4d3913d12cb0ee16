// SPDX-License-Identifier: Apache-2.0
// Small networks as ONNX bytes, folded: which nodes are left, with which weights; broken files are left alone.
#include "check.h"
#include "spot/fold.h"

static void put(struct buf *b, int number, const void *at, size_t n)
{
    buf_char(b, (char)(number << 3 | 2));
    if (n > 127)
        buf_char(b, (char)((n & 127) | 128));
    buf_char(b, (char)(n > 127 ? n >> 7 : n));
    buf_add(b, at, n);
}

static void put_text(struct buf *b, int number, const char *text) { put(b, number, text, strlen(text)); }

static void put_int(struct buf *b, int number, int v)
{
    buf_char(b, (char)(number << 3));
    buf_char(b, (char)v);
}

static void attribute_int(struct buf *node, const char *name, int v)
{
    struct buf a = {0};
    put_text(&a, 1, name);
    put_int(&a, 3, v);
    put(node, 5, a.at, a.len);
    buf_free(&a);
}

static void pads(struct buf *node, int v)
{
    struct buf a = {0};
    put_text(&a, 1, "pads");
    put(&a, 8, (char[]){(char)v, (char)v, (char)v, (char)v}, 4);
    put(node, 5, a.at, a.len);
    buf_free(&a);
}

static void number(struct buf *graph, const char *name, int rank, const int *dims, const float *v, int n)
{
    struct buf t = {0}, a = {0}, c = {0};
    for (int i = 0; i < rank; i++)
        put_int(&t, 1, dims[i]);
    put_int(&t, 2, 1);
    put(&t, 9, v, (size_t)n * sizeof *v);
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

static void scalar(struct buf *graph, const char *name, float v) { number(graph, name, 0, NULL, &v, 1); }

static void node(struct buf *graph, const char *op, const char *a, const char *b, const char *c, const char *out,
                 int pad)
{
    struct buf n = {0};
    put_text(&n, 1, a);
    if (b)
        put_text(&n, 1, b);
    if (c)
        put_text(&n, 1, c);
    put_text(&n, 2, out);
    put_text(&n, 4, op);
    if (pad >= 0) {
        attribute_int(&n, "group", 1);
        pads(&n, pad);
    }
    put(graph, 1, n.at, n.len);
    buf_free(&n);
}

// x -> 2 conv(x) + 1 -> hard swish -> .5 y + .25 -> conv, its input padded by `pad`
static void network(struct buf *model, int pad, float six)
{
    struct buf g = {0}, output = {0}, all = {0};
    const float w[4] = {1, 2, 3, 4}, bias[2] = {5, 6}, last[2] = {7, 9};
    number(&g, "w", 4, (int[]){2, 2, 1, 1}, w, 4);
    number(&g, "b", 1, (int[]){2}, bias, 2);
    number(&g, "v", 4, (int[]){1, 2, 1, 1}, last, 2);
    scalar(&g, "two", 2);
    scalar(&g, "one", 1);
    scalar(&g, "three", 3);
    scalar(&g, "zero", 0);
    scalar(&g, "six", six);
    scalar(&g, "half", .5f);
    scalar(&g, "quarter", .25f);
    node(&g, "Conv", "x", "w", "b", "c", 0);
    node(&g, "Mul", "two", "c", NULL, "m", -1);
    node(&g, "Add", "m", "one", NULL, "a", -1);
    node(&g, "Add", "a", "three", NULL, "s", -1);
    node(&g, "Clip", "s", "zero", "six", "k", -1);
    node(&g, "Mul", "a", "k", NULL, "p", -1);
    node(&g, "Div", "p", "six", NULL, "h", -1);
    node(&g, "Mul", "half", "h", NULL, "q", -1);
    node(&g, "Add", "q", "quarter", NULL, "z", -1);
    node(&g, "Conv", "z", "v", NULL, "out", pad);
    put_text(&output, 1, "out");
    put(&g, 12, output.at, output.len);
    put_int(&all, 1, 8);
    put(&all, 7, g.at, g.len);
    buf_add(model, all.at, all.len);
    buf_free(&g);
    buf_free(&output);
    buf_free(&all);
}

// The field of this number from `at` on, past `skip` others of it; NULL: none. Only lengths below 2^14.
static const unsigned char *field(const unsigned char *at, size_t n, int wanted, int skip, size_t *length)
{
    for (const unsigned char *end = at + n; at < end;) {
        int tag = *at++;
        size_t v = *at & 127;
        if (*at++ & 128)
            v |= (size_t)*at++ << 7;
        if ((tag & 7) != 2)
            continue;
        if (tag >> 3 == wanted && !skip--) {
            *length = v;
            return at;
        }
        at += v;
    }
    return NULL;
}

// Ops of the nodes that compute, a letter each, and the new tensors' numbers.
static int look(const struct buf *model, char *ops, float *numbers)
{
    size_t n, k, m;
    const unsigned char *graph = field((const unsigned char *)model->at, model->len, 7, 0, &n), *at, *op;
    int count = 0;
    for (int i = 0; (at = field(graph, n, 1, i, &k)); i++)
        if ((op = field(at, k, 4, 0, &m)) && !(m == 8 && !memcmp(op, "Constant", 8)))
            *ops++ = (char)*op;
    *ops = 0;
    for (int i = 0; (at = field(graph, n, 5, i, &k)); i++)
        if ((op = field(at, k, 9, 0, &m))) {
            memcpy(numbers + count, op, m);
            count += (int)(m / sizeof(float));
        }
    return count;
}

static void numbers_go_into_weights(void)
{
    struct buf in = {0}, out = {0};
    char ops[32];
    float v[64];
    network(&in, 0, 6);
    CHECK(onnx_fold(&out, &in) == 2);
    // filter and bias, the gate's, filter and bias
    const float wanted[] = {2, 4, 6, 8, 11, 13, 1, 1, 0, 0, 3.5, 4.5, 4};
    CHECK(look(&out, ops, v) == 13 && strcmp(ops, "CCHMC") == 0);
    for (int i = 0; i < 13; i++)
        CHECK_CLOSE(v[i], wanted[i], 1e-6);
    buf_free(&in);
    buf_free(&out);
}

static void padding_keeps_the_shift_out(void)   // at the border a shifted zero would not be zero
{
    struct buf in = {0}, out = {0};
    char ops[32];
    float v[64];
    network(&in, 1, 6);
    CHECK(onnx_fold(&out, &in) == 1);
    const float wanted[] = {2, 4, 6, 8, 11, 13, 1, 1, 0, 0, .5, .5, .25, .25};
    CHECK(look(&out, ops, v) == 14 && strcmp(ops, "CCHMCC") == 0);
    for (int i = 0; i < 14; i++)
        CHECK_CLOSE(v[i], wanted[i], 1e-6);
    buf_free(&in);
    buf_free(&out);
}

static void other_clips_stay(void)
{
    struct buf in = {0}, out = {0};
    char ops[32];
    float v[64];
    network(&in, 0, 5);
    CHECK(onnx_fold(&out, &in) == 1);
    CHECK(look(&out, ops, v) == 6 && strcmp(ops, "CACMDMAC") == 0);
    buf_free(&in);
    buf_free(&out);
}

static void broken_files_are_left_alone(void)
{
    struct buf in = {0}, out = {0};
    network(&in, 0, 6);
    for (size_t n = 0; n < in.len; n++) {
        struct buf cut = {.at = malloc(n ? n : 1), .len = n};   // of exactly this size: a read behind it is seen
        memcpy(cut.at, in.at, n);
        CHECK(onnx_fold(&out, &cut) >= 0);
        buf_free(&cut);
        buf_clear(&out);
    }
    unsigned seed = 1;
    for (int turn = 0; turn < 2000; turn++) {
        struct buf hurt = {0};
        buf_add(&hurt, in.at, in.len);
        for (int k = 0; k < 3; k++) {
            seed = seed * 1664525u + 1013904223u;
            hurt.at[(seed >> 8) % hurt.len] = (char)(seed >> 3);
        }
        CHECK(onnx_fold(&out, &hurt) >= 0);
        buf_free(&hurt);
        buf_clear(&out);
    }
    buf_free(&in);
    buf_free(&out);
}

int main(void)
{
    CASE(numbers_go_into_weights);
    CASE(padding_keeps_the_shift_out);
    CASE(other_clips_stay);
    CASE(broken_files_are_left_alone);
    return check_done();
}
