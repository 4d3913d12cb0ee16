// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "task/task.h"

int task_eval(const diht_eval_options *o, char **result)
{
    return FAIL(EUNSUPPORTED_, "eval: being built");
}
