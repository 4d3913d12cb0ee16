// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "task/task.h"

int task_vocab(const diht_vocab_options *o, char **result)
{
    return FAIL(EUNSUPPORTED_, "vocab: being built");
}
