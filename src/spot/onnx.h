// SPDX-License-Identifier: Apache-2.0
// A network file as its nodes. ONNX is protocol buffers: a message is a row of fields, each a varint
// (number * 8 + wire type) and its value. Everything points into the file's bytes, which stay the caller's.
#ifndef SPOT_ONNX_H
#define SPOT_ONNX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { ONNX_INPUTS = 8 };

struct onnx_text {
    const unsigned char *at;
    size_t n;
};

struct onnx_node {
    struct onnx_text raw, op, out, in[ONNX_INPUTS];
    struct onnx_text tensor;   // a Constant's
    int ins;
    bool done;                 // a reader's mark
};

struct onnx {
    struct onnx_node *node;
    int nodes, room;
};

int onnx_open(struct onnx *g, const struct buf *file);   // EFORMAT_: not a network, or a very large one; EMEMORY_
void onnx_close(struct onnx *g);

bool onnx_same(struct onnx_text a, struct onnx_text b);
bool onnx_is(struct onnx_text a, const char *text);

// How many inputs read this value; the first two readers.
int onnx_readers(struct onnx *g, struct onnx_text value, struct onnx_node *who[2]);

// A constant of floats, copied: n numbers of which `rank` dims say the shape. NULL: there is none of this name, or it is
// of another type, or too large.
float *onnx_numbers(const struct onnx *g, struct onnx_text value, int64_t dims[4], int *rank, size_t *n);
bool onnx_number(const struct onnx *g, struct onnx_text value, float *v);   // one with a single element
// Attributes; false: there is none of this name, or it is of another type. ints: exactly n of them.
bool onnx_int(const struct onnx_node *n, const char *name, int64_t *v);
bool onnx_ints(const struct onnx_node *n, const char *name, int64_t *v, int count);
bool onnx_float(const struct onnx_node *n, const char *name, float *v);
bool onnx_word(const struct onnx_node *n, const char *name, struct onnx_text *v);

// What lies behind the value `from`, as a network whose input it is, written to `out`. EFORMAT_: no node gives it, or
// later ones also read what came before it.
int onnx_behind(struct buf *out, const struct buf *file, const char *from);

#endif
