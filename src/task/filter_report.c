// SPDX-License-Identifier: Apache-2.0
// What the verdicts come to: the funnel, the kept rows as a list, examples of each step for a person's eyes.
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/rng.h"
#include "caption/boilerplate.h"
#include "data/list.h"
#include "data/shard.h"
#include "image/encode.h"
#include "image/probe.h"
#include "spot/lines.h"
#include "task/filter.h"
#include "task/parse.h"

enum { THUMBNAIL = 240 };

// A row drawn at random: those of the smallest draws stay.
struct drawn {
    uint64_t draw;
    char *key, *caption, *picture, *spotted;
    int64_t offset, bytes;
    int complexity, actions, matched;
    double ratio;
    // for the page
    struct buf thumbnail, reading;
    char *note;
    struct spot_lines lines;
    struct filter_box *boxes;
    int width, height;
};

struct report_job {
    const diht_filter_options *o;
    struct funnel *f;
    struct drawn *drawn[STEPS];   // each o->examples of room
    int ndrawn[STEPS];
    struct atomic_file kept;
    bool writes;
};

static void drawn_free(struct drawn *d)
{
    free(d->key);
    free(d->caption);
    free(d->picture);
    free(d->spotted);
    free(d->note);
    free(d->boxes);
    buf_free(&d->thumbnail);
    buf_free(&d->reading);
    spot_lines_free(&d->lines);
    *d = (struct drawn){0};
}

// --- going through the rows -----------------------------------------------------------------------------------------------

static void count(struct funnel *f, const struct filter_row *row, int step)
{
    f->rows++;
    f->step[step]++;
    if (row->known.complexity >= 0)
        f->complexity[row->known.complexity < COMPLEXITIES ? row->known.complexity : COMPLEXITIES - 1]++;
    f->spotted += row->known.matched >= 0;
    f->with_text += row->known.matched >= 0 && row->known.spotted && strstr(row->known.spotted, "\"text\"") != NULL;
}

static char *copy(const char *text) { return text ? strdup(text) : NULL; }

static int draw(struct report_job *j, const struct filter_row *row, int step)
{
    uint64_t mine = rng_mix(j->o->seed, rng_mix((uint64_t)row->id, (uint64_t)row->row));
    struct drawn *all = j->drawn[step];
    int n = j->ndrawn[step], at = n, most = 0;
    for (int i = 1; i < n; i++)
        if (all[i].draw > all[most].draw)
            most = i;
    if (n == j->o->examples) {
        if (n == 0 || all[most].draw <= mine)
            return 0;
        drawn_free(&all[at = most]);
    } else {
        j->ndrawn[step]++;
    }
    const struct judged *k = &row->known;
    all[at] = (struct drawn){
        .draw = mine, .key = copy(row->key), .caption = copy(row->captions[0]), .picture = copy(row->picture),
        .spotted = copy(k->spotted), .offset = row->offset, .bytes = row->bytes, .complexity = k->complexity,
        .actions = k->actions, .matched = k->matched, .ratio = k->ratio};
    return all[at].key && all[at].caption ? 0 : FAIL(EMEMORY_, "out of memory");
}

// A kept row as readers of lists take it: caption or captions, path or url, tags, split, and what else the list had.
static int write_kept(struct report_job *j, const struct filter_row *row)
{
    json_t *o = row->extra ? json_loads(row->extra, 0, NULL) : json_object(), *captions = json_array();
    o = o ? o : json_object();
    json_object_set_new(o, "key", json_string(row->key));
    for (int i = 0; i < row->caption_count; i++)
        json_array_append_new(captions, json_string(row->captions[i]));
    if (row->caption_count == 1)
        json_object_set(o, "caption", json_array_get(captions, 0));
    else
        json_object_set(o, "captions", captions);
    bool web = row->url && strstr(row->url, "://");
    if (row->picture || (row->url && *row->url)) {
        char *real = row->picture ? realpath(row->picture, NULL) : NULL;
        json_object_set_new(o, web ? "url" : "path", json_string(web ? row->url : real ? real : row->picture ? row->picture : row->url));
        free(real);
    }
    if (row->tags && *row->tags)
        json_object_set_new(o, "tags", json_string(row->tags));
    if (row->split && *row->split)
        json_object_set_new(o, "split", json_string(row->split));
    int bad = json_dumpf(o, j->kept.f, JSON_COMPACT) != 0 || fputc('\n', j->kept.f) == EOF;
    json_decref(captions);
    json_decref(o);
    return bad ? FAIL(EIO_, "%s: cannot be written", j->o->out) : 0;
}

static int go_through(struct report_job *j, const char *settings)
{
    struct filter_data *d = NULL;
    struct filter_row row;
    int64_t unknown = 0;
    int rc = filter_data_open(&d, j->o, settings, true);
    while (!rc && (rc = filter_data_next(d, &row)) == 1) {
        int step = filter_step_of(row.known.reason);
        rc = 0;
        if (step < 0) {   // added while we worked
            unknown++;
            continue;
        }
        count(j->f, &row, step);
        if (j->o->html)
            rc = draw(j, &row, step);
        if (!rc && j->writes && step == STEP_KEPT)
            rc = write_kept(j, &row);
    }
    if (unknown)
        log_warn("%s: %" PRId64 " samples came in the meantime and have no verdict: run it again", j->o->data, unknown);
    filter_data_close(d);
    return rc;
}

// --- the page -------------------------------------------------------------------------------------------------------------

static int read_picture(const struct drawn *d, struct buf *out)
{
    return d->offset < 0 ? picture_read(d->picture, out) : shard_read(d->picture, d->offset, d->bytes, out);
}

static int show(struct drawn *d, struct parser *p, const diht_filter_options *o)
{
    struct buf bytes = {0};
    struct probe probe = {0};
    const char *mime;
    if (d->picture && read_picture(d, &bytes) == 0 && image_thumbnail(&d->thumbnail, &mime, bytes.at, bytes.len, THUMBNAIL) == 0) {
        image_probe(&probe, bytes.at, bytes.len);
        d->width = (int)probe.width;
        d->height = (int)probe.height;
    }
    buf_free(&bytes);
    if (d->complexity >= 0) {
        struct text c = {d->caption, strlen(d->caption)};
        c = o->boilerplate ? boilerplate_cut(c) : c;
        parser_run(p, c.at, c.len, o->complexity, !o->no_action);
        parse_explain(&d->reading, p);
        while (d->reading.len && d->reading.at[d->reading.len - 1] == '\n')
            d->reading.at[--d->reading.len] = 0;
    }
    int rc = d->spotted ? spot_lines_read(&d->lines, NULL, d->spotted, strlen(d->spotted)) : 0;
    d->boxes = calloc((size_t)d->lines.n + 1, sizeof *d->boxes);
    if (rc || !d->boxes || d->reading.failed)
        return rc ? rc : FAIL(EMEMORY_, "out of memory");
    for (int i = 0; i < d->lines.n; i++) {
        d->boxes[i] = (struct filter_box){.text = d->lines.line[i].text, .confidence = d->lines.line[i].confidence};
        memcpy(d->boxes[i].corner, d->lines.line[i].box, sizeof d->boxes[i].corner);
    }
    if (d->matched >= 0 && asprintf(&d->note, "%d characters of the picture's text in a row are the caption's; most alike word %.2f",
                                    d->matched, d->ratio) < 0)
        d->note = NULL;
    return 0;
}

static int by_draw(const void *a, const void *b)
{
    const struct drawn *x = a, *y = b;
    return (x->draw > y->draw) - (x->draw < y->draw);
}

static const struct { const char *name, *what; } words[STEPS] = {
    {"columns", "Dropped by the list's columns (--where)."},
    {"boilerplate", "Captions that speak to a web page's readers, not of a picture (--boilerplate)."},
    {"unparsable", "Captions without a noun, or in another language: nothing in them can be an object."},
    {"complexity", "Captions whose objects have fewer relations (attributes and actions) than --complexity asks for."},
    {"action", "Captions in which nothing happens: no action."},
    {"unreadable", "Pictures that cannot be read, so that nobody knows what is written in them."},
    {"text in the picture", "The picture shows the caption as text: learning from it is learning to read."},
    {"kept", "What a model would be trained on."},
};

static int write_page(struct report_job *j, const char *settings)
{
    const diht_filter_options *o = j->o;
    struct filter_page_step steps[STEPS] = {0};
    struct filter_example *examples = calloc((size_t)STEPS * (size_t)o->examples + 1, sizeof *examples), *next = examples;
    struct table *table = NULL;
    struct parser *p = NULL;
    int64_t left = j->f->rows;
    int rc = examples ? table_open(&table, NULL) : FAIL(EMEMORY_, "out of memory");
    if (!rc && !(p = parser_new(table)))
        rc = EMEMORY_;
    for (int s = 0; !rc && s < STEPS; s++) {
        left -= s == STEP_KEPT ? 0 : j->f->step[s];
        steps[s] = (struct filter_page_step){words[s].name, words[s].what, s == STEP_KEPT ? 0 : j->f->step[s], left, next,
                                             j->ndrawn[s]};
        qsort(j->drawn[s], (size_t)j->ndrawn[s], sizeof **j->drawn, by_draw);
        for (int i = 0; !rc && i < j->ndrawn[s]; i++) {
            struct drawn *d = &j->drawn[s][i];
            rc = show(d, p, o);
            *next++ = (struct filter_example){d->key, d->caption, d->reading.at, d->note, {d->thumbnail.at, d->thumbnail.len},
                                              d->width, d->height, d->boxes, d->lines.n};
        }
    }
    if (!rc)
        rc = filter_page_write(&(struct filter_page){o->data, settings, DIHT_VERSION, steps, STEPS, j->f->rows, j->f->complexity,
                                                     COMPLEXITIES}, o->html);
    parser_free(p);
    table_close(table);
    free(examples);
    return rc;
}

int filter_report(const diht_filter_options *o, const char *settings, struct funnel *f)
{
    struct report_job j = {.o = o, .f = f};
    int rc = 0;
    for (int s = 0; !rc && s < STEPS && o->html; s++)
        if (!(j.drawn[s] = calloc((size_t)o->examples + 1, sizeof **j.drawn)))
            rc = FAIL(EMEMORY_, "out of memory");
    if (!rc && o->out) {
        rc = atomic_open(&j.kept, o->out);
        j.writes = !rc;
    }
    if (!rc)
        rc = go_through(&j, settings);
    if (!rc && o->html)
        rc = write_page(&j, settings);
    if (!rc && j.writes)
        rc = atomic_commit(&j.kept);
    else if (j.writes)
        atomic_abort(&j.kept);
    for (int s = 0; s < STEPS; s++) {
        for (int i = 0; i < j.ndrawn[s]; i++)
            drawn_free(&j.drawn[s][i]);
        free(j.drawn[s]);
    }
    return rc;
}

// --- the funnel as text ---------------------------------------------------------------------------------------------------

void filter_funnel_json(struct buf *b, const struct funnel *f)
{
    buf_fmt(b, "\"rows\": %" PRId64 ", \"dropped\": {", f->rows);
    for (int s = 0; s < STEP_KEPT; s++)
        buf_fmt(b, "%s\"%s\": %" PRId64, s ? ", " : "", filter_steps[s], f->step[s]);
    buf_fmt(b, "}, \"kept\": %" PRId64 ", \"complexity\": [", f->step[STEP_KEPT]);
    for (int i = 0; i < COMPLEXITIES; i++)
        buf_fmt(b, "%s%" PRId64, i ? ", " : "", f->complexity[i]);
    buf_fmt(b, "], \"spotted\": %" PRId64 ", \"with_text\": %" PRId64, f->spotted, f->with_text);
}

void filter_funnel_table(struct buf *b, const struct funnel *f, const diht_filter_options *o)
{
    char complexity[40];
    snprintf(complexity, sizeof complexity, "complexity below %d", o->complexity);
    const char *const names[] = {"columns (--where)", "boilerplate", "unparsable", complexity, "no action", "unreadable picture",
                                 "caption in the picture", "kept"};
    double percent = f->rows ? 100. / (double)f->rows : 0;
    int64_t left = f->rows;
    buf_fmt(b, "%-24s %12s %8s %12s %8s\n%-24s %12s %8s %12" PRId64 "   %5.1f\n", "step", "dropped", "%", "left", "%", "rows", "", "",
            f->rows, f->rows ? 100. : 0.);
    for (int s = 0; s < STEP_KEPT; s++) {
        left -= f->step[s];
        if (f->step[s])
            buf_fmt(b, "%-24s %12" PRId64 "   %5.1f  %12" PRId64 "   %5.1f\n", names[s], f->step[s], percent * (double)f->step[s],
                    left, percent * (double)left);
    }
    buf_fmt(b, "%-24s %12s %8s %12" PRId64 "   %5.1f\n\ncomplexity", names[STEP_KEPT], "", "", f->step[STEP_KEPT],
            percent * (double)f->step[STEP_KEPT]);
    for (int i = 0; i < COMPLEXITIES; i++)
        if (f->complexity[i])
            buf_fmt(b, "  %d%s: %" PRId64, i, i == COMPLEXITIES - 1 ? "+" : "", f->complexity[i]);
    if (f->spotted)
        buf_fmt(b, "\npictures looked into: %" PRId64 ", with text: %" PRId64, f->spotted, f->with_text);
    buf_char(b, '\n');
}
