// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "commands.h"
#include "diht.h"

#define AT(field) offsetof(diht_fetch_options, field)

// How the web is asked, and what of it is wanted: fetch, refetch and plan; kept with the dataset.
#define ASKING                                                                                                    \
    {"deadline", OPT_REAL, AT(deadline), "S", "seconds a row may take, all tries together"},                      \
    {"retries", OPT_INT, AT(retries), "N", "further tries of what may fare better"},                              \
    {"redirects", OPT_INT, AT(redirects), "N", "redirects followed"},                                             \
    {"per-host", OPT_INT, AT(per_host), "N", "connections a host"},                                               \
    {"delay", OPT_REAL, AT(delay), "S", "seconds between two starts at a host"},                                  \
    {"concurrency", OPT_INT, AT(concurrency), "N", "transfers at once, at most; how many help is found out"},     \
    {"connect-timeout", OPT_REAL, AT(connect_timeout), "S", "seconds a connection may take"},                     \
    {"min-rate", OPT_REAL, AT(min_rate), "B", "bytes a second below which a transfer is given up"},               \
    {"max-bytes", OPT_INT64, AT(max_bytes), "B", "largest body, unpacked"},                                       \
    {"max-pixels", OPT_INT64, AT(max_pixels), "N", "largest picture, by its header"},                             \
    {"min-size", OPT_INT64, AT(min_size), "N", "least shorter side in pixels"},                                   \
    {"max-aspect", OPT_REAL, AT(max_aspect), "R", "largest longer side / shorter side (0: any)"},                 \
    {"resize", OPT_INT, AT(resize), "SIZE", "store scaled to SIZE pixels, never up (0: originals)"},              \
    {"resize-mode", OPT_TEXT, AT(resize_mode), "MODE",                                                            \
     "which side is SIZE: shorter, longer, border (longer, padded white), crop (middle square)"},                 \
    {"enlarge", OPT_FLAG, AT(enlarge), "", "scale pictures smaller than SIZE up"},                                \
    {"format", OPT_TEXT, AT(format), "F", "store as jpg, webp or png (else jpg when resizing, as they came when not)"}, \
    {"quality", OPT_INT, AT(quality), "Q", "jpg, webp 1-100, png 1-9 (0: 95, 90, 6)"},                            \
    {"robots", OPT_TEXT, AT(robots), "WHAT", "robots.txt: obey or ignore"},                                       \
    {"contact", OPT_TEXT, AT(contact), "TEXT", "who fetches, for the User-Agent: a page or a mail address"},      \
    {"ca-file", OPT_TEXT, AT(ca_file), "FILE", "PEM file of the certificates to trust instead of the system's"},  \
    {"allow-net", OPT_TEXT, AT(allow_net), "CIDR", "networks to open although private or loopback, by commas"},   \
    {"hash-column", OPT_TEXT, AT(hash_column), "NAME", "column with the hash that the bytes must have"}

#define RUNNING                                                                                                   \
    {"log", OPT_TEXT, AT(log), "FILE", "add a JSON line a row to this file"},                                     \
    {"metrics", OPT_TEXT, AT(metrics), "FILE", "keep figures for Prometheus in this file"},                       \
    {"threads", OPT_INT, AT(threads), "N", "threads that check pictures (0: one a processor)"},                   \
    {"json", OPT_FLAG, AT(json), "", "print one JSON object"}

// The dataset's own: fetch and refetch.
#define STORING                                                                                                   \
    {"dedup", OPT_FLAG, AT(dedup), "", "leave out pictures whose bytes are there already"},                       \
    {"shard-samples", OPT_INT64, AT(shard_samples), "N", "samples in a tar shard"}

#define SHARING                                                                                                   \
    {"rank", OPT_INT, AT(rank), "R", "this process's number of --ranks"},                                         \
    {"ranks", OPT_INT, AT(ranks), "N", "processes that fill the dataset together"}

static const struct option fetch_options[] = {
    {"list", OPT_TEXT, AT(list), "LIST", "TSV (caption, address), CSV, JSON lines, Parquet or bare addresses; .gz, .zst", true, true},
    {"out", OPT_TEXT, AT(out), "DATASET", "dataset directory to make or add to", false, true},
    {"url-column", OPT_TEXT, AT(url_column), "NAME", "column with the addresses (else url)"},
    {"caption-column", OPT_TEXT, AT(caption_column), "NAME", "column with the captions (else caption)"},
    {"split", OPT_TEXT, AT(split), "NAME", "split of rows that name none"},
    ASKING,
    RUNNING,
    STORING,
    SHARING,
    {0},
};

static const struct option refetch_options[] = {
    {"out", OPT_TEXT, AT(out), "DATASET", "dataset directory", true, true},
    {"class", OPT_TEXT, AT(classes), "CLASSES", "classes of failure to try again, by commas, or all"},
    ASKING,
    RUNNING,
    STORING,
    SHARING,
    {0},
};

static void defaults(void *o) { diht_fetch_defaults(o); }

// What refetch does as the fetch did.
static const struct option kept_options[] = {
    ASKING,
    STORING,
    {0},
};

static const struct command command_kept = {
    "fetch", NULL, NULL, kept_options, sizeof(diht_fetch_options), defaults, NULL,
};

static const struct kept kept = {&command_kept, "fetch.conf", AT(out)};

static int run_fetch(const void *given)
{
    diht_fetch_options o = *(const diht_fetch_options *)given;
    char *result = NULL, *effective = options_text(&command_kept, given);
    if (!effective)
        return 1;
    o.effective = effective;
    int rc = diht_fetch(&o, &result);
    free(effective);
    return command_done(rc, result);
}

static int run_refetch(const void *o)
{
    char *result = NULL;
    int rc = diht_refetch(o, &result);
    return command_done(rc, result);
}

const struct command command_fetch = {
    "fetch", "make a dataset from a list of web addresses", "diht fetch cc3m.tsv --out DATASET --contact you@example.org",
    fetch_options, sizeof(diht_fetch_options), defaults, run_fetch,
};

const struct command command_refetch = {
    "refetch", "try rows that failed again, as they were fetched", "diht refetch DATASET --class timeout,http-503",
    refetch_options, sizeof(diht_fetch_options), defaults, run_refetch, &kept,
};

_Static_assert(offsetof(diht_plan_options, fetch) == 0, "AT() serves plan too");

static const struct option plan_options[] = {
    {"list", OPT_TEXT, AT(list), "LIST", "what fetch would be given", true, true},
    {"sample", OPT_INT64, offsetof(diht_plan_options, sample), "N", "rows asked, drawn evenly from the whole list"},
    {"seed", OPT_SEED, offsetof(diht_plan_options, seed), "N", "which rows are drawn"},
    {"url-column", OPT_TEXT, AT(url_column), "NAME", "column with the addresses (else url)"},
    {"caption-column", OPT_TEXT, AT(caption_column), "NAME", "column with the captions (else caption)"},
    ASKING,
    RUNNING,
    {0},
};

static void plan_defaults(void *o) { diht_plan_defaults(o); }

static int run_plan(const void *o)
{
    char *result = NULL;
    int rc = diht_plan(o, &result);
    return command_done(rc, result);
}

const struct command command_plan = {
    "plan", "what fetching a list will come to, from a sample of it", "diht plan cc3m.tsv --contact you@example.org",
    plan_options, sizeof(diht_plan_options), plan_defaults, run_plan,
};

#define STATUS_AT(field) offsetof(diht_status_options, field)

static const struct option status_options[] = {
    {"dataset", OPT_TEXT, STATUS_AT(dataset), "DATASET", "dataset directory, also while it is being filled", true, true},
    {"json", OPT_FLAG, STATUS_AT(json), "", "print one JSON object"},
    {0},
};

static void status_defaults(void *o) { diht_status_defaults(o); }

static int run_status(const void *o)
{
    char *result = NULL;
    int rc = diht_status(o, &result);
    return command_done(rc, result);
}

const struct command command_status = {
    "status", "what a dataset's rows came to, by class and host", "diht status DATASET",
    status_options, sizeof(diht_status_options), status_defaults, run_status,
};
