// SPDX-License-Identifier: Apache-2.0
// Byte-pair merges from the captions of a dataset or list.
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "data/source.h"
#include "model/learn.h"
#include "model/tokenizer.h"
#include "task/task.h"

static int count_words(struct learner *l, const struct source *s, bool tags, int64_t *captions)
{
    int64_t n = source_count(s);
    for (int64_t i = 0; i < n; i++) {
        struct sample sample;
        source_sample(s, i, &sample);
        int rc = 0;
        for (int k = 0; k < sample.caption_count && !rc; k++, ++*captions)
            rc = learner_add(l, sample.captions[k], strlen(sample.captions[k]));
        if (!rc && tags)
            rc = learner_add(l, sample.tags, strlen(sample.tags));
        if (rc)
            return rc;
        if (i % 4096 == 4095) {
            if (stop_requested())
                return FAIL(ESTOPPED_, "stopped while counting words; nothing was written");
            log_progress("words: %" PRId64 " of %" PRId64 " samples", i + 1, n);
        }
    }
    return 0;
}

static int progress(void *user, int done)
{
    if (stop_requested())
        return FAIL(ESTOPPED_, "stopped after %d merges; nothing was written", done);
    log_progress("merges: %d of %d", done, *(const int *)user);
    return 0;
}

static char *summary(const diht_vocab_options *o, const struct learner *l, int64_t captions, int merges, double seconds)
{
    if (o->json) {
        json_t *j = json_pack("{s:I, s:I, s:I, s:i, s:i, s:f, s:s}", "captions", (json_int_t)captions, "words",
                              (json_int_t)learner_words(l), "distinct", (json_int_t)learner_distinct(l), "merges",
                              merges, "vocabulary", 514 + merges, "seconds", seconds, "out", o->out);
        char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
        json_decref(j);
        struct buf line = {0};
        if (text)
            buf_fmt(&line, "%s\n", text);
        free(text);
        return text ? buf_steal(&line) : NULL;
    }
    struct buf b = {0};
    buf_fmt(&b, "captions        %" PRId64 "\nwords           %" PRId64 "\ndifferent words %" PRId64 "\n", captions,
            learner_words(l), learner_distinct(l));
    buf_fmt(&b, "merges          %d\nvocabulary      %d   (256 bytes, 256 bytes that end a word, merges, start, end)\n",
            merges, 514 + merges);
    buf_fmt(&b, "written to      %s\n", o->out);
    return buf_steal(&b);
}

int task_vocab(const diht_vocab_options *o, char **result)
{
    if (o->merges < 0 || o->merges > TOKENIZER_MERGES_MAX)
        return FAIL(EUSAGE_, "merges is %d; it must be 0 to %d", o->merges, TOKENIZER_MERGES_MAX);
    double start = clock_now();
    int64_t captions = 0;
    int merges = 0;
    struct source *source = NULL;
    struct buf text = {0};
    struct learner *l = learner_new();
    int rc = l ? source_open_with(&source, o->data, &(struct source_options){.split = o->split, .kept = o->kept}) : EMEMORY_;
    if (!rc)
        rc = count_words(l, source, o->tags, &captions);
    if (!rc) {
        merges = learner_run(l, o->merges, &text, progress, (void *)&o->merges);
        rc = merges < 0 ? merges : 0;
    }
    if (!rc && merges < o->merges)
        log_warn("%s: only %d merges of the %d asked for: no other pair of symbols occurs twice", o->data, merges,
                 o->merges);
    if (!rc)
        rc = file_write(o->out, text.at, text.len);
    if (!rc && !(*result = summary(o, l, captions, merges, clock_now() - start)))
        rc = FAIL(EMEMORY_, "out of memory");
    buf_free(&text);
    learner_free(l);
    source_close(source);
    return rc;
}
