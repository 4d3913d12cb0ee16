// SPDX-License-Identifier: Apache-2.0
// A model, or several side by side, on data: one split after the other.
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "task/compute.h"
#include "task/eval.h"
#include "task/eval_page.h"
#include "task/hubness.h"
#include "task/models.h"
#include "task/receipt.h"

// How published tables were made; --prompt, --ranges and --rows override.
static const struct preset {
    const char *name, *prompt;
    int64_t ranges, rows;
} presets[] = {
    {"diht", "a photo of {}.", 0, 0},
    {"raw", NULL, 0, 0},
    {"gcc-report", "a photo of {}.", 2000, 14000},
};
enum { PRESETS = sizeof presets / sizeof *presets, MAX_SPLITS = 16, MAX_MODELS = 8, GROWTH = 24 };
enum { BOOTSTRAP_SEED = 20230105 };

// The released file that the published table of ranges was made with.
static const char vitl14_336px[] = "4864afccc0f28d5bbc24444672789cfe23320ada5980b730c915defcebe52e4c";

struct ranks {                                // of one model on one split, for the comparison
    struct recall_rank *i2t, *t2i;
    int64_t n, m;
    struct recall_pair figures;
    double gain[2][3];                        // R@1 over the first model, and its interval: i2t, t2i; fractions
};

struct evaluation {
    const diht_eval_options *o;
    const char *prompt, *precision;
    int64_t ranges, first, last;
    char *keep;                               // directory for features, NULL: none
    struct ctx *ctx;
    struct clip *clip;
    struct tokenizer *tokenizer;
    struct receipt receipt;
    char model_identity[SHA256_HEX];
    struct source *source[MAX_SPLITS];        // kept for the page: it borrows their captions
    struct page_split page[2 * MAX_SPLITS];
    int nsources, npages;
    int64_t excluded;                         // samples left out for --exclude-tag
    int model, split;                         // being evaluated
    char split_name[MAX_SPLITS][128];
    struct ranks ranks[MAX_MODELS][MAX_SPLITS];
    char summary[256];                        // of the first model, for the page
    int64_t range_row, range_image;           // first row and image of the range that is being filled
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
    for (int64_t r = e->first / e->ranges; r < all; r++) {
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
        label[g++] = r * e->ranges > e->first ? r * e->ranges : e->first;
    }
    cut[g] = f->n;
    label[g] = source_rows(s);
    in->cut = cut;
    in->cut_label = label;
    in->galleries = g;
    *memory = cut;
    return 0;
}

// A range's figures while the next ones are still being encoded.
static int tell_range(struct evaluation *e, const struct features *f, int64_t from, int64_t to, int64_t row)
{
    int64_t m = 0, n = to - from;
    for (int64_t i = from; i < to; i++)
        m += f->first_text[f->index[i] + 1] - f->first_text[f->index[i]];
    float *texts = malloc((size_t)(m * f->d) * sizeof *texts);
    int64_t *map = malloc((size_t)m * sizeof *map), at = 0;
    struct recall_result r = {0};
    int rc = texts && map ? 0 : FAIL(EMEMORY_, "out of memory: a range of %" PRId64 " captions", m);
    for (int64_t i = from; i < to && !rc; i++)
        for (int64_t k = f->first_text[f->index[i]]; k < f->first_text[f->index[i] + 1]; k++) {
            memcpy(texts + at * f->d, f->texts + k * f->d, (size_t)f->d * sizeof *texts);
            map[at++] = i - from;
        }
    struct recall_input in = {
        .images = f->images + from * f->d, .texts = texts, .n = n, .m = m, .d = f->d, .txt2img = map};
    if (!rc)
        rc = recall_measure(&r, e->ctx, &in);
    if (!rc)
        log_info("rows %" PRId64 "-%" PRId64 ": %" PRId64 " live, T2I %.1f, I2T %.1f", row, row + e->ranges, n,
                 100 * r.rule[TIES_EXPECTED].t2i.r1, 100 * r.rule[TIES_EXPECTED].i2t.r1);
    recall_free(&r);
    free(texts);
    free(map);
    return rc;
}

static int on_images(void *user, const struct features *f)
{
    struct evaluation *e = user;
    const struct source *s = e->source[e->split];
    int rc = 0;
    for (int64_t i = e->range_image; i < f->n && !rc; i++) {
        struct sample x;
        source_sample(s, f->index[i], &x);
        if (x.row < e->range_row + e->ranges)
            continue;
        if (i > e->range_image)
            rc = tell_range(e, f, e->range_image, i, e->range_row);
        e->range_image = i;
        e->range_row = x.row / e->ranges * e->ranges;
    }
    return rc;
}

// --hubness, on a copy: the page and another measurement see the features as they are.
static int correct(struct evaluation *e, struct features *to, const struct features *f, struct recall_input *in)
{
    *to = (struct features){.n = f->n, .m = f->m, .d = f->d};
    to->images = malloc((size_t)(f->n * f->d) * sizeof *to->images);
    to->texts = malloc((size_t)(f->m * f->d) * sizeof *to->texts);
    to->txt2img = malloc((size_t)f->m * sizeof *to->txt2img);
    if (!to->images || !to->texts || !to->txt2img)
        return FAIL(EMEMORY_, "out of memory: --hubness %s", e->o->hubness);
    memcpy(to->images, f->images, (size_t)(f->n * f->d) * sizeof *to->images);
    memcpy(to->texts, f->texts, (size_t)(f->m * f->d) * sizeof *to->texts);
    memcpy(to->txt2img, f->txt2img, (size_t)f->m * sizeof *to->txt2img);
    int rc = hubness_apply(to, e->ctx, e->o->hubness, exp(-clip_logit_scale(e->clip)), in->cut, in->galleries);
    in->images = to->images;
    in->texts = to->texts;
    in->d = to->d;
    return rc;
}

static int measure(struct evaluation *e, const struct source *s, const struct features *f, const char *name,
                   struct recall_result *r)
{
    int64_t *cut = NULL;
    bool page = e->o->html && e->model == 0;
    struct recall_input in = {.images = f->images,
                              .texts = f->texts,
                              .n = f->n,
                              .m = f->m,
                              .d = f->d,
                              .txt2img = f->txt2img,
                              .resamples = e->o->resamples,
                              .seed = BOOTSTRAP_SEED,
                              .growth = page && !e->ranges ? GROWTH : 0};
    int rc = f->n ? cut_ranges(e, s, f, &in, &cut)
                  : FAIL(EMISSING_, "split %s: every sample carries the tag '%s'", name, e->o->exclude_tag);
    struct features corrected = {0};
    if (!rc && e->o->hubness)
        rc = correct(e, &corrected, f, &in);
    if (!rc)
        rc = recall_measure(r, e->ctx, &in);
    features_free(&corrected);
    free(cut);
    if (!rc && page) {
        struct page_split *p = &e->page[e->npages++];
        snprintf(p->name, sizeof p->name, "%s", name);
        rc = page_split_make(p, e->ctx, s, f, r);
    }
    return rc;
}

static int open_source(struct evaluation *e, const char *split)
{
    const diht_eval_options *o = e->o;
    if (e->model > 0)   // the first model opened it
        return 0;
    struct source_options so = {.split = split, .images = o->images, .first = e->first, .last = e->last};
    int rc = source_open_with(&e->source[e->nsources], o->data, &so);
    e->nsources += !rc;
    return rc;
}

static int evaluate(struct evaluation *e, const char *split, struct buf *out)
{
    const diht_eval_options *o = e->o;
    struct features f = {0};
    struct recall_result r = {0};
    char name[128];
    snprintf(name, sizeof name, "%s", split ? split : "all");
    int rc = open_source(e, split);
    if (rc)
        return rc;
    struct source *s = e->source[e->split];
    e->range_row = e->first;
    e->range_image = 0;
    e->receipt.split = split;
    rc = features_encode(&f, e->clip, e->tokenizer, s,
                         &(struct features_options){.prompt = e->prompt, .batch = o->batch, .keep = e->keep,
                                                    .loaders = o->loaders ? o->loaders : o->threads,
                                                    .precision = e->precision,
                                                    .model_hash = e->model_identity,
                                                    .vocabulary = e->receipt.vocabulary_hash,
                                                    .each = e->ranges ? on_images : NULL, .user = e});
    if (!rc && (f.bad || source_excluded(s)))
        log_warn("split %s: %lld samples could not be used and are left out", name,
                 (long long)(f.bad + source_excluded(s)));
    struct buf receipt = {0};
    if (!rc && (o->json || o->left_out))
        rc = receipt_json(&receipt, &e->receipt, e->ctx, s, &f, o->left_out);
    if (!rc && o->exclude_tag && o->html)   // the page shows both
        rc = measure(e, s, &f, name, &r);
    if (!rc && o->exclude_tag) {
        recall_free(&r);
        int64_t before = f.n;
        features_keep(&f, s, lacks_tag, o->exclude_tag);
        e->excluded += before - f.n;
        snprintf(name, sizeof name, "%.80s without %.30s", split ? split : "all", o->exclude_tag);
    }
    if (!rc)
        rc = measure(e, s, &f, name, &r);
    if (!rc && !o->json && o->hubness)
        buf_fmt(out, "scores corrected by %s: not to be compared with plain figures\n", o->hubness);
    if (!rc && o->json) {
        buf_char(out, '{');
        recall_json_members(out, &r);
        buf_fmt(out, "%s}\n", receipt.at ? receipt.at : "");
    } else if (!rc && r.range) {
        bool published = strcmp(e->receipt.model_hash, vitl14_336px) == 0 && e->prompt && e->ranges == 2000;
        buf_fmt(out, "%s:\n", name);
        recall_report_table(out, r.range, r.galleries, published);
    } else if (!rc) {
        buf_fmt(out, "%s:\n", name);
        recall_table(out, &r);
    }
    if (!rc) {   // the ranks move to the comparison
        snprintf(e->split_name[e->split], sizeof *e->split_name, "%s", name);
        e->ranks[e->model][e->split] = (struct ranks){r.i2t, r.t2i, r.n, r.m, .figures = r.rule[TIES_EXPECTED]};
        r.i2t = r.t2i = NULL;
        rc = out->failed;
    }
    buf_free(&receipt);
    recall_free(&r);
    features_free(&f);
    return rc;
}

// The first model's sizes in words.
static void summarise(struct evaluation *e)
{
    const struct config *c = clip_config(e->clip);
    snprintf(e->summary, sizeof e->summary,
             "image %d px / %d, %d wide, %d layer%s; text %d wide, %d layer%s; embedding %d; %.2f M parameters",
             c->vision.image_size, c->vision.patch_size, c->vision.width, c->vision.layers, c->vision.layers == 1 ? "" : "s",
             c->text.width, c->text.layers, c->text.layers == 1 ? "" : "s", c->embed_dim,
             (double)clip_parameters(e->clip) / 1e6);
}

static int fill_rivals(const struct evaluation *e, int models, struct report_rival *to)
{
    int n = 0;
    for (int s = 0; s < e->split && models > 1; s++)
        for (int k = 0; k < models; k++) {
            const struct ranks *r = &e->ranks[k][s];
            struct report_rival *v = &to[n++];
            *v = (struct report_rival){.split = e->split_name[s], .model = e->o->models[k],
                                       .i2t = page_recall(&r->figures.i2t), .t2i = page_recall(&r->figures.t2i)};
            for (int d = 0; d < 2; d++) {
                v->gain[d] = k ? 100 * r->gain[d][0] : NAN;
                v->low[d] = k ? 100 * r->gain[d][1] : NAN;
                v->high[d] = k ? 100 * r->gain[d][2] : NAN;
            }
        }
    return n;
}

static int write_page(struct evaluation *e, int models)
{
    const diht_eval_options *o = e->o;
    struct report_split splits[2 * MAX_SPLITS];
    struct report_rival rivals[MAX_MODELS * MAX_SPLITS];
    struct report_training training = {0};
    char date[32];
    time_t now = time(NULL);
    struct tm tm;
    strftime(date, sizeof date, "%Y-%m-%d", gmtime_r(&now, &tm));
    for (int i = 0; i < e->npages; i++)
        splits[i] = e->page[i].split;
    int rc = o->metrics ? report_training_read(&training, o->metrics) : 0;
    struct report page = {.model = o->models[0],
                          .model_summary = e->summary,
                          .dataset = o->data,
                          .split = o->split,
                          .prompt = e->prompt,
                          .date = date,
                          .version = DIHT_VERSION,
                          .splits = splits,
                          .nsplits = e->npages,
                          .rivals = rivals,
                          .nrivals = fill_rivals(e, models, rivals),
                          .training = o->metrics ? &training : NULL};
    if (!rc)
        rc = report_write(&page, o->html);
    if (!rc)
        log_info("page: %s", o->html);
    report_training_free(&training);
    return rc;
}

// "A:B", either of them may be missing.
static int parse_rows(const char *text, int64_t *first, int64_t *last)
{
    char *end;
    const char *colon = strchr(text, ':');
    *first = colon == text ? 0 : strtoll(text, &end, 10);
    bool good = colon && (colon == text || end == colon);
    *last = colon && colon[1] ? strtoll(colon + 1, &end, 10) : 0;
    good = good && (!colon[1] || !*end) && *first >= 0 && (!colon[1] || *last > *first);
    return good ? 0 : FAIL(EUSAGE_, "--rows %s: A:B expected, rows A to B-1 of the list, B above A", text);
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
    e->last = p->rows;
    int rc = o->rows ? parse_rows(o->rows, &e->first, &e->last) : 0;
    if (!rc)
        rc = hubness_check(o->hubness);
    return rc ? rc : prompt_check(e->prompt);
}

// "a,b,c" one after the other; several give {"a": {...}, "b": {...}}.
static int evaluate_splits(struct evaluation *e, struct buf *out)
{
    char *list = e->o->split ? strdup(e->o->split) : NULL, *save = NULL;
    if (e->o->split && !list)
        return FAIL(EMEMORY_, "out of memory");
    bool several = list && strchr(list, ',');
    int rc = 0;
    e->split = 0;
    if (!list)
        rc = evaluate(e, NULL, out);
    for (char *name = list ? strtok_r(list, ",", &save) : NULL; name && !rc; name = strtok_r(NULL, ",", &save)) {
        if (e->split == MAX_SPLITS) {
            rc = FAIL(EUSAGE_, "--split: at most %d at once", MAX_SPLITS);
            break;
        }
        struct buf one = {0};
        rc = evaluate(e, name, &one);
        while (several && e->o->json && one.len && one.at[one.len - 1] == '\n')
            one.at[--one.len] = 0;
        if (several && e->o->json)
            buf_fmt(out, "%s\"%s\": %s", e->split ? ", " : "{", name, one.at ? one.at : "null");
        else
            buf_fmt(out, "%s%s", e->split ? "\n" : "", one.at ? one.at : "");
        buf_free(&one);
        e->split++;
    }
    e->split += !list;
    if (several && e->o->json)
        buf_str(out, "}\n");
    free(list);
    return rc ? rc : out->failed;
}

static int open_model(struct evaluation *e, const char *path)
{
    int rc = model_open(&e->clip, &e->tokenizer, e->ctx, path, e->o->vocab, &e->o->as);
    if (rc)
        return rc;
    const char *merges = tokenizer_merges(e->tokenizer);
    e->receipt = (struct receipt){
        .kind = "retrieval", .model = path, .vocab = e->o->vocab, .data = e->o->data, .images = e->o->images,
        .preset = e->o->preset, .precision = e->precision, .prompt = e->prompt, .hubness = e->o->hubness,
        .exclude_tag = e->o->exclude_tag, .first = e->first, .last = e->last, .ranges = e->ranges,
        .resamples = e->o->resamples, .as = e->o->as};
    sha256_hex(e->receipt.vocabulary_hash, merges, strlen(merges));
    rc = sha256_file(e->receipt.model_hash, path);
    return rc ? rc : model_identity(e->model_identity, e->receipt.model_hash, e->clip);
}

static void close_model(struct evaluation *e)
{
    tokenizer_close(e->tokenizer);
    clip_free(e->clip);
    e->tokenizer = NULL;
    e->clip = NULL;
}

// Every later model against the first, query by query.
static int gains(struct evaluation *e, int models)
{
    int rc = 0, resamples = e->o->resamples;
    for (int k = 1; k < models && !rc; k++)
        for (int s = 0; s < e->split && !rc; s++) {
            const struct ranks *a = &e->ranks[0][s];
            struct ranks *b = &e->ranks[k][s];
            double *i2t = b->gain[0], *t2i = b->gain[1];
            if (a->n != b->n || a->m != b->m)
                return FAIL(EFORMAT_, "%s: the pictures changed between the models", e->o->data);
            rc = recall_paired(&i2t[0], &i2t[1], &i2t[2], a->i2t, b->i2t, a->n, resamples, BOOTSTRAP_SEED);
            if (!rc)
                rc = recall_paired(&t2i[0], &t2i[1], &t2i[2], a->t2i, b->t2i, a->m, resamples, BOOTSTRAP_SEED + 1);
        }
    return rc;
}

static void gains_json(const struct evaluation *e, int models, struct buf *out)
{
    buf_str(out, ", \"paired\": [");
    for (int k = 1; k < models; k++)
        for (int s = 0; s < e->split; s++) {
            buf_fmt(out, "%s{\"model\": %d, \"split\": \"%s\"", k + s > 1 ? ", " : "", k, e->split_name[s]);
            for (int i = 0; i < 2; i++) {
                const double *d = e->ranks[k][s].gain[i];
                buf_fmt(out, ", \"%s\": {\"r1_gain\": %.17g, ", i ? "t2i" : "i2t", 100 * d[0]);
                if (isfinite(d[1]))
                    buf_fmt(out, "\"low\": %.17g, \"high\": %.17g}", 100 * d[1], 100 * d[2]);
                else
                    buf_str(out, "\"low\": null, \"high\": null}");
            }
            buf_char(out, '}');
        }
    buf_char(out, ']');
}

// A line a model under each split.
static void gains_table(const struct evaluation *e, int models, struct buf *out)
{
    enum { GAIN = 28 };
    int wide = 0;
    for (int k = 0; k < models; k++)
        wide = (int)strlen(e->o->models[k]) > wide ? (int)strlen(e->o->models[k]) : wide;
    wide = wide > 72 ? 72 : wide;
    buf_str(out, "\nR@1 in percent side by side, and its difference to the first model's in points (95 % interval):\n");
    for (int s = 0; s < e->split; s++) {
        buf_fmt(out, "%-*s  %-*s  %s\n", wide, e->split_name[s], GAIN + 7, "image to text", "text to image");
        for (int k = 0; k < models; k++) {
            const struct ranks *r = &e->ranks[k][s];
            buf_fmt(out, "%-*s", wide, e->o->models[k]);
            for (int i = 0; i < 2; i++) {
                const double *d = r->gain[i];
                char gain[GAIN + 1] = "";
                if (k && isfinite(d[1]))
                    snprintf(gain, sizeof gain, "%+.1f (%+.1f to %+.1f)", 100 * d[0], 100 * d[1], 100 * d[2]);
                else if (k)
                    snprintf(gain, sizeof gain, "%+.1f", 100 * d[0]);
                buf_fmt(out, "  %5.1f%s%-*s", 100 * (i ? r->figures.t2i.r1 : r->figures.i2t.r1), k ? "  " : "",
                        i ? 0 : k ? GAIN : GAIN + 2, gain);
            }
            buf_char(out, '\n');
        }
    }
}

static int evaluate_models(struct evaluation *e, int models, struct buf *out)
{
    const diht_eval_options *o = e->o;
    int rc = 0;
    if (models > 1 && o->json)
        buf_str(out, "{\"models\": [");
    for (e->model = 0; e->model < models && !rc; e->model++) {
        rc = open_model(e, o->models[e->model]);
        if (!rc && models > 1 && o->json)
            buf_str(out, e->model ? ", " : "");
        else if (!rc && models > 1)
            buf_fmt(out, "%s%s\n", e->model ? "\n" : "", o->models[e->model]);
        if (!rc)
            rc = evaluate_splits(e, out);
        while (models > 1 && o->json && out->len && out->at[out->len - 1] == '\n')
            out->at[--out->len] = 0;
        if (!rc && e->model == 0)
            summarise(e);
        close_model(e);
    }
    if (!rc)
        rc = gains(e, models);
    if (!rc && models > 1 && o->json) {
        buf_char(out, ']');
        gains_json(e, models, out);
        buf_str(out, "}\n");
    } else if (!rc && models > 1) {
        gains_table(e, models, out);
    }
    if (!rc && o->html)
        rc = write_page(e, models);
    return rc ? rc : out->failed;
}

static int eval_files(const diht_eval_options *o, char **result)
{
    struct evaluation *e = calloc(1, sizeof *e);
    struct buf out = {0};
    double start = clock_now();
    int models = 0;
    if (!e)
        return FAIL(EMEMORY_, "out of memory");
    e->o = o;
    while (o->models[models])
        models++;
    int rc = choose_preset(e);
    if (!rc)
        rc = features_place(&e->keep, o->keep, o->data);
    if (!rc && e->keep)
        log_debug("features are kept in %s", e->keep);
    if (!rc)
        rc = compute_open(&e->ctx, &e->precision, o->threads, o->precision, false);
    if (!rc)
        rc = evaluate_models(e, models, &out);
    if (!rc && e->excluded)
        log_info("%lld samples with the tag '%s' were left out", (long long)e->excluded / models, o->exclude_tag);
    if (!rc) {
        char memory[32];
        format_bytes(memory, (double)memory_peak());
        log_info("%.1f s, at most %s of memory", clock_now() - start, memory);
        rc = (*result = buf_steal(&out)) ? 0 : EMEMORY_;
    }
    close_model(e);
    for (int i = 0; i < e->npages; i++)
        page_split_free(&e->page[i]);
    for (int i = 0; i < e->nsources; i++)
        source_close(e->source[i]);
    for (int k = 0; k < MAX_MODELS * MAX_SPLITS; k++) {
        free(e->ranks[k / MAX_SPLITS][k % MAX_SPLITS].i2t);
        free(e->ranks[k / MAX_SPLITS][k % MAX_SPLITS].t2i);
    }
    buf_free(&out);
    ctx_close(e->ctx);
    free(e->keep);
    free(e);
    return rc;
}

int eval_model(const diht_eval_options *o, char **result)
{
    char *paths[MAX_MODELS + 1] = {NULL};
    diht_eval_options found = *o;
    int n = 0, rc = 0;
    for (; o->models[n] && !rc; n++)
        rc = n < MAX_MODELS ? model_find(&paths[n], o->models[n]) : FAIL(EUSAGE_, "--model: at most %d at once", MAX_MODELS);
    found.models = (const char **)paths;
    if (!rc)
        rc = eval_files(&found, result);
    for (int i = 0; i < MAX_MODELS; i++)
        free(paths[i]);
    return rc;
}
