// SPDX-License-Identifier: Apache-2.0
// Captions, one a line, to token ids.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "model/clip.h"
#include "task/encode.h"
#include "task/input.h"
#include "task/models.h"
#include "task/task.h"

enum { CONTEXT_MAX = 1 << 16, FLUSH = 1 << 16 };

int vocabulary_open(struct tokenizer **out, const char *vocab, const char *model)
{
    if (vocab)
        return tokenizer_open(out, vocab);
    if (!model)
        return tokenizer_open_installed(out);
    struct ctx *ctx = NULL;
    struct clip *clip = NULL;
    char *path;
    int rc = model_find(&path, model);
    if (!rc)
        rc = ctx_open(&ctx, F32, 1, NULL);
    if (!rc)
        rc = model_open(&clip, out, ctx, path, NULL, &(diht_model_as){0});
    free(path);
    clip_free(clip);
    ctx_close(ctx);
    return rc;
}

// A number and what follows it: a third of the time goes here, so no printf.
static void put_id(struct buf *b, int32_t id, const char *after)
{
    char digits[12];
    int at = sizeof digits;
    do
        digits[--at] = (char)('0' + id % 10);
    while ((id /= 10) > 0);
    buf_add(b, digits + at, sizeof digits - (size_t)at);
    buf_str(b, after);
}

static void put_line(struct buf *b, const int32_t *ids, int n, const diht_tokenize_options *o)
{
    const char *comma = o->jsonl ? ", " : " ";
    if (o->jsonl)
        buf_str(b, "{\"ids\": [");
    for (int i = 0; i < o->context; i++)
        put_id(b, i < n ? ids[i] : 0, i + 1 < o->context ? comma : "");
    buf_str(b, o->jsonl ? "]}\n" : "\n");
}

struct lines {
    FILE *f;
    const char *name;
    char *line;
    size_t room;
    struct buf text, out;
};

static int run(struct lines *l, const struct tokenizer *t, struct token_scratch *s, int32_t *ids,
               const diht_tokenize_options *o, void (*write)(void *, const char *, size_t), void *user)
{
    ssize_t got;
    for (int64_t number = 1; (got = getline(&l->line, &l->room, l->f)) >= 0; number++) {
        size_t len = (size_t)got;
        const char *text = l->line;
        if (stop_requested())
            return FAIL(ESTOPPED_, "stopped before line %" PRId64, number);
        if (len && text[len - 1] == '\n')
            len--;
        if (o->jsonl) {
            int rc = json_line_text(&l->text, text, len);
            if (rc)
                return error_prefix(rc, "%s: line %" PRId64 ": ", l->name, number);
            text = l->text.len ? l->text.at : "";
            len = l->text.len;
        }
        int n = tokenizer_encode(t, s, text, len, ids, o->context);
        if (n < 0)
            return error_prefix(n, "%s: line %" PRId64 ": ", l->name, number);
        put_line(&l->out, ids, n, o);
        if (l->out.failed)
            return l->out.failed;
        if (l->out.len >= FLUSH) {
            write(user, l->out.at, l->out.len);
            buf_clear(&l->out);
        }
    }
    return ferror(l->f) ? FAIL(EIO_, "%s: reading failed: %s", l->name, strerror(errno)) : 0;
}

int task_tokenize(const diht_tokenize_options *o, void (*write)(void *, const char *, size_t), void *user)
{
    bool piped = !o->input || !strcmp(o->input, "-");
    struct lines l = {.f = piped ? stdin : NULL, .name = piped ? "standard input" : o->input};
    struct tokenizer *t = NULL;
    struct token_scratch *s = NULL;
    int32_t *ids = NULL;
    stop_clear();
    if (o->context < 2 || o->context > CONTEXT_MAX)
        return FAIL(EUSAGE_, "--context %d: 2 to %d expected", o->context, CONTEXT_MAX);
    if (o->vocab && o->model)
        return FAIL(EUSAGE_, "--vocab and --model both name merges: give one of them");
    int rc = vocabulary_open(&t, o->vocab, o->model);
    if (!rc && !l.f && !(l.f = fopen(o->input, "r")))
        rc = FAIL(error_from_errno(errno), "%s: cannot be opened: %s", o->input, strerror(errno));
    if (!rc) {
        s = token_scratch_new();
        ids = malloc((size_t)o->context * sizeof *ids);
        rc = s && ids ? run(&l, t, s, ids, o, write, user) : FAIL(EMEMORY_, "out of memory");
    }
    if (l.out.len)   // what was done is handed on before a failure is told
        write(user, l.out.at, l.out.len);
    if (l.f && !piped)
        fclose(l.f);
    free(l.line);
    free(ids);
    buf_free(&l.text);
    buf_free(&l.out);
    token_scratch_free(s);
    tokenizer_close(t);
    return rc;
}
