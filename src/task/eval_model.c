// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "task/eval.h"
#include "task/eval_page.h"

// How published tables were made; --prompt and --ranges override.
static const struct preset {
    const char *name, *prompt;
    int64_t ranges;
} presets[] = {
    {"diht", "a photo of {}.", 0},
    {"raw", NULL, 0},
    {"gcc-report", "a photo of {}.", 2000},
};
enum { PRESETS = sizeof presets / sizeof *presets, MAX_SPLITS = 16, GROWTH = 24, BOOTSTRAP_SEED = 20230105 };

struct evaluation {
    const diht_eval_options *o;
    const char *prompt;
    int64_t ranges;
    struct ctx *ctx;
    struct clip *clip;
    struct tokenizer *tokenizer;
    struct source *source[MAX_SPLITS];        // kept for the page: it borrows their captions
    struct page_split page[2 * MAX_SPLITS];
    int nsources, npages;
    int64_t excluded;                         // samples left out for --exclude-tag
};

static bool lacks_tag(const void *user, const struct sample *s)
{
    const char *tag = user;
    size_t len = strlen(tag);
    for (const char *p = s->tags; *p;) {
        size_t part = strcspn(p, ",");
        const char *a = p, *b = p + part;
        while (a < b && isspace((unsigned char)*a))
            a++;
        while (b > a && isspace((unsigned char)b[-1]))
            b--;
        if ((size_t)(b - a) == len && memcmp(a, tag, len) == 0)
            return false;
        p += part + (p[part] == ',');
    }
    return true;
}

// Galleries by the source list's rows: dead rows leave gaps, so a range holds fewer pictures.
static int cut_ranges(const struct evaluation *e, const struct source *s, const struct features *f,
                      struct recall_input *in, int64_t **memory)
{
    if (!e->ranges)
        return 0;
    int64_t all = (source_rows(s) + e->ranges - 1) / e->ranges, *cut = malloc((size_t)(2 * all + 2) * sizeof *cut);
    if (!cut)
        return FAIL(EMEMORY_, "out of memory: %lld ranges", (long long)all);
    int64_t *label = cut + all + 1, g = 0, row = 0;
    for (int64_t r = 0; r < all; r++) {
        struct sample sample;
        int64_t first = row;
        while (row < f->n && (source_sample(s, f->index[row], &sample), sample.row < (r + 1) * e->ranges))
            row++;
        if (row == first) {
            log_warn("rows %lld to %lld of the list: no picture is left, the range is skipped",
                     (long long)(r * e->ranges), (long long)((r + 1) * e->ranges));
            continue;
        }
        cut[g] = first;
        label[g++] = r * e->ranges;
    }
    cut[g] = f->n;
    label[g] = source_rows(s);
    in->cut = cut;
    in->cut_label = label;
    in->galleries = g;
    *memory = cut;
    return 0;
}

static int measure(struct evaluation *e, const struct source *s, const struct features *f, const char *name,
                   struct recall_result *r)
{
    int64_t *cut = NULL;
    struct recall_input in = {.images = f->images,
                              .texts = f->texts,
                              .n = f->n,
                              .m = f->m,
                              .d = f->d,
                              .txt2img = f->txt2img,
                              .resamples = e->o->resamples,
                              .seed = BOOTSTRAP_SEED,
                              .growth = e->o->html && !e->ranges ? GROWTH : 0};
    int rc = f->n ? cut_ranges(e, s, f, &in, &cut)
                  : FAIL(EMISSING_, "split %s: every sample carries the tag '%s'", name, e->o->exclude_tag);
    if (!rc)
        rc = recall_measure(r, e->ctx, &in);
    free(cut);
    if (!rc && e->o->html) {
        struct page_split *p = &e->page[e->npages++];
        snprintf(p->name, sizeof p->name, "%s", name);
        rc = page_split_make(p, e->ctx, s, f, r);
    }
    return rc;
}

static int evaluate(struct evaluation *e, const char *split, struct buf *out)
{
    const diht_eval_options *o = e->o;
    struct features f = {0};
    struct recall_result r = {0};
    char name[128];
    struct source **s = &e->source[e->nsources];
    snprintf(name, sizeof name, "%s", split ? split : "all");
    int rc = source_open(s, o->data, split);
    if (rc)
        return rc;
    e->nsources++;
    rc = features_encode(&f, e->clip, e->tokenizer, *s,
                         &(struct features_options){e->prompt, false, o->batch, o->loaders ? o->loaders : o->threads});
    if (!rc && (f.bad || source_excluded(*s)))
        log_warn("split %s: %lld samples could not be used and are left out", name,
                 (long long)(f.bad + source_excluded(*s)));
    if (!rc && o->exclude_tag && o->html)   // the page shows both
        rc = measure(e, *s, &f, name, &r);
    if (!rc && o->exclude_tag) {
        recall_free(&r);
        int64_t before = f.n;
        features_keep(&f, *s, lacks_tag, o->exclude_tag);
        e->excluded += before - f.n;
        snprintf(name, sizeof name, "%.80s without %.30s", split ? split : "all", o->exclude_tag);
    }
    if (!rc)
        rc = measure(e, *s, &f, name, &r);
    if (!rc && !o->json)
        buf_fmt(out, "%s:\n", name);
    if (!rc && o->json)
        rc = recall_json(out, &r);
    else if (!rc)
        recall_table(out, &r);
    recall_free(&r);
    features_free(&f);
    return rc;
}

static int write_page(struct evaluation *e)
{
    const diht_eval_options *o = e->o;
    const struct config *c = clip_config(e->clip);
    struct report_split splits[2 * MAX_SPLITS];
    struct report_training training = {0};
    char summary[256], date[32];
    time_t now = time(NULL);
    struct tm tm;
    strftime(date, sizeof date, "%Y-%m-%d", gmtime_r(&now, &tm));
    snprintf(summary, sizeof summary,
             "image %d px / %d, %d wide, %d layers; text %d wide, %d layers; embedding %d; %.2f M parameters",
             c->vision.image_size, c->vision.patch_size, c->vision.width, c->vision.layers, c->text.width,
             c->text.layers, c->embed_dim, (double)clip_parameters(e->clip) / 1e6);
    for (int i = 0; i < e->npages; i++)
        splits[i] = e->page[i].split;
    int rc = o->metrics ? report_training_read(&training, o->metrics) : 0;
    struct report page = {.model = o->model,
                          .model_summary = summary,
                          .dataset = o->data,
                          .split = o->split,
                          .prompt = e->prompt,
                          .date = date,
                          .version = DIHT_VERSION,
                          .splits = splits,
                          .nsplits = e->npages,
                          .training = o->metrics ? &training : NULL};
    if (!rc)
        rc = report_write(&page, o->html);
    if (!rc)
        log_info("page: %s", o->html);
    report_training_free(&training);
    return rc;
}

static int choose_preset(struct evaluation *e)
{
    const diht_eval_options *o = e->o;
    const struct preset *p = &presets[1];
    if (o->preset) {
        int i = 0;
        while (i < PRESETS && strcmp(presets[i].name, o->preset) != 0)
            i++;
        if (i == PRESETS)
            return FAIL(EUSAGE_, "--preset %s: diht, raw or gcc-report expected", o->preset);
        p = &presets[i];
    }
    e->prompt = o->prompt ? o->prompt : p->prompt;
    e->ranges = o->ranges ? o->ranges : p->ranges;
    return prompt_check(e->prompt);
}

// "a,b,c" one after the other; several give {"a": {...}, "b": {...}}.
static int evaluate_all(struct evaluation *e, struct buf *out)
{
    char *list = e->o->split ? strdup(e->o->split) : NULL, *save = NULL;
    if (e->o->split && !list)
        return FAIL(EMEMORY_, "out of memory");
    bool several = list && strchr(list, ',');
    int rc = 0, done = 0;
    if (!list)
        rc = evaluate(e, NULL, out);
    for (char *name = list ? strtok_r(list, ",", &save) : NULL; name && !rc; name = strtok_r(NULL, ",", &save)) {
        if (done == MAX_SPLITS) {
            rc = FAIL(EUSAGE_, "--split: at most %d at once", MAX_SPLITS);
            break;
        }
        struct buf one = {0};
        rc = evaluate(e, name, &one);
        while (several && e->o->json && one.len && one.at[one.len - 1] == '\n')
            one.at[--one.len] = 0;
        if (several && e->o->json)
            buf_fmt(out, "%s\"%s\": %s", done ? ", " : "{", name, one.at ? one.at : "null");
        else
            buf_fmt(out, "%s%s", done ? "\n" : "", one.at ? one.at : "");
        buf_free(&one);
        done++;
    }
    if (several && e->o->json)
        buf_str(out, "}\n");
    free(list);
    return rc ? rc : out->failed;
}

int eval_model(const diht_eval_options *o, char **result)
{
    struct evaluation e = {.o = o};
    struct buf out = {0};
    double start = clock_now();
    int rc = choose_preset(&e);
    if (!rc)
        rc = ctx_open(&e.ctx, F32, o->threads, NULL);
    if (!rc)
        rc = model_open(&e.clip, &e.tokenizer, e.ctx, o->model);
    if (!rc)
        rc = evaluate_all(&e, &out);
    if (!rc && o->html)
        rc = write_page(&e);
    if (!rc && e.excluded)
        log_info("%lld samples with the tag '%s' were left out", (long long)e.excluded, o->exclude_tag);
    if (!rc) {
        char memory[32];
        format_bytes(memory, (double)memory_peak());
        log_info("%.1f s, at most %s of memory", clock_now() - start, memory);
        rc = (*result = buf_steal(&out)) ? 0 : EMEMORY_;
    }
    for (int i = 0; i < e.npages; i++)
        page_split_free(&e.page[i]);
    for (int i = 0; i < e.nsources; i++)
        source_close(e.source[i]);
    buf_free(&out);
    tokenizer_close(e.tokenizer);
    clip_free(e.clip);
    ctx_close(e.ctx);
    return rc;
}
