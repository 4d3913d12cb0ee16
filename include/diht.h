// SPDX-License-Identifier: Apache-2.0
// diht: image-text dual encoders (DiHT, CLIP) as a C library: datasets, training with hard negatives, features,
// zero-shot evaluation. The program `diht` is written against this header alone.
//
// Every function returns 0 (or a count) or one of the negative codes below; diht_error() then holds one sentence
// for a person, per thread. Option structures: start from diht_NAME_defaults(); strings are borrowed during the call.
// Results of the long jobs come back as text (one JSON object, or a table for people) that the caller frees with
// diht_free().
#ifndef DIHT_H
#define DIHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DIHT_API __attribute__((visibility("default")))
#define DIHT_VERSION "0.1.0"

enum {
    DIHT_EIO = -1,          // reading or writing failed
    DIHT_EFORMAT = -2,      // a file is not what its kind promises
    DIHT_EUSAGE = -3,       // an option or argument is wrong
    DIHT_EMEMORY = -4,      // out of memory
    DIHT_EMISSING = -5,     // a file, key or tensor is not there
    DIHT_EFULL = -6,        // no space left on the device
    DIHT_ESTOPPED = -7,     // diht_stop() was called; what was done is kept
    DIHT_EUNSUPPORTED = -8, // well-formed, but this build cannot do it
};

DIHT_API const char *diht_version(void);
DIHT_API const char *diht_error(void);        // the calling thread's last sentence
DIHT_API const char *diht_error_where(void);  // "src/file.c:12" of that sentence, for bug reports
DIHT_API void diht_free(void *text);          // accepts NULL
DIHT_API void diht_stop(void);                // ask running jobs to finish cleanly; safe in a signal handler

enum { DIHT_LOG_DEBUG, DIHT_LOG_INFO, DIHT_LOG_WARN, DIHT_LOG_PROGRESS /* replaced by the next line */ };
DIHT_API void diht_set_log(void (*sink)(void *user, int level, const char *line), void *user);

// What a model's file does not say, or says otherwise than wanted; zero and NULL: nothing. What is assumed is logged.
typedef struct diht_model_as {
    const char *config;      // a configuration's name or file: ours, open_clip's, Hugging Face's, a ViT's sizes
    int head_width;          // columns a head of the image tower
    int text_head_width;     // of the text tower (0: as the image tower's)
    const char *activation;  // "gelu" or "quick_gelu"
    int image_size;          // pictures of another size than it was trained on: positions are interpolated
} diht_model_as;

// --- import: a caption list becomes a dataset ---------------------------------------------------------------------
typedef struct diht_import_options {
    const char *list;        // TSV, CSV or JSON lines; header naming caption, path, tags, split, key, or none
    const char *out;         // dataset directory; importing the same list again adds nothing
    int64_t shard_samples;   // samples a tar shard
    const char *split;       // split of rows that name none
    int threads;
    bool json;
} diht_import_options;
DIHT_API void diht_import_defaults(diht_import_options *o);
DIHT_API int diht_import(const diht_import_options *o, char **result);

// --- fetch: a list of web addresses becomes a dataset ---------------------------------------------------------------
typedef struct diht_fetch_options {
    const char *list;        // TSV (caption, address), CSV, JSON lines or bare addresses; packed with gzip or zstd or not
    const char *out;         // dataset directory; the same command goes on where it was stopped or killed
    const char *classes;     // diht_refetch: classes of failure to try again, "timeout,http-503" or "all"
    const char *url_column, *caption_column, *hash_column;   // NULL: the known names; hash_column: to verify, MD5,
                                                             // SHA-1, SHA-256 or SHA-512 by its length
    const char *split;       // split of rows that name none
    double deadline;         // seconds a row may take, all tries and redirects together
    int retries;             // further tries of what may fare better
    int redirects;
    int per_host;            // connections a host
    int concurrency;         // transfers at once, at most; how many are useful is found out
    double delay;            // seconds between two starts at a host
    double connect_timeout;
    double min_rate;         // bytes a second
    int64_t max_bytes;       // of a body, unpacked
    int64_t max_pixels;      // by the header
    int64_t min_size;        // shorter side in pixels
    double max_aspect;       // longer side / shorter side (0: any)
    int resize;              // store pictures scaled to this many pixels (0: as they came)
    const char *resize_mode; // what has that many: "shorter", "longer", "border" (longer, white up to a square), "crop"
                             // (shorter, the middle square); img2dataset's names do too
    bool enlarge;            // scale small ones up too
    const char *format;      // store as "jpg", "webp" or "png" (NULL: jpg when resizing, else as they came)
    int quality;             // jpg, webp 1 .. 100; png 1 .. 9 (0: 95, 90, 6)
    const char *robots;      // "obey" or "ignore" (robots.txt)
    const char *contact;     // address or page in the User-Agent, for those who are fetched from
    const char *ca_file;     // PEM file of the certificates to trust (NULL: the system's)
    const char *allow_net;   // networks open in spite of being private, loopback ...: "127.0.0.0/8,fd00::/8"
    bool dedup;              // leave out pictures whose bytes are there already
    int64_t shard_samples;
    const char *log;         // a JSON line a row is added to this file
    const char *metrics;     // Prometheus text file, rewritten every few seconds
    int rank, ranks;         // several processes fill one dataset: each takes the rows with row % ranks == rank
    int threads;
    bool json;
    const char *effective;   // text kept as out/fetch.conf, for diht_refetch's caller (the program: its options)
} diht_fetch_options;
DIHT_API void diht_fetch_defaults(diht_fetch_options *o);
DIHT_API int diht_fetch(const diht_fetch_options *o, char **result);
DIHT_API int diht_refetch(const diht_fetch_options *o, char **result);   // out, classes; no list

// A sample of the list is fetched by the same rules and not kept: what will the whole of it be?
typedef struct diht_plan_options {
    diht_fetch_options fetch;   // list and the rules; out and what concerns the dataset are passed over
    int64_t sample;             // rows asked, drawn evenly from the whole list
    uint64_t seed;
} diht_plan_options;
DIHT_API void diht_plan_defaults(diht_plan_options *o);
// {"rows", "sampled", "ok", "live_share", "live_low", "live_high" (95 %), "bytes", "bytes_low", "bytes_high" (to be
// stored), "hours", "rows_per_second", "images_per_second", "failed": {class: count}, "classes": {class: {"share", "low",
// "high"}}, "worst_hosts": {host: {"failed", "asked"}}, "seconds"}
DIHT_API int diht_plan(const diht_plan_options *o, char **result);

typedef struct diht_status_options {
    const char *dataset;
    bool json;
} diht_status_options;
DIHT_API void diht_status_defaults(diht_status_options *o);
DIHT_API int diht_status(const diht_status_options *o, char **result);

// --- vocab: byte-pair merges learnt from captions ------------------------------------------------------------------
typedef struct diht_vocab_options {
    const char *data;        // dataset or list
    const char *split;       // only this split (NULL: all)
    bool kept;               // only samples that diht_filter kept
    const char *out;         // merges file, the form of bpe_simple_vocab
    int merges;              // how many
    bool tags;               // learn from the tags too
    bool json;
} diht_vocab_options;
DIHT_API void diht_vocab_defaults(diht_vocab_options *o);
DIHT_API int diht_vocab(const diht_vocab_options *o, char **result);

// --- input: pictures and captions as the towers read them ----------------------------------------------------------
typedef struct diht_preprocess_options {
    const char **images;     // picture files, ends with NULL: PNG, JPEG, GIF, WebP, BMP, TIFF
    const char *out;         // .npy, float32 [n, 3, size, size]
    int size;                // shorter side to this, centre crop, CLIP's mean and deviation
    int64_t max_pixels;      // pictures of more are refused by their header (0: 178,956,970)
    int threads;
    bool json;
} diht_preprocess_options;
DIHT_API void diht_preprocess_defaults(diht_preprocess_options *o);
DIHT_API int diht_preprocess(const diht_preprocess_options *o, char **result);

typedef struct diht_tokenize_options {
    const char *input;       // captions, one a line (NULL or "-": standard input)
    const char *vocab;       // merges file, plain or .gz
    const char *model;       // or the merges inside this model; neither: those installed for the user
    int context;             // ids a caption: padded with 0, or cut with the end token kept
    bool jsonl;              // lines {"text": "..."} in, {"ids": [...]} out
} diht_tokenize_options;
DIHT_API void diht_tokenize_defaults(diht_tokenize_options *o);
// The lines' ids are handed to `write` as text, several lines at once.
DIHT_API int diht_tokenize(const diht_tokenize_options *o, void (*write)(void *user, const char *text, size_t n),
                           void *user);

// --- parse: captions to objects, attributes and actions --------------------------------------------------------------
typedef struct diht_parse_options {
    const char *input;       // captions, one a line (NULL or "-": standard input)
    int complexity;          // keep needs this many relations of one object
    bool no_action;          // keep does without an action
    bool explain;            // drawn for people, not JSON
    bool json;               // JSON lines (the default)
    bool concepts;           // instead, at the end, what the captions that are kept speak of, and how often
} diht_parse_options;
DIHT_API void diht_parse_defaults(diht_parse_options *o);
// A line of JSON for every line, also an empty one, handed to `write` as text, several at once:
// {"objects": [{"lemma", "attributes": []}], "relations": [{"subject", "predicate", "object"}], "n_actions", "complexity",
// "keep"}; null for a subject or object that is not said. With `concepts`: a line "object" or "attribute", its lemma and the
// number of kept captions that have it, tabs between, the most frequent first; with `json` too {"kind", "lemma", "captions"}.
DIHT_API int diht_parse(const diht_parse_options *o, void (*write)(void *user, const char *text, size_t n), void *user);

// --- filter, text alone: one decision a line --------------------------------------------------------------------------
typedef struct diht_filter_text_options {
    const char *input;       // lines (NULL or "-": standard input); packed with gzip or zstd or not
    const char *format;      // "txt": a line is a caption, "tsv", "jsonl"; NULL: by the input's name, else txt
    const char *field;       // tsv, jsonl: where the caption is (NULL: caption, or text)
    int column;              // tsv without a header: the caption's, from 1
    int complexity;          // keep needs this many relations of one object
    bool no_action;          // keep does without an action
    bool boilerplate;        // phrases like "click to enlarge" are cut off, captions of nothing else dropped
    bool pass;               // write the kept lines themselves, and nothing for the others
    bool json;
    int threads;             // 0: one a processor
} diht_filter_text_options;
DIHT_API void diht_filter_text_defaults(diht_filter_text_options *o);
// Without state and in order, a line for every line: "keep" or "drop", the reason (kept, unreadable, boilerplate,
// unparsable, complexity, action), complexity, actions, tabs between; with `json` {"keep", "reason", "complexity",
// "n_actions"}. A header is answered by these names. What came through a pipe is answered before more is waited for.
DIHT_API int diht_filter_text(const diht_filter_text_options *o, void (*write)(void *user, const char *text, size_t n),
                              void *user);

// --- spot: text in pictures ------------------------------------------------------------------------------------------
typedef struct diht_spot_options {
    const char **images;     // picture files, ends with NULL
    const char *spot_models; // folder of ONNX Runtime and the models (NULL: $DIHT_SPOT_MODELS, else the user's data folder)
    int spot_side;           // longer side that the detector sees, pixels: larger pictures are shrunk to it
    const char *draw;        // PNG to write: the one picture with its boxes
    int threads;             // pictures at once
    bool json;
} diht_spot_options;
DIHT_API void diht_spot_defaults(diht_spot_options *o);
// A line for every picture, in their order, handed to `write` as text, several at once: {"file", "lines": [{"text",
// "confidence", "box": [[x, y] x 4]}]}, corners from the text's top left on, clockwise. A picture that cannot be read has
// no lines but an "error"; the others are read, then its code comes back. DIHT_EMISSING: library or models are not there.
DIHT_API int diht_spot(const diht_spot_options *o, void (*write)(void *user, const char *text, size_t n), void *user);

// --- filter: complexity, action, text-spotting (CAT) -------------------------------------------------------------------
typedef struct diht_filter_options {
    const char *data;        // dataset, list, tars, folder
    const char *where;       // rule over columns, "nsfw < 0.5 and similarity > 0.28" (NULL: none)
    int complexity;          // keep needs this many relations of one object
    bool no_action;          // keep does without an action
    bool boilerplate;        // phrases like "click to enlarge" are cut off, captions of nothing else dropped
    bool spot;               // look for text in the pictures of what is left
    int spot_side;           // longer side in pixels that the detector sees
    const char *spot_models; // folder of library and models (NULL: the user's)
    const char *spotted;     // instead: JSON lines of another spotter
    bool reuse;              // instead: what was spotted before, whatever spotted it
    double confidence;       // spotted text below this does not count
    int match;               // drop when so many characters in a row are the caption's
    double match_ratio;      // instead, above 0: drop when a spotted word is so much like one of the caption's
    const char *caption_column, *images;   // as for lists elsewhere
    const char *verdicts;    // where the verdicts on a list are kept (NULL: LIST.filter.jsonl); a dataset's: its catalogues
    const char *out;         // a list's kept rows, as JSON lines
    const char *html;        // page with the funnel and examples
    int examples;            // of each step on the page
    uint64_t seed;           // which ones
    int threads;
    bool json;
} diht_filter_options;
DIHT_API void diht_filter_defaults(diht_filter_options *o);
// The same call goes on where it was stopped or killed; with other thresholds no picture is looked into again.
DIHT_API int diht_filter(const diht_filter_options *o, char **result);

// --- train ---------------------------------------------------------------------------------------------------------
typedef struct diht_train_options {
    const char *data;        // dataset or list
    const char *split;       // training split (NULL: all)
    bool kept;               // only samples that diht_filter kept
    const char *model;       // configuration name or file, or a checkpoint to start from
    const char *vocab;       // merges file
    const char *out;         // directory: model.safetensors, state.safetensors, metrics.jsonl, config
    bool resume;             // go on from out's last state
    int64_t steps;           // optimizer steps
    int batch;               // pairs a step
    int micro;               // pairs held in memory at once (0: the batch); smaller = gradient caching
    const char *optimizer;   // "adamw", or "muon": hidden matrices by Muon, everything else by AdamW
    double lr, beta1, beta2, eps, momentum, weight_decay, clip;
    double warmup;           // fraction of steps
    double min_lr;           // the cosine's end, as a fraction of lr
    double alpha, beta;      // HN-NCE
    bool stop_gradient;      // hold the weights constant
    double logit_scale;      // start, as a factor (1 / temperature)
    double max_logit_scale;  // clamp, as a factor
    double tags_weight;      // weight of the tags' soft cross-entropy (0: none)
    int tags_min;            // tags' words seen at least this often are classes
    double label_p, tags_p, tag_p;   // caption sampling: label kept, tags at all, each tag
    bool distinct;           // a batch holds each caption at most once
    const char *augment;     // "none", "reference", "drawing"; or a list "scale=-.3:.25,rotate=12,..."
    const char *precision;   // "fp32", or "bf16": products in bfloat16 or, where those are faster, in 16-bit words, which are
                             // finer; everything else and the weights in single precision
    uint64_t seed;
    int threads, loaders;
    int64_t save_every;      // steps between checkpoints (0: only at the end and on a stop)
    int64_t log_every;       // steps between metrics
    const char *effective;   // text kept as out/train.conf, so that the run can be repeated (the program: its options as
                             // `key = value` lines; NULL: no such file)
    bool json;
} diht_train_options;
DIHT_API void diht_train_defaults(diht_train_options *o);
DIHT_API int diht_train(const diht_train_options *o, char **result);

// --- embed -----------------------------------------------------------------------------------------------------------
typedef struct diht_embed_options {
    const char *model;       // .safetensors, or PyTorch's .pt, .pth, .ckpt, .bin; an image tower alone embeds pictures only
    diht_model_as as;
    const char *vocab;       // merges file (NULL: the model's, else the installed ones)
    const char *images_npy;  // float32 [n, 3, S, S], normalised
    const char *ids_npy;     // int64 [m, context]
    const char *data;        // dataset or list
    const char *split;
    bool kept;               // only samples that diht_filter kept
    const char *images;      // directory that the list's picture paths start from
    const char *prompt;      // "a photo of {}." (NULL: the caption alone)
    const char *out;         // directory: images.npy, texts.npy, keys.txt
    const char *keep;        // directory for features as they come, so that a killed run goes on, and for those that
                             // diht_eval kept (NULL: beside the data; "none": nowhere)
    bool raw;                // rows not divided by their norm
    int batch;
    const char *precision;   // of the products: "fp32", "bf16", "int8"; what the processor lacks falls back to fp32
    int threads, loaders;
    bool json;
} diht_embed_options;
DIHT_API void diht_embed_defaults(diht_embed_options *o);
DIHT_API int diht_embed(const diht_embed_options *o, char **result);

// --- eval: zero-shot retrieval -------------------------------------------------------------------------------------
typedef struct diht_eval_options {
    const char *image_features, *text_features, *txt2img;   // .npy files, used as given
    const char **models;     // or model files, ends with NULL, on the same samples: their differences with intervals
    diht_model_as as;        // for all of them
    const char *vocab;       // merges file (NULL: the model's, else the installed ones)
    const char *data, *split;
    const char *images;      // directory that the list's picture paths start from; rows of addresses: files by row
    const char *rows;        // "A:B": only rows A .. B-1 of the list (NULL: the preset's, or all)
    const char *keep;        // directory for features as they come, so that a killed run goes on (NULL: beside the
                             // data; "none": nowhere)
    const char *left_out;    // write what was left out here, a JSON line a sample
    const char **merge;      // JSON results of --rows parts, ends with NULL: one result of them all, nothing is run
    const char *preset;      // "diht" (prompt, one gallery), "raw" (no prompt), "gcc-report" (prompt, ranges of 2000
                             // over rows 0 - 14,000)
    const char *prompt;      // overrides the preset's; several, parted by |: their features' mean
    int64_t ranges;          // images a range (0: the preset's, or one gallery)
    const char *html;        // write a page here
    const char *metrics;     // metrics.jsonl of the training, for the page's curves
    const char *exclude_tag; // leave out samples that carry this tag
    const char *hubness;     // "csls" or "dual-softmax": scores corrected for hubs (NULL: as they are)
    int resamples;           // bootstrap
    const char *precision;   // as in embed
    int batch, threads, loaders;
    bool json;
    const char *fetch;       // data is a list of web addresses: fetched into this dataset first, then that is evaluated
    const diht_fetch_options *fetching;   // how; list and out are passed over (NULL: diht_fetch_defaults)
} diht_eval_options;
DIHT_API void diht_eval_defaults(diht_eval_options *o);
DIHT_API int diht_eval(const diht_eval_options *o, char **result);

// --- classify: zero-shot classification ----------------------------------------------------------------------------
typedef struct diht_classify_options {
    const char *model, *vocab;
    diht_model_as as;
    const char *data, *split, *images;      // class folders, WebDataset tars with .cls
    const char *classnames, *templates;     // a text a line, or JSON, templates also by class (CuPL); NULL: files beside
                                            // the data, else what is there
    const char *set;                        // which list of a JSON file
    const char *keep, *left_out;            // as in diht_eval_options
    const char *precision;
    int resamples;
    int batch, threads, loaders;
    bool json;
} diht_classify_options;
DIHT_API void diht_classify_defaults(diht_classify_options *o);
DIHT_API int diht_classify(const diht_classify_options *o, char **result);

// --- verify: an evaluation's JSON result made again from its receipt --------------------------------------------------
typedef struct diht_verify_options {
    const char *result;      // JSON of diht_eval
    int batch, threads, loaders;
    bool json;
} diht_verify_options;
DIHT_API void diht_verify_defaults(diht_verify_options *o);
// DIHT_EFORMAT: something differs; the sentence says what.
DIHT_API int diht_verify(const diht_verify_options *o, char **result);

// --- drift: what a lower precision does to a model ------------------------------------------------------------------
typedef struct diht_drift_options {
    const char *model, *vocab, *data, *split, *images;
    diht_model_as as;
    const char *prompt;
    int64_t rows;            // samples looked at (0: all)
    int batch, threads, loaders;
    bool json;
} diht_drift_options;
DIHT_API void diht_drift_defaults(diht_drift_options *o);
// For each precision this processor has: cosine of the features to fp32's (mean, worst) and R@1.
DIHT_API int diht_drift(const diht_drift_options *o, char **result);

// --- loss: HN-NCE of two feature files -----------------------------------------------------------------------------
typedef struct diht_loss_options {
    const char *images, *texts;   // .npy [n, d], float32 or float64 (computed in double)
    double alpha, beta, temperature;
    bool stop_gradient;
    const char *grad;             // directory for dx.npy, dt.npy
    int threads;
    bool json;
} diht_loss_options;
DIHT_API void diht_loss_defaults(diht_loss_options *o);
DIHT_API int diht_loss(const diht_loss_options *o, char **result);

// --- a model in memory: pictures and captions to features, no files between -------------------------------------------
// A model held open. One call works at a time, by all its threads; calls from other threads wait for their turn. A
// process made by fork() must open its own.
typedef struct diht_model diht_model;
typedef struct diht_tokenizer diht_tokenizer;   // never changes: any number of threads may use one at once

typedef struct diht_model_options {
    const char *path;        // .safetensors, or PyTorch's .pt, .pth, .ckpt, .bin
    diht_model_as as;
    const char *vocab;       // merges file (NULL: the model's, else the installed ones)
    const char *precision;   // of the products: "fp32", "bf16", "int8"; what the processor lacks falls back to fp32
    int64_t max_pixels;      // pictures of more are refused by their header (0: 178,956,970)
    int threads;             // 0: one a processor
} diht_model_options;
DIHT_API void diht_model_defaults(diht_model_options *o);
DIHT_API int diht_model_open(diht_model **out, const diht_model_options *o);
DIHT_API void diht_model_close(diht_model *m);   // accepts NULL

typedef struct diht_model_facts {
    int embed_dim, image_size, context_length, vocab_size;   // an image tower alone: no context, no vocabulary
    int64_t parameters;
    double logit_scale;      // the factor, 1 / temperature: logits are logit_scale * image . text
    float mean[3], std[3];   // of pixels in 0 .. 1
    const char *name;        // "diht_vitl14_336px", or "" when the file does not say; lives as long as the model
    const char *precision;   // in use
} diht_model_facts;
DIHT_API void diht_model_describe(const diht_model *m, diht_model_facts *out);

// A picture: a file, or a file's bytes, or pixels. The first that is set counts.
typedef struct diht_picture {
    const char *path;
    const void *bytes;
    size_t size;             // of bytes
    const uint8_t *rgb;      // [height, width, 3]
    int width, height;
} diht_picture;
// Shorter side to the size, bicubic, centre crop, normalised: pixels [n, 3, S, S]. m NULL: CLIP's mean and deviation,
// `size` pixels a side, `threads` workers; else the model's own way and both are ignored.
DIHT_API int diht_pictures(diht_model *m, const diht_picture *pictures, int64_t n, int size, int threads, float *pixels);

// Features [n, embed_dim], rows divided by their norm unless `raw`. The same bits however many rows a call has.
DIHT_API int diht_encode_pictures(diht_model *m, const diht_picture *pictures, int64_t n, bool raw, float *features);
DIHT_API int diht_encode_pixels(diht_model *m, const float *pixels /* [n, 3, S, S] */, int64_t n, bool raw,
                                float *features);
DIHT_API int diht_encode_ids(diht_model *m, const int64_t *ids /* [n, width] */, int64_t n, int64_t width, bool raw,
                             float *features);
// UTF-8; bytes [n]: their lengths (a text may hold NUL), NULL: each ends at its NUL.
DIHT_API int diht_encode_texts(diht_model *m, const char *const *texts, const size_t *bytes, int64_t n, bool raw,
                               float *features);

// vocab NULL: the merges installed for the user.
DIHT_API int diht_tokenizer_open(diht_tokenizer **out, const char *vocab);
DIHT_API void diht_tokenizer_close(diht_tokenizer *t);   // accepts NULL
// ids [n, context], padded with 0 or cut with the end token kept.
DIHT_API int diht_tokenizer_ids(const diht_tokenizer *t, const char *const *texts, const size_t *bytes, int64_t n,
                                int context, int64_t *ids);
// The model's own, borrowed. DIHT_EMISSING: it has none and was given none.
DIHT_API int diht_model_tokenizer(diht_model *m, const diht_tokenizer **out);

typedef struct diht_recall_options {
    const float *images, *texts;   // [n, d], [m, d], used as given
    int64_t n, m, d;
    const int64_t *txt2img;        // [m]: each text's image; NULL: text i belongs to image i
    int64_t ranges;                // images a gallery (0: one gallery of all)
    int resamples;                 // bootstrap (0: no interval)
    int threads;
    bool json;
} diht_recall_options;
DIHT_API void diht_recall_defaults(diht_recall_options *o);
DIHT_API int diht_recall(const diht_recall_options *o, char **result);   // as diht_eval of feature files

// --- info, bench ---------------------------------------------------------------------------------------------------
typedef struct diht_info_options {
    const char *path;        // checkpoint, dataset or .npy
    diht_model_as as;
    bool tensors;            // list every tensor
    bool json;
} diht_info_options;
DIHT_API void diht_info_defaults(diht_info_options *o);
DIHT_API int diht_info(const diht_info_options *o, char **result);

typedef struct diht_convert_options {
    const char *path;        // .safetensors, or PyTorch's .pt, .pth, .ckpt, .bin
    diht_model_as as;
    const char *out;         // .safetensors, configuration inside
    const char *dtype;       // "fp32", "fp16", "bf16" (NULL: each tensor's own), or "int8": the blocks' matrices as codes
                             // with a scale a row, the rest as it is
    bool json;
} diht_convert_options;
DIHT_API void diht_convert_defaults(diht_convert_options *o);
DIHT_API int diht_convert(const diht_convert_options *o, char **result);

// --- pull: released models ------------------------------------------------------------------------------------------
typedef struct diht_pull_options {
    const char *name;        // "diht_vitl14_336px" ..., "all", or the name of a file that ends in _SHA256.ENDING
    const char *url;         // its address elsewhere, or a directory's, ending in '/' (NULL: where it is published)
} diht_pull_options;
DIHT_API void diht_pull_defaults(diht_pull_options *o);
// The file in $XDG_CACHE_HOME/diht, fetched and checked if it is not there yet; *result: its path. A broken download goes on
// where it broke. Wherever a model file is taken, a released model's name is taken too, and fetched the same way.
DIHT_API int diht_pull(const diht_pull_options *o, char **result);

typedef struct diht_bench_options {
    const char *only;        // one name, or a prefix ending in '*'
    int threads;
    double seconds;          // time spent on each figure
    bool json;
} diht_bench_options;
DIHT_API void diht_bench_defaults(diht_bench_options *o);
// Each figure is handed to `line` as it is ready, without the newline.
DIHT_API int diht_bench(const diht_bench_options *o, void (*line)(void *user, const char *text), void *user);

#ifdef __cplusplus
}
#endif
#endif
