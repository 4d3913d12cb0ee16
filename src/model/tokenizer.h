// SPDX-License-Identifier: Apache-2.0
// Captions -> token ids, as the reference tokenizer makes them: clean, split, byte-pair merges.
// Ids: 0-255 single bytes (printable first), 256-511 bytes that end a word, 512 + rank of a merge, then start, end.
// A punctuation mark followed by a space is a token of its own, so "label, tag, tag" needs no special separator.
#ifndef MODEL_TOKENIZER_H
#define MODEL_TOKENIZER_H

#include <stddef.h>
#include <stdint.h>

enum { TOKENIZER_MERGES_MAX = 48894 };   // CLIP's count: lines past it in bpe_simple_vocab_16e6.txt are not used

struct tokenizer;      // read-only after open: any number of threads may encode with it
struct token_scratch;  // one thread's working memory and word cache

// From a merges file, plain or gzip: a header line, then "a b" per line in rank order. EFORMAT_ names the line.
int tokenizer_open(struct tokenizer **out, const char *path);
// From the same text in memory (a checkpoint's metadata); `from` names it in sentences.
int tokenizer_parse(struct tokenizer **out, const char *merges, size_t len, const char *from);
// CLIP's own merges from the user's data directory ($XDG_DATA_HOME/diht, else ~/.local/share/diht), where `./run build`
// puts them. EMISSING_: the sentence says how to get them.
int tokenizer_open_installed(struct tokenizer **out);
void tokenizer_close(struct tokenizer *t);                   // accepts NULL

int tokenizer_vocab(const struct tokenizer *t);              // 514 + merges: ids are below it
int32_t tokenizer_start(const struct tokenizer *t);          // vocab - 2
int32_t tokenizer_end(const struct tokenizer *t);            // vocab - 1
const char *tokenizer_merges(const struct tokenizer *t);     // the merges in use as such a file's text, borrowed

struct token_scratch *token_scratch_new(void);               // NULL: out of memory
void token_scratch_free(struct token_scratch *s);            // accepts NULL

// start + ids + end of `len` bytes of UTF-8 (NUL bytes and broken sequences included) into ids[context]; returns how
// many there are. Longer texts are cut, their last id is the end token. context >= 2. Nothing is allocated unless the
// text is longer than any the scratch has seen; EMEMORY_ then.
int tokenizer_encode(const struct tokenizer *t, struct token_scratch *s, const char *text, size_t len,
                     int32_t *ids /* context */, int context);

#endif
