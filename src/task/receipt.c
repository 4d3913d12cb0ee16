// SPDX-License-Identifier: Apache-2.0
#include "task/receipt.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "image/image.h"
#include "kernel/kernels.h"

enum { SHOWN = 100 };   // samples left out that the JSON names

static void put_text(struct buf *b, const char *name, const char *text)
{
    json_t *j = text ? json_string(text) : json_null();
    // what is no UTF-8 (a path may be anything) is told as its bytes
    json_t *bytes = j ? NULL : json_array();
    for (const char *p = text; bytes && p && *p; p++)
        json_array_append_new(bytes, json_integer((unsigned char)*p));
    char *said = json_dumps(j ? j : bytes, JSON_ENCODE_ANY);
    buf_fmt(b, "\"%s\": %s", name, said ? said : "null");
    if (!said)
        b->failed = FAIL(EMEMORY_, "out of memory");
    free(said);
    json_decref(j);
    json_decref(bytes);
}

// "model name : X" of this machine's first processor.
static void machine_name(char out[128])
{
    char line[256];
    FILE *f = fopen("/proc/cpuinfo", "r");
    snprintf(out, 128, "unknown");
    while (f && fgets(line, sizeof line, f)) {
        char *colon = strstr(line, "model name") == line ? strchr(line, ':') : NULL;
        if (!colon)
            continue;
        colon[strcspn(colon, "\n")] = 0;
        snprintf(out, 128, "%.127s", colon + 1 + strspn(colon + 1, " "));
        break;
    }
    if (f)
        fclose(f);
}

// Why a picture could not be used: asked again, so that nothing needs to be remembered.
static const char *ask_why(const struct source *s, int64_t i, struct buf *bytes)
{
    struct image im = {0};
    int rc = source_image(s, i, bytes);
    if (!rc)
        rc = image_decode(&im, bytes->at, bytes->len, 0);
    image_free(&im);
    return rc ? error_last() : "its picture could not be used";
}

struct listing {
    struct buf shown;    // JSON array's inside
    struct buf lines;
    int64_t count;
};

static void leave_out(struct listing *l, int64_t row, const char *key, const char *why)
{
    struct buf one = {0};
    buf_fmt(&one, "{\"row\": %" PRId64 ", ", row);
    put_text(&one, "key", key);
    buf_str(&one, ", ");
    put_text(&one, "why", why);
    buf_char(&one, '}');
    if (l->count++ < SHOWN)
        buf_fmt(&l->shown, "%s%s", l->count > 1 ? ", " : "", one.at ? one.at : "null");
    buf_fmt(&l->lines, "%s\n", one.at ? one.at : "null");
    buf_free(&one);
}

static void hash_sample(struct sha256 *h, const struct sample *x)
{
    char row[32];
    snprintf(row, sizeof row, "%" PRId64 " ", x->row);
    sha256_add(h, row, strlen(row));
    sha256_add(h, x->key, strlen(x->key) + 1);
    for (int k = 0; k < x->caption_count; k++)
        sha256_add(h, x->captions[k], strlen(x->captions[k]) + 1);
    sha256_add(h, "\n", 1);
}

// One walk over the samples: the list's hash, the hash of all pictures that were used, what was left out.
static int walk(struct listing *l, char list[SHA256_HEX], char bytes[SHA256_HEX], const struct source *s,
                const struct features *f)
{
    struct sha256 *a = sha256_new(), *b = sha256_new();
    struct buf picture = {0};
    int rc = a && b ? 0 : FAIL(EMEMORY_, "out of memory");
    for (int64_t i = 0; i < source_excluded_listed(s); i++) {
        int64_t row;
        const char *why = source_excluded_at(s, i, &row);
        leave_out(l, row, NULL, why);
    }
    for (int64_t i = 0, k = 0; i < source_count(s) && !rc; i++) {
        struct sample x;
        source_sample(s, i, &x);
        hash_sample(a, &x);
        if (k < f->n && f->index[k] == i) {
            rc = source_image(s, i, &picture);
            if (!rc)
                sha256_add(b, picture.at, picture.len);
            k++;
        } else {
            leave_out(l, x.row, x.key, ask_why(s, i, &picture));
        }
        log_progress("hashing %" PRId64 "/%" PRId64, i + 1, source_count(s));
        if (!rc && stop_requested())
            rc = FAIL(ESTOPPED_, "stopped while the receipt was made");
    }
    if (a)
        sha256_end(a, list);
    if (b)
        sha256_end(b, bytes);
    buf_free(&picture);
    return rc;
}

static void put_number(struct buf *b, const char *name, int64_t v) { buf_fmt(b, ", \"%s\": %" PRId64, name, v); }

int receipt_json(struct buf *out, const struct receipt *r, struct ctx *ctx, const struct source *s,
                 const struct features *f, const char *file)
{
    char list[SHA256_HEX] = "", bytes[SHA256_HEX] = "", machine[128];
    struct listing l = {.count = 0};
    int rc = walk(&l, list, bytes, s, f);
    if (!rc && file)
        rc = file_write(file, l.lines.at ? l.lines.at : "", l.lines.len);
    if (!rc) {
        machine_name(machine);
        buf_fmt(out, ", \"left_out\": {\"count\": %" PRId64 ", \"samples\": [%s]}", source_excluded(s) + f->bad,
                l.shown.at ? l.shown.at : "");
        buf_str(out, ", \"receipt\": {");
        put_text(out, "version", DIHT_VERSION);
        const struct { const char *name, *text; } texts[] = {
            {"kind", r->kind}, {"machine", machine}, {"isa", ctx_kernels(ctx)->isa},
            {"precision", r->precision ? r->precision : "fp32"}, {"model", r->model},
            {"model_config", r->as.config}, {"activation", r->as.activation}, {"model_sha256", r->model_hash}, {"vocabulary", r->vocab},
            {"vocabulary_sha256", r->vocabulary_hash}, {"data", r->data},
            {"split", r->split}, {"images", r->images}, {"list_sha256", list}, {"pictures_sha256", bytes},
            {"preset", r->preset}, {"prompt", r->prompt}, {"exclude_tag", r->exclude_tag},
            {"hubness", r->hubness},
            {"classnames", r->classnames}, {"templates", r->templates}, {"set", r->set},
            {"names_sha256", r->names_hash[0] ? r->names_hash : NULL},
        };
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {   // what was not given is null
            buf_str(out, ", ");
            put_text(out, texts[i].name, texts[i].text);
        }
        put_number(out, "head_width", r->as.head_width);
        put_number(out, "text_head_width", r->as.text_head_width);
        put_number(out, "image_size", r->as.image_size);
        put_number(out, "first_row", r->first);
        put_number(out, "last_row", r->last);
        put_number(out, "ranges", r->ranges);
        put_number(out, "resamples", r->resamples);
        put_number(out, "samples", source_count(s));
        buf_char(out, '}');
        rc = out->failed | l.shown.failed | l.lines.failed;
    }
    buf_free(&l.shown);
    buf_free(&l.lines);
    return rc;
}
