// SPDX-License-Identifier: Apache-2.0
// From a network file's nodes, in their order, to steps. What follows a convolution and can be worked out beforehand, or on
// its way out of the registers, is taken into it.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "spot/net_inner.h"
#include "spot/onnx.h"

enum { LANES = CONV_LANES, SIDE = 2 * NET_EDGE + 1 };

struct build {
    struct net *net;
    struct onnx *g;
    struct onnx_text name[NET_VALUES];
    const char *file;
};

static int strange(const struct build *b, const struct onnx_node *n)
{
    return FAIL(EFORMAT_, "%s: a layer \"%.*s\" (%.*s) of a kind that this program does not run", b->file,
                (int)(n->out.n < 80 ? n->out.n : 80), n->out.n ? (const char *)n->out.at : "",
                (int)(n->op.n < 80 ? n->op.n : 80), n->op.n ? (const char *)n->op.at : "");
}

static int find(const struct build *b, struct onnx_text name)
{
    for (int i = 0; i < b->net->values; i++)
        if (onnx_same(b->name[i], name))
            return i;
    return -1;
}

static int add_value(struct build *b, struct onnx_text name, int channels)
{
    if (b->net->values == NET_VALUES || channels < 1 || channels > NET_BLOCKS * LANES)
        return FAIL(EFORMAT_, "%s: a network larger than this program runs", b->file);
    int i = b->net->values++;
    struct net_value *v = &b->net->value[i];
    *v = (struct net_value){.channels = channels, .blocks = (channels + LANES - 1) / LANES, .last = -1};
    b->name[i] = name;
    return i;
}

// A step from `in` to a new value of so many channels; NULL: it failed.
static struct net_step *add_step(struct build *b, enum net_kind kind, int in, struct onnx_text name, int channels)
{
    if (b->net->steps == NET_STEPS) {
        (void)FAIL(EFORMAT_, "%s: a network larger than this program runs", b->file);
        return NULL;
    }
    int out = add_value(b, name, channels);
    if (out < 0)
        return NULL;
    struct net_step *s = &b->net->step[b->net->steps];
    *s = (struct net_step){.kind = kind, .in = in, .b = in, .out = out, .kh = 1, .kw = 1, .sy = 1, .sx = 1, .scale = 1};
    b->net->value[in].last = b->net->steps++;
    return s;
}

static struct onnx_node *only_reader(struct build *b, struct onnx_text name)
{
    struct onnx_node *who[2];
    return onnx_readers(b->g, name, who) == 1 && !who[0]->done ? who[0] : NULL;
}

// n = x op v for a constant v: one number, or one a channel.
static float *operand(const struct build *b, const struct onnx_node *n, const char *op, struct onnx_text x, size_t channels,
                      size_t *count)
{
    int64_t dims[4];
    int rank;
    if (!n || !onnx_is(n->op, op) || n->ins != 2 || onnx_same(n->in[0], n->in[1]))
        return NULL;
    float *v = onnx_numbers(b->g, n->in[onnx_same(n->in[0], x)], dims, &rank, count);
    // one a channel: [1, channels, 1, 1] or [channels, 1, 1]
    if (v && *count != 1 && !(*count == channels && rank >= 3 && dims[rank - 3] == (int64_t)channels)) {
        free(v);
        v = NULL;
    }
    return v;
}

static bool is_number(const struct build *b, const struct onnx_node *n, const char *op, struct onnx_text x, float v)
{
    size_t count;
    float *p = operand(b, n, op, x, 1, &count);
    bool is = p && count == 1 && *p == v && (strcmp(op, "Div") != 0 || onnx_same(n->in[0], x));
    free(p);
    return is;
}

static bool take_norm(const struct build *b, const struct onnx_node *n, float *scale, float *shift, size_t channels)
{
    float *v[4] = {0}, eps = 1e-5f;
    int64_t dims[4];
    int rank;
    size_t count;
    bool fits = n && onnx_is(n->op, "BatchNormalization") && n->ins == 5;
    for (int i = 0; i < 4 && fits; i++)
        fits = (v[i] = onnx_numbers(b->g, n->in[1 + i], dims, &rank, &count)) && count == channels;
    if (fits)
        (void)onnx_float(n, "epsilon", &eps);
    for (size_t i = 0; i < channels && fits; i++) {   // gamma (x - mean) / sqrt(variance + eps) + beta
        float a = v[0][i] / sqrtf(v[3][i] + eps);
        scale[i] *= a;
        shift[i] = a * (shift[i] - v[2][i]) + v[1][i];
    }
    for (int i = 0; i < 4; i++)
        free(v[i]);
    return fits;
}

// What only scales and shifts behind `name`, into scale and shift; the name of what it gives.
static struct onnx_text take_affine(struct build *b, struct onnx_text name, float *scale, float *shift, size_t channels)
{
    struct onnx_node *n;
    size_t count;
    while ((n = only_reader(b, name))) {
        float *v = operand(b, n, "Mul", name, channels, &count);
        bool mul = v;
        if (!v)
            v = operand(b, n, "Add", name, channels, &count);
        for (size_t i = 0; i < channels && v; i++) {
            float x = v[count == 1 ? 0 : i];
            scale[i] *= mul ? x : 1;
            shift[i] = mul ? shift[i] * x : shift[i] + x;
        }
        bool took = v || take_norm(b, n, scale, shift, channels);
        free(v);
        if (!took)
            break;
        n->done = true;
        name = n->out;
    }
    return name;
}

static bool clips_to_six(const struct build *b, const struct onnx_node *n)
{
    float low, high;
    if (!n || !onnx_is(n->op, "Clip"))
        return false;
    bool has = n->ins == 3 ? onnx_number(b->g, n->in[1], &low) && onnx_number(b->g, n->in[2], &high)
                           : n->ins == 1 && onnx_float(n, "min", &low) && onnx_float(n, "max", &high);
    return has && low == 0 && high == 6;
}

// x clip(x + 3, 0, 6) / 6
static bool take_hard_swish(struct build *b, struct onnx_text x, struct onnx_text *out)
{
    struct onnx_node *who[2];
    if (onnx_readers(b->g, x, who) != 2)
        return false;
    for (int i = 0; i < 2; i++) {
        struct onnx_node *add = who[i], *product = who[1 - i];
        struct onnx_node *clip = is_number(b, add, "Add", x, 3) ? only_reader(b, add->out) : NULL;
        struct onnx_node *end = clips_to_six(b, clip) && only_reader(b, clip->out) == product && onnx_is(product->op, "Mul") &&
                                product->ins == 2 ? only_reader(b, product->out) : NULL;
        if (!is_number(b, end, "Div", end ? product->out : x, 6))
            continue;
        add->done = clip->done = product->done = end->done = true;
        *out = end->out;
        return true;
    }
    return false;
}

// The activation behind `name`, into the step.
static struct onnx_text take_activation(struct build *b, struct net_step *s, struct onnx_text name)
{
    struct onnx_text out;
    struct onnx_node *n = only_reader(b, name);
    if (take_hard_swish(b, name, &out)) {
        s->act = CONV_HARD_SWISH;
        return take_affine(b, out, &s->scale, &s->shift, 1);
    }
    if (n && onnx_is(n->op, "Relu") && n->ins == 1) {
        s->act = CONV_RELU;
    } else if (n && onnx_is(n->op, "HardSigmoid") && n->ins == 1) {
        s->act = CONV_HARD_SIGMOID;
        s->scale = .2f;
        s->shift = .5f;
        (void)onnx_float(n, "alpha", &s->scale);
        (void)onnx_float(n, "beta", &s->shift);
    } else {
        return name;
    }
    n->done = true;
    return n->out;
}

struct filter {
    float *w, *scale, *shift;
    int64_t dims[4], window[2], stride[2], pad[4], group;
};

static void filter_close(struct filter *f)
{
    free(f->w);
    free(f->scale);
    free(f->shift);
}

// Weights and shape of a convolution; scale and shift for `outputs` = dims[side] channels.
static int filter_open(const struct build *b, const struct onnx_node *n, int side, struct filter *f)
{
    int rank = 0;
    size_t count;
    int64_t ones[2] = {1, 1}, of_bias[4];
    *f = (struct filter){.stride = {1, 1}, .group = 1};
    if (n->ins < 2 || !(f->w = onnx_numbers(b->g, n->in[1], f->dims, &rank, &count)) || rank != 4)
        return strange(b, n);
    (void)onnx_int(n, "group", &f->group);
    (void)onnx_ints(n, "strides", f->stride, 2);
    (void)onnx_ints(n, "pads", f->pad, 4);
    (void)onnx_ints(n, "dilations", ones, 2);
    struct onnx_text word;
    f->window[0] = f->dims[2];
    f->window[1] = f->dims[3];
    bool fits = ones[0] == 1 && ones[1] == 1 && !onnx_word(n, "auto_pad", &word) && f->dims[0] <= NET_BLOCKS * LANES &&
                f->dims[1] <= NET_BLOCKS * LANES;
    for (int i = 0; i < 2; i++)
        fits = fits && f->window[i] >= 1 && f->window[i] <= SIDE && f->stride[i] >= 1 && f->stride[i] <= 2 &&
               f->pad[i] >= 0 && f->pad[i] <= NET_EDGE && f->pad[i] == f->pad[i + 2] && f->pad[i] < f->window[i];
    if (!fits)
        return strange(b, n);
    size_t outputs = (size_t)f->dims[side];
    f->scale = malloc(outputs * sizeof *f->scale);
    f->shift = n->ins > 2 ? onnx_numbers(b->g, n->in[2], of_bias, &rank, &count) : calloc(outputs, sizeof *f->shift);
    if (n->ins > 2 && f->shift && count != outputs)
        return strange(b, n);
    if (!f->scale || !f->shift)
        return FAIL(EMEMORY_, "out of memory");
    for (size_t i = 0; i < outputs; i++)
        f->scale[i] = 1;
    return 0;
}

// Memory of a step's weights, `floats` of them, and biases for its output's blocks: zeros.
static int make_weights(struct build *b, struct net_step *s, int64_t floats)
{
    int blocks = b->net->value[s->out].blocks;
    s->weights = memory_zero((size_t)floats * sizeof *s->weights);
    s->bias = memory_zero((size_t)blocks * LANES * sizeof *s->bias);
    return s->weights && s->bias ? 0 : EMEMORY_;
}

// A linear map of channels without anything behind it stays one until it is known who reads it: NET_PARTS at most.
static bool stays_linear(struct build *b, const struct onnx_node *n, const struct filter *f, int in)
{
    struct onnx_node *who[2];
    int readers = onnx_readers(b->g, n->out, who);
    bool point = f->group == 1 && f->window[0] == 1 && f->window[1] == 1 && f->stride[0] == 1 && f->stride[1] == 1;
    return point && n->ins == 2 && readers == 3 && b->net->linears < NET_LINEARS && 2 * b->net->value[in].channels <= f->dims[0];
}

static int linear(struct build *b, const struct onnx_node *n, struct filter *f, int in)
{
    int v = add_value(b, n->out, (int)f->dims[0]);
    if (v < 0)
        return v;
    b->net->value[v].terms = 1;
    b->net->value[v].term[0] = (struct net_term){in, 1, -1, f->w, (int)f->dims[0], 0, NULL};
    b->net->linear[b->net->linears++] = f->w;
    f->w = NULL;
    return 0;
}

// A convolution of terms: the one that is as fine as the result first, if there is one.
static int of_terms(struct build *b, struct onnx_node *n, struct filter *f, int in)
{
    const struct net_value v = b->net->value[in];
    int outputs = (int)f->dims[0];
    if (f->group != 1 || f->dims[1] != v.channels || f->window[0] != 3 || f->window[1] != 3 || f->stride[0] != 1 ||
        f->stride[1] != 1 || f->pad[0] != 1 || f->pad[1] != 1)
        return strange(b, n);
    struct net_step *s = add_step(b, NET_TERMS, v.term[0].in, n->out, outputs);
    if (!s)
        return EFORMAT_;
    s->terms = v.terms;
    memcpy(s->term, v.term, sizeof s->term);
    for (int i = 1; i < s->terms; i++)
        if (s->term[i].times == 1) {
            struct net_term swap = s->term[0];
            s->term[0] = s->term[i];
            s->term[i] = swap;
        }
    s->in = s->term[0].in;
    b->name[s->out] = take_activation(b, s, take_affine(b, n->out, f->scale, f->shift, (size_t)outputs));
    if (s->act != CONV_PLAIN && s->act != CONV_RELU)
        return strange(b, n);
    int rc = make_weights(b, s, 1);
    memcpy(s->bias, f->shift, rc ? 0 : (size_t)outputs * sizeof *s->bias);
    for (int i = 0; i < s->terms && !rc; i++) {
        struct net_term *t = &s->term[i];
        b->net->value[t->in].edged = true;
        b->net->value[t->in].last = b->net->steps - 1;
        if (t->gate >= 0)
            b->net->value[t->gate].last = b->net->steps - 1;
        rc = net_term_make(t, f->w, f->scale, outputs, v.channels);
    }
    return rc;
}

static int of_map(struct build *b, struct onnx_node *n, struct filter *f, int in)
{
    const struct net_value *v = &b->net->value[in];
    int outputs = (int)f->dims[0], h = (int)f->window[0], w = (int)f->window[1], rc;
    bool each = in > 0 && f->group == v->channels && f->group == outputs && f->dims[1] == 1 && f->group > 1;
    if (each ? h != w || (h != 3 && h != 5) : f->group != 1 || f->dims[1] != v->channels)
        return strange(b, n);
    struct net_step *s = add_step(b, each ? NET_EACH : NET_WHOLE, in, n->out, outputs);
    if (!s)
        return EFORMAT_;
    s->kh = h;
    s->kw = w;
    s->sy = (int)f->stride[0];
    s->sx = (int)f->stride[1];
    s->py = (int)f->pad[0];
    s->px = (int)f->pad[1];
    b->net->value[in].edged |= s->py || s->px;
    b->name[s->out] = take_activation(b, s, take_affine(b, n->out, f->scale, f->shift, (size_t)outputs));
    int blocks = b->net->value[s->out].blocks, taps = h * w;
    if ((rc = make_weights(b, s, (int64_t)blocks * taps * (each ? 1 : f->dims[1]) * LANES)))
        return rc;
    for (int o = 0; o < outputs; o++) {
        s->bias[o] = f->shift[o];
        for (int t = 0; t < taps; t++)
            for (int64_t i = 0; i < f->dims[1]; i++) {
                int64_t to = each ? (int64_t)o / LANES * taps + t : ((int64_t)o / LANES * taps + t) * f->dims[1] + i;
                s->weights[to * LANES + o % LANES] = f->scale[o] * f->w[(o * f->dims[1] + i) * taps + t];
            }
    }
    return 0;
}

static int conv(struct build *b, struct onnx_node *n)
{
    struct filter f;
    int in = find(b, n->in[0]), rc = filter_open(b, n, 0, &f);
    bool map = !b->net->value[in].terms;
    if (!rc && map && in && stays_linear(b, n, &f, in))
        rc = linear(b, n, &f, in);
    else if (!rc)
        rc = map ? of_map(b, n, &f, in) : of_terms(b, n, &f, in);
    filter_close(&f);
    return rc;
}

// Transposed, 2 x 2 at stride 2: the four outputs of an input pixel do not overlap.
static int spread(struct build *b, struct onnx_node *n, const char *output)
{
    struct filter f;
    int in = find(b, n->in[0]), rc = filter_open(b, n, 1, &f);
    if (rc)
        goto done;
    const struct net_value *v = &b->net->value[in];
    int outputs = (int)f.dims[1];
    if (v->terms || f.group != 1 || f.dims[0] != v->channels || f.window[0] != 2 || f.window[1] != 2 ||
        f.stride[0] != 2 || f.stride[1] != 2 || f.pad[0] || f.pad[1]) {
        rc = strange(b, n);
        goto done;
    }
    struct net_step *s = add_step(b, NET_SPREAD, in, n->out, outputs);
    if (!s) {
        rc = EFORMAT_;
        goto done;
    }
    struct onnx_text name = take_affine(b, n->out, f.scale, f.shift, (size_t)outputs);
    struct onnx_node *last = only_reader(b, name);
    bool plane = outputs == 1 && last && onnx_is(last->op, "Sigmoid") && onnx_is(last->out, output);
    if (plane) {
        s->kind = NET_PLANE;
        last->done = true;
        b->name[s->out] = last->out;
    } else {
        b->name[s->out] = take_activation(b, s, name);
    }
    int blocks = b->net->value[s->out].blocks;
    if ((rc = make_weights(b, s, (int64_t)4 * blocks * f.dims[0] * LANES)))
        goto done;
    for (int o = 0; o < outputs; o++)
        for (int p = 0; p < 4; p++) {
            s->bias[plane ? p : o] = f.shift[o];
            for (int64_t i = 0; i < f.dims[0]; i++) {
                int64_t to = plane ? i * LANES + p : ((p * blocks + o / LANES) * f.dims[0] + i) * LANES + o % LANES;
                s->weights[to] = f.scale[o] * f.w[(i * outputs + o) * 4 + p];
            }
        }
done:
    filter_close(&f);
    return rc;
}

// The mean of a linear map is the linear map of the mean.
static int mean_of_linear(struct build *b, const struct onnx_node *n, int in)
{
    const struct net_term t = b->net->value[in].term[0];
    int inputs = b->net->value[t.in].channels, rc;
    struct net_step *s = add_step(b, NET_MEAN, t.in, (struct onnx_text){0}, inputs);
    if (s)
        s = add_step(b, NET_WHOLE, s->out, n->out, t.channels);
    if (!s)
        return EFORMAT_;
    if ((rc = make_weights(b, s, (int64_t)b->net->value[s->out].blocks * inputs * LANES)))
        return rc;
    for (int o = 0; o < t.channels; o++)
        for (int i = 0; i < inputs; i++)
            s->weights[((int64_t)o / LANES * inputs + i) * LANES + o % LANES] = t.linear[(int64_t)o * inputs + i];
    return 0;
}

static int mean(struct build *b, const struct onnx_node *n)
{
    int in = find(b, n->in[0]);
    const struct net_value *v = &b->net->value[in];
    int64_t window[2], stride[2] = {1, 1}, pad[4] = {0}, up = 0;
    if (onnx_is(n->op, "GlobalAveragePool") && v->terms == 1 && v->term[0].linear && v->term[0].gate < 0 && v->term[0].times == 1)
        return mean_of_linear(b, n, in);
    if (v->terms)
        return strange(b, n);
    if (onnx_is(n->op, "GlobalAveragePool"))
        return add_step(b, NET_MEAN, in, n->out, v->channels) ? 0 : EFORMAT_;
    (void)onnx_ints(n, "strides", stride, 2);
    (void)onnx_ints(n, "pads", pad, 4);
    (void)onnx_int(n, "ceil_mode", &up);
    if (!onnx_ints(n, "kernel_shape", window, 2) || pad[0] || pad[1] || pad[2] || pad[3] || up)
        return strange(b, n);
    for (int i = 0; i < 2; i++)
        if (window[i] < 1 || window[i] > 16 || stride[i] < 1 || stride[i] > 16)
            return strange(b, n);
    struct net_step *s = add_step(b, NET_WINDOW, in, n->out, v->channels);
    if (!s)
        return EFORMAT_;
    s->kh = (int)window[0];
    s->kw = (int)window[1];
    s->sy = (int)stride[0];
    s->sx = (int)stride[1];
    return 0;
}

static bool is_mean(const struct build *b, int value)   // one pixel, whatever the picture
{
    for (int i = 0; i < b->net->steps; i++) {
        const struct net_step *s = &b->net->step[i];
        if (s->out == value)
            return s->kind == NET_MEAN || (s->kind == NET_WHOLE && s->kh == 1 && s->kw == 1 && is_mean(b, s->in));
    }
    return false;
}

static int gate(struct build *b, const struct onnx_node *n)
{
    int in = find(b, n->in[0]), by = n->ins == 2 ? find(b, n->in[1]) : -1;
    if (in >= 0 && by >= 0 && !is_mean(b, by)) {
        int swap = in;
        in = by;
        by = swap;
    }
    if (in < 0 || by < 0 || !is_mean(b, by) || b->net->value[in].channels != b->net->value[by].channels)
        return strange(b, n);
    const struct net_value v = b->net->value[in];
    struct onnx_node *sum = only_reader(b, n->out);
    if (sum && onnx_is(sum->op, "Add") && sum->ins == 2 && find(b, sum->in[onnx_same(sum->in[0], n->out)]) == in) {
        // what was gated added to itself
        int out = v.terms > 1 || (v.terms && v.term[0].gate >= 0) ? strange(b, n) : add_value(b, sum->out, v.channels);
        if (out < 0)
            return out;
        b->net->value[out].terms = 1;
        b->net->value[out].term[0] = v.terms ? v.term[0] : (struct net_term){in, 1, -1, NULL, v.channels, 0, NULL};
        b->net->value[out].term[0].gate = by;
        sum->done = true;
        return 0;
    }
    struct net_step *s = v.terms ? NULL : add_step(b, NET_GATE, in, n->out, v.channels);
    if (!s)
        return v.terms ? strange(b, n) : EFORMAT_;
    s->b = by;
    b->net->value[by].last = b->net->steps - 1;
    return 0;
}

// Terms of `in` added to those of value `out`, enlarged, their channels from `first` on. False: there are too many.
static bool add_terms(struct build *b, int out, int in, int times, int first)
{
    const struct net_value *v = &b->net->value[in];
    struct net_value *to = &b->net->value[out];
    struct net_term map = {in, 1, -1, NULL, v->channels, 0, NULL};
    for (int i = 0; i < (v->terms ? v->terms : 1); i++) {
        if (to->terms == NET_PARTS)
            return false;
        struct net_term *t = &to->term[to->terms++];
        *t = v->terms ? v->term[i] : map;
        t->times *= times;
        t->first += first;
    }
    return true;
}

static int enlarged(struct build *b, const struct onnx_node *n)
{
    int in = find(b, n->in[0]), rank, v;
    int64_t dims[4];
    size_t count = 0;
    struct onnx_text word;
    float *by = n->ins >= 3 ? onnx_numbers(b->g, n->in[2], dims, &rank, &count) : NULL;
    bool fits = by && count == 4 && by[0] == 1 && by[1] == 1 && by[2] == by[3] && by[2] >= 1 && by[2] <= 16 &&
                by[2] == floorf(by[2]);
    int times = fits ? (int)by[2] : 1;
    free(by);
    fits = fits && onnx_word(n, "mode", &word) && onnx_is(word, "nearest");
    fits = fits && onnx_word(n, "coordinate_transformation_mode", &word) && onnx_is(word, "asymmetric");
    fits = fits && onnx_word(n, "nearest_mode", &word) && onnx_is(word, "floor");
    if (!fits)
        return strange(b, n);
    if ((v = add_value(b, n->out, b->net->value[in].channels)) < 0)
        return v;
    return add_terms(b, v, in, times, 0) ? 0 : strange(b, n);
}

// A sum of two, or a join of channels.
static int together(struct build *b, const struct onnx_node *n)
{
    bool join = onnx_is(n->op, "Concat");
    int64_t axis = 1;
    int channels = 0;
    if (join)
        (void)onnx_int(n, "axis", &axis);
    if (axis != 1 || n->ins < 2 || (!join && n->ins > 2))
        return strange(b, n);
    for (int i = 0; i < n->ins; i++) {
        int in = find(b, n->in[i]);
        if (in < 0 || (!join && i && b->net->value[in].channels != channels))
            return strange(b, n);
        channels = (join ? channels : 0) + b->net->value[in].channels;
    }
    int out = add_value(b, n->out, channels);
    if (out < 0)
        return out;
    for (int i = 0, first = 0; i < n->ins; i++) {
        int in = find(b, n->in[i]);
        if (!add_terms(b, out, in, 1, first))
            return strange(b, n);
        first += join ? b->net->value[in].channels : 0;
    }
    return 0;
}

static int add_node(struct build *b, struct onnx_node *n, const char *output)
{
    static const struct { const char *op; int (*add)(struct build *, const struct onnx_node *); } kinds[] = {
        {"GlobalAveragePool", mean}, {"AveragePool", mean}, {"Mul", gate}, {"Resize", enlarged}, {"Add", together},
        {"Concat", together}};
    n->done = true;
    int in = n->ins ? find(b, n->in[0]) : -1;
    if (in < 0 || (in == 0 && !onnx_is(n->op, "Conv")))   // the input's pixels lie closer than a map's
        return strange(b, n);
    if (onnx_is(n->op, "Conv"))
        return conv(b, n);
    if (onnx_is(n->op, "ConvTranspose"))
        return spread(b, n, output);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (onnx_is(n->op, kinds[i].op))
            return kinds[i].add(b, n);
    return strange(b, n);
}

int net_open(struct net **out, const struct buf *file, const char *name, const char *input, const char *output)
{
    struct onnx g = {0};
    struct build *b = calloc(1, sizeof *b);
    struct net *n = *out = calloc(1, sizeof *n);
    struct onnx_text first = {(const unsigned char *)input, strlen(input)};
    struct onnx_text last = {(const unsigned char *)output, strlen(output)};
    int rc = b && n ? 0 : FAIL(EMEMORY_, "out of memory");
    if (rc)
        goto done;
    *b = (struct build){.net = n, .g = &g, .file = name};
    if (!(n->kernels = conv_kernels_find())) {
        rc = EUSAGE_;
        goto done;
    }
    if ((rc = onnx_open(&g, file))) {
        error_prefix(rc, "%s: ", name);
        goto done;
    }
    rc = add_value(b, first, 3);
    if (rc >= 0)
        rc = 0;
    for (int i = 0; i < g.nodes && !rc && find(b, last) < 0; i++)
        if (!g.node[i].done && !onnx_is(g.node[i].op, "Constant"))
            rc = add_node(b, &g.node[i], output);
    int end = rc ? -1 : find(b, last);
    if (!rc && (end < 0 || !n->steps || n->step[n->steps - 1].out != end))
        rc = FAIL(EFORMAT_, "%s: no layer gives \"%s\"", name, output);
    if (!rc)
        n->value[end].last = n->steps;   // stays
done:
    free(b);
    onnx_close(&g);
    if (rc) {
        net_close(n);
        *out = NULL;
    }
    return rc;
}
