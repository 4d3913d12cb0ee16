// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "task/task.h"

int task_loss(const diht_loss_options *o, char **result)
{
    return FAIL(EUNSUPPORTED_, "loss: being built");
}
