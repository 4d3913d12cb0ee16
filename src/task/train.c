// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "task/task.h"

int task_train(const diht_train_options *o, char **result)
{
    return FAIL(EUNSUPPORTED_, "train: being built");
}
