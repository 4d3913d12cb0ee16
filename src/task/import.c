// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "task/task.h"

int task_import(const diht_import_options *o, char **result)
{
    return FAIL(EUNSUPPORTED_, "import: being built");
}
