// SPDX-License-Identifier: Apache-2.0
// The rows of a dataset, with its catalogues keeping the verdicts; and the choice between this and a list.
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "data/journal.h"
#include "data/shard.h"
#include "task/filter.h"

const char *const filter_steps[STEPS] = {"columns", "boilerplate", "unparsable", "complexity", "action", "unreadable", "text", "kept"};

int filter_step_of(const char *reason)
{
    for (int i = 0; reason && i < STEPS; i++)
        if (strcmp(reason, filter_steps[i]) == 0)
            return i;
    return -1;
}

// --- a dataset ----------------------------------------------------------------------------------------------------------

struct dataset {
    const char *path;
    const char *settings;
    bool look;
    char **paths;              // catalogues
    int count, at;
    struct catalogue *c;       // paths[at], or NULL
    int64_t after, judged;     // the sample last given; last one put
    char *shard;               // path of the shard `number`
    int64_t number;
    json_t *several;
    const char **captions;
    int room;
    int64_t ok, done;          // good samples in all; gone through
};

static void dataset_close(void *state)
{
    struct dataset *d = state;
    if (!d)
        return;
    catalogue_close(d->c);
    for (int i = 0; i < d->count; i++)
        free(d->paths[i]);
    free(d->paths);
    free(d->shard);
    free(d->captions);
    json_decref(d->several);
    free(d);
}

static int dataset_open(void **state, const diht_filter_options *o, const char *settings, bool look)
{
    struct dataset *d = *state = calloc(1, sizeof *d);
    if (!d)
        return FAIL(EMEMORY_, "%s: out of memory", o->data);
    d->path = o->data;
    d->settings = settings;
    d->look = look;
    d->number = -1;
    int rc = catalogue_paths(o->data, &d->paths, &d->count);
    for (int i = 0; !rc && i < d->count; i++) {
        struct catalogue *c = NULL;
        int64_t ok = 0;
        rc = catalogue_open_file(&c, d->paths[i]);
        if (!rc)
            rc = catalogue_totals(c, NULL, NULL, &ok, NULL);
        d->ok += ok;
        catalogue_close(c);
    }
    return rc;
}

// "catalog-0003.sqlite" -> 3
static int rank_of(const char *path) { return atoi(path_name(path) + strlen("catalog-")); }

static int open_next(struct dataset *d)
{
    int64_t after = 0;
    int rc = d->look ? catalogue_open_file(&d->c, d->paths[d->at])
                     : catalogue_open_journal(&d->c, d->path, rank_of(d->paths[d->at]));
    if (!rc && !d->look)
        rc = verdicts_begin(d->c, d->settings, &after);
    d->after = d->judged = after;
    return rc;
}

static int leave(struct dataset *d)
{
    int rc = d->look ? 0 : verdicts_commit(d->c, d->judged, true);
    if (!rc && !d->look)
        rc = journal_end(d->c);
    catalogue_close(d->c);
    d->c = NULL;
    d->at++;
    return rc;
}

static int take_captions(struct dataset *d, const struct catalogue_sample *v, struct filter_row *out)
{
    json_decref(d->several);
    d->several = v->captions ? json_loads(v->captions, 0, NULL) : NULL;
    int n = (int)json_array_size(d->several);
    if (n + 1 > d->room) {
        const char **more = realloc(d->captions, (size_t)(n + 1) * sizeof *more);
        if (!more)
            return FAIL(EMEMORY_, "%s: sample %s: out of memory", d->path, v->key);
        d->captions = more;
        d->room = n + 1;
    }
    d->captions[0] = v->caption ? v->caption : "";
    for (int i = 0; i < n; i++) {
        const char *one = json_string_value(json_array_get(d->several, (size_t)i));
        d->captions[i] = one ? one : "";
    }
    out->captions = d->captions;
    out->caption_count = n ? n : 1;
    return 0;
}

static int dataset_next(void *state, struct filter_row *out)
{
    struct dataset *d = state;
    struct catalogue_sample v;
    int rc = 0;
    while (d->at < d->count) {
        if (!d->c && (rc = open_next(d)) != 0)
            return rc;
        if ((rc = verdicts_next(d->c, d->after, &v, &out->known)) != 0)
            break;
        if (!d->look && d->judged < d->after)   // they are put first
            return 0;
        if ((rc = leave(d)) != 0)
            return rc;
    }
    if (rc <= 0)
        return rc;
    d->after = v.id;
    d->done++;
    if (d->number != v.shard) {
        free(d->shard);
        d->number = v.shard;
        if (!(d->shard = shard_path(d->path, v.shard)))
            return FAIL(EMEMORY_, "%s: out of memory", d->path);
    }
    *out = (struct filter_row){
        .id = v.id, .row = v.row, .key = v.key, .url = v.url, .tags = v.tags, .split = v.split, .format = v.format,
        .width = v.width, .height = v.height, .bytes = v.bytes, .extra = v.extra, .picture = d->shard,
        .offset = v.offset, .known = out->known,
    };
    rc = take_captions(d, &v, out);
    return rc ? rc : 1;
}

static int dataset_put(void *state, const struct filter_row *row, const struct judged *j)
{
    struct dataset *d = state;
    d->judged = row->id;
    return verdicts_put(d->c, row->id, j);
}

static int dataset_commit(void *state)
{
    struct dataset *d = state;
    return d->c ? verdicts_commit(d->c, d->judged, false) : 0;
}

static int dataset_end(void *state) { return 0; }   // each catalogue was ended behind its last row

static double dataset_share(const void *state)
{
    const struct dataset *d = state;
    return d->ok ? (double)d->done / (double)d->ok : 1;
}

static const char *dataset_verdicts(const void *state) { return ((const struct dataset *)state)->path; }

const struct filter_backend filter_dataset = {dataset_open, dataset_close, dataset_next, dataset_put, dataset_commit,
                                              dataset_end, dataset_share, dataset_verdicts};

// --- either -------------------------------------------------------------------------------------------------------------

struct filter_data {
    const struct filter_backend *b;
    void *state;
};

static int is_dataset(const char *path)
{
    char **paths = NULL;
    int count = 0, rc = file_is_dir(path) ? catalogue_paths(path, &paths, &count) : EMISSING_;
    for (int i = 0; i < count; i++)
        free(paths[i]);
    free(paths);
    return rc == 0 ? 1 : rc == EMISSING_ ? 0 : rc;
}

int filter_data_open(struct filter_data **out, const diht_filter_options *o, const char *settings, bool look)
{
    int dataset = is_dataset(o->data);
    *out = NULL;
    if (dataset < 0)
        return dataset;
    struct filter_data *d = calloc(1, sizeof *d);
    if (!d)
        return FAIL(EMEMORY_, "%s: out of memory", o->data);
    d->b = dataset ? &filter_dataset : &filter_list;
    int rc = d->b->open(&d->state, o, settings, look);
    if (rc)
        filter_data_close(d);
    else
        *out = d;
    return rc;
}

void filter_data_close(struct filter_data *d)
{
    if (!d)
        return;
    d->b->close(d->state);
    free(d);
}

int filter_data_next(struct filter_data *d, struct filter_row *out) { return d->b->next(d->state, out); }
int filter_data_put(struct filter_data *d, const struct filter_row *row, const struct judged *j)
{
    return d->b->put(d->state, row, j);
}
int filter_data_commit(struct filter_data *d) { return d->b->commit(d->state); }
int filter_data_end(struct filter_data *d) { return d->b->end(d->state); }
double filter_data_share(const struct filter_data *d) { return d->b->share(d->state); }
bool filter_data_is_list(const struct filter_data *d) { return d->b == &filter_list; }
const char *filter_data_verdicts(const struct filter_data *d) { return d->b->verdicts(d->state); }
