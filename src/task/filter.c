// SPDX-License-Identifier: Apache-2.0
// Rows are taken in batches, judged by all threads, put in order and committed.
#include "task/filter.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/threads.h"

enum {
    BATCH = 4096,
    SPOT_BATCH = 128,   // what a kill may cost: pictures take a tenth of a second each
    PIECE = 64,
};

// A row with strings of its own.
struct slot {
    struct filter_row row;
    struct buf strings;
    const char **captions;
    int room;
    struct judged judged;
    struct buf text;           // of judged
    int rc;
    char *sentence;
};

struct batch {
    struct filter_judge *judge;
    struct slot *slot;         // [most]
    int64_t n, most, piece;
};

static void put_text(struct buf *b, const char *text)
{
    if (text)
        buf_add(b, text, strlen(text) + 1);
}

// Strings lie one behind the other in the order in which they are put; `text` moves to its copy.
static void find_text(const char **text, char **at)
{
    if (!*text)
        return;
    *text = *at;
    *at += strlen(*at) + 1;
}

static int copy_row(struct slot *s, const struct filter_row *row)
{
    s->row = *row;
    if (row->caption_count > s->room) {
        const char **more = realloc(s->captions, (size_t)row->caption_count * sizeof *more);
        if (!more)
            return FAIL(EMEMORY_, "out of memory");
        s->captions = more;
        s->room = row->caption_count;
    }
    const char **texts[] = {&s->row.key, &s->row.url, &s->row.tags, &s->row.split, &s->row.format, &s->row.extra,
                            &s->row.picture, &s->row.known.reason, &s->row.known.spotted, &s->row.known.spotter};
    enum { TEXTS = sizeof texts / sizeof *texts };
    buf_clear(&s->strings);
    for (int i = 0; i < TEXTS; i++)
        put_text(&s->strings, *texts[i]);
    for (int i = 0; i < row->caption_count; i++)
        put_text(&s->strings, row->captions[i]);
    if (s->strings.failed)
        return FAIL(EMEMORY_, "out of memory");
    char *at = s->strings.at;
    for (int i = 0; i < TEXTS; i++)
        find_text(texts[i], &at);
    for (int i = 0; i < row->caption_count; i++) {
        s->captions[i] = "";   // anything but NULL
        find_text(&s->captions[i], &at);
    }
    s->row.captions = s->captions;
    return 0;
}

static void judge_piece(void *arg, int64_t piece, int worker)
{
    struct batch *b = arg;
    for (int64_t i = piece * b->piece; i < b->n && i < (piece + 1) * b->piece; i++) {
        struct slot *s = &b->slot[i];
        s->rc = stop_requested() ? ESTOPPED_ : filter_judge_row(b->judge, worker, &s->row, &s->judged, &s->text);
        if (s->rc && s->rc != ESTOPPED_)
            s->sentence = strdup(error_last());
    }
}

// The first row that could not be judged, in the order of rows.
static int first_failure(const struct batch *b, int64_t *judged)
{
    for (int64_t i = 0; i < b->n; i++)
        if (b->slot[i].rc) {
            *judged = i;
            return b->slot[i].rc == ESTOPPED_ ? FAIL(ESTOPPED_, "stopped: the same command goes on from here")
                                              : error_adopt(b->slot[i].rc, b->slot[i].sentence ? b->slot[i].sentence
                                                                                              : "out of memory");
        }
    *judged = b->n;
    return 0;
}

static void say_progress(int64_t rows, int64_t kept, double seconds, double share)
{
    char left[32] = "";
    if (share > 0.001 && share < 1)
        format_seconds(left, seconds * (1 - share) / share);
    log_progress("filter: %" PRId64 " rows, %.0f a second, %.1f %% kept%s%s", rows, (double)rows / (seconds + 1e-9),
                 rows ? 100. * (double)kept / (double)rows : 0, *left ? ", left " : "", left);
}

static int unmet_columns(const struct filter_judge *j, const diht_filter_options *o)
{
    char *unmet = filter_judge_unmet(j);
    int rc = !unmet ? FAIL(EMEMORY_, "out of memory")
             : *unmet ? FAIL(EUSAGE_, "--where: no row of %s so far has a column %s", o->data, unmet) : 0;
    free(unmet);
    return rc;
}

static int judge_all(const diht_filter_options *o, struct filter_judge *j, struct filter_data *d, struct pool *pool,
                     int64_t *rows)
{
    struct batch b = {.judge = j, .most = o->spot ? SPOT_BATCH : BATCH, .piece = o->spot ? 1 : PIECE};
    int64_t kept = 0;
    double start = clock_now();
    int rc = 0;
    b.slot = calloc((size_t)b.most, sizeof *b.slot);
    if (!b.slot)
        return FAIL(EMEMORY_, "out of memory");
    do {
        struct filter_row row;
        int64_t judged = 0;
        int failed;
        for (b.n = 0; b.n < b.most && (rc = filter_data_next(d, &row)) == 1; b.n++)
            if ((rc = copy_row(&b.slot[b.n], &row)) != 0)
                break;
        if (rc < 0)
            break;
        pool_run(pool, (b.n + b.piece - 1) / b.piece, judge_piece, &b);
        rc = failed = first_failure(&b, &judged);
        if (!rc && *rows == 0 && b.n)
            rc = failed = unmet_columns(j, o);
        if (failed == EUSAGE_)
            break;
        // what was judged before a failure or a stop is kept
        for (int64_t i = 0; i < judged && rc == failed; i++) {
            int put = filter_data_put(d, &b.slot[i].row, &b.slot[i].judged);
            rc = put ? put : rc;
            kept += strcmp(b.slot[i].judged.reason, filter_steps[STEP_KEPT]) == 0;
        }
        *rows += judged;
        if (rc == failed) {
            int stored = filter_data_commit(d);
            rc = stored ? stored : rc;
        }
        say_progress(*rows, kept, clock_now() - start, filter_data_share(d));
    } while (!rc && b.n);
    for (int64_t i = 0; i < b.most; i++) {
        buf_free(&b.slot[i].strings);
        buf_free(&b.slot[i].text);
        free(b.slot[i].captions);
        free(b.slot[i].sentence);
    }
    free(b.slot);
    return rc ? rc : filter_data_end(d);
}

static int tell(const diht_filter_options *o, const struct funnel *f, const char *settings, const char *verdicts, int64_t rows,
                double seconds, char **result)
{
    struct buf b = {0};
    if (o->json) {
        buf_char(&b, '{');
        filter_funnel_json(&b, f);
        buf_str(&b, ", \"settings\": ");
        json_text(&b, settings, strlen(settings));
        buf_str(&b, ", \"verdicts\": ");
        json_text(&b, verdicts, strlen(verdicts));
        buf_fmt(&b, ", \"judged\": %" PRId64 ", \"seconds\": %.3f, \"rows_per_second\": %.0f}\n", rows, seconds,
                seconds > 0 ? (double)rows / seconds : 0);
    } else {
        filter_funnel_table(&b, f, o);
        buf_fmt(&b, "\nverdicts in %s\n", verdicts);
    }
    *result = buf_steal(&b);
    return *result ? 0 : FAIL(EMEMORY_, "out of memory");
}

int task_filter(const diht_filter_options *o, char **result)
{
    struct filter_judge *judge = NULL;
    struct filter_data *data = NULL;
    struct pool *pool = NULL;
    struct buf settings = {0};
    struct funnel funnel = {0};
    char *verdicts = NULL;
    int64_t rows = 0;
    double start, seconds;
    stop_clear();
    *result = NULL;
    if (!o->data)
        return FAIL(EUSAGE_, "what to filter is not given: a dataset or a list");
    int rc = filter_judge_open(&judge, o);
    if (!rc)
        rc = filter_judge_settings(judge, &settings);
    if (!rc)
        rc = filter_data_open(&data, o, settings.at, false);
    if (!rc && o->out && !filter_data_is_list(data))
        rc = FAIL(EUSAGE_, "--out writes the kept rows of a list; a dataset keeps its verdicts itself: diht train %s --kept",
                  o->data);
    start = clock_now();
    if (!rc) {
        pool = pool_new(filter_judge_threads(judge), NULL);
        verdicts = strdup(filter_data_verdicts(data));
        rc = pool && verdicts ? judge_all(o, judge, data, pool, &rows) : FAIL(EMEMORY_, "out of memory");
    }
    seconds = clock_now() - start;
    filter_data_close(data);
    if (!rc)
        rc = filter_report(o, settings.at, &funnel);
    if (!rc)
        rc = tell(o, &funnel, settings.at, verdicts, rows, seconds, result);
    pool_free(pool);
    filter_judge_close(judge);
    buf_free(&settings);
    free(verdicts);
    return rc;
}
