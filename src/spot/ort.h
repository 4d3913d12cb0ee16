// SPDX-License-Identifier: Apache-2.0
// ONNX Runtime through its C ABI, loaded when it is wanted: a network as a function from a tensor to a tensor.
#ifndef SPOT_ORT_H
#define SPOT_ORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct ort;
struct ort_net;

// EMISSING_: no such library; EUNSUPPORTED_: it is another one, or too old.
int ort_open(struct ort **out, const char *library);
void ort_close(struct ort *o);   // accepts NULL; its networks first

// A network whose one input and one output have these names; `path` is for sentences. A run uses the calling thread
// alone; several threads may run one network. EFORMAT_ with the library's own words.
int ort_net_open(struct ort_net **out, struct ort *o, const struct buf *model, const char *path, const char *input,
                 const char *output);
void ort_net_close(struct ort_net *n);   // accepts NULL

struct ort_out {
    const float *at;     // valid until ort_out_free
    int64_t shape[4];
    int dims;
    void *value;
    const struct ort *from;
};

// `in` [shape], float32. EIO_ with the library's own words; EFORMAT_: the output has another number of dimensions.
int ort_net_run(const struct ort_net *n, const float *in, const int64_t shape[4], int dims, struct ort_out *out);
void ort_out_free(struct ort_out *out);

#endif
