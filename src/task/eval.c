// SPDX-License-Identifier: Apache-2.0
#include "task/eval.h"

#include "base/clock.h"
#include "base/error.h"
#include "task/task.h"

int task_eval(const diht_eval_options *o, char **result)
{
    stop_clear();
    if (o->merge && (o->models || o->data || o->image_features || o->text_features))
        return FAIL(EUSAGE_, "--merge reads results: a model, data or features cannot be given with it");
    if (o->merge)
        return eval_merge(o, result);
    if (o->image_features || o->text_features) {
        if (!o->image_features || !o->text_features)
            return FAIL(EUSAGE_, "--image-features and --text-features belong together: one is missing");
        if (o->models || o->data)
            return FAIL(EUSAGE_, "features are given, so a model and data cannot be");
        return eval_features(o, result);
    }
    if (!o->models || !o->data)
        return FAIL(EUSAGE_, "give --model and DATA, or --image-features and --text-features");
    return eval_model(o, result);
}
