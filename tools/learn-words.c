// SPDX-License-Identifier: Apache-2.0
// Makes the caption parser's word table from a treebank and WordNet:
//   learn-words [--wordnet /usr/share/wordnet] [--epochs N] [--rounds N] [--invent SENTENCES] [--lower SHARE] [--dev FILE]
//              --out TABLE TREEBANK...
// Treebanks: CoNLL-U, plain or .gz, or lines of word/TAG. --dev prints the table's accuracy on gold tokens; without
// treebanks the table at --out is only measured.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "caption/learn.h"

static void print_line(void *user, int level, const char *line) { fprintf(stderr, "%s\n", line); }

static int measure(const char *dev, const char *path)
{
    struct table *t = NULL;
    struct treebank b = {0};
    int rc = treebank_read(&b, dev);
    if (!rc)
        rc = table_open(&t, path);
    if (!rc)
        printf("{\"tokens\": %lld, \"upos\": %.4f, \"upos_lower\": %.4f}\n", (long long)b.tokens,
               treebank_accuracy(&b, 0, t, false), treebank_accuracy(&b, 0, t, true));
    table_close(t);
    treebank_free(&b);
    return rc;
}

int main(int argc, char **argv)
{
    struct learn_options o = {.wordnet = "/usr/share/wordnet", .epochs = 20, .rounds = 8, .lower = .5, .seed = 1};
    const char *out = NULL, *dev = NULL;
    struct treebank b = {0};
    int rc = 0, files = 0, invent = 1500;
    log_set(print_line, NULL);
    for (int i = 1; !rc && i < argc; i++) {
        if (argv[i][0] != '-') {
            rc = treebank_read(&b, argv[i]);
            files++;
        } else if (i + 1 == argc) {
            rc = FAIL(EUSAGE_, "%s needs a value", argv[i]);
        } else if (strcmp(argv[i], "--out") == 0) {
            out = argv[++i];
        } else if (strcmp(argv[i], "--dev") == 0) {
            dev = argv[++i];
        } else if (strcmp(argv[i], "--wordnet") == 0) {
            o.wordnet = argv[++i];
        } else if (strcmp(argv[i], "--epochs") == 0) {
            o.epochs = atoi(argv[++i]);
        } else if (strcmp(argv[i], "--rounds") == 0) {
            o.rounds = atoi(argv[++i]);
        } else if (strcmp(argv[i], "--lower") == 0) {
            o.lower = atof(argv[++i]);
        } else if (strcmp(argv[i], "--invent") == 0) {
            invent = atoi(argv[++i]);
        } else {
            rc = FAIL(EUSAGE_, "there is no option %s; see the head of tools/learn-words.c", argv[i]);
        }
    }
    if (!rc && !out)
        rc = FAIL(EUSAGE_, "--out TABLE is needed");
    if (!rc && files)
        rc = treebank_invent(&b, o.wordnet, invent, o.seed);
    if (!rc && files)
        rc = learn_table(&b, &o, out);
    if (!rc && dev)
        rc = measure(dev, out);
    if (rc)
        fprintf(stderr, "learn-words: %s\n", error_last());
    treebank_free(&b);
    return rc ? 1 : 0;
}
