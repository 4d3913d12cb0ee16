// SPDX-License-Identifier: Apache-2.0
// Captions, one a line, to their parses.
#include "task/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "task/task.h"

enum { FLUSH = 1 << 16 };

static int run(FILE *f, const char *name, struct parser *p, const diht_parse_options *o, bool prompt, struct buf *out,
               void (*write)(void *, const char *, size_t), void *user)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t got;
    int rc = 0;
    for (int64_t number = 1; !rc && (got = getline(&line, &room, f)) >= 0; number++) {
        size_t n = (size_t)got;
        if (stop_requested()) {
            rc = FAIL(ESTOPPED_, "stopped before line %" PRId64, number);
            break;
        }
        n -= n && line[n - 1] == '\n';
        n -= n && line[n - 1] == '\r';
        parser_run(p, line, n, o->complexity, !o->no_action);
        if (o->explain)
            parse_explain(out, p);
        else
            parse_json(out, p);
        rc = out->failed;
        if (!rc && (prompt || out->len >= FLUSH)) {
            write(user, out->at, out->len);
            buf_clear(out);
        }
    }
    if (!rc && ferror(f))
        rc = FAIL(error_from_errno(errno), "%s: reading stopped: %s", name, strerror(errno));
    if (out->len && out->at)
        write(user, out->at, out->len);
    free(line);
    return rc;
}

int task_parse(const diht_parse_options *o, void (*write)(void *user, const char *text, size_t n), void *user)
{
    struct table *table = NULL;
    struct parser *p = NULL;
    struct buf out = {0};
    bool standard = !o->input || strcmp(o->input, "-") == 0;
    FILE *f = NULL;
    if (o->json && o->explain)
        return FAIL(EUSAGE_, "--json and --explain exclude each other: take one");
    if (o->complexity < 0)
        return FAIL(EUSAGE_, "--complexity %d: 0 or more expected", o->complexity);
    stop_clear();
    int rc = table_open(&table, NULL);
    if (!rc) {
        p = parser_new(table);
        f = standard ? stdin : fopen(o->input, "r");
        rc = !p ? EMEMORY_ : !f ? FAIL(error_from_errno(errno), "%s: cannot be read: %s", o->input, strerror(errno)) : 0;
    }
    if (!rc)
        rc = run(f, standard ? "standard input" : o->input, p, o, false, &out, write, user);
    if (f && !standard)
        fclose(f);
    buf_free(&out);
    parser_free(p);
    table_close(table);
    return rc;
}
