// SPDX-License-Identifier: Apache-2.0
#include "task/eval.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "data/catalogue.h"
#include "task/task.h"

struct lists {
    int64_t first;
    bool met;
};

static int same_list(void *user, const struct catalogue_sample *s)
{
    struct lists *l = user;
    if (!l->met)
        *l = (struct lists){s->list, true};
    return s->list != l->first;
}

// Ranges go by rows of one list: a dataset that holds another's rows too would mix them.
static int one_list(const char *dataset)
{
    char **paths = NULL;
    int count = 0, rc = catalogue_paths(dataset, &paths, &count);
    struct lists l = {0};
    for (int i = 0; i < count; i++) {
        struct catalogue *c = NULL;
        if (!rc && (rc = catalogue_open_file(&c, paths[i])) == 0 && (rc = catalogue_walk(c, same_list, &l)) == 1)
            rc = FAIL(EUSAGE_, "%s: holds rows of more than one list: --fetch needs a dataset of its own", dataset);
        catalogue_close(c);
        free(paths[i]);
    }
    free(paths);
    return rc;
}

static int fetch_first(const diht_eval_options *o)
{
    diht_fetch_options f;
    char *said = NULL;
    if (file_is_dir(o->data))
        return FAIL(EUSAGE_, "%s: is a directory: --fetch needs a list of web addresses", o->data);
    if (o->images)
        return FAIL(EUSAGE_, "--images are files that are there already, --fetch gets them: one of the two");
    if (o->fetching)
        f = *o->fetching;
    else
        diht_fetch_defaults(&f);
    f.list = o->data;
    f.out = o->fetch;
    f.json = true;
    int rc = task_fetch(&f, &said);
    if (!rc)
        log_info("fetched: %.*s", (int)strcspn(said, "\n"), said);
    free(said);
    return rc ? rc : one_list(o->fetch);
}

int task_eval(const diht_eval_options *o, char **result)
{
    stop_clear();
    if (o->merge && (o->models || o->data || o->image_features || o->text_features))
        return FAIL(EUSAGE_, "--merge reads results: a model, data or features cannot be given with it");
    if (o->fetch && !o->data)
        return FAIL(EUSAGE_, "--fetch needs a list of web addresses");
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
    if (o->fetch) {
        diht_eval_options there = *o;
        int rc = fetch_first(o);
        there.data = o->fetch;
        return rc ? rc : eval_model(&there, result);
    }
    return eval_model(o, result);
}
