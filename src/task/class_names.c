// SPDX-License-Identifier: Apache-2.0
#include "task/class_names.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/file.h"

enum { MOST = 1 << 20 };

static const char *const own[] = {
    "a photo of a {}.", "a photo of the {}.", "a picture of a {}.", "a close-up photo of a {}.",
    "a photo of a small {}.", "a photo of a large {}.", "a blurry photo of a {}.", "a drawing of a {}.", "a {} seen from the side.",
    "a {} in its surroundings.", "a photo of several {}.", "{}.",
};

void names_clear(struct names *names)
{
    for (int64_t i = 0; i < names->n; i++)
        free(names->at[i]);
    free(names->at);
    *names = (struct names){0};
}

int names_add(struct names *names, const char *text)
{
    if ((names->n & (names->n - 1)) == 0) {   // full at powers of two
        char **more = realloc(names->at, (size_t)(names->n ? 2 * names->n : 1) * sizeof *more);
        if (!more)
            return FAIL(EMEMORY_, "out of memory: %" PRId64 " names", names->n);
        names->at = more;
    }
    char *kept = strdup(text);
    if (!kept)
        return FAIL(EMEMORY_, "out of memory: %" PRId64 " names", names->n);
    names->at[names->n++] = kept;
    return 0;
}

static bool is_list(const json_t *v)
{
    return json_is_array(v) && json_array_size(v) && json_is_string(json_array_get(v, 0));
}

// The lists of texts in an object, and in objects inside it; the one called `set`, or the only one.
static const json_t *find_list(const json_t *j, const char *set, int depth, int *lists, struct buf *called)
{
    const json_t *found = NULL;
    const char *name;
    json_t *v;
    json_object_foreach((json_t *)j, name, v) {
        const json_t *inside = NULL;
        if (is_list(v)) {
            ++*lists;
            buf_fmt(called, "%s%.40s", *lists > 1 ? ", " : "", *lists < 100 ? name : "...");
            inside = !set || strcmp(set, name) == 0 ? v : NULL;
        } else if (json_is_object(v) && depth < 3) {
            inside = find_list(v, set, depth + 1, lists, called);
        }
        found = found ? found : inside;
    }
    return found;
}

static int read_json(struct names *out, const char *path, const char *set)
{
    json_error_t why;
    struct buf called = {0};
    json_t *j = json_load_file(path, 0, &why);
    int lists = 0, rc = 0;
    if (!j)
        return FAIL(strstr(why.text, "unable to open") ? EMISSING_ : EFORMAT_, "%s: line %d: %s", path, why.line,
                    why.text);
    const json_t *list = is_list(j) ? j : find_list(j, set, 0, &lists, &called);
    if (!list || (lists > 1 && !set))
        rc = FAIL(EFORMAT_, "%s: %s%s; --set NAME picks one of: %.400s", path,
                  set ? "no list called " : "several lists", set ? set : "", called.at ? called.at : "(there is none)");
    for (size_t i = 0; !rc && i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        rc = text ? names_add(out, text) : FAIL(EFORMAT_, "%s: entry %zu is not a text", path, i);
    }
    buf_free(&called);
    json_decref(j);
    return rc;
}

int names_read(struct names *out, const char *path, const char *set)
{
    struct buf text = {0};
    char *save = NULL;
    *out = (struct names){0};
    int rc = 0;
    if (strcasecmp(path_ext(path), ".json") == 0) {
        rc = read_json(out, path, set);
    } else {
        rc = file_read(path, &text);
        for (char *line = rc || !text.at ? NULL : strtok_r(text.at, "\n", &save); line && !rc;
             line = strtok_r(NULL, "\n", &save)) {
            line[strcspn(line, "\r")] = 0;
            if (line[strspn(line, " \t")])
                rc = names_add(out, line);
        }
    }
    if (!rc && (out->n == 0 || out->n > MOST))
        rc = FAIL(EFORMAT_, "%s: %" PRId64 " names in it", path, out->n);
    buf_free(&text);
    if (rc)
        names_clear(out);
    return rc;
}

static bool holds_any(const json_t *object, const struct names *classes)
{
    for (int64_t i = 0; i < classes->n; i++)
        if (is_list(json_object_get(object, classes->at[i])))
            return true;
    return false;
}

// The object whose keys are classes; the one called `set`, or inside it.
static const json_t *find_classes(const json_t *j, const char *set, const struct names *classes, int depth)
{
    const json_t *found = !set && holds_any(j, classes) ? j : NULL;
    const char *name;
    json_t *v;
    json_object_foreach((json_t *)j, name, v)
        if (!found && json_is_object(v) && depth < 3)
            found = find_classes(v, set && strcmp(set, name) == 0 ? NULL : set, classes, depth + 1);
    return found;
}

int prompts_by_class(struct names **out, const char *path, const char *set, const struct names *classes)
{
    json_t *j = strcasecmp(path_ext(path), ".json") == 0 ? json_load_file(path, 0, NULL) : NULL;
    const json_t *object = find_classes(j, set, classes, 0);
    int rc = 0;
    *out = NULL;
    if (object && !(*out = calloc((size_t)classes->n, sizeof **out)))
        rc = FAIL(EMEMORY_, "out of memory: %" PRId64 " classes", classes->n);
    for (int64_t i = 0; object && i < classes->n && !rc; i++) {
        const json_t *list = json_object_get(object, classes->at[i]);
        if (!is_list(list))
            rc = FAIL(EMISSING_, "%s: prompts by class, but none for class \"%.80s\"", path, classes->at[i]);
        for (size_t k = 0; k < json_array_size(list) && !rc; k++) {
            const char *text = json_string_value(json_array_get(list, k));
            rc = text ? names_add(&(*out)[i], text)
                      : FAIL(EFORMAT_, "%s: \"%.80s\": entry %zu is not a text", path, classes->at[i], k);
        }
    }
    json_decref(j);
    if (rc) {
        prompts_free(*out, classes->n);
        *out = NULL;
    }
    return rc ? rc : object != NULL;
}

void prompts_free(struct names *prompts, int64_t classes)
{
    for (int64_t i = 0; prompts && i < classes; i++)
        names_clear(&prompts[i]);
    free(prompts);
}

int templates_check(const struct names *templates, const char *from)
{
    for (int64_t i = 0; i < templates->n; i++)
        if (!strstr(templates->at[i], "{}") && !strstr(templates->at[i], "{c}"))
            return FAIL(EFORMAT_, "%s: template \"%.80s\": {} or {c} marks the class's place and is missing", from,
                        templates->at[i]);
    return 0;
}

int templates_own(struct names *out)
{
    int rc = 0;
    *out = (struct names){0};
    for (size_t i = 0; i < sizeof own / sizeof *own && !rc; i++)
        rc = names_add(out, own[i]);
    if (rc)
        names_clear(out);
    return rc;
}
