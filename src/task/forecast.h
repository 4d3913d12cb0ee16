// SPDX-License-Identifier: Apache-2.0
// How long a job will take here.
#ifndef TASK_FORECAST_H
#define TASK_FORECAST_H

#include <stdint.h>

#include "model/clip.h"

// Logs about how long so many pictures and captions take in every precision this processor has, from the model's
// operations and a product of its width measured now (a fraction of a second). Short jobs: nothing.
void forecast(const struct clip *clip, int64_t images, int64_t texts);

#endif
