// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "task/task.h"

int task_embed(const diht_embed_options *o, char **result)
{
    return FAIL(EUNSUPPORTED_, "embed: being built");
}
