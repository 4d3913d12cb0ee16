// SPDX-License-Identifier: Apache-2.0
// The CAT filter (Radenovic et al. 2023, arXiv 2301.02280): columns, then captions, then, for what is left, pictures.
// A row's verdict is the first step that drops it, or "kept".
#ifndef TASK_FILTER_H
#define TASK_FILTER_H

#include "base/buf.h"
#include "data/verdicts.h"
#include "report/filter_page.h"
#include "task/filter_where.h"
#include "task/task.h"

// In the order in which they are asked.
enum filter_step { STEP_COLUMNS, STEP_BOILERPLATE, STEP_UNPARSABLE, STEP_COMPLEXITY, STEP_ACTION, STEP_UNREADABLE, STEP_TEXT, STEP_KEPT, STEPS };
extern const char *const filter_steps[STEPS];   // "columns" ... "kept": what catalogue and sidecar say
int filter_step_of(const char *reason);         // -1: none of them

// --- the rows, wherever they lie ----------------------------------------------------------------------------------------

struct filter_row {                  // strings live until the next call
    int64_t id;                      // the backend's own
    int64_t row;
    const char *key, *url, *tags, *split, *format;   // "" or NULL: none
    const char *const *captions;     // [caption_count] >= 1
    int caption_count;
    int width, height;               // 0: not known
    int64_t bytes;                   // of the picture file; 0: not known
    const char *extra;               // JSON object of the list's further columns, or NULL
    const char *picture;             // the file that holds the picture, or NULL
    int64_t offset;                  // where in it, -1: the whole file
    struct judged known;             // from an earlier run; reason NULL: nothing
};

struct filter_data;

// `settings`: all that a verdict depends on besides the row. `look`: to read verdicts, not to give them.
// A dataset's lie in its catalogues; those of anything else in a file of JSON lines, `sidecar` (NULL: beside the data).
int filter_data_open(struct filter_data **out, const diht_filter_options *o, const char *settings, bool look);
void filter_data_close(struct filter_data *d);                     // accepts NULL
// 1, or 0 when nothing comes before the rows already given are put; with all of them put, that is the end.
int filter_data_next(struct filter_data *d, struct filter_row *out);
int filter_data_put(struct filter_data *d, const struct filter_row *row, const struct judged *j);   // in next's order
int filter_data_commit(struct filter_data *d);                     // what was put outlives a kill
int filter_data_end(struct filter_data *d);                        // after the last row
double filter_data_share(const struct filter_data *d);             // gone through, 0 .. 1; -1: not known
bool filter_data_is_list(const struct filter_data *d);
const char *filter_data_verdicts(const struct filter_data *d);     // where they are kept, for people

// The backends.
struct filter_backend {
    int (*open)(void **state, const diht_filter_options *o, const char *settings, bool look);
    void (*close)(void *state);
    int (*next)(void *state, struct filter_row *out);
    int (*put)(void *state, const struct filter_row *row, const struct judged *j);
    int (*commit)(void *state);
    int (*end)(void *state);
    double (*share)(const void *state);
    const char *(*verdicts)(const void *state);
};
extern const struct filter_backend filter_dataset, filter_list;

// --- judging ------------------------------------------------------------------------------------------------------------

struct filter_judge;

int filter_judge_open(struct filter_judge **out, const diht_filter_options *o);
void filter_judge_close(struct filter_judge *j);   // accepts NULL
int filter_judge_threads(const struct filter_judge *j);
// Settings as text: verdicts of equal settings are equal.
int filter_judge_settings(const struct filter_judge *j, struct buf *out);
// Columns of --where that no row so far had, "" when each was met; the caller frees. NULL: out of memory.
char *filter_judge_unmet(const struct filter_judge *j);
// Into *out, its texts into `text` (cleared first). Each worker its own.
int filter_judge_row(struct filter_judge *j, int worker, const struct filter_row *row, struct judged *out, struct buf *text);

// --- what it came to ----------------------------------------------------------------------------------------------------

enum { COMPLEXITIES = 11 };   // the last: that and more

struct funnel {
    int64_t rows, step[STEPS];
    int64_t complexity[COMPLEXITIES];   // of the rows whose captions were read
    int64_t spotted, with_text;         // pictures looked into; those where text was found
};

// Goes through the verdicts: the funnel; the kept rows into o->out; examples into o->html.
int filter_report(const diht_filter_options *o, const char *settings, struct funnel *f);
void filter_funnel_json(struct buf *out, const struct funnel *f);
void filter_funnel_table(struct buf *out, const struct funnel *f, const diht_filter_options *o);

#endif
