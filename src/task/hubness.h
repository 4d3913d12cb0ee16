// SPDX-License-Identifier: Apache-2.0
// Scores corrected for hubs (candidates that are near everything), as extras that are asked for by name. Both are of the
// form a s + b_image + c_text, so two more numbers a feature row make plain inner products of them:
//   csls          2 s - r_image - r_text, r the mean of the 10 highest scores (Lample et al. 2018)
//   dual-softmax  log softmax over texts + log softmax over images of s / T, T the model's temperature
#ifndef TASK_HUBNESS_H
#define TASK_HUBNESS_H

#include "task/encode.h"

struct ctx;

int hubness_check(const char *kind);   // NULL is fine; EUSAGE_
// Galleries of images [cut[g], cut[g + 1]) with their texts; texts lie in the order of their images. f->d grows by two.
int hubness_apply(struct features *f, struct ctx *ctx, const char *kind, double temperature, const int64_t *cut,
                  int64_t galleries);

#endif
