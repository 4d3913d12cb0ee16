// SPDX-License-Identifier: Apache-2.0
#include "bench/bench.h"

#include "base/error.h"

int bench_run(const diht_bench_options *o, void (*line)(void *user, const char *text), void *user)
{
    return FAIL(EUNSUPPORTED_, "bench: being built");
}
