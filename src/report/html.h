// SPDX-License-Identifier: Apache-2.0
// Pieces of HTML appended to a buf: escaped text, numbers as people read them, pictures as data URIs, tables.
// Everything here closes what it opens, so that a page stays well-formed whatever the strings hold.
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

// Text for element content and quoted attributes: & < > " ' escaped, broken UTF-8 and characters that HTML forbids
// become U+FFFD, other controls a space. NULL: nothing. At most `most` characters, then an ellipsis (0: all).
void html_text(struct buf *b, const char *text, size_t most);

// A number with `digits` decimals and thousands separated; an en dash when it is not finite.
void html_number(struct buf *b, double value, int digits);
void html_count(struct buf *b, int64_t value);   // negative: an en dash

void html_base64(struct buf *b, const void *bytes, size_t n);
// "image/png" and so on by the first bytes; NULL for anything but PNG, JPEG, GIF and WebP.
const char *html_picture_type(const void *bytes, size_t n);
// <img> with a data URI and `alt`, or an empty frame that says `instead` where the bytes are no picture.
void html_picture(struct buf *b, const void *bytes, size_t n, const char *alt, const char *instead);

// A table with a scrolling frame for narrow screens. `columns` end with NULL; a column whose name starts with '#' is
// numeric (right-aligned, the mark dropped).
void html_table_open(struct buf *b, const char *caption, const char *const *columns);
void html_table_close(struct buf *b);

// From the doctype to the open <main>, with the pages' style and more of it; `of` behind the title in the window's (NULL:
// nothing). The caller closes main, body and html.
void html_page_open(struct buf *b, const char *title, const char *of, const char *style);

#endif
