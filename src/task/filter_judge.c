// SPDX-License-Identifier: Apache-2.0
// A row's verdict: its columns, its captions, the text in its picture.
#include <inttypes.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/map.h"
#include "caption/boilerplate.h"
#include "caption/caption.h"
#include "data/list.h"
#include "data/shard.h"
#include "image/image.h"
#include "spot/match.h"
#include "spot/spot.h"
#include "task/filter.h"
#include "task/parse.h"

// What another spotter found: a JSON line a picture, by the picture's name.
struct spotted_file {
    struct file_map map;
    struct map *line;          // name -> where its line starts
};

struct worker {
    struct parser *parser;
    struct buf picture;
};

struct filter_judge {
    const diht_filter_options *o;
    int threads;
    struct table *table;
    struct where *where;
    atomic_bool *met;          // [columns of where]
    struct spotter *spotter;
    struct spotted_file file;
    char *spotter_name;        // NULL: nothing is looked for in pictures but what is stored
    struct worker *worker;     // [threads]
};

// --- opening --------------------------------------------------------------------------------------------------------------

static void spotted_file_close(struct spotted_file *f)
{
    map_free(f->line);
    file_unmap(&f->map);
}

static const char *stem(const char *path, size_t *n)
{
    const char *name = path_name(path);
    *n = strlen(name) - strlen(path_ext(path));
    return name;
}

static int spotted_file_open(struct spotted_file *f, const char *path)
{
    struct spot_lines lines = {0};
    struct buf name = {0};
    int rc = file_map(&f->map, path);
    if (!rc && !(f->line = map_new()))
        rc = FAIL(EMEMORY_, "%s: out of memory", path);
    const char *text = (const char *)f->map.at, *end = text + (rc ? 0 : f->map.size);
    int64_t number = 1;
    for (const char *at = text; !rc && at < end; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        if (stop > at && (rc = spot_lines_read(&lines, &name, at, (size_t)(stop - at))) == 0) {
            size_t n;
            const char *key = stem(name.at ? name.at : "", &n);
            rc = map_put(f->line, key, n, at - text);
        }
        if (rc)
            error_prefix(rc, "%s: line %" PRId64 ": ", path, number);
        spot_lines_free(&lines);
        at = stop + 1;
    }
    buf_free(&name);
    return rc;
}

static int open_spotting(struct filter_judge *j)
{
    const diht_filter_options *o = j->o;
    struct spot_options so;
    int rc = 0;
    if (o->spotted) {
        rc = spotted_file_open(&j->file, o->spotted);
        if (!rc && asprintf(&j->spotter_name, "file %s, %zu bytes", path_name(o->spotted), j->file.map.size) < 0)
            j->spotter_name = NULL;
    } else if (o->reuse) {
        j->spotter_name = strdup("any");
    } else {
        spot_defaults(&so);
        so.models = o->spot_models;
        so.side = o->spot_side;
        so.threads = j->threads;
        rc = spot_open(&j->spotter, &so);
        if (!rc && asprintf(&j->spotter_name, "PP-OCRv4 mobile, side %d, a second look", o->spot_side) < 0)
            j->spotter_name = NULL;
    }
    return rc || j->spotter_name ? rc : FAIL(EMEMORY_, "out of memory");
}

static int check(const diht_filter_options *o)
{
    if (o->complexity < 0)
        return FAIL(EUSAGE_, "--complexity %d: 0 or more expected", o->complexity);
    if (!(o->confidence >= 0 && o->confidence <= 1))
        return FAIL(EUSAGE_, "--confidence %g: 0 .. 1 expected", o->confidence);
    if (o->match < 1)
        return FAIL(EUSAGE_, "--match %d: 1 or more expected", o->match);
    if (!(o->match_ratio >= 0 && o->match_ratio <= 1))
        return FAIL(EUSAGE_, "--match-ratio %g: 0 .. 1 expected", o->match_ratio);
    if (o->spotted && (o->spot || o->reuse))
        return FAIL(EUSAGE_, "--spotted reads what another spotter found: --spot and --reuse do not go with it");
    return 0;
}

int filter_judge_open(struct filter_judge **out, const diht_filter_options *o)
{
    *out = NULL;
    int rc = check(o);
    if (rc)
        return rc;
    struct filter_judge *j = calloc(1, sizeof *j);
    if (!j)
        return FAIL(EMEMORY_, "out of memory");
    j->o = o;
    j->threads = o->threads > 0 ? o->threads : cpu_count();
    j->worker = calloc((size_t)j->threads, sizeof *j->worker);
    rc = j->worker ? table_open(&j->table, NULL) : FAIL(EMEMORY_, "out of memory");
    for (int i = 0; !rc && i < j->threads; i++)
        if (!(j->worker[i].parser = parser_new(j->table)))
            rc = EMEMORY_;
    if (!rc && o->where)
        rc = where_open(&j->where, o->where);
    if (!rc && j->where && !(j->met = calloc((size_t)where_columns(j->where) + 1, sizeof *j->met)))
        rc = FAIL(EMEMORY_, "out of memory");
    if (!rc && (o->spot || o->reuse || o->spotted))
        rc = open_spotting(j);
    if (rc)
        filter_judge_close(j);
    else
        *out = j;
    return rc;
}

void filter_judge_close(struct filter_judge *j)
{
    if (!j)
        return;
    for (int i = 0; j->worker && i < j->threads; i++) {
        parser_free(j->worker[i].parser);
        buf_free(&j->worker[i].picture);
    }
    free(j->worker);
    spot_close(j->spotter);
    spotted_file_close(&j->file);
    where_close(j->where);
    free(j->met);
    free(j->spotter_name);
    table_close(j->table);
    free(j);
}

int filter_judge_threads(const struct filter_judge *j) { return j->threads; }

int filter_judge_settings(const struct filter_judge *j, struct buf *out)
{
    const diht_filter_options *o = j->o;
    buf_fmt(out, "diht %s; %s%s%scomplexity %d; %s; ", DIHT_VERSION, o->where ? "where " : "", o->where ? o->where : "",
            o->where ? "; " : "", o->complexity, o->no_action ? "without action too" : "with action");
    buf_str(out, o->boilerplate ? "without boilerplate; " : "");
    buf_fmt(out, "text in pictures: %s", j->spotter_name ? j->spotter_name : "not looked for");
    if (j->spotter_name && o->match_ratio > 0)
        buf_fmt(out, "; confidence %g; ratio %g", o->confidence, o->match_ratio);
    else if (j->spotter_name)
        buf_fmt(out, "; confidence %g; match %d", o->confidence, o->match);
    return out->failed;
}

char *filter_judge_unmet(const struct filter_judge *j)
{
    struct buf b = {0};
    for (int i = 0; j->where && i < where_columns(j->where); i++)
        if (!j->met[i])
            buf_fmt(&b, "%s\"%s\"", b.len ? ", " : "", where_column(j->where, i));
    return buf_steal(&b);
}

// --- columns --------------------------------------------------------------------------------------------------------------

static struct where_value column(const struct filter_row *row, const json_t *extra, const char *name)
{
    const struct { const char *name; int64_t value; } numbers[] = {
        {"width", row->width}, {"height", row->height}, {"bytes", row->bytes}};
    const struct { const char *name, *value; } texts[] = {
        {"caption", row->captions[0]}, {"url", row->url}, {"key", row->key}, {"tags", row->tags}, {"split", row->split},
        {"format", row->format}};
    const json_t *v = json_object_get(extra, name);
    if (json_is_string(v))
        return where_text(json_string_value(v));
    if (json_is_number(v))
        return (struct where_value){NULL, true, json_number_value(v)};
    if (json_is_boolean(v))
        return (struct where_value){json_is_true(v) ? "true" : "false", false, 0};
    for (size_t i = 0; !v && i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(name, numbers[i].name) == 0 && numbers[i].value > 0)
            return (struct where_value){NULL, true, (double)numbers[i].value};
    for (size_t i = 0; !v && i < sizeof texts / sizeof *texts; i++)
        if (strcmp(name, texts[i].name) == 0 && texts[i].value)
            return where_text(texts[i].value);
    return (struct where_value){0};
}

static int columns_hold(struct filter_judge *j, const struct filter_row *row, bool *hold)
{
    int n = where_columns(j->where);
    struct where_value *values = calloc((size_t)n + 1, sizeof *values);
    json_t *extra = row->extra ? json_loads(row->extra, 0, NULL) : NULL;
    if (!values)
        return FAIL(EMEMORY_, "out of memory");
    for (int i = 0; i < n; i++) {
        values[i] = column(row, extra, where_column(j->where, i));
        if (values[i].text || values[i].has_number)
            j->met[i] = true;
    }
    *hold = where_holds(j->where, values);
    json_decref(extra);
    free(values);
    return 0;
}

// --- captions -------------------------------------------------------------------------------------------------------------

static enum filter_step read_caption(const struct filter_judge *j, struct parser *p, const char *caption)
{
    struct text c = {caption, strlen(caption)}, cut = j->o->boilerplate ? boilerplate_cut(c) : c;
    parser_run(p, cut.at, cut.len, j->o->complexity, !j->o->no_action);
    if (c.len && !cut.len)
        return STEP_BOILERPLATE;
    return (enum filter_step)filter_step_of(parse_reason(p, j->o->complexity, !j->o->no_action));
}

// Of several captions the one that comes furthest speaks for the sample.
static enum filter_step read_captions(const struct filter_judge *j, struct parser *p, const struct filter_row *row,
                                      struct judged *out)
{
    enum filter_step best = STEP_COLUMNS;
    for (int i = 0; i < row->caption_count; i++) {
        enum filter_step step = read_caption(j, p, row->captions[i]);
        if (step > best || (step == best && p->verdict.complexity > out->complexity)) {
            best = step;
            out->complexity = p->verdict.complexity;
            out->actions = p->verdict.actions;
        }
    }
    return best;
}

// --- pictures -------------------------------------------------------------------------------------------------------------

static int look_up(const struct filter_judge *j, const struct filter_row *row, struct spot_lines *lines)
{
    const char *names[] = {row->key, row->url, row->picture && row->offset < 0 ? row->picture : NULL};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n = 0;
        const char *name = names[i] ? stem(names[i], &n) : NULL;
        int64_t at = name ? map_get(j->file.line, name, n, -1) : -1;
        if (at < 0)
            continue;
        const char *line = (const char *)j->file.map.at + at;
        const char *stop = memchr(line, '\n', j->file.map.size - (size_t)at);
        return spot_lines_read(lines, NULL, line, stop ? (size_t)(stop - line) : j->file.map.size - (size_t)at);
    }
    return EMISSING_;
}

static int spot(struct filter_judge *j, int worker, const struct filter_row *row, struct spot_lines *lines, bool *unreadable)
{
    struct buf *bytes = &j->worker[worker].picture;
    struct image im = {0};
    struct decoding how = {.shown = true};   // black letters on nothing are black on white to who sees them
    buf_clear(bytes);
    int rc = !row->picture ? FAIL(EMISSING_, "there is no picture")
             : row->offset < 0 ? picture_read(row->picture, bytes)
                               : shard_read(row->picture, row->offset, row->bytes, bytes);
    if (!rc)
        rc = image_decode_as(&im, bytes->at, bytes->len, &how);
    *unreadable = rc != 0 && rc != EMEMORY_;
    if (!rc)
        rc = spot_picture(j->spotter, worker, &im, lines);
    image_free(&im);
    return rc;
}

// What is written in the picture: 1, or 0 when nobody looked, or a failure to look.
static int find_lines(struct filter_judge *j, int worker, const struct filter_row *row, struct spot_lines *lines,
                      const char **spotter, bool *unreadable)
{
    const struct judged *k = &row->known;
    bool stored = k->spotted && (j->o->reuse || (k->spotter && strcmp(k->spotter, j->spotter_name) == 0));
    int rc = 0;
    if (stored) {
        *spotter = k->spotter;
        rc = spot_lines_read(lines, NULL, k->spotted, strlen(k->spotted));
        return rc ? rc : 1;
    }
    if (j->o->reuse && k->spotter && strcmp(k->spotter, VERDICT_UNREADABLE) == 0) {
        *unreadable = true;
        return FAIL(EFORMAT_, "it could not be read when it was looked into");
    }
    if (j->file.line) {
        rc = look_up(j, row, lines);
        if (rc == EMISSING_)
            return 0;
    } else if (j->spotter) {
        rc = spot(j, worker, row, lines, unreadable);
    } else {
        return 0;
    }
    *spotter = j->spotter_name;
    return rc ? rc : 1;
}

static int match(const struct filter_judge *j, const struct filter_row *row, const struct spot_lines *lines, struct judged *out)
{
    out->matched = 0;
    out->ratio = 0;
    for (int i = 0; i < row->caption_count; i++) {
        const char *caption = row->captions[i];
        struct match m;
        int rc = match_run(&m, caption, strlen(caption), lines, j->o->confidence);
        if (!rc && m.characters > out->matched)
            out->matched = m.characters;
        if (!rc)
            rc = match_ratio(&m, caption, strlen(caption), lines, j->o->confidence);
        if (rc)
            return rc;
        if (m.ratio > out->ratio)
            out->ratio = m.ratio;
    }
    return 0;
}

static int look(struct filter_judge *j, int worker, const struct filter_row *row, struct judged *out, struct buf *text,
                enum filter_step *step)
{
    struct spot_lines lines = {0};
    bool unreadable = false;
    int found = find_lines(j, worker, row, &lines, &out->spotter, &unreadable), rc = found < 0 ? found : 0;
    if (found == 1) {
        // judged is what is stored, so that --reuse comes to the same
        rc = spot_lines_write(text, NULL, &lines);
        spot_lines_free(&lines);
        if (!rc)
            rc = spot_lines_read(&lines, NULL, text->at, text->len);
        if (!rc)
            rc = match(j, row, &lines, out);
        if (!rc) {
            text->at[--text->len] = 0;   // the line's end
            out->spotted = text->at;
        }
        if (!rc && (j->o->match_ratio > 0 ? out->ratio >= j->o->match_ratio : out->matched >= j->o->match))
            *step = STEP_TEXT;
    } else if (unreadable) {
        log_debug("row %" PRId64 " (%s): %s", row->row, row->key, error_last());
        *step = STEP_UNREADABLE;
        out->spotter = VERDICT_UNREADABLE;
        rc = 0;
    }
    spot_lines_free(&lines);
    return rc;
}

int filter_judge_row(struct filter_judge *j, int worker, const struct filter_row *row, struct judged *out, struct buf *text)
{
    enum filter_step step = STEP_KEPT;
    bool hold = true;
    int rc = j->where ? columns_hold(j, row, &hold) : 0;
    // what is not looked for again stays known
    *out = (struct judged){.complexity = -1, .actions = -1, .matched = -1, .ratio = -1, .spotted = row->known.spotted,
                           .spotter = row->known.spotter};
    buf_clear(text);
    if (rc)
        return rc;
    step = hold ? read_captions(j, j->worker[worker].parser, row, out) : STEP_COLUMNS;
    if (step == STEP_KEPT && j->spotter_name)
        rc = look(j, worker, row, out, text, &step);
    out->reason = filter_steps[step];
    return rc ? error_prefix(rc, "row %" PRId64 " (%s): ", row->row, row->key) : 0;
}
