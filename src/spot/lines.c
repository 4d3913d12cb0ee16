// SPDX-License-Identifier: Apache-2.0
#include "spot/lines.h"

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"

void spot_lines_free(struct spot_lines *l)
{
    if (!l)
        return;
    for (int i = 0; i < l->n; i++)
        free(l->line[i].text);
    free(l->line);
    *l = (struct spot_lines){0};
}

int spot_lines_add(struct spot_lines *l, const char *text, size_t n, double confidence, const float box[4][2])
{
    if (l->n == l->room) {
        int room = l->room ? 2 * l->room : 8;
        struct spot_line *p = realloc(l->line, (size_t)room * sizeof *p);
        if (!p)
            return FAIL(EMEMORY_, "out of memory: %d spotted lines", room);
        l->line = p;
        l->room = room;
    }
    struct spot_line *line = &l->line[l->n];
    if (!(line->text = strndup(text, n)))
        return FAIL(EMEMORY_, "out of memory: a spotted line of %zu bytes", n);
    line->confidence = confidence;
    memcpy(line->box, box, sizeof line->box);
    l->n++;
    return 0;
}

int spot_lines_write(struct buf *out, const char *file, const struct spot_lines *l)
{
    buf_char(out, '{');
    if (file) {
        buf_str(out, "\"file\":");
        json_text(out, file, strlen(file));
        buf_char(out, ',');
    }
    buf_str(out, "\"lines\":[");
    for (int i = 0; i < l->n; i++) {
        const struct spot_line *s = &l->line[i];
        buf_str(out, i ? ",{\"text\":" : "{\"text\":");
        json_text(out, s->text, strlen(s->text));
        buf_fmt(out, ",\"confidence\":%.4f,\"box\":[", s->confidence);
        for (int c = 0; c < 4; c++)
            buf_fmt(out, "%s[%.1f,%.1f]", c ? "," : "", s->box[c][0], s->box[c][1]);
        buf_str(out, "]}");
    }
    buf_str(out, "]}\n");
    return out->failed;
}

// A score, or the mean of a list of them (one a character).
static int read_score(double *out, const json_t *j, const char *key)
{
    double sum = 0;
    size_t n = json_is_array(j) ? json_array_size(j) : 1;
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_is_array(j) ? json_array_get(j, i) : j;
        if (!json_is_number(v))
            return FAIL(EFORMAT_, "\"%s\" is not a number or a list of numbers", key);
        if (!(json_number_value(v) >= 0 && json_number_value(v) <= 1.001))
            return FAIL(EFORMAT_, "\"%s\" is %g, expected is 0 .. 1", key, json_number_value(v));
        sum += json_number_value(v);
    }
    *out = n ? sum / (double)n : 0;
    return 0;
}

// [x, y, x, y, ...] or [[x, y], ...]: four corners as they stand, any other number as the rectangle around them.
static int read_box(float box[4][2], const json_t *j, const char *key)
{
    memset(box, 0, sizeof(float[4][2]));
    if (!j || json_is_null(j))
        return 0;
    size_t n = json_array_size(j);
    bool pairs = n && json_is_array(json_array_get(j, 0));
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    if (!json_is_array(j) || (!pairs && n % 2))
        return FAIL(EFORMAT_, "\"%s\" is not a list of corners", key);
    size_t corners = pairs ? n : n / 2;
    for (size_t i = 0; i < 2 * corners; i++) {
        const json_t *v = pairs ? json_array_get(json_array_get(j, i / 2), i % 2) : json_array_get(j, i);
        double x = json_number_value(v);
        if (!json_is_number(v) || !(fabs(x) < 1e9))
            return FAIL(EFORMAT_, "\"%s\": corner %zu is not two numbers", key, i / 2 + 1);
        low[i % 2] = fmin(low[i % 2], x);
        high[i % 2] = fmax(high[i % 2], x);
        if (corners == 4)
            box[i / 2][i % 2] = (float)x;
    }
    for (int c = 0; c < 4 && corners != 4 && corners; c++) {
        box[c][0] = (float)(c == 1 || c == 2 ? high[0] : low[0]);
        box[c][1] = (float)(c >= 2 ? high[1] : low[1]);
    }
    return 0;
}

static int add(struct spot_lines *out, const json_t *text, const json_t *score, const json_t *box,
               const char *score_key, const char *box_key)
{
    double confidence = 0;
    float corners[4][2];
    if (!json_is_string(text))
        return FAIL(EFORMAT_, "a line's text is not a string");
    int rc = read_score(&confidence, score, score_key);
    if (!rc)
        rc = read_box(corners, box, box_key);
    return rc ? rc
              : spot_lines_add(out, json_string_value(text), json_string_length(text), confidence, corners);
}

static int read_objects(struct spot_lines *out, const json_t *list, const char *key, const char *score)
{
    int rc = 0;
    if (!json_is_array(list))
        return FAIL(EFORMAT_, "\"%s\" is not a list", key);
    for (size_t i = 0; i < json_array_size(list) && !rc; i++) {
        const json_t *o = json_array_get(list, i);
        rc = add(out, json_object_get(o, "text"), json_object_get(o, score), json_object_get(o, "box"), score, "box");
        if (rc)
            error_prefix(rc, "\"%s\" %zu: ", key, i + 1);
    }
    return rc;
}

static int read_columns(struct spot_lines *out, const json_t *o)
{
    const json_t *texts = json_object_get(o, "rec_texts"), *scores = json_object_get(o, "rec_scores");
    const json_t *boxes = json_object_get(o, "det_polygons");
    size_t n = json_array_size(texts);
    int rc = 0;
    if (!json_is_array(texts) || !json_is_array(scores) || json_array_size(scores) != n)
        return FAIL(EFORMAT_, "\"rec_texts\" and \"rec_scores\" are not two lists of one length");
    if (boxes && (!json_is_array(boxes) || json_array_size(boxes) != n))
        return FAIL(EFORMAT_, "\"det_polygons\" is not a list as long as \"rec_texts\"");
    for (size_t i = 0; i < n && !rc; i++)
        rc = add(out, json_array_get(texts, i), json_array_get(scores, i), json_array_get(boxes, i), "rec_scores",
                 "det_polygons");
    return rc;
}

int spot_lines_read(struct spot_lines *out, struct buf *file, const char *text, size_t n)
{
    static const char *const names[] = {"file", "filename", "img_path", "image"};
    json_error_t e;
    struct spot_lines found = {0};
    json_t *root = json_loadb(text, n, 0, &e);
    const json_t *inner = json_object_get(root, "predictions"), *part;
    int rc = 0;
    if (file)
        buf_clear(file);
    if (!json_is_object(root)) {
        rc = root ? FAIL(EFORMAT_, "not a JSON object: expected is {\"file\": ..., \"lines\": [...]}")
                  : FAIL(EFORMAT_, "not JSON: %s at byte %d", e.text, e.position);
        goto done;
    }
    for (size_t i = 0; file && i < sizeof names / sizeof *names; i++)
        if (json_is_string(json_object_get(root, names[i])) && !file->len)
            buf_str(file, json_string_value(json_object_get(root, names[i])));
    if ((part = json_object_get(root, "lines")))
        rc = read_objects(&found, part, "lines", "confidence");
    else if ((part = json_object_get(root, "result")))
        rc = read_objects(&found, part, "result", "text_score");
    else if (json_object_get(root, "rec_texts"))
        rc = read_columns(&found, root);
    else if (json_array_size(inner) == 1)
        rc = read_columns(&found, json_array_get(inner, 0));
    else if (inner)
        rc = FAIL(EFORMAT_, "\"predictions\" is not a list of one picture's results: a JSON line a picture is expected");
    else
        rc = FAIL(EFORMAT_, "neither \"lines\" nor MMOCR's \"rec_texts\", \"predictions\" or \"result\" is there");
    if (!rc && file)
        rc = file->failed;
done:
    if (rc)
        spot_lines_free(&found);
    spot_lines_free(out);
    *out = found;
    json_decref(root);
    return rc;
}
