// SPDX-License-Identifier: Apache-2.0
// One table of options a command: flags, `key = value` files, --help, the man page and shell completion follow from it.
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum option_kind {
    OPT_TEXT, OPT_FLAG, OPT_INT, OPT_INT64, OPT_SEED, OPT_REAL,
    OPT_TEXTS,               // may be given again and again: const char **, ends with NULL; NULL: never given
};

struct option {
    const char *name;        // "batch": --batch N, or `batch = N` in a file
    enum option_kind kind;
    size_t at;               // offset of the field in the command's options structure
    const char *value;       // what --help calls its value: "N", "FILE"
    const char *help;
    bool positional;         // also taken without its name, in the table's order
    bool required;
    bool rest;               // OPT_TEXTS: --name takes every value up to the next option
};

// What every command that opens a model takes, for its field `as`.
#define MODEL_AS(type)                                                                                            \
    {"model-config", OPT_TEXT, offsetof(type, as.config), "FILE",                                                 \
     "configuration the model lacks: a name, or JSON (ours, open_clip's, Hugging Face's, a ViT's)"},              \
    {"head-width", OPT_INT, offsetof(type, as.head_width), "N", "columns a head, where the file does not tell"},  \
    {"text-head-width", OPT_INT, offsetof(type, as.text_head_width), "N", "of the text tower (0: as the image tower's)"}, \
    {"activation", OPT_TEXT, offsetof(type, as.activation), "A", "gelu or quick_gelu, where the file does not tell"}, \
    {"image-size", OPT_INT, offsetof(type, as.image_size), "N", "pictures of this size: positions are interpolated"}

struct command {
    const char *name, *summary, *example;
    const struct option *options;   // ends with a NULL name
    size_t size;                    // of the options structure
    void (*defaults)(void *options);
    int (*run)(const void *options);
    // Options that another run left in a file of the directory that this one works on: they come before --config.
    const struct kept {
        const struct command *by;   // whose options these are; the structure is the same
        const char *file;
        size_t dir;                 // offset of the directory's name
    } *kept;
};

// Fill `into` from defaults < what was kept < --config FILE < arguments. 0, or 1 when help was printed, or -1 with a sentence printed.
int options_parse(const struct command *c, int argc, char **argv, void *into);
void options_help(const struct command *c, const void *defaults);
void option_default(const struct option *o, const void *defaults);   // prints " [value]"; nothing for flags and unset text
// The options in `from` as a `key = value` file that --config reads back to the same values; what is not set is a
// comment. A fresh string; NULL: out of memory, or (with a sentence printed) a value holds a line break.
char *options_text(const struct command *c, const void *from);
// `into` as the defaults and then the file's lines say; 0, or -1 with a sentence printed.
int options_file(const struct command *c, const char *path, void *into);
void options_free(void);   // memory that values from files live in

#endif
