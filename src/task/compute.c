// SPDX-License-Identifier: Apache-2.0
#include "task/compute.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"

const struct precision precisions[] = {{"fp32", F32, true}, {"bf16", BF16, true}, {"int8", S8, false}, {0}};

int compute_open(struct ctx **ctx, const char **used, int threads, const char *precision, bool train)
{
    const struct precision *p = precisions;
    while (precision && p->name && strcmp(p->name, precision) != 0)
        p++;
    if (!p->name)
        return FAIL(EUSAGE_, "--precision %s: fp32, bf16 or int8 expected", precision);
    if (train && !p->trains)
        return FAIL(EUSAGE_, "--precision %s: training takes fp32 or bf16; %s is for inference", precision, precision);
    int rc = ctx_open(ctx, F32, threads, NULL);
    bool there = !rc && ctx_products(*ctx, p->type);
    if (used)
        *used = there ? p->name : precisions[0].name;
    if (!rc && !there)
        log_warn("--precision %s: this processor has no instructions for it (AVX-512 %s or AMX); going on in fp32", p->name,
                 p->type == BF16 ? "BF16" : "VNNI");
    if (there && p->type == BF16)
        log_info("--precision %s: products by %s", p->name, ctx_products_isa(*ctx));
    return rc;
}
