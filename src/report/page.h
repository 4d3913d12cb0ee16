// SPDX-License-Identifier: Apache-2.0
// The page `diht eval --html FILE` writes: one file, nothing fetched, readable without scripts, light and dark.
// The caller fills the structures below; every array, string and picture is borrowed during the call. Strings may hold
// anything (markup, broken UTF-8, megabytes): they are escaped, mended and cut. NULL strings, NULL arrays with count 0,
// NaN and infinite numbers are allowed everywhere: what is not known is left out or shown as a dash.
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// An encoded picture as it lies in the dataset: PNG, JPEG, GIF or WebP. Anything else shows as an empty frame.
// Thumbnails please: a page holds REPORT_PICTURE_BYTES of them in all, shared evenly over its galleries.
struct report_picture {
    const void *bytes;
    size_t size;
};
enum { REPORT_PICTURE_BYTES = 1200 * 1024, REPORT_PICTURE_MAX = 128 * 1024 };   // encoded: of the page; of one picture

// One direction: i2t asks with a picture for its caption, t2i with a caption for its picture.
struct report_recall {
    double r1, r5, r10;              // percent
    double r1_low, r1_high;          // 95 % interval of r1, percent
    double median_rank, mean_rank;   // 1-based
    double mrr;                      // fraction
    int64_t n, candidates;           // queries; gallery size
};

struct report_range {                // a gallery of its own: rows [from, to) of the source list
    int64_t from, to;
    struct report_recall i2t, t2i;
};

struct report_growth {   // R@1 if the gallery held `candidates`; percent, with 95 % intervals (NAN: unknown)
    double candidates;
    double i2t, i2t_low, i2t_high;
    double t2i, t2i_low, t2i_high;
};

struct report_answer {               // one retrieved candidate, best first
    const char *caption;             // shown with the picture too (as its text alternative) when asked with a caption
    struct report_picture picture;   // asked with a caption
    double score;
    bool right;
};

struct report_query {                // one query and what came back
    const char *key;                 // the sample's key
    const char *caption;             // its own caption: the query of t2i, the right answer of i2t
    struct report_picture picture;   // its own picture: the query of i2t, the right answer of t2i
    double rank;                     // of the first right candidate, 1-based (expected rank: may be fractional)
    double right_score;              // of that candidate
    const struct report_answer *answers;
    int nanswers;                    // five are enough
};

struct report_gallery {
    const struct report_query *hits, *misses;   // misses: worst first
    int nhits, nmisses;
};

struct report_split {
    const char *name;                // "val_style", "val_style without flags"
    const char *note;                // a sentence: what this split asks (NULL: none)
    struct report_recall i2t, t2i;
    const struct report_range *ranges;
    int nranges;                     // a plain mean of them is shown when there are two or more
    const struct report_growth *growth;   // by candidates, rising
    int ngrowth;
    const double *i2t_ranks, *t2i_ranks;  // expected rank of each query, for the histogram
    int64_t ni2t_ranks, nt2i_ranks;
    struct report_gallery i2t_gallery, t2i_gallery;
};

struct report_rival {                // a model beside others on the same samples
    const char *split, *model;
    struct report_recall i2t, t2i;
    double gain[2], low[2], high[2]; // of R@1 over the first model, points, with its 95 % interval: i2t, t2i; NAN: the first
};

struct report_step {                 // a line of metrics.jsonl; NAN where it does not say
    double step, loss, contrastive, tags, logit_scale, temperature, lr, grad_norm, samples_per_second, loader_share;
};
struct report_training {
    struct report_step *steps;       // owned when report_training_read() filled it
    int64_t count, skipped;          // lines read; lines that were not a JSON object (a torn last one after a kill)
};
// Reads metrics.jsonl (order of the file; a resumed run's repeated steps replace the earlier ones). EMISSING_, EIO_.
int report_training_read(struct report_training *t, const char *path);
void report_training_free(struct report_training *t);   // accepts NULL

struct report_fact {                 // a line of the header: {"Prompt", "a photo of {}."}
    const char *name, *value;
};

struct report {
    const char *title;               // NULL: "Zero-shot retrieval"
    const char *model;               // name or file
    const char *model_summary;       // "ViT 48 px / 8, 96 wide x 3; text 96 x 2; embed 128; 0.87 M parameters"
    const char *dataset, *split, *prompt;   // prompt NULL: the caption alone
    const char *date;   // ISO 8601, from the caller so that equal runs can give equal pages; NULL: left out
    const char *version;             // diht_version()
    const struct report_fact *facts; // more header lines
    int nfacts;
    const struct report_split *splits;
    int nsplits;
    const struct report_rival *rivals;   // split by split, the first model first; NULL: there is one model
    int nrivals;
    const struct report_training *training;   // NULL: no curves
};

// Writes the page whole or not at all. EIO_, EFULL_, EMEMORY_.
int report_write(const struct report *r, const char *path);

#endif
