// SPDX-License-Identifier: Apache-2.0
// What the filter found of a dataset's samples, kept in the catalogue beside them. A run over the same catalogue with
// the same settings goes on where it was stopped or killed; one with others starts again, but finds what pictures were
// spotted to hold before.
#ifndef DATA_VERDICTS_H
#define DATA_VERDICTS_H

#include "data/catalogue.h"

struct judged {
    const char *reason;        // "kept", or the step that dropped it
    int complexity, actions;   // -1: the caption was not read
    int matched;               // most characters that a spotted text shares with the caption; -1: not looked for
    double ratio;              // likeness of a spotted text to words of the caption, 0 .. 1; -1: not looked for
    const char *spotted;       // {"lines": [...]} as spot/lines.h has it; NULL: not spotted
    const char *spotter;       // what spotted them; without `spotted` VERDICT_UNREADABLE: the picture cannot be read
};
#define VERDICT_UNREADABLE "unreadable"

// Begin or go on: *after is the last sample judged by an unfinished run of the same settings, else 0. Fails when
// another program writes the catalogue (catalogue_open_journal).
int verdicts_begin(struct catalogue *c, const char *settings, int64_t *after);
// The next good sample behind id `after` and what is known of it (reason NULL: nothing): 1, or 0 at the end. Valid until
// the next call.
int verdicts_next(struct catalogue *c, int64_t after, struct catalogue_sample *out, struct judged *known);
int verdicts_put(struct catalogue *c, int64_t id, const struct judged *j);
int verdicts_commit(struct catalogue *c, int64_t after, bool done);   // all up to `after` are judged

#endif
