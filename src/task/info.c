// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "task/task.h"

int task_info(const diht_info_options *o, char **result)
{
    return FAIL(EUNSUPPORTED_, "info: being built");
}
