// SPDX-License-Identifier: Apache-2.0
// The public functions in a few lines each: defaults here, the work in task/ and bench/.
#include "diht.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "bench/bench.h"
#include "task/held.h"
#include "task/task.h"

_Static_assert((int)DIHT_EIO == EIO_ && (int)DIHT_EFORMAT == EFORMAT_ && (int)DIHT_EUSAGE == EUSAGE_ &&
               (int)DIHT_EMEMORY == EMEMORY_ && (int)DIHT_EMISSING == EMISSING_ && (int)DIHT_EFULL == EFULL_ &&
               (int)DIHT_ESTOPPED == ESTOPPED_ && (int)DIHT_EUNSUPPORTED == EUNSUPPORTED_, "diht.h repeats base/error.h");

const char *diht_version(void) { return DIHT_VERSION; }
const char *diht_error(void) { return error_last(); }
const char *diht_error_where(void) { return error_where(); }
void diht_free(void *text) { free(text); }
void diht_stop(void) { stop_request(); }
void diht_set_log(void (*sink)(void *, int, const char *), void *user) { log_set(sink, user); }

void diht_import_defaults(diht_import_options *o)
{
    *o = (diht_import_options){.shard_samples = 10000};
}

void diht_fetch_defaults(diht_fetch_options *o)
{
    *o = (diht_fetch_options){
        .classes = "all", .deadline = 30, .retries = 2, .redirects = 10, .per_host = 16, .concurrency = 2000,
        .connect_timeout = 10, .min_rate = 1000, .max_bytes = 32 << 20, .max_pixels = 2 * 89478485,
        .resize_mode = "shorter", .robots = "obey", .shard_samples = 10000, .ranks = 1,
    };
}

void diht_plan_defaults(diht_plan_options *o)
{
    *o = (diht_plan_options){.sample = 1000, .seed = 1};
    diht_fetch_defaults(&o->fetch);
}

void diht_status_defaults(diht_status_options *o) { *o = (diht_status_options){0}; }

void diht_vocab_defaults(diht_vocab_options *o)
{
    *o = (diht_vocab_options){.merges = 48894};
}

void diht_preprocess_defaults(diht_preprocess_options *o)
{
    *o = (diht_preprocess_options){.size = 224};
}

void diht_tokenize_defaults(diht_tokenize_options *o)
{
    *o = (diht_tokenize_options){.context = 77};
}

void diht_parse_defaults(diht_parse_options *o)
{
    *o = (diht_parse_options){.complexity = 1};
}

void diht_filter_text_defaults(diht_filter_text_options *o)
{
    *o = (diht_filter_text_options){.complexity = 1, .column = 1};
}

void diht_spot_defaults(diht_spot_options *o)
{
    *o = (diht_spot_options){.spot_side = 960};
}

void diht_filter_defaults(diht_filter_options *o)
{
    *o = (diht_filter_options){.complexity = 1, .spot_side = 960, .confidence = .8, .match = 5, .examples = 20, .seed = 1};
}

void diht_train_defaults(diht_train_options *o)
{
    *o = (diht_train_options){
        .model = "demo", .steps = 10000, .batch = 256, .lr = 1e-3, .beta1 = .9, .beta2 = .98, .eps = 1e-6,
        .optimizer = "adamw", .momentum = .95, .weight_decay = .2, .warmup = .05, .min_lr = 0, .alpha = 1, .beta = .25, .logit_scale = 1 / .07,
        .max_logit_scale = 100, .tags_min = 2, .label_p = 1, .tags_p = 0, .tag_p = .3, .augment = "reference",
        .log_every = 10, .precision = "fp32",
    };
}

void diht_embed_defaults(diht_embed_options *o)
{
    *o = (diht_embed_options){.batch = 64, .precision = "fp32"};
}

void diht_eval_defaults(diht_eval_options *o)
{
    *o = (diht_eval_options){.resamples = 2000, .batch = 64, .precision = "fp32"};
}

void diht_drift_defaults(diht_drift_options *o)
{
    *o = (diht_drift_options){.batch = 64};
}

void diht_classify_defaults(diht_classify_options *o)
{
    *o = (diht_classify_options){.resamples = 2000, .batch = 64};
}

void diht_verify_defaults(diht_verify_options *o)
{
    *o = (diht_verify_options){.batch = 64};
}

void diht_loss_defaults(diht_loss_options *o)
{
    *o = (diht_loss_options){.alpha = 1, .beta = .25, .temperature = .07};
}

void diht_info_defaults(diht_info_options *o)
{
    *o = (diht_info_options){0};
}

void diht_convert_defaults(diht_convert_options *o) { *o = (diht_convert_options){0}; }

void diht_model_defaults(diht_model_options *o)
{
    *o = (diht_model_options){.precision = "fp32"};
}

void diht_recall_defaults(diht_recall_options *o)
{
    *o = (diht_recall_options){.resamples = 2000};
}

void diht_pull_defaults(diht_pull_options *o) { *o = (diht_pull_options){0}; }

void diht_bench_defaults(diht_bench_options *o)
{
    *o = (diht_bench_options){.seconds = 1};
}

int diht_import(const diht_import_options *o, char **result) { return task_import(o, result); }
int diht_fetch(const diht_fetch_options *o, char **result) { return task_fetch(o, result); }
int diht_refetch(const diht_fetch_options *o, char **result) { return task_refetch(o, result); }
int diht_plan(const diht_plan_options *o, char **result) { return task_plan(o, result); }
int diht_status(const diht_status_options *o, char **result) { return task_status(o, result); }
int diht_vocab(const diht_vocab_options *o, char **result) { return task_vocab(o, result); }
int diht_preprocess(const diht_preprocess_options *o, char **result) { return task_preprocess(o, result); }
int diht_tokenize(const diht_tokenize_options *o, void (*write)(void *, const char *, size_t), void *user)
{
    return task_tokenize(o, write, user);
}
int diht_parse(const diht_parse_options *o, void (*write)(void *, const char *, size_t), void *user)
{
    return task_parse(o, write, user);
}
int diht_filter_text(const diht_filter_text_options *o, void (*write)(void *, const char *, size_t), void *user)
{
    return task_filter_text(o, write, user);
}
int diht_spot(const diht_spot_options *o, void (*write)(void *, const char *, size_t), void *user)
{
    return task_spot(o, write, user);
}
int diht_filter(const diht_filter_options *o, char **result) { return task_filter(o, result); }
int diht_train(const diht_train_options *o, char **result) { return task_train(o, result); }
int diht_embed(const diht_embed_options *o, char **result) { return task_embed(o, result); }
int diht_eval(const diht_eval_options *o, char **result) { return task_eval(o, result); }
int diht_classify(const diht_classify_options *o, char **result) { return task_classify(o, result); }
int diht_verify(const diht_verify_options *o, char **result) { return task_verify(o, result); }
int diht_drift(const diht_drift_options *o, char **result) { return task_drift(o, result); }
int diht_loss(const diht_loss_options *o, char **result) { return task_loss(o, result); }
int diht_info(const diht_info_options *o, char **result) { return task_info(o, result); }
int diht_convert(const diht_convert_options *o, char **result) { return task_convert(o, result); }
int diht_pull(const diht_pull_options *o, char **result) { return task_pull(o, result); }
int diht_bench(const diht_bench_options *o, void (*line)(void *, const char *), void *user) { return bench_run(o, line, user); }

int diht_model_open(diht_model **out, const diht_model_options *o) { return held_open(out, o); }
void diht_model_close(diht_model *m) { held_close(m); }
void diht_model_describe(const diht_model *m, diht_model_facts *out) { held_describe(m, out); }
int diht_model_tokenizer(diht_model *m, const diht_tokenizer **out) { return held_tokenizer(m, out); }
int diht_pictures(diht_model *m, const diht_picture *pictures, int64_t n, int size, int threads, float *pixels)
{
    return held_pictures(m, pictures, n, size, threads, pixels);
}
int diht_encode_pictures(diht_model *m, const diht_picture *pictures, int64_t n, bool raw, float *features)
{
    return held_encode_pictures(m, pictures, n, raw, features);
}
int diht_encode_pixels(diht_model *m, const float *pixels, int64_t n, bool raw, float *features)
{
    return held_encode_pixels(m, pixels, n, raw, features);
}
int diht_encode_ids(diht_model *m, const int64_t *ids, int64_t n, int64_t width, bool raw, float *features)
{
    return held_encode_ids(m, ids, n, width, raw, features);
}
int diht_encode_texts(diht_model *m, const char *const *texts, const size_t *bytes, int64_t n, bool raw, float *features)
{
    return held_encode_texts(m, texts, bytes, n, raw, features);
}
int diht_tokenizer_open(diht_tokenizer **out, const char *vocab) { return ids_open(out, vocab); }
void diht_tokenizer_close(diht_tokenizer *t) { ids_close(t); }
int diht_tokenizer_ids(const diht_tokenizer *t, const char *const *texts, const size_t *bytes, int64_t n, int context,
                       int64_t *ids)
{
    return ids_of(t, texts, bytes, n, context, ids);
}
int diht_recall(const diht_recall_options *o, char **result) { return recall_arrays(o, result); }
