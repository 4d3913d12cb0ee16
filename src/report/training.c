// SPDX-License-Identifier: Apache-2.0
// A training's metrics.jsonl, line by line. A run that was killed may have left half a line, a resumed one repeats steps.
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "report/page.h"

static const struct { const char *name; size_t at; } fields[] = {
    {"step", offsetof(struct report_step, step)},
    {"loss", offsetof(struct report_step, loss)},
    {"contrastive", offsetof(struct report_step, contrastive)},
    {"tags", offsetof(struct report_step, tags)},
    {"logit_scale", offsetof(struct report_step, logit_scale)},
    {"temperature", offsetof(struct report_step, temperature)},
    {"lr", offsetof(struct report_step, lr)},
    {"grad_norm", offsetof(struct report_step, grad_norm)},
    {"samples_per_second", offsetof(struct report_step, samples_per_second)},
    {"loader_share", offsetof(struct report_step, loader_share)},
};

static bool parse(struct report_step *s, const char *line, size_t n)
{
    json_t *root = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
    bool ok = json_is_object(root) && json_is_number(json_object_get(root, "step"));
    for (size_t i = 0; ok && i < sizeof fields / sizeof *fields; i++) {
        json_t *v = json_object_get(root, fields[i].name);
        double x = json_is_number(v) ? json_number_value(v) : NAN;
        memcpy((char *)s + fields[i].at, &x, sizeof x);
    }
    json_decref(root);
    return ok;
}

int report_training_read(struct report_training *t, const char *path)
{
    struct buf text = {0};
    int64_t room = 0;
    memset(t, 0, sizeof *t);
    int rc = file_read(path, &text);
    for (const char *p = text.at, *end = p + text.len; !rc && p && p < end;) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t n = (size_t)((stop ? stop : end) - p);
        struct report_step s;
        if (n && !parse(&s, p, n)) {
            t->skipped++;
        } else if (n) {
            while (t->count && t->steps[t->count - 1].step >= s.step)   // resumed: what came after is void
                t->count--;
            if (t->count == room) {
                room = room ? room * 2 : 256;
                struct report_step *more = realloc(t->steps, (size_t)room * sizeof *more);
                if (!more) {
                    rc = FAIL(EMEMORY_, "%s: out of memory after %lld steps", path, (long long)t->count);
                    break;
                }
                t->steps = more;
            }
            t->steps[t->count++] = s;
        }
        p += n + 1;
    }
    buf_free(&text);
    if (rc)
        report_training_free(t);
    return rc;
}

void report_training_free(struct report_training *t)
{
    if (!t)
        return;
    free(t->steps);
    memset(t, 0, sizeof *t);
}
