// SPDX-License-Identifier: Apache-2.0
// The first frame of a GIF with giflib, as Pillow shows it: on the logical screen, which grows to hold the frame. What
// the frame leaves free has the transparent index, or index 0. Transparent pixels keep their palette colour.
#include <gif_lib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/formats.h"

struct bytes {
    const unsigned char *at, *end;
};

static int on_read(GifFileType *gif, GifByteType *out, int n)
{
    struct bytes *b = gif->UserData;
    size_t left = (size_t)(b->end - b->at), take = (size_t)n < left ? (size_t)n : left;
    memcpy(out, b->at, take);
    b->at += take;
    return (int)take;
}

static int broken(int code)
{
    const char *why = GifErrorString(code);
    return FAIL(EFORMAT_, "the GIF picture is damaged or cut off: %s", why ? why : "no picture in it");
}

// The index that a graphic control block makes transparent; -1: none.
static int transparent_index(const GifByteType *block /* its length first */)
{
    return block && block[0] >= 4 && block[1] & 1 ? block[4] : -1;
}

// Reads records up to the first picture's header.
static int find_frame(GifFileType *gif, int *transparent)
{
    GifRecordType kind;
    for (;;) {
        if (DGifGetRecordType(gif, &kind) == GIF_ERROR)
            return broken(gif->Error);
        if (kind == IMAGE_DESC_RECORD_TYPE)
            return DGifGetImageDesc(gif) == GIF_ERROR ? broken(gif->Error) : 0;
        if (kind != EXTENSION_RECORD_TYPE)
            return FAIL(EFORMAT_, "the GIF file holds no picture");
        int code;
        GifByteType *block;
        if (DGifGetExtension(gif, &code, &block) == GIF_ERROR)
            return broken(gif->Error);
        if (code == GRAPHICS_EXT_FUNC_CODE && transparent_index(block) >= 0)
            *transparent = transparent_index(block);
        while (block)
            if (DGifGetExtensionNext(gif, &block) == GIF_ERROR)
                return broken(gif->Error);
    }
}

// Indices past the palette's end are levels of grey, as in Pillow.
static void make_table(unsigned char table[256][3], const ColorMapObject *map)
{
    for (int i = 0; i < 256; i++)
        memset(table[i], i, 3);
    for (int i = 0; map && i < map->ColorCount && i < 256; i++)
        memcpy(table[i], (unsigned char[]){map->Colors[i].Red, map->Colors[i].Green, map->Colors[i].Blue}, 3);
}

// The frame's rows onto the screen.
static int paint(GifFileType *gif, struct image *out, unsigned char table[256][3])
{
    static const struct { int from, step; } whole[] = {{0, 1}}, interlaced[] = {{0, 8}, {4, 8}, {2, 4}, {1, 2}};
    const GifImageDesc *d = &gif->Image;
    GifByteType *row = malloc((size_t)d->Width + 1);
    if (!row)
        return FAIL(EMEMORY_, "out of memory: no room for a row of a GIF");
    int rc = 0;
    for (int pass = 0; pass < (d->Interlace ? 4 : 1) && !rc; pass++) {
        int y = d->Interlace ? interlaced[pass].from : whole[pass].from;
        for (; y < d->Height && !rc; y += d->Interlace ? interlaced[pass].step : whole[pass].step) {
            if (DGifGetLine(gif, row, d->Width) == GIF_ERROR) {
                rc = broken(gif->Error);
                break;
            }
            unsigned char *to = out->rgb + ((size_t)(d->Top + y) * (size_t)out->width + (size_t)d->Left) * 3;
            for (int x = 0; x < d->Width; x++)
                memcpy(to + 3 * x, table[row[x]], 3);
        }
    }
    free(row);
    return rc;
}

int gif_read(struct image *out, const unsigned char *bytes, size_t n, struct decoding *how)
{
    struct bytes b = {bytes, bytes + n};
    int code = 0, transparent = -1;
    unsigned char table[256][3];
    GifFileType *gif = DGifOpen(&b, on_read, &code);
    if (!gif)
        return broken(code);
    int rc = find_frame(gif, &transparent);
    const GifImageDesc *d = &gif->Image;
    if (!rc) {
        // 16-bit fields: the sums fit an int
        int width = d->Left + d->Width, height = d->Top + d->Height;
        rc = image_take(out, width > gif->SWidth ? width : gif->SWidth, height > gif->SHeight ? height : gif->SHeight,
                        how->max_pixels);
    }
    if (!rc) {
        make_table(table, d->ColorMap ? d->ColorMap : gif->SColorMap);
        if (how->shown && transparent >= 0)
            memset(table[transparent], 255, 3);
        size_t pixels = (size_t)out->width * (size_t)out->height;
        const unsigned char *ground = table[transparent >= 0 ? transparent : 0];
        if (d->Width != out->width || d->Height != out->height)
            for (size_t i = 0; i < pixels; i++)
                memcpy(out->rgb + 3 * i, ground, 3);
        rc = paint(gif, out, table);
    }
    DGifCloseFile(gif, NULL);
    return rc;
}
